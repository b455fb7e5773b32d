/*
 * The restore of one table: the difference of two states as one unit of the
 * journal, so that readers and a crash see all of it or nothing.
 *
 * The states are those of a moment ago.  What was written since then is found
 * in the journal, and in the batch itself, by the writer; it is set back too.
 */
#include "op_restore.h"
#include "op_wait.h"

#include "store/value/plain.h"

#include <stdio.h>
#include <string.h>

enum {
	RESTORE_ROOM = 1 << 30,		/* of all that changes */
	NAME_ROOM = 64 << 10,
	PLAIN_MAX = 8 << 20,
	ITEM_ROOM = 4096,
	PROGRESS = 1000
};

/* A document as it is to be. */
struct item {
	struct value fresh;		/* count 0: gone */
	struct value members;		/* its Key */
};

struct work {
	struct restore_table *table;
	const struct table *schema;	/* where the documents go */
	struct arena arena;
	struct map items;		/* by name: struct item * */
	size_t bytes;
};

static int
no_memory(struct err *e)
{
	return err_set(e, FAULT_LIMIT, "too much is to be restored at once; "
	    "restore it Into a new table");
}

/* --- what is to change --------------------------------------------------- */

static int
read_item(struct work *w, const struct text *plain, struct value *out,
    struct err *e)
{
	char *copy = arena_copy(&w->arena, plain->p, plain->n);

	if (!copy)
		return no_memory(e);
	return plain_read_item(&w->arena, copy, plain->n, out, e);
}

/* An item that the table takes as it is now: of its keys and indexes. */
static int
check_item(const struct work *w, const char *name, const struct value *item,
    struct err *e)
{
	struct err why;

	if (key_check_item(w->schema, item, &why) == 0)
		return 0;
	return err_set(e, FAULT_VALIDATION, "%.200s of then doesn't fit the "
	    "table of now: %.200s", name, why.text);
}

