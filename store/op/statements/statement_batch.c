/*
 * BatchExecuteStatement: statements that read, or statements that write, each
 * on one item; each succeeds or fails on its own.
 */
#include "statement.h"

#include <string.h>

#define INVALID_KEYS "Select statements within BatchExecuteStatement must " \
	"specify the primary key in the where clause."

struct part {
	const struct statement_request *request;
	struct partiql statement;
	struct item_plan plan;
	bool ran;			/* its plan was tried */
	int fault;			/* 0: none so far */
	const char *text;
};

struct batch {
	struct part *parts;
	size_t count;
	struct op_used *used;		/* room for each part's table */
};

/* --- what is wrong with one -------------------------------------------------------------- */

/* It is told of the statement; anything else of the request. */
static bool
is_own(int fault)
{
	switch (fault) {
	case FAULT_VALIDATION:
	case FAULT_CONDITION:
	case FAULT_NOT_FOUND:
	case FAULT_IN_USE:
	case FAULT_COLLECTION_SIZE:
	case FAULT_THROUGHPUT:
	case FAULT_DENIED:
	case FAULT_DUPLICATE:
		return true;
	default:
		return false;
	}
}

/* 0 if it was kept; -1 with *e as it is. */
static int
keep_fault(struct op *op, struct part *m, const struct err *e)
{
	m->text = arena_copy(&op->arena, e->text, strlen(e->text));
	m->fault = e->code;
	return is_own(e->code) && m->text ? 0 : -1;
}

static void
write_fault(struct reply *r, const struct part *m)
{
	const struct text code = reply_code(m->fault);
	const struct item_plan *p = &m->plan;

	reply_object(r, "Error");
	reply_text(r, "Code", code.p, code.n);
	reply_string(r, "Message", m->text);
	if (m->ran && p->failed && p->old.there &&
	    m->request->on_failure == RETURN_ALL_OLD)
		reply_item_bytes(r, "Item", p->old.bytes.p, p->old.bytes.n);
	reply_close(r);
}

static void
write_table(struct reply *r, const struct part *m)
{
	const struct text *t = &m->statement.table;

	reply_text(r, "TableName", t->p, t->n);
}

/* --- read and planned -------------------------------------------------------------------- */

static int
read_all(struct op *op, struct batch *b, bool *writes, struct err *e)
{
	bool reads = false;
	size_t i;

	*writes = false;
	for (i = 0; i < b->count; i++) {
		struct part *m = &b->parts[i];
		int rc = op_statement_read(op, m->request, &m->statement, e);

		if (rc == 0 && m->statement.kind == PARTIQL_EXISTS)
			rc = err_set(e, FAULT_VALIDATION, "EXISTS can only be "
			    "used in ExecuteTransaction write requests.");
		if (rc < 0 && keep_fault(op, m, e) < 0)
			return -1;
		if (rc == 0)
			*(partiql_writes(&m->statement) ? writes : &reads) =
			    true;
	}
	return !reads || !*writes ? 0 : err_set(e, FAULT_VALIDATION,
	    "BatchExecuteStatement API does not support both read and write "
	    "operations in the same request.");
}

static int
plan_one(struct op *op, const struct catalog *c, struct part *m,
    struct err *e)
{
	int rc = op_statement_plan(op, c, m->request, &m->statement, &m->plan,
	    e);

	if (rc == 0)
		rc = err_set(e, FAULT_VALIDATION, INVALID_KEYS);
	return rc > 0 ? 0 : keep_fault(op, m, e);
}

/* An item can be changed once in what is written together. */
static int
check_once(const struct batch *b, size_t n, struct err *e)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!b->parts[i].fault &&
		    text_compare(&b->parts[i].plan.key,
		        &b->parts[n].plan.key) == 0)
			return err_set(e, FAULT_VALIDATION, "Provided list of "
			    "item keys contains duplicates");
	return 0;
}

static int
plan_all(struct op *op, const struct catalog *c, struct batch *b, bool once,
    struct err *e)
{
	struct part *m;
	size_t i;

	for (i = 0; i < b->count; i++) {
		m = &b->parts[i];
		if (!m->fault && plan_one(op, c, m, e) < 0)
			return -1;
		if (once && !m->fault && check_once(b, i, e) < 0)
			return -1;
	}
	return 0;
}

/* --- SELECT --------------------------------------------------------------------------------- */

