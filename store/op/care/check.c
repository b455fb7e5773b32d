/*
 * Check: files against the index.  See check.h.
 */
#include "check.h"

#include "store/op/op_wait.h"

#include "store/files/files_scan.h"
#include "store/value/plain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOTES_ROOM = 256 << 20, SETTLE_MS = 5000 };

void
op_check_tell(struct check *c, const char *kind, const char *table,
    const char *path, const char *text)
{
	c->problems++;
	if (!c->left)
		return;
	c->left--;
	reply_object(&c->reply, NULL);
	reply_string(&c->reply, "Kind", kind);
	if (table)
		reply_string(&c->reply, "TableName", table);
	if (path)
		reply_string(&c->reply, "Path", path);
	reply_string(&c->reply, "Text", text);
	reply_close(&c->reply);
}

int
op_check_render(struct check_reader *r, const struct text *typed,
    struct err *e)
{
	struct value item;

	arena_reset(&r->arena);
	buf_reset(&r->plain);
	if (typed_read_item(&r->arena, typed->p, typed->n, &item, e) < 0)
		return -1;
	return plain_write(&r->plain, &item) < 0 ? op_no_memory(e) : 0;
}

/* --- notes --------------------------------------------------------------- */

/* Under the lock. */
static int
add_note(struct check *c, const struct check_note *n, struct err *e)
{
	struct check_note *more;

	if (c->count == CHECK_NOTES_MAX) {
		c->many = true;
		return 0;
	}
	if (c->count == c->room) {
		c->room = c->room ? 2 * c->room : 64;
		more = realloc(c->notes, c->room * sizeof *more);
		if (!more)
			return op_no_memory(e);
		c->notes = more;
	}
	more = &c->notes[c->count];
	*more = *n;
	if (n->table)
		more->table = arena_copy(&c->arena, n->table,
		    strlen(n->table));
	more->path = arena_copy(&c->arena, n->path, strlen(n->path));
	if (n->key.p)
		more->key.p = arena_copy(&c->arena, n->key.p, n->key.n);
	if (!more->path || (n->table && !more->table) ||
	    (n->key.p && !more->key.p))
		return op_no_memory(e);
	c->count++;
	return 0;
}

