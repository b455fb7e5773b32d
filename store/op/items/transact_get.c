/*
 * TransactGetItems: items of several tables, all from one snapshot.
 */
#include "transact.h"

#include "store/base/plant.h"

#include <unistd.h>

enum { REPLY_BYTES = 4 << 20 };		/* of items */

/* A projection that finds nothing leaves no Item. */
static int
write_item(struct op *op, const struct item_plan *p, struct reply *r,
    const struct text *bytes, struct err *e)
{
	struct value item, part;

	if (!p->projection) {
		reply_item_bytes(r, "Item", bytes->p, bytes->n);
		return 0;
	}
	if (typed_read_item(&op->arena, bytes->p, bytes->n, &item, e) < 0 ||
	    expr_project(&op->arena, p->projection, &item, &part, e) < 0)
		return -1;
	if (part.count)
		reply_item(r, "Item", &part);
	return 0;
}

/* One item's part of the reply; *bytes grows by the item. */
static int
read_one(struct op *op, struct store_view *v, const struct item_plan *p,
    struct op_used *used, struct reply *r, size_t *bytes, struct err *e)
{
	struct index_record record = {.size = 0};
	int rc;

	if (planted(PLANT_TWO_SNAPSHOTS)) {
		index_read_end(v->index);
		usleep(100);
		index_read_begin(v->index, e);
	}
	rc = index_get(v->index, &p->key, &record, e);
	if (rc < 0)
		return -1;
	*bytes += record.size;
	if (*bytes > REPLY_BYTES)
		return err_set(e, FAULT_VALIDATION, "The aggregate size of "
		    "the items in the transaction cannot exceed 4 MB");
	used->units += 2 * op_read_units(record.size, true);
	if (rc && p->condition)
		rc = op_fulfils(&op->arena, p, &record.item, e);
	if (rc < 0)
		return -1;
	reply_object(r, NULL);
	if (rc && write_item(op, p, r, &record.item, e) < 0)
		return -1;
	reply_close(r);
	return 0;
}

int
op_transact_read(struct op *op, struct store_view *v, struct transaction *t,
    struct reply *r, struct err *e)
{
	size_t i, n = 0, bytes = 0;

	op_open(op, r);
	reply_list(r, "Responses");
	for (i = 0; i < t->count; i++)
		if (read_one(op, v, &t->plans[i],
		        op_used_of(t->used, &n, t->plans[i].table), r, &bytes,
		        e) < 0)
			return -1;
	reply_close(r);
	op_used_list(op, r, t->used, n, true);
	return 0;
}

void
op_transact_get(struct op *op, struct store_view *v)
{
	struct transaction t = {.count = 0};
	struct reply r;
	struct err e;
	int rc = store_read_begin(v, &e);

	op->plan = &t;
	if (rc == 0) {
		rc = op_transact_plan(op, v->catalog, &t, &e);
		if (rc == 0)
			rc = op_transact_read(op, v, &t, &r, &e);
		store_read_end(v);
	}
	op->plan = NULL;
	if (rc < 0)
		op_transact_fail(op, &t, &e);
	else
		op_close(op, &r);
}
