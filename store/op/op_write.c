/*
 * PutItem, UpdateItem, DeleteItem, BatchWriteItem: jobs of the writer.
 */
#include "op_internal.h"

#include <string.h>

enum { UPDATE_ROOM = 4096 };	/* beside the request's own size */

/* --- one ---------------------------------------------------------------------------- */

static int
run_one(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	struct item_plan *p = op->plan;

	op->failed_item = NULL;
	if (op_write_item(c, &op->arena, p, e) == 0)
		return 0;
	if (p->failed && p->request->on_failure == RETURN_ALL_OLD &&
	    p->old.there)
		op->failed_item = &p->old.item;
	return -1;
}

/* The part of an item that an update touched, if there is any. */
static int
write_touched(struct op *op, struct reply *r, const char *name,
    const struct item_plan *p, const struct value *item, struct err *e)
{
	struct value part;

	if (!p->update)
		return 0;
	if (expr_touched(&op->arena, p->update, item, &part, e) < 0)
		return -1;
	if (part.count)
		reply_item(r, name, &part);
	return 0;
}

int
op_write_returned(struct op *op, struct reply *r, const char *name,
    const struct item_plan *p, struct err *e)
{
	const struct value *fresh = p->fresh.count ? &p->fresh : NULL;

	switch (p->request->returns) {
	case RETURN_NONE:
		return 0;
	case RETURN_ALL_OLD:
		if (p->old.there)
			reply_item_bytes(r, name, p->old.bytes.p,
			    p->old.bytes.n);
		return 0;
	case RETURN_ALL_NEW:
		if (fresh)
			reply_item(r, name, fresh);
		return 0;
	case RETURN_UPDATED_OLD:
		return p->old.there
		    ? write_touched(op, r, name, p, &p->old.item, e)
		    : 0;
	case RETURN_UPDATED_NEW:
		return fresh ? write_touched(op, r, name, p, fresh, e) : 0;
	}
	return 0;
}

static void
answer_one(struct op *op)
{
	const struct item_plan *p = op->plan;
	struct op_used u;
	struct reply r;
	struct err e;

	op_open(op, &r);
	if (op_write_returned(op, &r, "Attributes", p, &e) < 0) {
		op_fail(op, &e);
		return;
	}
	if (op_counts(op)) {
		u = (struct op_used){.table = p->table};
		op_used_write(&u, p, 1);
		op_used_reply(op, &r, "ConsumedCapacity", &u, false);
	}
	op_metrics(op, &r, p);
	op_close(op, &r);
}

void
op_submit_item(struct op *op, void (*answer)(struct op *op))
{
	const struct item_plan *p = op->plan;

	op_submit(op, run_one, answer, NULL,
	    value_item_size(&p->fresh) + UPDATE_ROOM);
}

/* Parses and checks in the caller's thread, so that the writer need not. */
static void
submit_one(struct op *op, struct store_view *v)
{
	struct item_plan *p = arena_alloc(&op->arena, sizeof *p);
	struct err e;

	(void)v;
	op->plan = p;
	op->catalog = store_catalog_hold(op->store);
	if (!p)
		op_no_memory(&e);
	if (!p || op_plan_item(&op->arena, op->catalog, &op->request.item, p,
	        &e) < 0) {
		op_fail(op, &e);
		return;
	}
	op_submit_item(op, answer_one);
}

void
op_put_item(struct op *op, struct store_view *v)
{
	submit_one(op, v);
}

void
op_update_item(struct op *op, struct store_view *v)
{
	submit_one(op, v);
}

void
op_delete_item(struct op *op, struct store_view *v)
{
	submit_one(op, v);
}

/* --- a batch: puts and deletes without conditions -------------------------------------- */

struct batch {
	struct item_plan *plans;
	size_t count;
	struct op_used *used;	/* room for each group's table */
};

static int
run_batch(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	struct batch *b = op->plan;
	size_t i;

	for (i = 0; i < b->count; i++)
		if (op_write_item(c, &op->arena, &b->plans[i], e) < 0)
			return -1;
	return 0;
}

static void
answer_batch(struct op *op)
{
	const struct batch *b = op->plan;
	struct reply r;
	size_t i, n = 0;

	op_open(op, &r);
	reply_object(&r, "UnprocessedItems");
	reply_close(&r);
	for (i = 0; op_counts(op) && i < b->count; i++)
		op_used_write(op_used_of(b->used, &n, b->plans[i].table),
		    &b->plans[i], 1);
	op_used_list(op, &r, b->used, n, false);
	op_metrics_list(op, &r, b->plans, b->count);
	op_close(op, &r);
}

/* In a batch a key of a put that doesn't fit is told as that of a delete. */
static int
plan_one(struct op *op, const struct catalog *c, const struct item_request *q,
    struct item_plan *p, struct err *e)
{
	if (op_plan_item(&op->arena, c, q, p, e) == 0)
		return 0;
	if (p->table && q->item && !op_key_fits(p->table, q->item))
		return err_set(e, FAULT_VALIDATION, "The provided key element "
		    "does not match the schema");
	return -1;
}

static int
plan_batch(struct op *op, const struct catalog *c, struct batch *b,
    size_t *bytes, struct err *e)
{
	struct request *q = &op->request;
	size_t i, k;

	for (i = 0; i < q->ngroups; i++)
		b->count += q->groups[i].count;
	b->plans = arena_array(&op->arena, b->count, sizeof *b->plans);
	b->used = arena_array(&op->arena, q->ngroups, sizeof *b->used);
	if (!b->plans || !b->used)
		return op_no_memory(e);
	for (b->count = i = 0; i < q->ngroups; i++)
		for (k = 0; k < q->groups[i].count; k++) {
			struct item_plan *p = &b->plans[b->count];

			if (plan_one(op, c, &q->groups[i].items[k], p, e) < 0)
				return -1;
			*bytes += value_item_size(&p->fresh) + UPDATE_ROOM;
			if (op_planned(b->plans, b->count++, &p->key))
				return err_set(e, FAULT_VALIDATION, "Provided "
				    "list of item keys contains duplicates");
		}
	return 0;
}

void
op_batch_write(struct op *op, struct store_view *v)
{
	struct batch *b = arena_array(&op->arena, 1, sizeof *b);
	size_t bytes = 0;
	struct err e;
	int rc;

	(void)v;
	op->plan = b;
	op->catalog = store_catalog_hold(op->store);
	rc = b ? plan_batch(op, op->catalog, b, &bytes, &e) : op_no_memory(&e);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_submit(op, run_batch, answer_batch, NULL, bytes);
}
