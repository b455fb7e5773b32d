/*
 * The index made again from the files.  Part of bothy-store, before it serves.
 * What has lost its file is brought in by rebuild_lost.c.
 *
 * Some threads read files and make of each what the index wants; one puts that
 * into the index, for a batch belongs to who began it.  Between them go loads
 * of documents, of which there are a few, used over and over.
 */
#include "store_internal.h"

#include "store/files/files_scan.h"
#include "store/value/fault.h"
#include "store/value/plain.h"
#include "store/value/typed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BATCH_ITEMS = 4096,
	BATCH_ROOM = 64 << 20,
	BATCH_BYTES = 8 << 20,		/* of items */
	ITEM_ROOM = 64 << 20,
	LOAD_ITEMS = 128,
	LOAD_BYTES = 1 << 20,		/* of files, about, */
	LOAD_USED = 8 << 20,		/* and of what is made of them: 35 MB
					 * of a long list of numbers */
	LOADS = 8,
	READERS_MAX = 4
};

/* A document for the index, or with no table the text of a table. */
struct loaded {
	const struct table *table;
	struct text key, bytes;
	struct value item;
};

struct load {
	struct load *next;
	struct catalog *catalog;	/* of the documents' tables */
	struct arena arena;
	struct loaded items[LOAD_ITEMS];
	size_t count, bytes;
};

/* One that reads. */
struct reader {
	struct load *load;		/* that it fills; or NULL */
	struct buf typed, was;
};

struct rebuild {
	struct store *s;
	uint64_t redo;
	struct reader readers[READERS_MAX];

	/* the writer's */
	struct index_view *batch;
	size_t in_batch, bytes;
	struct arena arena;

	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t moved;
	struct load *empty, *first, **last;
	bool ended, failed;
	struct err error;
};

/* --- loads ---------------------------------------------------------------- */

static struct load *
load_take(struct rebuild *r, struct err *e)
{
	struct load *l;

	pthread_mutex_lock(&r->lock);
	while (!r->empty && !r->failed)
		pthread_cond_wait(&r->moved, &r->lock);
	l = r->failed ? NULL : r->empty;
	if (l)
		r->empty = l->next;
	else
		*e = r->error;
	pthread_mutex_unlock(&r->lock);
	if (l)
		l->catalog = catalog_hold(&r->s->catalog);
	return l;
}

/* For the writer. */
static void
load_give(struct rebuild *r, struct reader *me)
{
	struct load *l = me->load;

	me->load = NULL;
	if (!l)
		return;
	l->next = NULL;
	pthread_mutex_lock(&r->lock);
	*r->last = l;
	r->last = &l->next;
	pthread_cond_broadcast(&r->moved);
	pthread_mutex_unlock(&r->lock);
}

static void
load_give_back(struct rebuild *r, struct load *l)
{
	catalog_release(&r->s->catalog, l->catalog);
	arena_reset(&l->arena);
	l->count = l->bytes = 0;
	pthread_mutex_lock(&r->lock);
	l->next = r->empty;
	r->empty = l;
	pthread_cond_broadcast(&r->moved);
	pthread_mutex_unlock(&r->lock);
}

/* --- reading -------------------------------------------------------------- */

/* The next place in a load that has room. */
static struct loaded *
place(struct rebuild *r, struct reader *me, size_t bytes, struct err *e)
{
	struct load *l = me->load;

	if (l && (l->count == LOAD_ITEMS || l->bytes > LOAD_BYTES ||
	    l->arena.used > LOAD_USED)) {
		if (store_start_stopped(&r->s->options, e))
			return NULL;
		load_give(r, me);
	}
	if (!me->load)
		me->load = load_take(r, e);
	l = me->load;
	if (!l)
		return NULL;
	l->bytes += bytes;
	return &l->items[l->count];
}

/* A table's text, looked for in the journal. */
struct wanted {
	const char *name;
	struct arena arena;	/* of a unit; the one found stays in it */
	struct unit unit;
};

