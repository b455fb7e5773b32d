/*
 * Operations that this build doesn't do: each says so.
 */
#include "op_internal.h"

#include "store/base/clock.h"

#define NOT_DONE(fn) \
	void \
	fn(struct op *op, struct store_view *v) \
	{ \
		struct err e; \
\
		(void)v; \
		err_set(&e, FAULT_UNKNOWN_OPERATION, "%s is not there yet", \
		    op->request.info->name); \
		op_fail(op, &e); \
	}

NOT_DONE(op_list_streams)
NOT_DONE(op_describe_stream)
NOT_DONE(op_shard_iterator)
NOT_DONE(op_get_records)
NOT_DONE(op_restore)
NOT_DONE(op_forget)
NOT_DONE(op_adopt)
NOT_DONE(op_check)
NOT_DONE(op_reindex)
NOT_DONE(op_import)
NOT_DONE(op_export)
NOT_DONE(op_mirror)

void
op_stream_label(const struct table *t, char out[32])
{
	clock_iso(t->stream_since_ms, out);
	out[23] = '\0';		/* without the zone */
}
