/*
 * The start of a store: is the index to be trusted, which tables are there,
 * and what in the journal has not reached index and files yet.
 *
 * A trusted index is brought up to the journal's end.  Another is wiped and
 * made again: from the files, which are right up to the redo mark but for
 * what changed since, and from the journal, which has all of that.
 */
#include "store_internal.h"

#include "files_scan.h"
#include "stamp.h"

#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/value/fault.h"
#include "store/value/plain.h"
#include "store/value/typed.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BATCH_ITEMS = 1000,
	BATCH_ROOM = 64 << 20,
	ITEM_ROOM = 64 << 20
};

/* --- the index made again from files --------------------------------------------- */

struct rebuild {
	struct store *s;
	struct index_view *batch;
	size_t in_batch;
	uint64_t redo;
	struct arena arena;
	struct buf typed, was;
};

static int
rebuild_commit(struct rebuild *r, struct err *e)
{
	int rc = r->batch ? index_commit(r->batch, r->redo, e) : 0;

	r->batch = NULL;
	r->in_batch = 0;
	return rc;
}

static int
rebuild_batch(struct rebuild *r, struct err *e)
{
	if (r->in_batch == BATCH_ITEMS && rebuild_commit(r, e) < 0)
		return -1;
	if (!r->batch)
		r->batch = index_begin(r->s->index, BATCH_ROOM, e);
	r->in_batch++;
	return r->batch ? 0 : -1;
}

static int
rebuild_table(struct rebuild *r, const struct files_found *f, struct err *e)
{
	struct unit u = {.kind = UNIT_TABLE, .table = {f->p, f->n}};

	while (u.table.n && u.table.p[u.table.n - 1] == '\n')
		u.table.n--;
	if (rebuild_batch(r, e) < 0 ||
	    apply_index(r->batch, NULL, &r->arena, &u, NULL, r->redo, e) < 0)
		return -1;
	return apply_table(r->s, &u, e);
}

/* True if the file holds the document of its name. */
static bool
is_whole(struct rebuild *r, const struct table *t,
    const struct files_found *f, struct value *item, struct text *key)
{
	struct path_key path;
	struct path_name name;
	struct err ignored;

	return plain_read_item(&r->arena, f->p, f->n, item, &ignored) == 0 &&
	    key_check_item(t, item, &ignored) == 0 &&
	    path_key_of(t, item, &path) == 0 && path_name(&path, &name) == 0 &&
	    strcmp(name.text, f->name->text) == 0 &&
	    key_item(&r->arena, t, item, key, &ignored) == 0 &&
	    typed_write_item(&r->typed, item) == 0 && buf_ok(&r->typed);
}

/*
 * A file that somebody changed is not what the store wrote: the newest commit
 * has that, if the table is in the history.  Where both are the same only the
 * seal was lost, by a copy of the store.  1 with the document's text in
 * r->was; 0: it is not known; -1.
 */
static int
as_committed(struct rebuild *r, const struct table *t,
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
	buf_reset(&r->was);
	return history_get(r->s->history, &tip.id,
	    (struct history_paths){all, PATH_LEVEL_MAX + 1}, &r->was, e);
}

/* What an edited file stands for, in *f: 1; 0: nothing; -1. */
static int
judge_edit(struct rebuild *r, const struct table *t, struct files_found *f,
    struct err *e)
{
	struct files_table *files;
	struct err ignored;
	int rc = t->history ? as_committed(r, t, f, e) : 1;

	if (rc <= 0 || !t->history)
		return rc;
	if (r->was.len == f->n && memcmp(r->was.data, f->p, f->n) == 0) {
		files = files_table(r->s->files, f->table, 0, &ignored);
		if (files)
			files_seal(files, f->name, &f->st, &ignored);
	}
	f->p = buf_str(&r->was);
	f->n = r->was.len;
	return 1;
}

/*
 * One document.  What can't be read, or lies under another's name, is left
 * out: either the journal has what belongs there, or `bothy store check`
 * tells of it.
 */
static int
rebuild_document(struct rebuild *r, const struct files_found *found,
    struct err *e)
{
	struct files_found f = *found;
	struct catalog *catalog = catalog_hold(&r->s->catalog);
	const struct table *t =
	    catalog_named(catalog, f.table, strlen(f.table));
	struct value item;
	struct text key, bytes;
	int rc = t ? 1 : 0;

	arena_reset(&r->arena);
	buf_reset(&r->typed);
	if (rc && f.state == FILES_EDITED)
		rc = judge_edit(r, t, &f, e);
	if (rc > 0 && is_whole(r, t, &f, &item, &key)) {
		bytes = (struct text){r->typed.data, r->typed.len};
		rc = rebuild_batch(r, e);
		if (rc == 0)
			rc = index_put(r->batch, t, &key, NULL, &item, &bytes,
			    r->redo, e);
	}
	catalog_release(&r->s->catalog, catalog);
	return rc < 0 ? -1 : 0;
}

