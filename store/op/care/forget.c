/*
 * Forget: erases one document from everything that remembers it.  Runs in
 * bothy-store.
 *
 * The order is such that the operation may be cut off anywhere and is done by
 * being asked for again: first the document is deleted, like any other, and a
 * checkpoint taken, so that nothing needs what the journal says of it; then it
 * is taken out of the history, journal, files and index, and mirrors are
 * pushed to.
 */
#include "store/op/past/document.h"
#include "store/op/op_wait.h"

#include "store/engine/erase.h"
#include "store/engine/mirrors.h"

#include <errno.h>

struct forget {
	struct op *op;
	struct document document;
	bool there;			/* it was, and is deleted now */
	uint64_t upto;			/* of the journal */
	struct erased erased;
};

enum { JOB_BYTES = 4096, STEPS = 5 };

static int
run(struct forget *f, size_t bytes,
    int (*fn)(struct commit_job *job, struct commit *c, struct err *e),
    struct err *e)
{
	struct arena a;
	int rc;

	arena_init(&a, OP_ARENA_MAX);
	rc = op_wait_run(f->op->store, &a, bytes, fn, f, e);
	arena_release(&a);
	return rc;
}

/* --- its jobs ------------------------------------------------------------- */

/*
 * Deletes it; also where there is only a file, which somebody laid there.  All
 * that the journal has before `upto` is to go, the delete's own line with it.
 */
static int
delete(struct commit_job *job, struct commit *c, struct err *e)
{
	struct forget *f = op_wait_of(job)->ctx;
	const struct document *d = &f->document;
	const struct table *t = catalog_id(commit_catalog(c), d->table->id);
	struct files_table *files;
	struct commit_old old;
	struct text key;

	f->there = false;
	f->upto = journal_end(store_journal(f->op->store));
	if (!t)
		return 0;
	files = files_table(store_files(f->op->store), t->name, 0, e);
	if (!files || key_item(job->arena, t, d->key, &key, e) < 0 ||
	    commit_get(c, &key, &old, e) < 0)
		return -1;
	if (!old.there && files_check(files, &d->name, NULL) == FILES_ABSENT)
		return 0;
	f->there = old.there;
	f->upto = UINT64_MAX;
	return commit_delete(c, t, &key, d->key, &old, e);
}

static int
turn(struct commit_job *job, struct commit *c, struct err *e)
{
	struct forget *f = op_wait_of(job)->ctx;

	(void)c;
	return store_erase_prepare(f->op->store, e);
}

static int
nothing(struct commit_job *job, struct commit *c, struct err *e)
{
	(void)job;
	(void)c;
	(void)e;
	return 0;
}

/*
 * What was put there since is another document, which may have gone from the
 * history with the one before it: the next checkpoint tells of it again.
 */
static int
put_again(struct commit_job *job, struct commit *c, struct err *e)
{
	struct forget *f = op_wait_of(job)->ctx;
	const struct document *d = &f->document;
	const struct table *t = catalog_id(commit_catalog(c), d->table->id);
	struct commit_old old;
	struct text key;

	if (!t)
		return 0;
	if (key_item(job->arena, t, d->key, &key, e) < 0 ||
	    commit_get(c, &key, &old, e) < 0)
		return -1;
	return old.there ? commit_put(c, t, &key, &old, &old.item, e) : 0;
}

/* --- its steps ------------------------------------------------------------ */

static void
progress(void *ctx, uint64_t done, uint64_t all)
{
	op_progress(ctx, "history", done, all);
}

static int
erase(struct forget *f, struct err *e)
{
	const struct document *d = &f->document;
	struct erasure x = {.table = d->table_name, .name = &d->name,
	    .paths = &d->paths, .key = d->key,
	    .table_id = d->gone ? 0 : d->table->id, .upto = f->upto,
	    .progress = {progress, f->op}};
	struct store *s = f->op->store;

	if (run(f, JOB_BYTES, turn, e) < 0)
		return -1;
	op_progress(f->op, "history and journal", 2, STEPS);
	if (store_erase(s, &x, &f->erased, e) < 0)
		return -1;
	if (op_stopped(f->op, e))
		return -1;
	op_progress(f->op, "index", 3, STEPS);
	store_erase_index(s);
	if (run(f, JOB_BYTES, nothing, e) < 0 ||
	    store_index_erased(s, e) < 0 ||
	    run(f, VALUE_ITEM_MAX, put_again, e) < 0)
		return -1;
	return store_checkpoint(s, NULL, e);
}

static int
forget(struct forget *f, struct err *e)
{
	struct store *s = f->op->store;

	op_progress(f->op, "document", 0, STEPS);
	if (run(f, JOB_BYTES, delete, e) < 0)
		return -1;
	if (f->upto == UINT64_MAX)
		f->upto = journal_end(store_journal(s));
	op_progress(f->op, "checkpoint", 1, STEPS);
	if (store_checkpoint(s, NULL, e) < 0)
		return -1;
	return erase(f, e);
}

static void
answer(struct forget *f)
{
	struct reply r;

	op_open(f->op, &r);
	reply_bool(&r, "Deleted", f->there);
	reply_integer(&r, "States", (int64_t)f->erased.states);
	reply_integer(&r, "Lines", (int64_t)f->erased.lines);
	reply_integer(&r, "Files", (int64_t)f->erased.files);
	op_write_mirrors(&r, store_mirrors(f->op->store));
	op_close(f->op, &r);
}

void
op_forget(struct op *op, struct store_view *v)
{
	struct forget f = {.op = op};
	struct err e;
	int rc;

	(void)v;
	rc = op_document(op, &f.document, &e);
	if (rc == 0 && store_is_read_only(op->store))
		rc = err_set(&e, FAULT_READ_ONLY,
		    "the store was opened read-only");
	if (rc == 0)
		rc = forget(&f, &e);
	op_document_release(&f.document);
	if (rc < 0) {
		op_fail(op, &e);
		return;
	}
	op_progress(op, "mirrors", 4, STEPS);
	op_push_mirrors(op);
	answer(&f);
}
