/*
 * Import: documents from a file of JSON lines, of DynamoDB's export, or from a
 * directory of JSON files, into a table, many in one unit of the journal.
 *
 * A document that the table has already, and has otherwise, is left as it is,
 * and told.  So is what can't be read; neither ends the import.
 */
#include "store/op/past/document.h"
#include "import.h"
#include "store/op/op_wait.h"

#include "store/value/plain.h"

#include <stdio.h>
#include <string.h>

enum {
	BATCH = 500,			/* documents in a unit */
	BATCH_BYTES = 4 << 20,
	BATCH_ROOM = 256 << 20,
	ITEM_ROOM = 4096,
	TOLD = 1000,			/* of what was refused */
	PROGRESS = 2000,
	LOOK = 100			/* documents between looks whether to stop */
};

/* A document of the open batch. */
struct fresh {
	struct value item, members;
	struct text key;
	const char *where;
	enum { FRESH_ADDED, FRESH_SAME, FRESH_OTHER, FRESH_TWICE } outcome;
};

struct import {
	struct op *op;
	struct reply reply;
	const struct table *table;
	bool typed;
	struct arena arena;		/* of the open batch */
	struct fresh batch[BATCH];
	size_t count, bytes;
	uint64_t seen, added, same, refused;
};

static void
refuse(struct import *x, const char *where, const char *text)
{
	if (++x->refused > TOLD)
		return;
	reply_object(&x->reply, NULL);
	reply_string(&x->reply, "Where", where);
	reply_string(&x->reply, "Text", text);
	reply_close(&x->reply);
}

/* --- in the writer ------------------------------------------------------- */

static bool
is_in_batch(const struct import *x, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (text_compare(&x->batch[k].key, &x->batch[i].key) == 0)
			return true;
	return false;
}

static int
put(struct import *x, struct commit *c, const struct table *t, size_t i,
    struct err *e)
{
	struct fresh *f = &x->batch[i];
	struct commit_old old;

	f->outcome = FRESH_TWICE;
	if (is_in_batch(x, i))
		return 0;
	if (commit_get(c, &f->key, &old, e) < 0)
		return -1;
	f->outcome = !old.there ? FRESH_ADDED
	    : value_equal(&old.item, &f->item) ? FRESH_SAME
	                                       : FRESH_OTHER;
	if (old.there || x->op->request.store.dry)
		return 0;
	return commit_put(c, t, &f->key, &old, &f->item, e);
}

static int
put_all(struct import *x, struct commit *c, struct err *e)
{
	const struct table *t = catalog_id(commit_catalog(c), x->table->id);
	size_t i;

	if (!t || t->restoring)
		return err_set(e, FAULT_CONFLICT, "the table was dropped "
		    "meanwhile, or is being restored");
	for (i = 0; i < x->count; i++)
		if (put(x, c, t, i, e) < 0)
			return -1;
	return 0;
}

static int
run(struct commit_job *job, struct commit *c, struct err *e)
{
	int rc = put_all(op_wait_of(job)->ctx, c, e);

	if (rc < 0 && e->code == FAULT_INTERNAL)
		e->code = FAULT_CONFLICT;
	return rc;
}

static int
flush(struct import *x, struct err *e)
{
	size_t i;

	if (x->count &&
	    op_wait_commit(x->op->store, &x->arena,
	        x->bytes + x->count * ITEM_ROOM, run, x, e) < 0)
		return -1;
	for (i = 0; i < x->count; i++) {
		const struct fresh *f = &x->batch[i];

		x->added += f->outcome == FRESH_ADDED;
		x->same += f->outcome == FRESH_SAME;
		if (f->outcome == FRESH_OTHER)
			refuse(x, f->where, "the table has another document "
			    "of this key");
		else if (f->outcome == FRESH_TWICE)
			refuse(x, f->where, "its key was there before");
	}
	x->count = x->bytes = 0;
	arena_reset(&x->arena);
	return 0;
}

/* --- documents ----------------------------------------------------------- */

