/*
 * What a commit has, by name: its trees are walked, and a document is read only
 * if who is told of it asks.  Runs in any thread, with a view of its own.
 */
#include "tree_pair.h"

#include "store/value/fault.h"

#include <string.h>

struct history_blob {
	struct history_view *view;
	git_oid id;
};

struct names {
	struct history_view *view;
	history_name_fn *fn;
	void *ctx;
	char path[HISTORY_PATH_MAX + 1];
};

static int
walk(struct names *w, size_t n, unsigned depth, const git_oid *tree,
    struct err *e);

static int
tell(struct names *w, size_t n, unsigned depth,
    const struct tree_entry *entry, struct err *e)
{
	struct history_blob blob = { w->view, { { 0 } } };

	if (n + entry->len + 1 > HISTORY_PATH_MAX || depth > HISTORY_DEPTH_MAX)
		return err_set(e, FAULT_LIMIT, "history: a path too long");
	memcpy(w->path + n, entry->name, entry->len);
	n += entry->len;
	w->path[n] = '\0';
	git_oid_fromraw(&blob.id, entry->id);
	if (!entry->dir)
		return w->fn(w->ctx, w->path, &blob, e);
	w->path[n++] = '/';
	return walk(w, n, depth + 1, &blob.id, e);
}

/* Only what begins with a point, or only what doesn't; NULL: all. */
static int
walk_some(struct names *w, size_t n, unsigned depth, const git_oid *tree,
    const bool *points, struct err *e)
{
	const struct tree_entry *none, *entry;
	struct tree_pair p;
	int r = pair_open(w->view, &p, NULL, tree, e);

	while (!r) {
		r = pair_next(&p, &none, &entry, e);
		if (r <= 0)
			break;
		r = points && (*entry->name == '.') != *points ? 0 :
		    tell(w, n, depth, entry, e);
	}
	pair_close(&p);
	return r;
}

/* A table's own files first: "%2F.json" stands before ".fanout" in its tree. */
static int
walk(struct names *w, size_t n, unsigned depth, const git_oid *tree,
    struct err *e)
{
	static const bool OWN = true, OTHERS = false;
	int r;

	if (depth != 1)
		return walk_some(w, n, depth, tree, NULL, e);
	r = walk_some(w, n, depth, tree, &OWN, e);
	return r ? r : walk_some(w, n, depth, tree, &OTHERS, e);
}

int
history_names(struct history *h, const struct history_id *commit,
    history_name_fn *fn, void *ctx, struct err *e)
{
	struct history_raw raw;
	struct history_view v;
	struct names w;
	git_oid id;
	int r;

	if (history_id_get(commit, &id, e) || history_view_open(h, &v, e))
		return -1;
	memset(&w, 0, sizeof w);
	w.view = &v;
	w.fn = fn;
	w.ctx = ctx;
	r = history_read_commit(&v, &id, &raw, e);
	if (!r)
		r = walk(&w, 0, 0, &raw.tree, e);
	history_view_close(&v);
	return r;
}

int
history_blob_read(const struct history_blob *b, struct buf *out, struct err *e)
{
	git_odb_object *o;
	int r;

	if (history_object(b->view, &b->id, GIT_OBJECT_BLOB, &o, e))
		return -1;
	r = buf_add(out, git_odb_object_data(o), git_odb_object_size(o)) ?
	    err_set(e, FAULT_LIMIT, "a document is too large") : 0;
	git_odb_object_free(o);
	return r;
}
