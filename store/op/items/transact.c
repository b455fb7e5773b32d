/*
 * TransactWriteItems: all of it or nothing, across tables, in one unit of the
 * journal; with a ClientRequestToken it is done once.
 */
#include "transact.h"

#include "store/base/hash.h"

#include <stdio.h>
#include <string.h>

enum { ITEM_ROOM = 4096 };

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

/* What was done before is not done again, but looked at: it costs reading. */
static int
repeat(struct op *op, struct commit *c, struct err *e)
{
	struct transaction *t = op->plan;
	size_t i;

	t->repeated = true;
	for (i = 0; op_counts(op) && i < t->count; i++)
		if (commit_get(c, &t->plans[i].key, &t->plans[i].old, e) < 0)
			return -1;
	return 0;
}

static int
run(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	struct transaction *t = op->plan;
	bool canceled = false;
	size_t i;
	int rc = find_token(op, c, e);

	t->repeated = false;
	if (rc)
		return rc < 0 ? -1 : repeat(op, c, e);
	memset(t->reasons, 0, t->count * sizeof *t->reasons);
	for (i = 0; i < t->count; i++) {
		if (op_write_item(c, &op->arena, &t->plans[i], e) == 0)
			continue;
		if (op_transact_is_whole(&t->plans[i], e))
			return -1;
		op_transact_reason(op, t, i, e);
		canceled = true;
	}
	if (canceled)
		return err_set(e, FAULT_CANCELED, "canceled");
	if (op->request.token.p)
		commit_token(c, &op->request.token, &t->hash);
	return 0;
}

static void
answer(struct op *op)
{
	const struct transaction *t = op->plan;
	struct op_used *used;
	struct reply r;
	size_t i, n = 0;

	op_open(op, &r);
	if (t->statements) {
		reply_list(&r, "Responses");
		for (i = 0; i < t->count; i++) {
			reply_object(&r, NULL);
			reply_close(&r);
		}
		reply_close(&r);
	}
	for (i = 0; op_counts(op) && i < t->count; i++) {
		used = op_used_of(t->used, &n, t->plans[i].table);
		if (t->repeated)
			used->units += 2 *
			    op_read_units(op_plan_size(&t->plans[i]), true);
		else
			op_used_write(used, &t->plans[i], 2);
	}
	op_used_list(op, &r, t->used, n, true);
	op_metrics_list(op, &r, t->plans, t->count);
	op_close(op, &r);
}

static void
failed(struct op *op, const struct err *e)
{
	op_transact_fail(op, op->plan, e);
}

/* --- planning --------------------------------------------------------------------------- */

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

static size_t
room(const struct transaction *t)
{
	size_t i, bytes = 0;

	for (i = 0; i < t->count; i++)
		bytes += value_item_size(&t->plans[i].fresh) + ITEM_ROOM;
	return bytes;
}

void
op_transact_submit(struct op *op, struct transaction *t)
{
	op->plan = t;
	op_submit(op, run, answer, failed, room(t));
}

void
op_transact_write(struct op *op, struct store_view *v)
{
	struct transaction *t = arena_array(&op->arena, 1, sizeof *t);
	struct err e;

	(void)v;
	op->plan = t;
	op->catalog = store_catalog_hold(op->store);
	if (!t) {
		op_no_memory(&e);
		op_fail(op, &e);
	} else if (op_transact_plan(op, op->catalog, t, &e) < 0 ||
	    (op->request.token.p && hash_request(op, t, &e) < 0))
		op_transact_fail(op, t, &e);
	else
		op_transact_submit(op, t);
}