static int
rebuild_file(void *arg, const struct files_found *f, struct err *e)
{
	if (f->kind == FILES_TABLE_FILE)
		return rebuild_table(arg, f, e);
	return f->kind == FILES_DOCUMENT ? rebuild_document(arg, f, e) : 0;
}

static void
rebuild_progress(void *arg, uint64_t documents)
{
	const struct rebuild *r = arg;

	if (r->s->options.progress)
		r->s->options.progress(r->s->options.arg, "index", documents,
		    0);
}

/* One thread: the batch belongs to who began it. */
static int
rebuild(struct store *s, uint64_t redo, struct err *e)
{
	struct rebuild r = {.s = s, .redo = redo};
	const struct files_scan_options o = {.threads = 1, .read = true,
	    .each = rebuild_file, .progress = rebuild_progress, .arg = &r};
	int rc;

	arena_init(&r.arena, ITEM_ROOM);
	buf_init(&r.typed, ITEM_ROOM);
	buf_init(&r.was, ITEM_ROOM);
	rc = files_scan(s->files, &o, e);
	if (rc == 0)
		rc = rebuild_commit(&r, e);
	else if (r.batch)
		index_abort(r.batch);
	buf_release(&r.was);
	buf_release(&r.typed);
	arena_release(&r.arena);
	return rc;
}

/* --- tables ---------------------------------------------------------------------------- */

static int
load_table(void *arg, const struct text *name, const struct text *note,
    struct err *e)
{
	struct store *s = arg;
	struct unit u = {.kind = UNIT_TABLE, .table = *note};

	(void)name;
	return apply_table(s, &u, e);
}

/* From the notes of a trusted index. */
static int
load_tables(struct store *s, struct err *e)
{
	struct index_view *v = index_view_new(s->index, e);
	uint64_t position;
	int rc = -1;

	if (v && index_read_begin(v, e) == 0) {
		rc = index_position(v, &position, e);
		if (rc == 0)
			rc = index_note_each(v, &(struct text){"table/", 6},
			    load_table, s, e);
		if (rc == 0)
			atomic_store(&s->visible, position);
		index_read_end(v);
	}
	index_view_free(v);
	return rc ? -1 : 0;
}

/* The files are told how many documents each table has. */
static int
tell_files(struct store *s, struct err *e)
{
	struct index_view *v = index_view_new(s->index, e);
	struct catalog *c = catalog_hold(&s->catalog);
	struct index_counts n;
	int rc = -1;
	size_t i;

	if (v && index_read_begin(v, e) == 0) {
		for (rc = 0, i = 0; rc == 0 && i < c->count; i++) {
			const struct table *t = c->entries[i].table;

			rc = index_counts(v, t->id, 0, &n, e);
			if (rc == 0 &&
			    !files_table(s->files, t->name, n.items, e))
				rc = -1;
		}
		index_read_end(v);
	}
	catalog_release(&s->catalog, c);
	index_view_free(v);
	return rc;
}

/* --- the start --------------------------------------------------------------------------- */

static int
stamp_open(struct store *s, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/index", s->dir);
	return stamp_write(path, STAMP_OPEN, e);
}

/* One that isn't trusted is empty, and has no stamp until it is whole. */
static int
open_index(struct store *s, bool *trusted, struct err *e)
{
	struct index_options o = {.read_only = s->options.read_only};
	char path[PATH_MAX];
	struct err why;

	snprintf(path, sizeof path, "%s/index", s->dir);
	*trusted = stamp_trusted(path, &why);
	if (s->options.read_only) {
		if (!*trusted)
			return err_set(e, FAULT_READ_ONLY, "%s: the index is "
			    "to be made again, which writes: %s", s->dir,
			    why.text);
	} else {
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return err_sys(e, "%s", path);
		if (!*trusted && index_wipe(path, e) < 0)
			return -1;
	}
	s->index = index_open(path, &o, e);
	if (!s->index)
		return -1;
	return s->options.read_only || !*trusted ? 0 : stamp_open(s, e);
}

int
recover(struct store *s, struct err *e)
{
	struct mark m;
	bool trusted;

	journal_marks(s->journal, &m);
	if (open_index(s, &trusted, e) < 0)
		return -1;
	if (trusted && load_tables(s, e) < 0)
		return -1;
	if (atomic_load(&s->visible) > journal_end(s->journal))
		return err_set(e, EUCLEAN, "%s: the index is ahead of the "
		    "journal, which has lost its end; remove %s/index and "
		    "start again", s->dir, s->dir);
	if (!trusted) {
		if (rebuild(s, m.redo.position, e) < 0 ||
		    stamp_open(s, e) < 0)
			return -1;
		atomic_store(&s->visible, m.redo.position);
	}
	if (tell_files(s, e) < 0)
		return -1;
	if (s->options.read_only)
		return 0;
	atomic_store(&s->dropping, true);
	return apply_journal(s, m.redo.position, true, e);
}