static int
is_wanted(void *ctx, const struct journal_line *line)
{
	struct wanted *w = ctx;
	struct err ignored;
	struct table *t;
	bool yes;

	if (!unit_tells_table(line->payload, line->len))
		return 0;
	arena_reset(&w->arena);
	if (unit_read(&w->arena, line->payload, line->len, &w->unit,
	        &ignored) < 0 ||
	    w->unit.kind != UNIT_TABLE)
		return 0;
	t = table_read(w->unit.table.p, w->unit.table.n, &ignored);
	yes = t && strcmp(t->name, w->name) == 0;
	table_free(t);
	if (yes)	/* the line is borrowed: its text is not */
		w->unit.table.p = arena_copy(&w->arena, w->unit.table.p,
		    w->unit.table.n);
	return yes && w->unit.table.p;
}

/*
 * The table that a file tells of; where a power cut has torn the file, what
 * the journal says of the table behind the redo mark, for only a table that
 * changed since can be torn.  1; 0: nothing is known of it; -1.
 */
static int
whole_table(struct rebuild *r, const struct files_found *f,
    struct wanted *w, struct err *e)
{
	struct table *t;
	struct err ignored;

	w->unit = (struct unit){.kind = UNIT_TABLE, .table = {f->p, f->n}};
	while (w->unit.table.n &&
	    w->unit.table.p[w->unit.table.n - 1] == '\n')
		w->unit.table.n--;
	t = table_read(w->unit.table.p, w->unit.table.n, &ignored);
	table_free(t);
	if (t)
		return 1;
	w->name = f->table;
	return journal_read(r->s->journal, r->redo, is_wanted, w, NULL, e);
}

static int
put_table(struct rebuild *r, struct reader *me, const struct unit *u,
    struct err *e)
{
	struct loaded *at = place(r, me, u->table.n, e);
	char *copy;

	if (!at || apply_table(r->s, u, e) < 0)
		return -1;
	copy = arena_copy(&me->load->arena, u->table.p, u->table.n);
	if (!copy)
		return err_set(e, ENOMEM, "out of memory");
	*at = (struct loaded){.bytes = {copy, u->table.n}};
	me->load->count++;
	load_give(r, me);	/* the next one knows the table */
	return 0;
}

/* At once in the catalogue, for its documents; for the index, by the writer. */
static int
read_table(struct rebuild *r, struct reader *me, const struct files_found *f,
    struct err *e)
{
	struct wanted w = {.name = NULL};
	int rc;

	arena_init(&w.arena, ITEM_ROOM);
	rc = whole_table(r, f, &w, e);
	if (rc > 0)
		rc = put_table(r, me, &w.unit, e);
	arena_release(&w.arena);
	return rc;
}

/*
 * A file that somebody changed is not what the store wrote: the newest commit
 * has that, if the table is in the history.  Where both are the same only the
 * seal was lost, by a copy of the store.  1 with the document's text in
 * `was`; 0: it is not known; -1.
 */
static int
as_committed(struct rebuild *r, struct reader *me, const struct table *t,
    const struct files_found *f, struct err *e)
{
	char paths[PATH_LEVEL_MAX + 1][PATH_MAX_BYTES], dir[PATH_NAME_MAX + 1];
	const char *all[PATH_LEVEL_MAX + 1];
	struct history_commit tip;
	unsigned level;
	int rc = history_tip(r->s->history, &tip, e);

	if (rc <= 0 || path_table(t->name, dir) < 0)
		return rc;
	for (level = 0; level <= PATH_LEVEL_MAX; level++) {
		path_write(paths[level], dir, level, f->name);
		all[level] = paths[level];
	}
	buf_reset(&me->was);
	return history_get(r->s->history, &tip.id,
	    (struct history_paths){all, PATH_LEVEL_MAX + 1}, &me->was, e);
}

/* What an edited file stands for, in *f: 1; 0: nothing; -1. */
static int
judge_edit(struct rebuild *r, struct reader *me, const struct table *t,
    struct files_found *f, struct err *e)
{
	struct files_table *files;
	struct err ignored;
	int rc = t->history ? as_committed(r, me, t, f, e) : 1;

