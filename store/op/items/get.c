/*
 * GetItem, and what all reads share: one snapshot.
 */
#include "store/op/op_internal.h"

static int
get_item(struct op *op, struct store_view *v, struct reply *r, struct err *e)
{
	const struct item_request *q = &op->request.item;
	struct index_record record = {.size = 0};
	struct item_plan p;
	int rc;

	if (op_plan_item(&op->arena, v->catalog, q, &p, e) < 0)
		return -1;
	rc = index_get(v->index, &p.key, &record, e);
	if (rc < 0)
		return -1;
	op_open(op, r);
	if (rc && op_write_projected(r, "Item", &op->arena, p.projection,
	              &record.item, e) < 0)
		return -1;
	op_capacity(op, r, p.table, NULL,
	    op_read_units(record.size, q->consistent == CHOICE_YES), 0);
	return 0;
}

void
op_within(struct op *op, struct store_view *v,
    int (*fn)(struct op *op, struct store_view *v, struct reply *r,
        struct err *e))
{
	struct reply r;
	struct err e;
	int rc;

	if (store_read_begin(v, &e) < 0) {
		op_fail(op, &e);
		return;
	}
	rc = fn(op, v, &r, &e);
	store_read_end(v);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &r);
}

void
op_get_item(struct op *op, struct store_view *v)
{
	op_within(op, v, get_item);
}
