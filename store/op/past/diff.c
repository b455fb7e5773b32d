/*
 * Diff: what documents became from one state to another; of one document, of
 * a table, or of all.
 */
#include "document.h"
#include "store/op/op_wait.h"

#include "store/value/plain.h"

#include <stdio.h>
#include <string.h>

enum { DIFF_LIMIT = 1000, ITEM_ROOM = 64 << 20 };

struct diff {
	struct op *op;
	struct reply *reply;
	const struct past *from, *to;
	const struct path_name *only;
	char table[TABLE_NAME_MAX + 1];
	struct arena arena;		/* of a document */
	uint32_t left;
	uint64_t added, removed, changed;
};

static int
write_delta(void *ctx, const struct past_delta *p, struct err *e)
{
	struct diff *d = ctx;
	int rc = 0;

	if (op_stopped(d->op, e))
		return -1;
	d->added += !p->old.p;
	d->removed += !p->new.p;
	d->changed += p->old.p && p->new.p;
	if (!d->left)
		return 0;
	d->left--;
	reply_object(d->reply, NULL);
	reply_string(d->reply, "TableName", d->table);
	reply_string(d->reply, "File", p->name->text);
	if (p->old.p)
		rc = op_write_plain(d->reply, "Old", &d->arena, p->old.p,
		    p->old.n, e);
	if (rc == 0 && p->new.p)
		rc = op_write_plain(d->reply, "New", &d->arena, p->new.p,
		    p->new.n, e);
	reply_close(d->reply);
	return rc;
}

static int
diff_table(struct diff *d, const char *name, struct err *e)
{
	struct past_table from, to = {.past = NULL};
	int rc;

	snprintf(d->table, sizeof d->table, "%s", name);
	rc = past_open(d->from, name, &from, e);
	if (rc == 0) {
		rc = past_open(d->to, name, &to, e);
		if (rc == 0 && !from.table && !to.table)
			rc = err_set(e, FAULT_NOT_FOUND, "Requested resource "
			    "not found: Table: %s not found", name);
		if (rc == 0)
			rc = past_diff(&from, &to, d->only, write_delta, d, e);
		past_close(&to);
	}
	past_close(&from);
	return rc;
}

/* All tables; one without history, or that neither has, is passed over. */
static int
diff_all(struct diff *d, struct err *e)
{
	struct map names;
	size_t i;
	int rc;

	map_init(&names);
	rc = past_tables(d->from, d->to, &names, e);
	for (i = 0; rc == 0 && i < names.count; i++) {
		rc = diff_table(d, names.entries[i].key, e);
		if (rc < 0 && (e->code == FAULT_VALIDATION ||
		                  e->code == FAULT_NOT_FOUND))
			rc = 0;
	}
	map_release(&names);
	return rc;
}

static int
write_diff(struct op *op, struct diff *d, struct err *e)
{
	const struct store_request *q = &op->request.store;
	char name[TABLE_NAME_MAX + 1];
	struct reply *r = d->reply;
	int rc;

	op_open(op, r);
	reply_object(r, "From");
	op_write_past(r, d->from);
	reply_close(r);
	reply_object(r, "To");
	op_write_past(r, d->to);
	reply_close(r);
	reply_list(r, "Differences");
	if (q->table.p) {
		op_table_name(&q->table, name);
		rc = diff_table(d, name, e);
	} else
		rc = diff_all(d, e);
	reply_close(r);
	reply_integer(r, "Added", (int64_t)d->added);
	reply_integer(r, "Removed", (int64_t)d->removed);
	reply_integer(r, "Changed", (int64_t)d->changed);
	return rc;
}

static int
diff(struct op *op, const struct path_name *only, struct reply *r,
    struct err *e)
{
	const struct store_request *q = &op->request.store;
	struct diff d = {.op = op, .reply = r, .only = only};
	const char *from_name, *to_name;
	struct past from, to;
	int rc;

	d.from = &from;
	d.to = &to;
	d.left = q->limit ? q->limit : DIFF_LIMIT;
	if (op_string(op, &q->from, &from_name, e) < 0 ||
	    op_string(op, &q->to, &to_name, e) < 0 ||
	    past_find(op->store, from_name, &from, e) < 0 ||
	    past_find(op->store, to_name, &to, e) < 0)
		return -1;
	arena_init(&d.arena, ITEM_ROOM);
	rc = write_diff(op, &d, e);
	arena_release(&d.arena);
	return rc;
}

void
op_diff(struct op *op, struct store_view *v)
{
	struct document doc = {.table = NULL};
	struct reply r;
	struct err e;
	int rc = 0;

	(void)v;
	if (op->request.store.key)
		rc = op_document(op, &doc, &e);
	if (rc == 0) {
		store_history_lock(op->store);
		rc = diff(op, doc.table ? &doc.name : NULL, &r, &e);
		store_history_unlock(op->store);
	}
	op_document_release(&doc);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &r);
}