	if (rc <= 0 || !t->history)
		return rc;
	if (me->was.len == f->n && memcmp(me->was.data, f->p, f->n) == 0) {
		files = files_table(r->s->files, f->table, 0, &ignored);
		if (files)
			files_seal(files, f->name, &f->st, &ignored);
	}
	f->p = buf_str(&me->was);
	f->n = me->was.len;
	return 1;
}

/* True if the text is the document of its file's name: all of *out is set. */
static bool
is_whole(struct reader *me, const struct table *t,
    const struct files_found *f, struct loaded *out)
{
	struct arena *a = &me->load->arena;
	struct path_key path;
	struct path_name name;
	struct err ignored;
	char *copy = arena_copy(a, f->p, f->n);

	buf_reset(&me->typed);
	if (!copy ||
	    plain_read_item(a, copy, f->n, &out->item, &ignored) < 0 ||
	    key_check_own(t, &out->item, &ignored) < 0 ||
	    path_key_of(t, &out->item, &path) < 0 ||
	    path_name(&path, &name) < 0 ||
	    strcmp(name.text, f->name->text) != 0 ||
	    key_item(a, t, &out->item, &out->key, &ignored) < 0 ||
	    typed_write_item(&me->typed, &out->item) < 0 ||
	    !buf_ok(&me->typed))
		return false;
	copy = arena_copy(a, me->typed.data, me->typed.len);
	out->table = t;
	out->bytes = (struct text){copy, me->typed.len};
	return copy != NULL;
}

/* The table of a document, by a load's catalogue that has it; or NULL. */
static const struct table *
table_of(struct rebuild *r, struct reader *me, const struct files_found *f,
    struct err *e)
{
	const struct table *t =
	    catalog_named(me->load->catalog, f->table, strlen(f->table));

	if (t)
		return t;
	load_give(r, me);
	if (!place(r, me, f->n, e))
		return NULL;
	e->code = 0;
	return catalog_named(me->load->catalog, f->table, strlen(f->table));
}

/*
 * One document.  What can't be read, or lies under another's name, is left
 * out: either the journal has what belongs there, or `bothy store check`
 * tells of it.
 */
static int
read_document(struct rebuild *r, struct reader *me,
    const struct files_found *found, struct err *e)
{
	struct files_found f = *found;
	const struct table *t;
	int rc = 1;

	if (!place(r, me, f.n, e))
		return -1;
	t = table_of(r, me, &f, e);
	if (!t)
		return e->code ? -1 : 0;
	if (f.state == FILES_EDITED)
		rc = judge_edit(r, me, t, &f, e);
	if (rc > 0 &&
	    is_whole(me, t, &f, &me->load->items[me->load->count]))
		me->load->count++;
	return rc < 0 ? -1 : 0;
}

static int
read_file(void *arg, const struct files_found *f, struct err *e)
{
	struct rebuild *r = arg;
	struct reader *me = &r->readers[f->thread];

	if (f->kind == FILES_TABLE_FILE)
		return read_table(r, me, f, e);
	return f->kind == FILES_DOCUMENT ? read_document(r, me, f, e) : 0;
}

static void
tell_progress(void *arg, uint64_t documents)
{
	const struct rebuild *r = arg;

	if (r->s->options.progress)
		r->s->options.progress(r->s->options.arg, "index", documents,
		    0);
}

/* --- writing -------------------------------------------------------------- */

static int
commit(struct rebuild *r, struct err *e)
{
	int rc = r->batch ? index_commit(r->batch, r->redo, e) : 0;

	r->batch = NULL;
	r->in_batch = r->bytes = 0;
	return rc;
}

static int
put(struct rebuild *r, const struct loaded *l, struct err *e)
{
	struct unit u = {.kind = UNIT_TABLE, .table = l->bytes};

	if ((r->in_batch == BATCH_ITEMS || r->bytes > BATCH_BYTES) &&
	    commit(r, e) < 0)
		return -1;
	if (!r->batch)
		r->batch = index_begin(r->s->index, BATCH_ROOM, e);
	if (!r->batch)
		return -1;
	r->in_batch++;
	r->bytes += l->bytes.n;
	if (l->table)
		return index_put(r->batch, l->table, &l->key, NULL, &l->item,
		    &l->bytes, r->redo, e);
	arena_reset(&r->arena);
	return apply_index(r->batch, NULL, &r->arena, &u, NULL, r->redo, e);
}