/* {"Item": {...}}, or the item itself. */
static int
read_typed(struct import *x, const char *p, size_t n, struct value *out,
    struct err *e)
{
	const struct json_node *root = json_read(&x->arena, p, n, 1, e);
	const struct json_node *item = json_member(root, "Item");

	if (!root)
		return -1;
	if (item)
		return typed_read_item(&x->arena, item->raw.p, item->raw.n,
		    out, e);
	return typed_read_item(&x->arena, p, n, out, e);
}

static int
read_fresh(struct import *x, const char *p, size_t n, struct fresh *f,
    struct err *e)
{
	char *copy = arena_copy(&x->arena, p, n);

	if (!copy)
		return op_no_memory(e);
	if (x->typed ? read_typed(x, copy, n, &f->item, e)
	             : plain_read_item(&x->arena, copy, n, &f->item, e))
		return -1;
	if (key_check_item(x->table, &f->item, e) < 0)
		return -1;
	if (value_item_size(&f->item) > VALUE_ITEM_MAX)
		return err_set(e, FAULT_VALIDATION, "Item size has exceeded "
		    "the maximum allowed size");
	if (value_depth(&f->item) > VALUE_DEPTH_MAX)
		return err_set(e, FAULT_VALIDATION, "Nesting Levels have "
		    "exceeded supported limits");
	if (key_members(&x->arena, x->table, NULL, &f->item, &f->members, e) <
	        0 ||
	    key_item(&x->arena, x->table, &f->members, &f->key, e) < 0)
		return -1;
	return 0;
}

/* One document as it was found; `where` tells it apart. */
static int
take(void *ctx, const char *where, const char *p, size_t n,
    const struct err *bad, struct err *e)
{
	struct import *x = ctx;
	struct fresh *f = &x->batch[x->count];
	struct err why;

	if (x->seen % LOOK == 0 && op_stopped(x->op, e))
		return -1;
	if (++x->seen % PROGRESS == 0)
		op_progress(x->op, "import", x->seen, 0);
	*f = (struct fresh){.outcome = FRESH_ADDED};
	f->where = arena_copy(&x->arena, where, strlen(where));
	if (!f->where)
		return op_no_memory(e);
	if (bad || read_fresh(x, p, n, f, &why) < 0) {
		refuse(x, where, bad ? bad->text : why.text);
		return 0;
	}
	x->bytes += 2 * n;
	x->count++;
	if (x->count < BATCH && x->bytes < BATCH_BYTES)
		return 0;
	return flush(x, e);
}

/* --- the operation ------------------------------------------------------- */

static int
import(struct import *x, struct err *e)
{
	const struct store_request *q = &x->op->request.store;
	const char *path, *name;
	int rc;

	x->op->catalog = store_catalog_hold(x->op->store);
	x->table = op_table(x->op->catalog, &q->table, e);
	if (!x->table || op_string(x->op, &q->path, &path, e) < 0 ||
	    op_string(x->op, &q->name, &name, e) < 0)
		return -1;
	x->typed = q->format.p && *q->format.p == 'd';
	rc = op_import_read(path, name, take, x, e);
	return rc < 0 ? -1 : flush(x, e);
}

void
op_import(struct op *op, struct store_view *v)
{
	struct import *x = arena_array(&op->arena, 1, sizeof *x);
	struct err e;
	int rc = -1;

	(void)v;
	if (!x) {
		op_no_memory(&e);
		op_fail(op, &e);
		return;
	}
	x->op = op;
	arena_init(&x->arena, BATCH_ROOM);
	op_open(op, &x->reply);
	reply_list(&x->reply, "Refused");
	rc = import(x, &e);
	reply_close(&x->reply);
	reply_integer(&x->reply, "Documents", (int64_t)x->seen);
	reply_integer(&x->reply, "Added", (int64_t)x->added);
	reply_integer(&x->reply, "Same", (int64_t)x->same);
	reply_integer(&x->reply, "RefusedCount", (int64_t)x->refused);
	arena_release(&x->arena);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &x->reply);
}
