/*
 * ExecuteStatement: a PartiQL statement becomes the request that an ordinary
 * call would have been, and runs as that does.
 */
#include "store/op/items/query.h"
#include "statement.h"

#include <string.h>

/* --- read and planned --------------------------------------------------------------- */

int
op_statement_read(struct op *op, const struct statement_request *r,
    struct partiql *out, struct err *e)
{
	return partiql_read(out, &op->arena, r->statement.p, r->statement.n,
	    r->parameters, r->nparameters, e);
}

int
op_statement_allow(struct op *op, const struct catalog *c, const struct partiql *q,
    const struct item_request *item, struct err *e)
{
	const struct access a = {.action = partiql_action(q),
	    .table = q->table, .index = q->index,
	    .key = item && item->item ? item->item : item ? item->key : NULL};

	return op_allow(op, c, &a, e);
}

int
op_statement_item(struct op *op, const struct catalog *c,
    const struct statement_request *r, const struct partiql *q,
    struct item_request *out, struct err *e)
{
	const struct table *t = catalog_named(c, q->table.p, q->table.n);
	struct expr_keys keys;
	int rc;

	if (!t) {
		if (op_statement_allow(op, c, q, NULL, e) == 0)
			op_table(c, &q->table, e);
		return -1;
	}
	op_keys(&t->key, &keys);
	rc = partiql_item(q, &op->arena, &keys, out, e);
	if (rc <= 0)
		return rc;
	out->consistent = r->consistent;
	out->on_failure = r->on_failure;
	return op_statement_allow(op, c, q, out, e) < 0 ? -1 : 1;
}

int
op_statement_plan(struct op *op, const struct catalog *c,
    const struct statement_request *r, const struct partiql *q,
    struct item_plan *out, struct err *e)
{
	struct item_request *item = arena_alloc(&op->arena, sizeof *item);
	int rc;

	if (!item) {
		op_no_memory(e);
		return -1;
	}
	rc = op_statement_item(op, c, r, q, item, e);
	if (rc <= 0)
		return rc;
	return op_plan_item(&op->arena, c, item, out, e) < 0 ? -1 : 1;
}

void
op_statement_write(const struct statement_request *r, struct buf *out)
{
	size_t i;

	buf_printf(out, "%zu ", r->statement.n);
	buf_add(out, r->statement.p, r->statement.n);
	for (i = 0; i < r->nparameters; i++)
		typed_write(out, &r->parameters[i]);
}

/* --- SELECT ---------------------------------------------------------------------------- */

static int
read_item(struct op *op, struct store_view *v, const struct item_plan *p,
    struct reply *r, struct err *e)
{
	struct index_record record = {.size = 0};
	int rc = index_get(v->index, &p->key, &record, e);

	if (rc > 0)
		rc = op_fulfils(&op->arena, p, &record.item, e);
	if (rc < 0)
		return -1;
	op_open(op, r);
	reply_list(r, "Items");
	if (rc && op_write_projected(r, NULL, &op->arena, p->projection,
	              &record.item, e) < 0)
		return -1;
	reply_close(r);
	op_capacity(op, r, p->table, NULL, op_read_units(record.size,
	    p->request->consistent == CHOICE_YES), 0);
	return 0;
}

/* The keys of the table or index that is named, if there are such. */
static int
find_keys(const struct partiql *q, const struct catalog *c,
    struct expr_keys *out, struct err *e)
{
	const struct table *t = op_table(c, &q->table, e);
	const struct table_index *ix;

	if (!t)
		return -1;
	ix = q->index.p ? table_index_named(t, q->index.p, q->index.n) : NULL;
	if (q->index.p && !ix)
		return err_set(e, FAULT_VALIDATION, "The table does not have "
		    "the specified index: %.*s",
		    q->index.n < 255 ? (int)q->index.n : 255, q->index.p);
	op_keys(ix ? &ix->key : &t->key, out);
	return 0;
}

enum { PAGE_BYTES = 1 << 20 };	/* of all partitions together */

/* A page of all the ranges: of the last one that was read, and sums. */
struct pages {
	const struct partiql *statement;
	struct partiql_ranges ranges;
	size_t at;			/* of the range that is next, or goes on */
	const struct value *start;	/* behind which it does; or NULL */
	struct page page;
	uint64_t scanned;
	size_t bytes;
	double back_units;
};

/* One range: 1 if the page is full. */
static int
read_one(struct op *op, struct store_view *v, struct pages *s,
    struct reply *r, struct err *e)
{
	struct read_request *range = &s->ranges.list[s->at];
	uint32_t limit = op->request.limit;
	struct page *p = &s->page;

