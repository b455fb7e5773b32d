/*
 * PutItem, UpdateItem, DeleteItem, BatchWriteItem: jobs of the writer.
 */
#include "store/op/op_internal.h"

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
	struct op_used *used;	/* room for each group's table, */
	size_t nused;		/* and how many it has */
};

/* One of them, if its table has throughput left for it. */
static int
run_part(struct op *op, struct commit *c, struct item_plan *p, struct err *e)
{
	struct batch *b = op->plan;
	struct op_used *used;

	if (!op_counts(op))
		return op_write_item(c, &op->arena, p, e);
	used = op_used_of(b->used, &b->nused, p->table);
	p->left = !op_meter_has(op, used, true);
	if (p->left)
		return 0;
	if (op_write_item(c, &op->arena, p, e) < 0)
		return -1;
	op_used_write(used, p, 1);
	return 0;
}

static int
run_batch(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	struct batch *b = op->plan;
	size_t i;

	b->nused = 0;
	for (i = 0; i < b->count; i++)
		if (run_part(op, c, &b->plans[i], e) < 0)
			return -1;
	return 0;
}

static void
write_left(struct reply *r, const struct item_request *q)
{
	bool put = q->kind == ITEM_PUT;

	reply_object(r, NULL);
	reply_object(r, put ? "PutRequest" : "DeleteRequest");
	reply_item(r, put ? "Item" : "Key", put ? q->item : q->key);
	reply_close(r);
	reply_close(r);
}

/* As it came, by table; the plans stand in the order of the groups. */
static void
write_all_left(struct reply *r, const struct request *q,
    const struct batch *b)
{
	size_t i, k, at = 0;
	bool open;

	reply_object(r, "UnprocessedItems");
	for (i = 0; i < q->ngroups; i++) {
		open = false;
		for (k = 0; k < q->groups[i].count; k++, at++) {
			if (!b->plans[at].left)
				continue;
			if (!open) {
				reply_name(r, &q->groups[i].table);
				reply_list(r, NULL);
			}
			open = true;
			write_left(r, &q->groups[i].items[k]);
		}
		if (open)
			reply_close(r);
	}
	reply_close(r);
}

static void
answer_batch(struct op *op)
{
	const struct batch *b = op->plan;
	struct reply r;

	op_open(op, &r);
	write_all_left(&r, &op->request, b);
	op_used_list(op, &r, b->used, b->nused, false);
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