static int
note(struct check *c, const struct files_found *f, const struct text *key,
    const char *why, struct err *e)
{
	union {
		const char *in;
		char *out;
	} table = {f->table}, path = {f->path};
	struct check_note n = {.table = table.out, .path = path.out,
	    .document = f->kind == FILES_DOCUMENT, .why = why};
	int rc;

	if (f->name)
		n.name = *f->name;
	if (key)
		n.key = *key;
	pthread_mutex_lock(&c->lock);
	rc = add_note(c, &n, e);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

/* A document that is in file and index. */
static int
count_found(struct check *c, const char *table, struct err *e)
{
	uint64_t *n;

	pthread_mutex_lock(&c->lock);
	n = map_get(&c->found, table);
	if (!n) {
		n = arena_array(&c->arena, 1, sizeof *n);
		if (n && map_set(&c->found, table, strlen(table), n, NULL) < 0)
			n = NULL;
	}
	if (n)
		++*n;
	pthread_mutex_unlock(&c->lock);
	return n ? 0 : op_no_memory(e);
}

/* --- the files ----------------------------------------------------------- */

/* 1 if the file is as it should be, 0 if that isn't sure, -1. */
static int
compare(struct check *c, struct check_reader *r, const struct table *t,
    const struct files_found *f, struct text *key, struct err *e)
{
	struct index_record record;
	int rc;

	arena_reset(&r->arena);
	if (!f->key || f->state == FILES_EDITED)
		return 0;
	rc = path_key_item(&r->arena, t, f->key, key);
	if (rc <= 0)
		return rc < 0 ? op_no_memory(e) : 0;
	rc = index_get(r->view.index, key, &record, e);
	if (rc <= 0 || !c->op->request.store.deep)
		return rc;
	if (op_check_render(r, &record.item, e) < 0)
		return -1;
	return f->n == r->plain.len &&
	    memcmp(f->p, r->plain.data, f->n) == 0;
}

static int
check_document(struct check *c, struct check_reader *r,
    const struct files_found *f, struct err *e)
{
	const struct table *t;
	struct text key = {NULL, 0};
	int rc;

	if (store_read_begin(&r->view, e) < 0)
		return -1;
	t = catalog_named(r->view.catalog, f->table, strlen(f->table));
	rc = t ? compare(c, r, t, f, &key, e) : 0;
	store_read_end(&r->view);
	if (rc < 0)
		return -1;
	return rc ? count_found(c, f->table, e) : note(c, f, NULL, NULL, e);
}

static int
take_file(void *arg, const struct files_found *f, struct err *e)
{
	struct check *c = arg;

	if (op_stopped(c->op, e))
		return -1;
	switch (f->kind) {
	case FILES_DOCUMENT:
		return check_document(c, &c->readers[f->thread], f, e);
	case FILES_TABLE_FILE:
		return 0;
	case FILES_FOREIGN:
		return note(c, f, NULL, "no document, or not where one is "
		    "looked for", e);
	case FILES_UNREADABLE:
		return note(c, f, NULL, strerrordesc_np(f->error), e);
	}
	return 0;
}

static void
progress(void *arg, uint64_t documents)
{
	struct check *c = arg;

	c->documents = documents;
	op_progress(c->op, "files", documents, 0);
}

static int
check_files(struct check *c, const char *table, struct err *e)
{
	const struct files_scan_options o = {.table = table,
	    .threads = CHECK_THREADS, .read = c->op->request.store.deep,
	    .each = take_file, .progress = progress, .arg = c};

	return files_scan(store_files(c->op->store), &o, e) ? -1 : 0;
}

/* --- what the index has and no file -------------------------------------- */

static int
check_entry(struct check *c, struct check_reader *r, const struct table *t,
    struct files_table *files, const struct index_entry *entry,
    struct err *e)
{
	char path[PATH_MAX_BYTES + 5];
	struct check_note n = {.document = true, .key = entry->base};
	union {
		const char *in;
		char *out;
	} table = {t->name};
	struct path_key key;
	struct value item;

	arena_reset(&r->arena);
	if (typed_read_item(&r->arena, entry->record.item.p,
	        entry->record.item.n, &item, e) < 0)
		return -1;
	if (path_key_of(t, &item, &key) < 0 || path_name(&key, &n.name) < 0)
		return op_no_memory(e);
	if (files_check(files, &n.name, NULL) != FILES_ABSENT)
		return 0;	/* whatever it is was noted when found */
	files_path(files, &n.name, path);
	n.table = table.out;
	n.path = path;
	return add_note(c, &n, e);
}

static int
check_table(struct check *c, const struct table *t, struct err *e)
{
	struct check_reader *r = &c->readers[0];
	const uint64_t *found = map_get(&c->found, t->name);
	struct files_table *files;
	struct index_cursor *cursor = NULL;
	struct index_entry entry;
	struct index_counts n;
	struct key_range all;
	int rc = index_counts(r->view.index, t->id, 0, &n, e);

	c->documents += n.items;
	if (rc < 0 || (!c->op->request.store.deep &&
	                  (found ? *found : 0) >= n.items))
		return rc;
	files = files_table(store_files(c->op->store), t->name, n.items, e);
	if (!files || key_range_scan(&c->arena, t, NULL, 0, 1, &all, e) < 0)
		return -1;
	cursor = index_cursor_open(r->view.index, NULL, &all, false, e);
	if (!cursor)
		return -1;
	while ((rc = index_cursor_next(cursor, &entry, e)) > 0)
		if (op_stopped(c->op, e) ||
		    check_entry(c, r, t, files, &entry, e) < 0) {
			rc = -1;
			break;
		}
	index_cursor_close(cursor);
	return rc;
}

static int
check_index(struct check *c, const struct text *only, struct err *e)
{
	struct store_view *v = &c->readers[0].view;
	const struct table *t;
	size_t i;
	int rc = 0;

	if (store_read_begin(v, e) < 0)
		return -1;
	c->documents = 0;
	for (i = 0; rc == 0 && i < v->catalog->count; i++) {
		t = v->catalog->entries[i].table;
		if (!only->p || (strlen(t->name) == only->n &&
		                    memcmp(t->name, only->p, only->n) == 0))
			rc = check_table(c, t, e);
	}
	store_read_end(v);
	return rc;
}

/* --- the operation ------------------------------------------------------- */

static int
start(struct check *c, struct err *e)
{
	size_t i;
	int rc = 0;

	pthread_mutex_init(&c->lock, NULL);
	arena_init(&c->arena, NOTES_ROOM);
	map_init(&c->found);
	for (i = 0; i < CHECK_THREADS; i++) {
		struct check_reader *r = &c->readers[i];

		arena_init(&r->arena, CHECK_ITEM_ROOM);
		buf_init(&r->plain, CHECK_PLAIN_MAX);
		if (rc == 0)
			rc = store_view_init(&r->view, c->op->store, e);
	}
	return rc;
}

static void
finish(struct check *c)
{
	size_t i;

	for (i = 0; i < CHECK_THREADS; i++) {
		store_view_release(&c->readers[i].view);
		arena_release(&c->readers[i].arena);
		buf_release(&c->readers[i].plain);
	}
	free(c->notes);
	map_release(&c->found);
	arena_release(&c->arena);
	pthread_mutex_destroy(&c->lock);
}

/* Edits that were saved because the document was written to. */
static uint64_t
count_conflicts(const char *path, unsigned depth)
{
	DIR *d = opendir(path);
	char below[PATH_MAX_BYTES + 4096];
	struct dirent *x;
	uint64_t n = 0;

	while (d && (x = readdir(d))) {
		if (*x->d_name == '.')
			continue;
		snprintf(below, sizeof below, "%s/%s", path, x->d_name);
		n += depth ? count_conflicts(below, depth - 1) : 1;
	}
	if (d)
		closedir(d);
	return n;
}

/* A table that is no more may have left files; one that never was has none. */
static int
check_there(struct check *c, const struct text *only, struct err *e)
{
	struct catalog *now;
	int rc;

	if (!only->p || c->count)
		return 0;
	now = store_catalog_hold(c->op->store);
	rc = op_table(now, only, e) ? 0 : -1;
	store_catalog_release(c->op->store, now);
	return rc;
}

static int
check(struct check *c, const char *table, struct err *e)
{
	const struct text *only = &c->op->request.store.table;
	size_t i;

	op_settle(c->op, SETTLE_MS);
	if (check_files(c, table, e) < 0 || check_there(c, only, e) < 0 ||
	    check_index(c, only, e) < 0)
		return -1;
	for (i = 0; i < c->count; i++)
		if (op_stopped(c->op, e) || op_check_one(c, &c->notes[i], e) < 0)
			return -1;
	return c->op->request.store.deep ? op_check_deep(c, e) : 0;
}

void
op_check(struct op *op, struct store_view *v)
{
	const struct store_request *q = &op->request.store;
	struct check c = {.op = op, .left = q->limit ? q->limit : CHECK_LIMIT};
	char path[4096 + 16];
	const char *table;
	struct err e;
	int rc = start(&c, &e);

	(void)v;
	op_open(op, &c.reply);
	reply_list(&c.reply, "Problems");
	if (rc == 0)
		rc = op_string(op, &q->table, &table, &e);
	if (rc == 0)
		rc = check(&c, table, &e);
	reply_close(&c.reply);
	reply_integer(&c.reply, "Count", (int64_t)c.problems);
	if (c.many)
		reply_bool(&c.reply, "More", true);
	reply_integer(&c.reply, "Documents", (int64_t)c.documents);
	snprintf(path, sizeof path, "%s/conflicts", store_dir(op->store));
	reply_integer(&c.reply, "Conflicts", (int64_t)count_conflicts(path, 1));
	finish(&c);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &c.reply);
}