/* A new item, or with fresh NULL the end of an old one. */
static int
make_item(struct work *w, const char *name, const struct text *old,
    const struct text *fresh, struct item *out, struct err *e)
{
	struct value gone;

	*out = (struct item){.fresh.type = VALUE_M, .members.type = VALUE_M};
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

static int
take_delta(void *ctx, const struct past_delta *d, struct err *e)
{
	struct work *w = ctx;
	struct item *item = arena_alloc(&w->arena, sizeof *item);

	if (!item)
		return no_memory(e);
	if (make_item(w, d->name->text, &d->old, &d->new, item, e) < 0)
		return -1;
	if (map_set(&w->items, d->name->text, strlen(d->name->text), item,
	        NULL) < 0)
		return no_memory(e);
	w->bytes += ITEM_ROOM + d->old.n + d->new.n;
	if (w->items.count % PROGRESS == 0)
		op_progress(w->table->restore->op, "restore",
		    w->items.count, 0);
	return 0;
}

/* --- in the writer ------------------------------------------------------- */

static int
set_item(struct work *w, struct commit *c, const struct table *t,
    const struct item *item, struct err *e)
{
	struct commit_old old;
	struct text key;

	if (key_item(&w->arena, t, &item->members, &key, e) < 0 ||
	    commit_get(c, &key, &old, e) < 0)
		return -1;
	if (item->fresh.count) {
		if (old.there && value_equal(&old.item, &item->fresh))
			return 0;
		return commit_put(c, t, &key, &old, &item->fresh, e);
	}
	return old.there
	    ? commit_delete(c, t, &key, &item->members, &old, e)
	    : 0;
}

/* A document that was written since the states were compared. */
static int
set_late(struct work *w, struct commit *c, const struct table *t,
    const char *text, const struct text *late, struct err *e)
{
	struct text then = {NULL, 0};
	struct path_name name;
	struct path_key key;
	struct arena a;
	struct item item;
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

static int
set_all_late(struct work *w, struct commit *c, const struct table *t,
    struct past_table *late, struct err *e)
{
	const struct restore *x = w->table->restore;
	size_t i;
	int rc = commit_each_earlier(c, add_earlier, late, e);

	for (i = 0; rc == 0 && i < late->changed.count; i++) {
		const struct map_entry *m = &late->changed.entries[i];

		if (x->only && strcmp(m->key, x->only->text) != 0)
			continue;
		if (x->strict)
			return err_set(e, FAULT_CONFLICT, "%s was written to "
			    "after the preview was made; look at another",
			    w->table->name);
		if (!map_get(&w->items, m->key))
			rc = set_late(w, c, t, m->key, m->value, e);
	}
	return rc;
}

static int
set_all(struct work *w, struct commit *c, struct err *e)
{
	const struct table *t = catalog_id(commit_catalog(c), w->schema->id);
	struct past_table late;
	struct past p;
	size_t i;
	int rc = 0;

	if (!t)
		return err_set(e, FAULT_CONFLICT, "%s was dropped meanwhile",
		    w->table->name);
	for (i = 0; rc == 0 && i < w->items.count; i++)
		rc = set_item(w, c, t, w->items.entries[i].value, e);
	if (rc == 0 && w->table->id) {
		rc = past_open_later(&w->table->present, &p, &late, e);
		if (rc == 0)
			rc = set_all_late(w, c, t, &late, e);
		past_close(&late);
	}
	return rc;
}

/* What can't be done ends the restore, never the writer's batch. */
static int
run(struct commit_job *job, struct commit *c, struct err *e)
{
	struct work *w = op_wait_of(job)->ctx;

	if (set_all(w, c, e) == 0)
		return 0;
	if (e->code == FAULT_INTERNAL)
		e->code = FAULT_CONFLICT;
	return -1;
}

/* --- the table itself ---------------------------------------------------- */

struct making {
	const struct table *like;
	const char *name;
};

static int
run_make(struct commit_job *job, struct commit *c, struct err *e)
{
	const struct making *m = op_wait_of(job)->ctx;
	struct table *t;
	size_t i;

	if (catalog_named(commit_catalog(c), m->name, strlen(m->name)))
		return err_set(e, FAULT_IN_USE, "Table already exists: %s",
		    m->name);
	t = table_copy(m->like);
	if (!t)
		return err_set(e, FAULT_LIMIT, "out of memory");
	snprintf(t->name, sizeof t->name, "%s", m->name);
	t->created_ms = commit_now_ms(c);
	t->stream_since_ms = t->stream != STREAM_OFF ? t->created_ms : 0;
	t->stream_was = STREAM_OFF;
	t->ttl_filling = false;
	for (i = 0; i < t->nindexes; i++)
		t->indexes[i].filling = false;
	if (commit_table_id(c, &t->id, e) < 0) {
		table_free(t);
		return -1;
	}
	commit_table(c, t);
	return 0;
}

static int
make_table(struct restore_table *t, struct arena *a, struct err *e)
{
	struct making m = {t->target.table, t->name};

	return op_wait_run(t->restore->op->store, a, ITEM_ROOM, run_make, &m,
	    e);
}

static int
restore(struct restore_table *t, struct work *w, struct err *e)
{
	struct store *s = t->restore->op->store;

	if (past_diff(&t->present, &t->target, t->restore->only, take_delta,
	        w, e) < 0)
		return -1;
	if (op_wait_run(s, &w->arena, w->bytes, run, w, e) == 0)
		return 0;
	return e->code == FAULT_LIMIT ? no_memory(e) : -1;
}

int
op_restore_do(struct restore_table *t, struct err *e)
{
	struct store *s = t->restore->op->store;
	struct work w = {.table = t};
	struct catalog *c;
	int rc = 0;

	arena_init(&w.arena, RESTORE_ROOM);
	map_init(&w.items);
	if (!t->id)
		rc = make_table(t, &w.arena, e);
	c = store_catalog_hold(s);
	if (rc == 0) {
		w.schema = catalog_named(c, t->name, strlen(t->name));
		rc = w.schema ? restore(t, &w, e)
		              : err_set(e, FAULT_CONFLICT,
		                    "%s was dropped meanwhile", t->name);
	}
	store_catalog_release(s, c);
	map_release(&w.items);
	arena_release(&w.arena);
	return rc;
}
