/*
 * Merge: documents that somebody edited in a clone of the history and pushed
 * become those of the store, each on condition that it still is what it was in
 * the commit that the clone was edited from.
 *
 * One that was written to since is a conflict: it stays and is told, and the
 * others are merged all the same, unless Whole asks for all or nothing.
 */
#include "merge.h"

#include <string.h>

enum {
	BATCH = 500,			/* documents in a unit */
	BATCH_BYTES = 4 << 20,
	WHOLE_BYTES = 8 << 20,		/* of texts that one unit takes */
	WRITE_ROOM = 256 << 20,		/* in the writer, of a unit */
	ITEM_ROOM = 4096,
	TOLD = 1000			/* of what was refused */
};

void
op_merge_refuse(struct merge *m, const struct merge_file *f,
    const char *kind, const char *why)
{
	m->refused++;
	if (++m->told > TOLD)
		return;
	reply_object(&m->reply, NULL);
	if (f->table)
		reply_string(&m->reply, "TableName", f->table->name);
	reply_string(&m->reply, "File", f->path);
	reply_string(&m->reply, "Kind", kind);
	reply_string(&m->reply, "Text", why);
	reply_close(&m->reply);
}

/* --- in the writer ------------------------------------------------------- */

/* The files of one unit. */
struct batch {
	struct merge *merge;
	struct merge_file *first, *end;
	size_t count, bytes;
	bool conflict;
};

static bool
is(const struct value *item, const struct commit_old *old)
{
	if (!item->count || !old->there)
		return !item->count && !old->there;
	return value_equal(item, &old->item);
}

static const char *
conflict(const struct merge_file *f, const struct commit_old *old)
{
	if (!f->old.count)
		return "it was made in the store too, otherwise";
	if (!old->there)
		return "it was removed from the store since, and changed here";
	return f->fresh.count ? "it was changed in the store since"
	                      : "it was changed in the store since, and removed "
	                        "here";
}

static enum merge_outcome
judge(const struct merge_file *f, const struct commit_old *old)
{
	if (is(&f->fresh, old))
		return MERGE_SAME;
	if (!is(&f->old, old))
		return MERGE_CONFLICT;
	return !f->fresh.count ? MERGE_REMOVED
	    : old->there       ? MERGE_CHANGED
	                       : MERGE_ADDED;
}

static int
merge_file(struct batch *b, struct commit *c, struct merge_file *f,
    struct err *e)
{
	const struct table *t = catalog_id(commit_catalog(c), f->table->id);
	struct commit_old old;

	f->outcome = MERGE_CONFLICT;
	f->why = "the table was dropped meanwhile, or is being restored";
	if (!t || t->restoring)
		return 0;
	if (commit_get(c, &f->key, &old, e) < 0)
		return -1;
	f->outcome = judge(f, &old);
	if (f->outcome == MERGE_CONFLICT)
		f->why = conflict(f, &old);
	if (f->outcome <= MERGE_SAME || f->outcome == MERGE_CONFLICT ||
	    b->merge->op->request.store.dry)
		return 0;
	return f->fresh.count ? commit_put(c, t, &f->key, &old, &f->fresh, e)
	                      : commit_delete(c, t, &f->key, &f->members, &old,
	                            e);
}

static int
merge_files(struct batch *b, struct commit *c, struct err *e)
{
	struct merge_file *f;

	b->conflict = false;
	for (f = b->first; f != b->end; f = f->next) {
		if (f->outcome == MERGE_REFUSED)
			continue;
		if (merge_file(b, c, f, e) < 0)
			return -1;
		b->conflict |= f->outcome == MERGE_CONFLICT;
	}
	return b->conflict && b->merge->op->request.store.whole
	    ? err_set(e, FAULT_CONFLICT, "there are conflicts")
	    : 0;
}

static int
run(struct commit_job *job, struct commit *c, struct err *e)
{
	int rc = merge_files(op_wait_of(job)->ctx, c, e);

	if (rc < 0 && e->code == FAULT_INTERNAL)
		e->code = FAULT_CONFLICT;
	return rc;
}

/* --- batches ------------------------------------------------------------- */

/* Where nothing stands for a conflict that is no failure of the merge. */
static int
commit_batch(struct batch *b, struct err *e)
{
	struct arena a;
	int rc;

	arena_init(&a, WRITE_ROOM);
	rc = op_wait_run(b->merge->op->store, &a,
	    b->bytes + b->count * ITEM_ROOM, run, b, e);
	arena_release(&a);
	return rc < 0 && b->conflict && b->merge->op->request.store.whole ? 0
	                                                                  : rc;
}

