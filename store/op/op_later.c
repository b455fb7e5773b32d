/*
 * Operations that this build doesn't do: each says so.
 */
#include "op_internal.h"

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

NOT_DONE(op_import)
NOT_DONE(op_export)

