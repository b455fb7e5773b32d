/*
 * CreateTable, UpdateTable, DeleteTable: jobs of the writer.
 */
#include "table.h"

#include <string.h>

/* --- what they share ------------------------------------------------------- */

void
op_table_drop(struct op *op)
{
	struct table_plan *p = op->plan;

	table_free(p->table);
	p->table = NULL;
}

static void
failed(struct op *op, const struct err *e)
{
	op_table_drop(op);
	op_fail(op, e);
}

int
op_table_settle(struct op *op, struct commit *c, struct table *t,
    struct err *e)
{
	struct table_plan *p = op->plan;

	table_free(p->table);
	p->table = table_copy(t);
	if (!p->table) {
		table_free(t);
		return op_no_memory(e);
	}
	commit_table(c, t);
	return 0;
}

void
op_table_submit(struct op *op,
    int (*run)(struct commit_job *job, struct commit *c, struct err *e),
    void (*answered)(struct op *op))
{
	struct err e;

	op->plan = arena_array(&op->arena, 1, sizeof(struct table_plan));
	if (op->plan)
		op_submit(op, run, answered, failed, TABLE_JOB_ROOM);
	else {
		op_no_memory(&e);
		op_fail(op, &e);
	}
}

const struct table *
op_table_now(struct commit *c, const struct text *name, struct err *e)
{
	const struct table *t =
	    catalog_named(commit_catalog(c), name->p, name->n);

	if (!t)
		err_set(e, FAULT_NOT_FOUND, "Requested resource not found: "
		    "Table: %.*s not found", (int)name->n, name->p);
	else if (t->restoring)
		err_set(e, FAULT_IN_USE, "Attempt to change a resource which "
		    "is still in use: Table is being created: %s", t->name);
	return t && t->restoring ? NULL : t;
}

/* A reply with the table as the job left it. */
static void
answer(struct op *op)
{
	struct table_plan *p = op->plan;
	struct reply r;

	op_open(op, &r);
	op_table_write(&r, "TableDescription", p->table, NULL, p->status);
	op_table_drop(op);
	op_close(op, &r);
}

/* --- making ---------------------------------------------------------------- */

static int
run_create(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	const struct table_request *q = &op->request.table;
	struct table_plan *p = op->plan;
	struct table *t;

	p->status = "CREATING";
	if (catalog_named(commit_catalog(c), q->name.p, q->name.n))
		return err_set(e, FAULT_IN_USE, "Table already exists: %.*s",
		    (int)q->name.n, q->name.p);
	if (commit_catalog(c)->count >= CATALOG_TABLES_MAX)
		return err_set(e, FAULT_LIMIT, "Subscriber limit exceeded: "
		    "there can be %d tables at most", CATALOG_TABLES_MAX);
	t = op_table_make(q, e);
	if (!t)
		return -1;
	t->created_ms = commit_now_ms(c);
	t->stream_since_ms = t->stream != STREAM_OFF ? t->created_ms : 0;
	if (commit_table_id(c, &t->id, e) < 0) {
		table_free(t);
		return -1;
	}
	return op_table_settle(op, c, t, e);
}

void
op_create_table(struct op *op, struct store_view *v)
{
	(void)v;
	op_table_submit(op, run_create, answer);
}

/* --- changing -------------------------------------------------------------- */

static int
run_update(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	const struct table_request *q = &op->request.table;
	const struct table *old = op_table_now(c, &q->name, e);
	struct table_plan *p = op->plan;
	struct table *t;

	p->status = op_table_changes_slowly(q) ? "UPDATING" : "ACTIVE";
	if (!old)
		return -1;
	t = table_copy(old);
	if (!t)
		return op_no_memory(e);
	if (op_table_change(q, old, t, commit_now_ms(c), e) < 0) {
		table_free(t);
		return -1;
	}
	return op_table_settle(op, c, t, e);
}

void
op_update_table(struct op *op, struct store_view *v)
{
	(void)v;
	op_table_submit(op, run_update, answer);
}

/* --- dropping -------------------------------------------------------------- */

static int
run_delete(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	const struct text *name = &op->request.table.name;
	const struct table *t =
	    catalog_named(commit_catalog(c), name->p, name->n);
	struct table_plan *p = op->plan;

	if (!t)
		return err_set(e, FAULT_NOT_FOUND, "Requested resource not "
		    "found: Table: %.*s not found", (int)name->n, name->p);
	if (t->protected)
		return err_set(e, FAULT_VALIDATION, "Resource cannot be "
		    "deleted as it is currently protected against deletion. "
		    "Disable deletion protection first.");
	table_free(p->table);
	p->table = table_copy(t);
	if (!p->table)
		return op_no_memory(e);
	commit_drop(c, t->id);
	return 0;
}

static void
answer_gone(struct op *op)
{
	struct table_plan *p = op->plan;
	struct reply r;

	op_open(op, &r);
	op_table_write_gone(&r, "TableDescription", p->table);
	op_table_drop(op);
	op_close(op, &r);
}

void
op_delete_table(struct op *op, struct store_view *v)
{
	(void)v;
	op_table_submit(op, run_delete, answer_gone);
}
