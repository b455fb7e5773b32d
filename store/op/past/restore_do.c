/*
 * The restore of one table: the difference of two states as one unit of the
 * journal, so that readers and a crash see all of it or nothing.
 *
 * The states are those of a moment ago.  What was written since then is found
 * in the journal, and in the batch itself, by the writer; it is set back too.
 */
#include "restore.h"
#include "store/op/op_wait.h"

#include "store/value/plain.h"

#include <stdio.h>
#include <string.h>

enum {
	RESTORE_ROOM = 1 << 30,		/* of all that changes */
	NAME_ROOM = 64 << 10,
	PLAIN_MAX = 8 << 20,
	PROGRESS = 1000
};

static int
no_memory(struct err *e)
{
	return err_set(e, FAULT_LIMIT, "the restore takes too much memory");
}

/* --- what is to change --------------------------------------------------- */

static int
read_item(struct restore_work *w, const struct text *plain, struct value *out,
    struct err *e)
{
	char *copy = arena_copy(&w->arena, plain->p, plain->n);

	if (!copy)
		return no_memory(e);
	return plain_read_item(&w->arena, copy, plain->n, out, e);
}

/* An item that the table takes as it is now: of its keys and indexes. */
static int
check_item(const struct restore_work *w, const char *name,
    const struct value *item, struct err *e)
{
	struct err why;

	if (key_check_item(w->schema, item, &why) == 0)
		return 0;
	return err_set(e, FAULT_VALIDATION, "%.200s of then doesn't fit the "
	    "table of now: %.200s", name, why.text);
}

/* A new item, or with fresh NULL the end of an old one. */
static int
make_item(struct restore_work *w, const char *name, const struct text *old,
    const struct text *fresh, struct restore_item *out, struct err *e)
{
	struct value gone;

	*out = (struct restore_item){.fresh.type = VALUE_M, .members.type = VALUE_M};
	if (fresh->p) {
		if (read_item(w, fresh, &out->fresh, e) < 0 ||
		    check_item(w, name, &out->fresh, e) < 0)
			return -1;
		return key_members(&w->arena, w->schema, NULL, &out->fresh,
		    &out->members, e);
	}
	if (read_item(w, old, &gone, e) < 0)
		return -1;
	return key_members(&w->arena, w->schema, NULL, &gone, &out->members,
	    e);
}

int
op_restore_take(void *work, const struct past_delta *d, struct err *e)
{
	struct restore_work *w = work;
	struct restore_item *item = arena_alloc(&w->arena, sizeof *item);

	if (!item)
		return no_memory(e);
	if (make_item(w, d->name->text, &d->old, &d->new, item, e) < 0)
		return -1;
	if (map_set(&w->items, d->name->text, strlen(d->name->text), item,
	        NULL) < 0)
		return no_memory(e);
	w->bytes += RESTORE_ITEM_ROOM + d->old.n + d->new.n;
	if (w->items.count % PROGRESS == 0)
		op_progress(w->table->restore->op, "restore",
		    w->items.count, 0);
	return 0;
}

/* --- in the writer ------------------------------------------------------- */

static int
set_item(struct restore_work *w, struct commit *c, const struct table *t,
    const struct restore_item *item, struct err *e)
{
	struct commit_old old;
	struct text key;

	if (key_item(&w->arena, t, &item->members, &key, e) < 0 ||
	    commit_get(c, &key, &old, e) < 0)
		return -1;
	if (item->fresh.count) {
		if (old.there && !w->table->restore->only &&
		    value_equal(&old.item, &item->fresh))
			return 0;	/* one document's file is rewritten */
		return commit_put(c, t, &key, &old, &item->fresh, e);
	}
	return old.there
	    ? commit_delete(c, t, &key, &item->members, &old, e)
	    : 0;
}

/* A document that was written since the states were compared. */
static int
set_late(struct restore_work *w, struct commit *c, const struct table *t,
    const char *text, const struct text *late, struct err *e)
{
	struct text then = {NULL, 0};
	struct path_name name;
	struct path_key key;
	struct arena a;
	struct restore_item item;
	struct buf b;
	int rc = -1;

	arena_init(&a, NAME_ROOM);
	buf_init(&b, PLAIN_MAX);
	if (path_decode(text, &a, &name, &key) == PATH_FOREIGN)
		no_memory(e);
	else
		rc = past_get(&w->table->target, &name, &b, e);
	if (rc > 0)
		then = (struct text){buf_str(&b), b.len};
	if (rc >= 0)
		rc = 0;
	if (rc == 0 && (then.p || late->p)) {
		rc = make_item(w, text, late, &then, &item, e);
		if (rc == 0)
			rc = set_item(w, c, t, &item, e);
	}
	buf_release(&b);
	arena_release(&a);
	return rc;
}