	*p = (struct page){.op = op, .q = range, .query = s->ranges.query,
	    .action = partiql_action(s->statement)};
	range->consistent = op->request.statements->consistent;
	range->limit = limit ? limit - (uint32_t)s->scanned : 0;
	range->start = s->start;
	if (op_page_plan(p, v, e) < 0 || op_page_read(p, v, r, e) < 0)
		return -1;
	s->scanned += p->scanned;
	s->bytes += p->bytes;
	s->back_units += p->back_units;
	s->start = NULL;
	if (p->last.count)
		return 1;
	s->at++;
	return (limit && s->scanned >= limit) || s->bytes >= PAGE_BYTES;
}

static int
read_pages(struct op *op, struct store_view *v, struct pages *s,
    struct reply *r, struct err *e)
{
	struct page *p = &s->page;
	int rc = 0;

	op_open(op, r);
	reply_list(r, "Items");
	while (rc == 0 && s->at < s->ranges.count)
		rc = read_one(op, v, s, r, e);
	if (rc < 0)
		return -1;
	reply_close(r);
	if (s->at < s->ranges.count &&
	    op_next_write(op, r, s->at, &p->last, e) < 0)
		return -1;
	if (p->last.count)
		reply_item(r, "LastEvaluatedKey", &p->last);
	p->bytes = s->bytes;
	p->back_units = s->back_units;
	op_page_capacity(p, r);
	return 0;
}

static int
read_range(struct op *op, struct store_view *v, const struct partiql *q,
    struct reply *r, struct err *e)
{
	struct pages s = {.statement = q};
	struct expr_keys keys;

	if (find_keys(q, v->catalog, &keys, e) < 0 ||
	    partiql_range(q, &op->arena, &keys, &s.ranges, e) < 0 ||
	    (!s.ranges.query &&
	        op_statement_allow(op, v->catalog, q, NULL, e) < 0) ||
	    op_next_read(op, &s.at, &s.start, e) < 0)
		return -1;
	if (s.at >= s.ranges.count)
		return err_set(e, FAULT_VALIDATION, "Invalid NextToken");
	return read_pages(op, v, &s, r, e);
}

static int
read_any(struct op *op, struct store_view *v, struct reply *r, struct err *e)
{
	const struct partiql *q = op->plan;
	struct item_plan p;
	int rc = op_statement_plan(op, v->catalog, op->request.statements, q,
	    &p, e);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return read_range(op, v, q, r, e);
	return op->request.next.p
	    ? err_set(e, FAULT_VALIDATION, "NextToken does not match request")
	    : read_item(op, v, &p, r, e);
}

/* --- INSERT, UPDATE, DELETE --------------------------------------------------------------- */

static void
answer(struct op *op)
{
	const struct item_plan *p = op->plan;
	struct op_used u;
	struct reply r;
	struct err e;

	op_open(op, &r);
	reply_list(&r, "Items");
	if (op_write_returned(op, &r, NULL, p, &e) < 0) {
		op_fail(op, &e);
		return;
	}
	reply_close(&r);
	if (op_counts(op)) {
		u = (struct op_used){.table = p->table};
		op_used_write(&u, p, 1);
		op_used_reply(op, &r, "ConsumedCapacity", &u, false);
	}
	op_close(op, &r);
}

static void
write_any(struct op *op, const struct partiql *q)
{
	struct item_plan *p = arena_alloc(&op->arena, sizeof *p);
	struct err e;
	int rc = -1;

	op->catalog = store_catalog_hold(op->store);
	op->plan = p;
	if (!p)
		op_no_memory(&e);
	else if (op->request.next.p)
		err_set(&e, FAULT_VALIDATION,
		    "NextToken does not match request");
	else
		rc = op_statement_plan(op, op->catalog,
		    op->request.statements, q, p, &e);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_submit_item(op, answer);
}

void
op_execute_statement(struct op *op, struct store_view *v)
{
	struct partiql q;
	struct err e;

	if (op_statement_read(op, op->request.statements, &q, &e) < 0) {
		op_fail(op, &e);
	} else if (q.kind == PARTIQL_EXISTS) {
		err_set(&e, FAULT_VALIDATION, "EXISTS can only be used in "
		    "ExecuteTransaction write requests.");
		op_fail(op, &e);
	} else if (partiql_writes(&q)) {
		write_any(op, &q);
	} else {
		op->plan = &q;
		op_within(op, v, read_any);
	}
}