/* The next load; NULL when there will be none. */
static struct load *
next_load(struct rebuild *r)
{
	struct load *l;

	pthread_mutex_lock(&r->lock);
	while (!r->first && !r->ended)
		pthread_cond_wait(&r->moved, &r->lock);
	l = r->first;
	if (l)
		r->first = l->next;
	if (!r->first)
		r->last = &r->first;
	pthread_mutex_unlock(&r->lock);
	return l;
}

static void
fail(struct rebuild *r, const struct err *e)
{
	pthread_mutex_lock(&r->lock);
	if (!r->failed)
		r->error = *e;
	r->failed = true;
	pthread_cond_broadcast(&r->moved);
	pthread_mutex_unlock(&r->lock);
}

static void *
write_loads(void *arg)
{
	struct rebuild *r = arg;
	struct load *l;
	struct err e;
	size_t i;
	int rc = 0;

	while ((l = next_load(r))) {
		for (i = 0; rc == 0 && i < l->count; i++)
			rc = put(r, &l->items[i], &e);
		load_give_back(r, l);
		if (rc < 0)
			fail(r, &e);
	}
	if (rc == 0 && !r->failed)
		rc = commit(r, &e);
	else if (r->batch)
		index_abort(r->batch);
	if (rc < 0)
		fail(r, &e);
	return NULL;
}

/* --- all of it ------------------------------------------------------------ */

static int
init(struct rebuild *r, struct err *e)
{
	struct load *l;
	unsigned i;

	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->moved, NULL);
	r->last = &r->first;
	arena_init(&r->arena, ITEM_ROOM);
	for (i = 0; i < READERS_MAX; i++) {
		buf_init(&r->readers[i].typed, ITEM_ROOM);
		buf_init(&r->readers[i].was, ITEM_ROOM);
	}
	for (i = 0; i < LOADS; i++) {
		l = calloc(1, sizeof *l);
		if (!l)
			return err_set(e, ENOMEM, "out of memory");
		arena_init(&l->arena, ITEM_ROOM);
		l->next = r->empty;
		r->empty = l;
	}
	return 0;
}

static void
release(struct rebuild *r)
{
	struct load *l;
	unsigned i;

	while ((l = r->empty)) {
		r->empty = l->next;
		arena_release(&l->arena);
		free(l);
	}
	for (i = 0; i < READERS_MAX; i++) {
		buf_release(&r->readers[i].typed);
		buf_release(&r->readers[i].was);
	}
	arena_release(&r->arena);
	pthread_cond_destroy(&r->moved);
	pthread_mutex_destroy(&r->lock);
}

static unsigned
readers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > READERS_MAX ? READERS_MAX : (unsigned)n;
}

static int
run(struct rebuild *r, struct err *e)
{
	const struct files_scan_options o = {.threads = readers(),
	    .read = true, .each = read_file, .progress = tell_progress,
	    .arg = r};
	pthread_t writer;
	unsigned i;
	int rc = pthread_create(&writer, NULL, write_loads, r);

	if (rc) {
		errno = rc;
		return err_sys(e, "cannot start a thread");
	}
	rc = files_scan(r->s->files, &o, e);
	if (rc)
		fail(r, e);
	for (i = 0; i < READERS_MAX; i++)
		load_give(r, &r->readers[i]);
	pthread_mutex_lock(&r->lock);
	r->ended = true;
	pthread_cond_broadcast(&r->moved);
	pthread_mutex_unlock(&r->lock);
	pthread_join(writer, NULL);
	if (!r->failed)
		return 0;
	*e = r->error;
	return -1;
}

int
rebuild(struct store *s, uint64_t redo, struct err *e)
{
	struct rebuild r = {.s = s, .redo = redo};
	int rc = init(&r, e);

	if (rc == 0)
		rc = run(&r, e);
	release(&r);
	return rc;
}