static int
add_earlier(void *arg, const struct unit *u, struct err *e)
{
	return past_add(arg, u, e);
}

int
op_restore_late(struct restore_table *t, struct commit *c, struct past *p,
    struct past_table *late, struct err *e)
{
	const struct restore *x = t->restore;
	size_t i;

	if (past_open_later(&t->present, p, late, e) < 0 ||
	    commit_each_earlier(c, add_earlier, late, e) < 0)
		return -1;
	for (i = 0; x->strict && i < late->changed.count; i++)
		if (!x->only || strcmp(late->changed.entries[i].key,
		                    x->only->text) == 0)
			return err_set(e, FAULT_CONFLICT, "%s was written to "
			    "after the preview was made; look at another",
			    t->name);
	return 0;
}

static int
set_all_late(struct restore_work *w, struct commit *c, const struct table *t,
    struct err *e)
{
	const struct path_name *only = w->table->restore->only;
	struct past_table late;
	struct past p;
	size_t i;
	int rc = op_restore_late(w->table, c, &p, &late, e);

	for (i = 0; rc == 0 && i < late.changed.count; i++) {
		const struct map_entry *m = &late.changed.entries[i];

		if (only && strcmp(m->key, only->text) != 0)
			continue;
		if (!map_get(&w->items, m->key))
			rc = set_late(w, c, t, m->key, m->value, e);
	}
	past_close(&late);
	return rc;
}

int
op_restore_set(struct restore_work *w, struct commit *c,
    const struct table *t, struct err *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < w->items.count; i++)
		rc = set_item(w, c, t, w->items.entries[i].value, e);
	return rc;
}

static int
set_all(struct restore_work *w, struct commit *c, struct err *e)
{
	const struct table *t = catalog_id(commit_catalog(c), w->schema->id);

	if (!t)
		return err_set(e, FAULT_CONFLICT, "%s was dropped meanwhile",
		    w->table->name);
	if (op_restore_set(w, c, t, e) < 0)
		return -1;
	return w->table->id ? set_all_late(w, c, t, e) : 0;
}

/* What can't be done ends the restore, never the writer's batch. */
static int
run(struct commit_job *job, struct commit *c, struct err *e)
{
	struct restore_work *w = op_wait_of(job)->ctx;

	if (set_all(w, c, e) == 0)
		return 0;
	if (e->code == FAULT_INTERNAL)
		e->code = FAULT_CONFLICT;
	return -1;
}

/* --- the restore ---------------------------------------------------------- */

/*
 * The one document is as it was, but its file may be gone or edited: then it
 * is written again.
 */
static int
take_file(struct restore_work *w, struct err *e)
{
	struct restore_table *t = w->table;
	struct past_delta d = {.name = t->restore->only};
	struct files_table *files = files_table(
	    store_files(t->restore->op->store), t->name, 0, e);
	struct buf b;
	int rc;

	if (!files)
		return -1;
	if (files_check(files, d.name, NULL) == FILES_OURS)
		return 0;
	buf_init(&b, PLAIN_MAX);
	rc = past_get(&t->target, d.name, &b, e);
	d.old = d.new = (struct text){buf_str(&b), b.len};
	if (rc > 0)
		rc = op_restore_take(w, &d, e);
	buf_release(&b);
	return rc;
}

static int
restore_at_once(struct restore_work *w, struct err *e)
{
	struct restore_table *t = w->table;

	if (!t->id && op_restore_make(t, false, e) < 0)
		return -1;
	w->schema = op_restore_schema(t, e);
	if (!w->schema || past_diff(&t->present, &t->target, t->restore->only,
	                      op_restore_take, w, e) < 0)
		return -1;
	if (t->restore->only && w->items.count == 0 && take_file(w, e) < 0)
		return -1;
	return op_wait_run(t->restore->op->store, &w->arena, w->bytes, run, w,
	    e);
}

int
op_restore_do(struct restore_table *t, struct err *e)
{
	struct restore_work w = {.table = t};
	bool takes_long = t->closed || t->bytes > RESTORE_UNIT;
	int rc;

	arena_init(&w.arena, RESTORE_ROOM);
	map_init(&w.items);
	rc = takes_long ? op_restore_long(&w, e) : restore_at_once(&w, e);
	map_release(&w.items);
	arena_release(&w.arena);
	return rc;
}
