/*
 * GetItem, BatchGetItem, TransactGetItems: all from one snapshot.
 */
#include "op_internal.h"

#include "store/base/plant.h"

#include <string.h>

enum { REPLY_BYTES = 16 << 20 };	/* of BatchGetItem; the rest is later */

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

/* Runs a reading operation within one snapshot. */
static void
within(struct op *op, struct store_view *v,
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
	within(op, v, get_item);
}

/* --- many -------------------------------------------------------------------------- */

/* A batch's items, planned: no key twice. */
static int
plan_group(struct op *op, struct store_view *v, const struct item_group *g,
    struct item_plan **out, struct err *e)
{
	struct item_plan *plans = arena_array(&op->arena, g->count,
	    sizeof *plans);
	size_t i, k;

	if (!plans)
		return op_no_memory(e);
	for (i = 0; i < g->count; i++) {
		if (op_plan_item(&op->arena, v->catalog, &g->items[i],
		        &plans[i], e) < 0)
			return -1;
		for (k = 0; k < i; k++)
			if (text_compare(&plans[k].key, &plans[i].key) == 0)
				return err_set(e, FAULT_VALIDATION, "Provided "
				    "list of item keys contains duplicates");
	}
	*out = plans;
	return 0;
}

/* What the keys of a group share, so that the rest can be sent as it is. */
static void
write_common(struct reply *r, const struct item_request *q)
{
	size_t i;

	if (q->projection.p)
		reply_text(r, "ProjectionExpression", q->projection.p,
		    q->projection.n);
	if (q->names) {
		reply_object(r, "ExpressionAttributeNames");
		for (i = 0; i < q->names->count; i++) {
			const struct member *m = &q->names->members[i];

			reply_name(r, &m->name);
			reply_text(r, NULL, m->value.text.p, m->value.text.n);
		}
		reply_close(r);
	}
	if (q->nto_get) {
		reply_list(r, "AttributesToGet");
		for (i = 0; i < q->nto_get; i++)
			reply_text(r, NULL, q->to_get[i].p, q->to_get[i].n);
		reply_close(r);
	}
	if (q->consistent != CHOICE_ABSENT)
		reply_bool(r, "ConsistentRead", q->consistent == CHOICE_YES);
}

static int
batch_get(struct op *op, struct store_view *v, struct reply *r,
    struct err *e)
{
	struct request *q = &op->request;
	struct item_plan **plans = arena_array(&op->arena, q->ngroups,
	    sizeof *plans);
	struct index_record record;
	double *units = arena_array(&op->arena, q->ngroups, sizeof *units);
	size_t *done = arena_array(&op->arena, q->ngroups, sizeof *done);
	size_t bytes = 0, i, k;
	int rc;

	if (!plans || !units || !done)
		return op_no_memory(e);
	for (i = 0; i < q->ngroups; i++)
		if (plan_group(op, v, &q->groups[i], &plans[i], e) < 0)
			return -1;
	op_open(op, r);
	reply_object(r, "Responses");
	for (i = 0; i < q->ngroups; i++) {
		const struct item_group *g = &q->groups[i];

		reply_name(r, &g->table);
		reply_list(r, NULL);
		for (k = 0; k < g->count && bytes < REPLY_BYTES; k++) {
			rc = index_get(v->index, &plans[i][k].key, &record, e);
			if (rc < 0)
				return -1;
			units[i] += op_read_units(rc ? record.size : 0,
			    g->items[k].consistent == CHOICE_YES);
			done[i] = k + 1;
			if (!rc)
				continue;
			bytes += record.size;
			if (op_write_projected(r, NULL, &op->arena,
			        plans[i][k].projection, &record.item, e) < 0)
				return -1;
		}
		reply_close(r);
	}
	reply_close(r);
	reply_object(r, "UnprocessedKeys");
	for (i = 0; i < q->ngroups; i++) {
		const struct item_group *g = &q->groups[i];

		if (done[i] == g->count)
			continue;
		reply_name(r, &g->table);
		reply_object(r, NULL);
		reply_list(r, "Keys");
		for (k = done[i]; k < g->count; k++)
			reply_item(r, NULL, g->items[k].key);
		reply_close(r);
		write_common(r, &g->items[0]);
		reply_close(r);
	}
	reply_close(r);
	if (q->capacity != CAPACITY_NONE) {
		reply_list(r, "ConsumedCapacity");
		for (i = 0; i < q->ngroups; i++) {
			struct capacity c = {.read = units[i],
			    .table = units[i]};

			reply_capacity(r, NULL, &q->groups[i].table, &c,
			    q->capacity == CAPACITY_INDEXES, false);
		}
		reply_close(r);
	}
	return 0;
}

void
op_batch_get(struct op *op, struct store_view *v)
{
	within(op, v, batch_get);
}

static int
transact_get(struct op *op, struct store_view *v, struct reply *r,
    struct err *e)
{
	struct request *q = &op->request;
	struct item_plan *plans = arena_array(&op->arena, q->nitems,
	    sizeof *plans);
	struct index_record record;
	size_t i, k;
	int rc;

	if (!plans)
		return op_no_memory(e);
	for (i = 0; i < q->nitems; i++) {
		if (op_plan_item(&op->arena, v->catalog, &q->items[i],
		        &plans[i], e) < 0)
			return -1;
		for (k = 0; k < i; k++)
			if (text_compare(&plans[k].key, &plans[i].key) == 0)
				return err_set(e, FAULT_VALIDATION,
				    "Transaction request cannot include "
				    "multiple operations on one item");
	}
	op_open(op, r);
	reply_list(r, "Responses");
	for (i = 0; i < q->nitems; i++) {
		if (planted(PLANT_TWO_SNAPSHOTS)) {
			index_read_end(v->index);
			index_read_begin(v->index, e);
		}
		rc = index_get(v->index, &plans[i].key, &record, e);
		if (rc < 0)
			return -1;
		reply_object(r, NULL);
		if (rc && op_write_projected(r, "Item", &op->arena,
		              plans[i].projection, &record.item, e) < 0)
			return -1;
		reply_close(r);
	}
	reply_close(r);
	return 0;
}

void
op_transact_get(struct op *op, struct store_view *v)
{
	within(op, v, transact_get);
}
