/*
 * Reindex: the index is made again from files and journal, by the next start.
 * Runs in bothy-store, whose daemon leaves after the reply.
 *
 * Beside a daemon that goes on, an index could only be made by stopping its
 * writer for as long; so it is done where it is done after a crash, too.
 */
#include "store/op/op_internal.h"

#include "store/engine/parts.h"

void
op_reindex(struct op *op, struct store_view *v)
{
	struct reply r;
	struct err e;

	if (store_distrust_index(v->store, &e) < 0) {
		op_fail(op, &e);
		return;
	}
	op_open(op, &r);
	op_close(op, &r);
}
