/*
 * Adopt: what somebody wrote into a document's file, or put there as a new
 * one, becomes the document; on condition that the store has not written to it
 * since.
 *
 * Of one document, a table or all; or of one file by its path, which may be an
 * edit that was saved to conflicts/.
 */
#include "store/op/past/document.h"
#include "store/op/op_wait.h"

#include "store/base/io.h"
#include "store/files/files_scan.h"
#include "store/value/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	LIST_ROOM = 256 << 20,
	ITEM_ROOM = 64 << 20,
	PLAIN_MAX = 8 << 20,
	SETTLE_MS = 5000
};

/* A file that was found. */
struct edit {
	struct edit *next;
	char *table;
	struct path_name name;
};

struct adopt {
	struct op *op;
	struct store_view *view;
	struct reply reply;
	struct arena list_arena;
	struct edit *first, **last;
	struct arena arena;		/* of one file */
	struct buf text;
	uint64_t adopted, refused;
};

/* One file, as it is made the document. */
struct one {
	struct store *store;
	const struct table *table;
	struct files_table *files;	/* NULL: it lies elsewhere */
	struct path_name name;
	struct files_stat st;
	struct value item, members;	/* item.count 0: it was removed */
	struct text key;
	struct text before;		/* the document; p NULL: none */
	bool sealed;
};

/* --- in the writer ------------------------------------------------------- */

static bool
is_as_before(const struct one *x, const struct commit_old *old)
{
	if (!x->before.p || !old->there)
		return !x->before.p && !old->there;
	return text_compare(&x->before, &old->bytes) == 0;
}

/*
 * The file is taken for what was written first, so that it isn't saved as an
 * edit once more when the document is written to it.
 */
static int
adopt_file(struct one *x, struct commit *c, struct err *e)
{
	const struct table *t = catalog_id(commit_catalog(c), x->table->id);
	struct commit_old old;

	if (!t || t->restoring)
		return err_set(e, FAULT_CONFLICT, "the table was dropped "
		    "meanwhile, or is being restored");
	if (commit_get(c, &x->key, &old, e) < 0)
		return -1;
	if (!is_as_before(x, &old))
		return err_set(e, FAULT_CONFLICT, "the document was written "
		    "to meanwhile");
	if (x->files && x->item.count && !x->sealed &&
	    files_seal(x->files, &x->name, &x->st, e) < 0)
		return err_set(e, FAULT_CONFLICT, "the file was edited again "
		    "meanwhile");
	x->sealed = true;
	if (x->item.count)
		return commit_put(c, t, &x->key, &old, &x->item, e);
	return old.there ? commit_delete(c, t, &x->key, &x->members, &old, e)
	                 : 0;
}

static int
run(struct commit_job *job, struct commit *c, struct err *e)
{
	int rc = adopt_file(op_wait_of(job)->ctx, c, e);

	if (rc < 0 && e->code == FAULT_INTERNAL)
		e->code = FAULT_CONFLICT;
	return rc;
}

/* --- one file ------------------------------------------------------------ */

static void
tell(struct adopt *a, const char *table, const char *file, const char *kind,
    const char *text)
{
	a->adopted += text == NULL;
	a->refused += text != NULL;
	reply_object(&a->reply, NULL);
	reply_string(&a->reply, "TableName", table);
	reply_string(&a->reply, "File", file);
	reply_string(&a->reply, "Kind", kind);
	if (text)
		reply_string(&a->reply, "Text", text);
	reply_close(&a->reply);
}

/* What the file holds, as an item of the table. */
static int
read_item(struct adopt *a, struct one *x, const char *name, struct err *e)
{
	struct path_key key;

	if (plain_read_item(&a->arena, a->text.data, a->text.len, &x->item,
	        e) < 0 ||
	    key_check_item(x->table, &x->item, e) < 0)
		return -1;
	if (value_item_size(&x->item) > VALUE_ITEM_MAX)
		return err_set(e, FAULT_VALIDATION, "Item size has exceeded "
		    "the maximum allowed size");
	if (path_key_of(x->table, &x->item, &key) < 0 ||
	    path_name(&key, &x->name) < 0)
		return op_no_memory(e);
	if (name && strcmp(name, x->name.text) != 0)
		return err_set(e, FAULT_VALIDATION, "its key is that of %s; "
		    "rename it, or set the key right", x->name.text);
	return key_members(&a->arena, x->table, NULL, &x->item, &x->members,
	    e);
}

