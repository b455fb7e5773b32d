/*
 * The operation that this file is named after.  Runs in bothy-store.
 */
#include "op_internal.h"

void
op_mirror(struct op *op, struct store_view *v)
{
	struct err e;

	(void)v;
	err_set(&e, FAULT_UNKNOWN_OPERATION, "%s is not there yet",
	    op->request.info->name);
	op_fail(op, &e);
}
