/*
 * What a push changes, read: the difference of two commits as files, each of
 * them as a document of a table.  What is none is told and left alone.
 */
#include "merge.h"

#include "store/value/plain.h"

#include <stdio.h>
#include <string.h>

enum { PROGRESS = 1000 };

static int
too_much(struct err *e)
{
	return err_set(e, FAULT_LIMIT, "the push changes too much at once: at "
	    "most %d documents, and %d MB; push it in parts", MERGE_DOCUMENTS_MAX,
	    MERGE_BYTES_MAX >> 21);
}

/* --- files that differ ---------------------------------------------------- */

/* "table/xx/yy/name" as "table/name": a document's directories may grow. */
static int
find_file(struct merge *m, const char *path, struct merge_file **out,
    struct err *e)
{
	const char *slash = strchr(path, '/'), *base = strrchr(path, '/');
	char name[HISTORY_PATH_MAX + 1];
	struct merge_file *f;
	int n;

	base = base ? base + 1 : path;
	n = snprintf(name, sizeof name, "%.*s/%s",
	    slash ? (int)(slash - path) : 0, path, base);
	*out = map_get(&m->names, name);
	if (*out)
		return 0;
	f = arena_array(&m->arena, 1, sizeof *f);
	if (!f || m->names.count == MERGE_DOCUMENTS_MAX ||
	    !(f->path = arena_copy(&m->arena, path, strlen(path))) ||
	    map_set(&m->names, name, (size_t)n, f, NULL) < 0)
		return too_much(e);
	f->base = f->path + (base - path);
	*m->last = f;
	m->last = &f->next;
	*out = f;
	return 0;
}

static int
copy(struct merge *m, const void *p, size_t n, struct text *out,
    struct err *e)
{
	*out = (struct text){arena_copy(&m->arena, p, n), n};
	return out->p ? 0 : too_much(e);
}

static int
take_delta(void *ctx, const struct history_delta *d, struct err *e)
{
	struct merge *m = ctx;
	struct merge_file *f;

	if (++m->files % PROGRESS == 0)
		op_progress(m->op, "compare", m->files, 0);
	if (find_file(m, d->path, &f, e) < 0)
		return -1;
	if (d->old_bytes && copy(m, d->old_bytes, d->old_n, &f->before, e) < 0)
		return -1;
	if (!d->new_bytes)
		return 0;
	f->twice = f->after.p != NULL;
	f->unfit = d->unfit;
	f->path = arena_copy(&m->arena, d->path, strlen(d->path));
	if (!f->path)
		return too_much(e);
	f->base = f->path + strlen(f->path) - strlen(f->base);
	return copy(m, d->new_bytes, d->new_n, &f->after, e);
}

/* --- the tables that they are of ------------------------------------------ */

static bool
is_dir_of(const struct table *t, const char *path, size_t n)
{
	char dir[PATH_NAME_MAX + 1];

	return path_table(t->name, dir) == 0 && strlen(dir) == n &&
	    memcmp(dir, path, n) == 0;
}

/* `last` is that of the file before, which is mostly the same. */
static const struct table *
table_of(const struct merge *m, const char *path, const struct table *last)
{
	size_t n = strcspn(path, "/"), i;

	if (last && is_dir_of(last, path, n))
		return last;
	for (i = 0; i < m->catalog->count; i++)
		if (is_dir_of(m->catalog->entries[i].table, path, n))
			return m->catalog->entries[i].table;
	return NULL;
}

/* Why no file of a document is there, or NULL. */
static const char *
misplaced(struct merge *m, struct merge_file *f, const struct table *last)
{
	struct path_name name;
	struct path_key key;

	if (!strchr(f->path, '/'))
		return "only documents are merged, which lie in the directory "
		       "of a table";
	if (*f->base == '.')
		return "what a table is like is for deploy.yaml to say, or an "
		       "operation";
	f->table = table_of(m, f->path, last);
	if (!f->table)
		return "there is no such table";
	if (!f->table->history)
		return "the table is kept without history, so nothing can be "
		       "compared with it";
	if (f->table->restoring)
		return "the table is being restored";
	if (path_decode(f->base, &m->arena, &name, &key) == PATH_FOREIGN)
		return "this is no name that a document's file has";
	return f->twice ? "the document was pushed twice, in two directories"
	                : f->unfit;
}

/* --- documents ------------------------------------------------------------- */

static int
read_fresh(struct merge *m, struct merge_file *f, struct err *e)
{
	struct path_key key;
	struct path_name name;

	if (plain_read_item(&m->arena, f->after.p, f->after.n, &f->fresh, e) <
	        0 ||
	    key_check_item(f->table, &f->fresh, e) < 0)
		return -1;
	if (value_item_size(&f->fresh) > VALUE_ITEM_MAX)
		return err_set(e, FAULT_VALIDATION, "Item size has exceeded "
		    "the maximum allowed size");
	if (value_depth(&f->fresh) > VALUE_DEPTH_MAX)
		return err_set(e, FAULT_VALIDATION, "Nesting Levels have "
		    "exceeded supported limits");
	if (path_key_of(f->table, &f->fresh, &key) < 0 ||
	    path_name(&key, &name) < 0)
		return op_no_memory(e);
	if (strcmp(name.text, f->base) != 0)
		return err_set(e, FAULT_VALIDATION, "its key is that of %s: "
		    "set the key right, or rename the file", name.text);
	return 0;
}

static int
read_document(struct merge *m, struct merge_file *f, struct err *e)
{
	const struct value *any = &f->fresh;

	f->old.type = f->fresh.type = VALUE_M;
	if (f->before.p && plain_read_item(&m->arena, f->before.p, f->before.n,
	                       &f->old, e) < 0)
		return -1;
	if (f->after.p && read_fresh(m, f, e) < 0)
		return -1;
	if (!f->after.p)
		any = &f->old;
	return key_members(&m->arena, f->table, NULL, any, &f->members, e) < 0
	        ? -1
	        : key_item(&m->arena, f->table, &f->members, &f->key, e);
}

static int
read_all(struct merge *m, struct err *e)
{
	const struct table *last = NULL;
	struct merge_file *f;
	struct err why;
	const char *text;

	for (f = m->first; f; f = f->next) {
		if (op_stopped(m->op, e))
			return -1;
		if (*f->base == '.' && !m->base.id.hex[0])
			continue;	/* all is new, and no edit of theirs */
		text = misplaced(m, f, last);
		last = f->table;
		if (text)
			op_merge_refuse(m, f, "refused", text);
		else if (read_document(m, f, &why) < 0)
			op_merge_refuse(m, f, "invalid", why.text);
		else
			f->outcome = MERGE_SAME;
	}
	return 0;
}

int
op_merge_read(struct merge *m, struct err *e)
{
	struct history *h = store_history(m->op->store);
	struct history_side from = {.path = ""}, to = {m->tip, ""};
	int rc;

	store_history_lock(m->op->store);
	rc = history_pushed(h, &m->tip, &m->base, e);
	from.commit = m->base.id;
	if (rc == 0)
		rc = history_diff_pushed(h, &from, &to, MERGE_FILE_MAX,
		    take_delta, m, e);
	store_history_unlock(m->op->store);
	return rc < 0 ? -1 : read_all(m, e);
}