/* The document as it is, and the change. 1; 0: they are the same; -1. */
static int
change(struct adopt *a, struct one *x, struct err *e)
{
	struct index_record r;
	struct value old;
	int rc;

	if (key_item(&a->arena, x->table, &x->members, &x->key, e) < 0 ||
	    store_read_begin(a->view, e) < 0)
		return -1;
	rc = index_get(a->view->index, &x->key, &r, e);
	if (rc > 0) {
		x->before = (struct text){arena_copy(&a->arena, r.item.p,
		    r.item.n), r.item.n};
		rc = x->before.p ? 0 : op_no_memory(e);
	}
	store_read_end(a->view);
	if (rc < 0)
		return -1;
	if (!x->before.p && !x->item.count)
		return err_set(e, FAULT_NOT_FOUND, "there is neither such a "
		    "file nor such a document");
	if (x->before.p && x->item.count) {
		if (typed_read_item(&a->arena, x->before.p, x->before.n, &old,
		        e) < 0)
			return -1;
		if (value_equal(&old, &x->item))
			return x->files &&
			        files_seal(x->files, &x->name, &x->st, e) < 0
			    ? -1
			    : 0;
	}
	rc = op_wait_run(x->store, &a->arena, a->text.len + 4096, run, x, e);
	return rc < 0 ? -1 : 1;
}

/* Reads it: 1; 2 if it is gone; 0 if it is as the store wrote it; -1. */
static int
read_file(struct adopt *a, struct one *x, struct err *e)
{
	enum files_state state = FILES_ABSENT;
	int rc;

	buf_reset(&a->text);
	rc = files_read(x->files, &x->name, &a->text, &x->st, &state, e);
	if (rc < 0)
		return -1;
	return rc == 0 ? 2 : state == FILES_EDITED;
}

static int
adopt_one(struct adopt *a, struct one *x, const struct value *removed,
    struct err *e)
{
	struct path_name named = x->name;
	int rc = read_file(a, x, e);

	x->item.type = x->members.type = VALUE_M;
	if (rc <= 0)
		return rc;
	if (rc == 2 && !removed)
		return err_set(e, FAULT_NOT_FOUND, "there is no such file");
	if (rc == 2)
		x->members = *removed;
	else if (read_item(a, x, named.text, e) < 0)
		return -1;
	rc = change(a, x, e);
	if (rc > 0)
		tell(a, x->table->name, named.text, !x->item.count ? "removed"
		        : x->before.p ? "changed" : "new", NULL);
	return rc < 0 ? -1 : 0;
}

/* 0, told either way; or -1 where it can't be gone on. */
static int
adopt_named(struct adopt *a, const char *table, const struct path_name *name,
    const struct value *removed, struct err *e)
{
	struct catalog *c = store_catalog_hold(a->op->store);
	struct one x = {.store = a->op->store, .name = *name};
	int rc = -1;

	arena_reset(&a->arena);
	x.table = catalog_named(c, table, strlen(table));
	x.files = files_table(store_files(a->op->store), table, 0, e);
	if (!x.table)
		err_set(e, FAULT_NOT_FOUND, "there is no table %s", table);
	else if (x.files)
		rc = adopt_one(a, &x, removed, e);
	store_catalog_release(a->op->store, c);
	if (rc < 0)
		tell(a, table, name->text, "refused", e->text);
	return 0;
}

/* --- all that were edited ------------------------------------------------ */

static int
take_file(void *arg, const struct files_found *f, struct err *e)
{
	struct adopt *a = arg;
	struct edit *x;

	if (op_stopped(a->op, e))
		return -1;
	if (f->kind != FILES_DOCUMENT || f->state != FILES_EDITED)
		return 0;
	x = arena_alloc(&a->list_arena, sizeof *x);
	if (!x)
		return op_no_memory(e);
	*x = (struct edit){.name = *f->name};
	x->table = arena_copy(&a->list_arena, f->table, strlen(f->table));
	if (!x->table)
		return op_no_memory(e);
	*a->last = x;
	a->last = &x->next;
	return 0;
}

static void
progress(void *arg, uint64_t documents)
{
	struct adopt *a = arg;

	op_progress(a->op, "files", documents, 0);
}

static int
adopt_all(struct adopt *a, const char *table, struct err *e)
{
	const struct files_scan_options o = {.table = table, .threads = 1,
	    .each = take_file, .progress = progress, .arg = a};
	struct edit *x;

	if (files_scan(store_files(a->op->store), &o, e))
		return -1;
	for (x = a->first; x; x = x->next)
		if (op_stopped(a->op, e) ||
		    adopt_named(a, x->table, &x->name, NULL, e) < 0)
			return -1;
	return 0;
}

/* --- one by its path ----------------------------------------------------- */

