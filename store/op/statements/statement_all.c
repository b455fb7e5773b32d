/*
 * ExecuteTransaction: statements that read, or statements that write, each on
 * one item, all of them or none; they run as the items of a transaction do.
 */
#include "statement.h"
#include "store/op/items/transact.h"

#include "store/base/hash.h"

#include <stdio.h>
#include <string.h>

#define INVALID_KEYS "Select statements within ExecuteTransaction must " \
	"specify the primary key in the where clause."
#define INVALID_INDEX "Reads on indices are not supported within transactions."
#define INVALID_RETURNING "RETURNING clause is not supported in " \
	"ExecuteTransaction."

/* What is wrong is told with the place of the statement. */
static int
tell_place(size_t i, struct err *e)
{
	char why[sizeof e->text];

	if (e->code != FAULT_VALIDATION)
		return -1;
	memcpy(why, e->text, sizeof why);
	return err_set(e, FAULT_VALIDATION, "Validation failed in "
	    "TransactStatements[%zu]: %.440s", i, why);
}

static int
make_item(struct op *op, const struct catalog *c,
    const struct statement_request *r, const struct partiql *q,
    struct item_request *out, struct err *e)
{
	int rc;

	if (q->returns != RETURN_NONE)
		return err_set(e, FAULT_VALIDATION, INVALID_RETURNING);
	if (q->index.p)
		return err_set(e, FAULT_VALIDATION, INVALID_INDEX);
	rc = op_statement_item(op, c, r, q, out, e);
	if (rc == 0)
		return err_set(e, FAULT_VALIDATION, INVALID_KEYS);
	return rc > 0 ? 0 : -1;
}

static int
read_all(struct op *op, struct partiql *list, bool *writes, struct err *e)
{
	const struct request *r = &op->request;
	bool reads = false;
	size_t i;

	*writes = false;
	for (i = 0; i < r->nstatements; i++) {
		if (op_statement_read(op, &r->statements[i], &list[i], e) < 0)
			return -1;
		*(partiql_writes(&list[i]) ? writes : &reads) = true;
	}
	return !reads || !*writes ? 0 : err_set(e, FAULT_VALIDATION,
	    "ExecuteTransaction API does not support both read and write "
	    "operations in the same request.");
}

/* What the ClientRequestToken stands for. */
static int
hash_statements(struct op *op, struct text *out, struct err *e)
{
	const struct request *r = &op->request;
	char hex[HASH_HEX_SIZE];
	struct hash *h = hash_new();
	struct buf b;
	size_t i;
	bool ok;

	if (!h)
		return op_no_memory(e);
	buf_init(&b, OP_ARENA_MAX);
	for (i = 0; i < r->nstatements; i++)
		op_statement_write(&r->statements[i], &b);
	ok = buf_ok(&b);
	hash_add(h, b.data, b.len);
	hash_take_hex(h, hex);
	buf_release(&b);
	out->n = strlen(hex);
	out->p = arena_copy(&op->arena, hex, out->n);
	return ok && out->p ? 0 : op_no_memory(e);
}

/* From here on the request is that of a transaction on items. */
static int
plan_all(struct op *op, const struct catalog *c, const struct partiql *list,
    struct transaction *t, struct err *e)
{
	struct request *r = &op->request;
	size_t i, n = r->nstatements;
	struct item_request *items = arena_array(&op->arena, n, sizeof *items);

	t->statements = true;
	if (!items || hash_statements(op, &t->hash, e) < 0)
		return op_no_memory(e);
	for (i = 0; i < n; i++)
		if (make_item(op, c, &r->statements[i], &list[i], &items[i],
		        e) < 0)
			return tell_place(i, e);
	r->items = items;
	r->nitems = n;
	return op_transact_plan(op, c, t, e);
}

static void
read_items(struct op *op, struct store_view *v, const struct partiql *list,
    struct transaction *t)
{
	struct reply r;
	struct err e;
	int rc = store_read_begin(v, &e);

	if (rc == 0) {
		rc = plan_all(op, v->catalog, list, t, &e);
		if (rc == 0)
			rc = op_transact_read(op, v, t, &r, &e);
		store_read_end(v);
	}
	if (rc < 0)
		op_transact_fail(op, t, &e);
	else
		op_close(op, &r);
}

static void
write_items(struct op *op, const struct partiql *list, struct transaction *t)
{
	struct err e;

	op->catalog = store_catalog_hold(op->store);
	if (plan_all(op, op->catalog, list, t, &e) < 0)
		op_transact_fail(op, t, &e);
	else
		op_transact_submit(op, t);
}

void
op_execute_transaction(struct op *op, struct store_view *v)
{
	struct partiql *list = arena_array(&op->arena,
	    op->request.nstatements, sizeof *list);
	struct transaction *t = arena_array(&op->arena, 1, sizeof *t);
	struct err e;
	bool writes;

	if (!list || !t)
		op_no_memory(&e);
	if (!list || !t || read_all(op, list, &writes, &e) < 0)
		op_fail(op, &e);
	else if (writes)
		write_items(op, list, t);
	else
		read_items(op, v, list, t);
}
