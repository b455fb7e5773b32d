/*
 * TransactWriteItems: all of it or nothing, across tables, in one unit of the
 * journal; with a ClientRequestToken it is done once.
 */
#include "op_internal.h"

#include "store/base/hash.h"

#include <stdio.h>
#include <string.h>

enum { ITEM_ROOM = 4096, TRANSACTION_BYTES = 4 << 20 };

struct transaction {
	struct item_plan *plans;
	struct cancel_reason *reasons;
	size_t count;
	bool canceled;
	struct text hash;	/* of the request, beside its token */
};

/* --- doing -------------------------------------------------------------------------- */

/* Whether the token was used: 1 if by this very request. */
static int
find_token(struct op *op, struct commit *c, struct err *e)
{
	const struct transaction *t = op->plan;
	struct text hash;
	int rc;

	if (!op->request.token.p)
		return 0;
	rc = commit_token_find(c, &op->request.token, &hash, e);
	if (rc <= 0)
		return rc;
	if (text_compare(&hash, &t->hash) == 0)
		return 1;
	return err_set(e, FAULT_TOKEN_MISMATCH, "A request that was made with "
	    "this ClientRequestToken had other parameters");
}

/* Why one item stops it; the reason's texts lie in the arena. */
static void
give_reason(struct op *op, struct transaction *t, size_t i,
    const struct err *e)
{
	struct item_plan *p = &t->plans[i];
	struct cancel_reason *r = &t->reasons[i];

	t->canceled = true;
	r->fault = e->code;
	r->text = arena_copy(&op->arena, e->text, strlen(e->text));
	if (p->failed && p->request->on_failure == RETURN_ALL_OLD &&
	    p->old.there) {
		r->item = p->old.bytes.p;
		r->nitem = p->old.bytes.n;
	}
}

static int
run(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	struct transaction *t = op->plan;
	size_t i;
	int rc = find_token(op, c, e);

	if (rc)
		return rc < 0 ? -1 : 0;
	t->canceled = false;
	memset(t->reasons, 0, t->count * sizeof *t->reasons);
	for (i = 0; i < t->count; i++) {
		if (op_write_item(c, &op->arena, &t->plans[i], e) == 0)
			continue;
		if (e->code != FAULT_CONDITION && e->code != FAULT_VALIDATION)
			return -1;
		give_reason(op, t, i, e);
	}
	if (t->canceled)
		return err_set(e, FAULT_CANCELED, "canceled");
	if (op->request.token.p)
		commit_token(c, &op->request.token, &t->hash);
	return 0;
}

static void
answer(struct op *op)
{
	const struct transaction *t = op->plan;
	struct reply r;
	size_t i, k;

	op_open(op, &r);
	if (op->request.capacity != CAPACITY_NONE) {
		reply_list(&r, "ConsumedCapacity");
		for (i = 0; i < t->count; i++) {
			const struct table *table = t->plans[i].table;
			const struct text name = {table->name,
			    strlen(table->name)};
			struct capacity c = {0};

			for (k = 0; k < i; k++)
				if (t->plans[k].table == table)
					break;
			if (k < i)
				continue;	/* told already */
			for (k = i; k < t->count; k++)
				if (t->plans[k].table == table)
					c.write += 2 * op_write_units(
					    value_item_size(
					        &t->plans[k].fresh));
			c.table = c.write;
			reply_capacity(&r, NULL, &name, &c,
			    op->request.capacity == CAPACITY_INDEXES, true);
		}
		reply_close(&r);
	}
	op_close(op, &r);
}

/* A canceled one tells each item's reason. */
static void
failed(struct op *op, const struct err *e)
{
	const struct transaction *t = op->plan;

	if (e->code != FAULT_CANCELED) {
		op_fail(op, e);
		return;
	}
	op->out->len = op->out_at;
	reply_canceled(op->out, &op->arena, op->plain, t->reasons, t->count);
	op->status = FAULT_CANCELED;
	op_end(op);
}

/* --- planning --------------------------------------------------------------------------- */

static int
plan(struct op *op, struct transaction *t, size_t *bytes, struct err *e)
{
	struct request *q = &op->request;
	size_t i, k;

	t->count = q->nitems;
	t->plans = arena_array(&op->arena, t->count, sizeof *t->plans);
	t->reasons = arena_array(&op->arena, t->count, sizeof *t->reasons);
	if (!t->plans || !t->reasons)
		return op_no_memory(e);
	for (i = 0; i < t->count; i++) {
		if (op_plan_item(&op->arena, op->catalog, &q->items[i],
		        &t->plans[i], e) < 0)
			return -1;
		*bytes += value_item_size(&t->plans[i].fresh) + ITEM_ROOM;
		for (k = 0; k < i; k++)
			if (text_compare(&t->plans[k].key, &t->plans[i].key) ==
			    0)
				return err_set(e, FAULT_VALIDATION,
				    "Transaction request cannot include "
				    "multiple operations on one item");
	}
	if (*bytes > TRANSACTION_BYTES + t->count * ITEM_ROOM)
		return err_set(e, FAULT_VALIDATION, "Transaction request "
		    "exceeds the maximum size of 4 MB");
	return 0;
}

/* What the token stands for: the bytes of the request without it. */
static int
hash_request(struct op *op, struct transaction *t, struct err *e)
{
	char hex[HASH_HEX_SIZE];
	struct hash *h = hash_new();
	struct buf b;
	size_t i;

	if (!h)
		return op_no_memory(e);
	buf_init(&b, OP_ARENA_MAX);
	for (i = 0; i < t->count; i++) {
		const struct item_request *r = t->plans[i].request;

		buf_printf(&b, "%d ", (int)r->kind);
		buf_add(&b, t->plans[i].key.p, t->plans[i].key.n);
		typed_write_item(&b, &t->plans[i].fresh);
		buf_add(&b, r->condition.p, r->condition.n);
		buf_add(&b, r->update.p, r->update.n);
		if (r->names)
			typed_write_item(&b, r->names);
		if (r->values)
			typed_write_item(&b, r->values);
	}
	hash_add(h, b.data, b.len);
	hash_take_hex(h, hex);
	i = buf_ok(&b);
	buf_release(&b);
	t->hash.n = strlen(hex);
	t->hash.p = arena_copy(&op->arena, hex, t->hash.n);
	return i && t->hash.p ? 0 : op_no_memory(e);
}

void
op_transact_write(struct op *op, struct store_view *v)
{
	struct transaction *t = arena_array(&op->arena, 1, sizeof *t);
	size_t bytes = 0;
	struct err e;

	(void)v;
	op->plan = t;
	op->catalog = store_catalog_hold(op->store);
	if (!t)
		op_no_memory(&e);
	if (!t || plan(op, t, &bytes, &e) < 0 ||
	    (op->request.token.p && hash_request(op, t, &e) < 0)) {
		op_fail(op, &e);
		return;
	}
	op_submit(op, run, answer, failed, bytes);
}