/* "data/<table>/..." or "conflicts/<table>/...", below the store or whole. */
static const char *
below_store(const struct adopt *a, const char *path)
{
	const char *dir = store_dir(a->op->store);
	size_t n = strlen(dir);

	if (strncmp(path, dir, n) == 0 && path[n] == '/')
		path += n + 1;
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	return path;
}

static int
split_path(const char *path, char table[TABLE_NAME_MAX + 1], bool *saved,
    struct err *e)
{
	char dir[PATH_NAME_MAX + 1];
	const char *at = path;

	*saved = strncmp(path, "conflicts/", 10) == 0;
	if (*saved || strncmp(path, "data/", 5) == 0)
		at = strchr(path, '/') + 1;
	if (at == path || strstr(path, "/../") || !strchr(at, '/') ||
	    strcspn(at, "/") > PATH_NAME_MAX)
		return err_set(e, FAULT_VALIDATION, "%s: no file of a document "
		    "below data/ or conflicts/", path);
	snprintf(dir, sizeof dir, "%.*s", (int)strcspn(at, "/"), at);
	if (path_table_decode(dir, table) != PATH_WHOLE)
		return err_set(e, FAULT_VALIDATION, "%s: lies in no table",
		    path);
	return 0;
}

/* An edit that was saved: it goes when it was adopted. */
static int
adopt_saved(struct adopt *a, const char *path, const char *table,
    struct err *e)
{
	struct catalog *c = store_catalog_hold(a->op->store);
	struct one x = {.store = a->op->store};
	char full[4096 + PATH_MAX_BYTES];
	int rc = -1;

	snprintf(full, sizeof full, "%s/%s", store_dir(a->op->store), path);
	x.table = catalog_named(c, table, strlen(table));
	x.item.type = x.members.type = VALUE_M;
	if (!x.table)
		err_set(e, FAULT_NOT_FOUND, "there is no table %s", table);
	else if (io_read_file(AT_FDCWD, full, &a->text, e) == 0 &&
	    read_item(a, &x, NULL, e) == 0)
		rc = change(a, &x, e);
	store_catalog_release(a->op->store, c);
	if (rc >= 0 && unlink(full) < 0)
		return err_sys(e, "%s", path);
	if (rc >= 0)
		tell(a, table, x.name.text, x.before.p ? "changed" : "new",
		    NULL);
	return rc < 0 ? -1 : 0;
}

static int
adopt_path(struct adopt *a, const char *whole, struct err *e)
{
	const char *path = below_store(a, whole), *text;
	char table[TABLE_NAME_MAX + 1];
	struct path_name name;
	struct path_key key;
	bool saved;

	if (split_path(path, table, &saved, e) < 0)
		return -1;
	if (saved)
		return adopt_saved(a, path, table, e);
	text = strrchr(path, '/') + 1;
	if (path_decode(text, &a->list_arena, &name, &key) == PATH_FOREIGN)
		return err_set(e, FAULT_VALIDATION, "%s: no name of a "
		    "document's file", path);
	return adopt_named(a, table, &name, NULL, e);
}

/* --- the operation ------------------------------------------------------- */

static int
adopt(struct adopt *a, struct err *e)
{
	const struct store_request *q = &a->op->request.store;
	const char *table, *path;
	struct document d;
	int rc;

	op_settle(a->op, SETTLE_MS);
	if (op_string(a->op, &q->table, &table, e) < 0 ||
	    op_string(a->op, &q->path, &path, e) < 0)
		return -1;
	if (path)
		return adopt_path(a, path, e);
	if (!q->key)
		return adopt_all(a, table, e);
	rc = op_document(a->op, &d, e);
	if (rc == 0)
		rc = adopt_named(a, d.table_name, &d.name, q->key, e);
	op_document_release(&d);
	return rc;
}

void
op_adopt(struct op *op, struct store_view *v)
{
	struct adopt a = {.op = op, .view = v};
	struct err e;
	int rc;

	a.last = &a.first;
	arena_init(&a.list_arena, LIST_ROOM);
	arena_init(&a.arena, ITEM_ROOM);
	buf_init(&a.text, PLAIN_MAX);
	op_open(op, &a.reply);
	reply_list(&a.reply, "Files");
	rc = adopt(&a, &e);
	reply_close(&a.reply);
	reply_integer(&a.reply, "Adopted", (int64_t)a.adopted);
	reply_integer(&a.reply, "Refused", (int64_t)a.refused);
	buf_release(&a.text);
	arena_release(&a.arena);
	arena_release(&a.list_arena);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &a.reply);
}