static void
count_batch(struct batch *b)
{
	struct merge *m = b->merge;
	struct merge_file *f;

	for (f = b->first; f != b->end; f = f->next) {
		m->done[f->outcome]++;
		if (f->outcome == MERGE_CONFLICT)
			op_merge_refuse(m, f, "conflict", f->why);
	}
}

/* From `first` on, as many as one unit takes; all of a whole one. */
static void
fill_batch(struct batch *b, struct merge_file *first)
{
	bool whole = b->merge->op->request.store.whole;

	b->first = b->end = first;
	b->count = b->bytes = 0;
	while (b->end &&
	    (whole || (b->count < BATCH && b->bytes < BATCH_BYTES))) {
		b->count++;
		b->bytes += b->end->before.n + b->end->after.n;
		b->end = b->end->next;
	}
}

static int
merge_all(struct merge *m, struct err *e)
{
	struct batch b = {.merge = m};
	uint64_t done = 0;

	for (fill_batch(&b, m->first); b.count; fill_batch(&b, b.end)) {
		if (m->op->request.store.whole && b.bytes > WHOLE_BYTES)
			return err_set(e, FAULT_LIMIT, "more than %d MB can't "
			    "be merged as all or nothing; push in parts",
			    WHOLE_BYTES >> 20);
		if (op_stopped(m->op, e) || commit_batch(&b, e) < 0)
			return -1;
		count_batch(&b);
		done += b.count;
		op_progress(m->op, "merge", done, m->names.count);
	}
	return 0;
}

/* --- the operation ------------------------------------------------------- */

static int
merge(struct merge *m, struct err *e)
{
	const struct store_request *q = &m->op->request.store;

	if (q->from.n != HISTORY_ID_SIZE - 1)
		return err_set(e, FAULT_VALIDATION, "From has to be the whole "
		    "id of a commit");
	memcpy(m->tip.hex, q->from.p, q->from.n);
	if (store_is_read_only(m->op->store))
		return err_set(e, FAULT_READ_ONLY, "the store was opened "
		    "read-only");
	if (op_merge_read(m, e) < 0)
		return -1;
	return q->whole && m->refused ? 0 : merge_all(m, e);
}

/* Whoever fetches now gets what was merged; and what was pushed goes. */
static void
settle(struct merge *m)
{
	struct store *s = m->op->store;
	struct err ignored;

	if (m->done[MERGE_ADDED] + m->done[MERGE_CHANGED] +
	    m->done[MERGE_REMOVED] && !m->op->request.store.dry)
		store_checkpoint(s, NULL, &ignored);
	store_history_lock(s);
	history_pushed_done(store_history(s), &m->tip, &ignored);
	store_history_unlock(s);
}

static void
answer(struct merge *m)
{
	bool nothing = m->op->request.store.whole && m->refused;
	struct reply *r = &m->reply;

	if (nothing)
		memset(m->done, 0, sizeof m->done);
	reply_close(r);
	if (m->base.id.hex[0]) {
		reply_object(r, "Base");
		op_write_commit(r, &m->base);
		reply_close(r);
	}
	reply_integer(r, "Added", (int64_t)m->done[MERGE_ADDED]);
	reply_integer(r, "Changed", (int64_t)m->done[MERGE_CHANGED]);
	reply_integer(r, "Removed", (int64_t)m->done[MERGE_REMOVED]);
	reply_integer(r, "Same", (int64_t)m->done[MERGE_SAME]);
	reply_integer(r, "RefusedCount", (int64_t)m->refused);
	op_close(m->op, r);
}

void
op_merge(struct op *op, struct store_view *v)
{
	struct merge m = {.op = op};
	struct err e;
	int rc;

	(void)v;
	m.last = &m.first;
	m.catalog = op->catalog = store_catalog_hold(op->store);
	arena_init(&m.arena, MERGE_BYTES_MAX);
	map_init(&m.names);
	op_open(op, &m.reply);
	reply_list(&m.reply, "Refused");
	rc = merge(&m, &e);
	if (m.tip.hex[0])
		settle(&m);
	map_release(&m.names);
	if (rc < 0)
		op_fail(op, &e);
	else
		answer(&m);
	arena_release(&m.arena);
}