static int
read_one(struct op *op, struct store_view *v, const struct part *m,
    struct op_used *used, struct reply *r, struct err *e)
{
	const struct item_plan *p = &m->plan;
	struct index_record record = {.size = 0};
	int rc = index_get(v->index, &p->key, &record, e);

	if (rc > 0)
		rc = op_fulfils(&op->arena, p, &record.item, e);
	if (rc < 0)
		return -1;
	used->units += op_read_units(record.size,
	    p->request->consistent == CHOICE_YES);
	write_table(r, m);
	return rc ? op_write_projected(r, "Item", &op->arena, p->projection,
	                &record.item, e)
	          : 0;
}

static int
read_parts(struct op *op, struct store_view *v, struct reply *r,
    struct err *e)
{
	struct batch *b = op->plan;
	size_t i, n = 0;

	if (plan_all(op, v->catalog, b, false, e) < 0)
		return -1;
	op_open(op, r);
	reply_list(r, "Responses");
	for (i = 0; i < b->count; i++) {
		const struct part *m = &b->parts[i];

		reply_object(r, NULL);
		if (m->fault)
			write_fault(r, m);
		else if (read_one(op, v, m, op_used_of(b->used, &n,
		             m->plan.table), r, e) < 0)
			return -1;
		reply_close(r);
	}
	reply_close(r);
	op_used_list(op, r, b->used, n, false);
	return 0;
}

/* --- INSERT, UPDATE, DELETE -------------------------------------------------------------------- */

static int
run(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	struct batch *b = op->plan;
	size_t i;

	for (i = 0; i < b->count; i++) {
		struct part *m = &b->parts[i];

		if (m->ran)
			m->fault = 0;	/* it is tried again */
		if (m->fault)
			continue;
		m->ran = true;
		if (op_write_item(c, &op->arena, &m->plan, e) < 0 &&
		    keep_fault(op, m, e) < 0)
			return -1;
	}
	return 0;
}

static void
answer(struct op *op)
{
	struct batch *b = op->plan;
	struct reply r;
	struct err e;
	size_t i, n = 0;

	op_open(op, &r);
	reply_list(&r, "Responses");
	for (i = 0; i < b->count; i++) {
		const struct part *m = &b->parts[i];

		reply_object(&r, NULL);
		if (m->fault)
			write_fault(&r, m);
		if (m->ran)
			write_table(&r, m);
		if (!m->fault && op_write_returned(op, &r, "Item", &m->plan,
		                     &e) < 0) {
			op_fail(op, &e);
			return;
		}
		if (m->ran)
			op_used_write(op_used_of(b->used, &n, m->plan.table),
			    &m->plan, 1);
		reply_close(&r);
	}
	reply_close(&r);
	op_used_list(op, &r, b->used, n, false);
	op_close(op, &r);
}

/* About what it will put. */
static size_t
room(const struct batch *b)
{
	size_t i, bytes = 0;

	for (i = 0; i < b->count; i++)
		bytes += 4096 + value_item_size(&b->parts[i].plan.fresh);
	return bytes;
}

static void
write_parts(struct op *op, struct batch *b)
{
	struct err e;

	op->catalog = store_catalog_hold(op->store);
	if (plan_all(op, op->catalog, b, true, &e) < 0)
		op_fail(op, &e);
	else
		op_submit(op, run, answer, NULL, room(b));
}

/* --- either --------------------------------------------------------------------------------------- */

static struct batch *
make_batch(struct op *op)
{
	const struct request *q = &op->request;
	struct batch *b = arena_array(&op->arena, 1, sizeof *b);
	size_t i;

	if (!b)
		return NULL;
	b->parts = arena_array(&op->arena, q->nstatements,
	    sizeof *b->parts);
	b->used = arena_array(&op->arena, q->nstatements, sizeof *b->used);
	b->count = q->nstatements;
	for (i = 0; b->parts && i < b->count; i++)
		b->parts[i].request = &q->statements[i];
	return b->parts && b->used ? b : NULL;
}

void
op_batch_execute_statement(struct op *op, struct store_view *v)
{
	struct batch *b = make_batch(op);
	struct err e;
	bool writes;

	op->plan = b;
	if (!b)
		op_no_memory(&e);
	if (!b || read_all(op, b, &writes, &e) < 0)
		op_fail(op, &e);
	else if (writes)
		write_parts(op, b);
	else
		op_within(op, v, read_parts);
}
