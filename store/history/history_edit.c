/*
 * The editor of history_edit.h.  Runs in the checkpoint's thread.  Changes
 * come in the order of their paths, and so do the entries of trees: each
 * touched directory is one merge of two sorted lists.
 */
#include "history_edit.h"

#include "tree.h"

#include "store/value/fault.h"

#include <string.h>

enum { TREE_BYTES_MAX = 256 * 1024 * 1024 };

/* A directory at work: the entries it had, and the bytes it is to have. */
struct level {
	git_odb_object *old;		/* NULL: it wasn't there */
	struct tree_at at;
	struct tree_entry entry;	/* the next old one, if `more` */
	int more;
	struct buf bytes;
};

/*
 * What is gone may have been told so more than once.  (A tree with a name twice
 * would be no tree to git.)
 */
static int
next_change(struct edit *ed, struct err *e)
{
	bool was_gone = ed->at.gone, same;

	memcpy(ed->last, ed->at.path, ed->at.len + 1);
	do {
		ed->more = sort_next(ed->changes, &ed->at, e);
		if (ed->more < 0)
			return -1;
		same = ed->more && strcmp(ed->last, ed->at.path) == 0;
	} while (same && was_gone && ed->at.gone);
	if (same)
		return err_set(e, FAULT_INTERNAL,
		    "a path comes twice in one commit: %.200s", ed->last);
	return 0;
}

static bool
is_below(const struct edit *ed, size_t n)
{
	return ed->more && ed->at.len >= n &&
	    memcmp(ed->at.path, ed->path, n) == 0;
}

static int
next_entry(struct level *l, struct err *e)
{
	l->more = tree_next(&l->at, &l->entry);
	return l->more < 0 ?
	    err_set(e, FAULT_INTERNAL, "history: a broken tree") : 0;
}

static int
level_open(struct edit *ed, struct level *l, const git_oid *old,
    struct err *e)
{
	memset(l, 0, sizeof *l);
	buf_init(&l->bytes, TREE_BYTES_MAX);
	if (!old)
		return 0;
	if (history_object(ed->view, old, GIT_OBJECT_TREE, &l->old, e))
		return -1;
	l->at.p = git_odb_object_data(l->old);
	l->at.end = l->at.p + git_odb_object_size(l->old);
	buf_reserve(&l->bytes, git_odb_object_size(l->old) + 256);
	return next_entry(l, e);
}

static void
level_close(struct level *l)
{
	git_odb_object_free(l->old);
	buf_release(&l->bytes);
}

/* Keeps what stands before a name; 1 if the name itself stands there now. */
static int
copy_before(struct level *l, const char *name, size_t len, bool dir,
    struct err *e)
{
	while (l->more) {
		int c = tree_compare(l->entry.name, l->entry.len, l->entry.dir,
		    name, len, dir);

		if (c >= 0)
			return c == 0;
		buf_add(&l->bytes, l->entry.raw, l->entry.raw_len);
		if (next_entry(l, e))
			return -1;
	}
	return 0;
}

static void
copy_rest(struct level *l)
{
	if (l->more)
		buf_add(&l->bytes, l->entry.raw,
		    (size_t)(l->at.end - l->entry.raw));
}

/* One document: put in place, left out, or as it was. */
static int
change_file(struct edit *ed, struct level *l, const char *name, size_t len,
    bool was, struct err *e)
{
	bool same = was && !ed->at.gone &&
	    memcmp(l->entry.id, ed->at.id.id, TREE_ID_SIZE) == 0;
	bool changed = !same && (was || !ed->at.gone);

	if (!ed->at.gone)
		tree_add(&l->bytes, name, len, false, ed->at.id.id);
	if (changed)
		ed->changed++;
	if (changed && *name == '.')
		ed->counts.settings = true;
	else if (changed && ed->at.gone)
		ed->counts.gone++;
	else if (changed)
		ed->counts.written++;
	if (was && next_entry(l, e))
		return -1;
	return next_change(ed, e);
}

static int edit_level(struct edit *ed, const git_oid *old, size_t n,
    git_oid *id, bool *empty, struct err *e);

/* A directory in the one whose path has `n` bytes. */
static int
change_dir(struct edit *ed, struct level *l, size_t n, size_t len, bool was,
    struct err *e)
{
	git_oid old, id;
	bool empty = false;

	memcpy(ed->path + n, ed->at.path + n, len + 1);
	if (was)
		git_oid_fromraw(&old, l->entry.id);
	if (edit_level(ed, was ? &old : NULL, n + len + 1, &id, &empty, e))
		return -1;
	if (!empty)
		tree_add(&l->bytes, ed->path + n, len, true, id.id);
	return was ? next_entry(l, e) : 0;
}

/* What the changes below one of the root's names did. */
static void
tell_table(struct edit *ed, const char *path, size_t len)
{
	struct message_counts *c = &ed->counts;

	if (ed->message && (c->written || c->gone || c->cleared || c->settings))
		message_table(ed->message, path, len, c);
	memset(c, 0, sizeof *c);
}

static int
change_one(struct edit *ed, struct level *l, size_t n, struct err *e)
{
	char table[HISTORY_PATH_MAX + 1];
	const char *name = ed->at.path + n;
	size_t len = strcspn(name, "/");
	bool dir = name[len] == '/';
	int was = copy_before(l, name, len, dir, e);
	int r;

	if (was < 0)
		return -1;
	if (n == 0)
		memcpy(table, name, len);
	r = dir ? change_dir(ed, l, n, len, was, e) :
	    change_file(ed, l, name, len, was, e);
	if (n == 0)
		tell_table(ed, table, len);
	return r;
}

/* The tree's id: a new one goes to the pack. */
static int
finish_level(struct edit *ed, struct level *l, const git_oid *old,
    git_oid *id, bool *empty, struct err *e)
{
	copy_rest(l);
	if (!buf_ok(&l->bytes))
		return err_set(e, FAULT_LIMIT, "a directory is too large");
	*empty = l->bytes.len == 0;
	if (*empty)
		return 0;
	if (l->old && git_odb_object_size(l->old) == l->bytes.len &&
	    memcmp(git_odb_object_data(l->old), l->bytes.data,
	    l->bytes.len) == 0) {
		git_oid_cpy(id, old);
		return 0;
	}
	return pack_out_add(ed->out, GIT_OBJECT_TREE, l->bytes.data,
	    l->bytes.len, id, e);
}

static int
edit_level(struct edit *ed, const git_oid *old, size_t n, git_oid *id,
    bool *empty, struct err *e)
{
	struct level l;
	int r = -1;

	if (n && is_below(ed, n) && ed->at.len == n) {
		ed->counts.cleared = old != NULL;
		ed->changed += old != NULL;
		old = NULL;
		if (next_change(ed, e))
			return -1;
	}
	if (level_open(ed, &l, old, e))
		goto out;
	while (is_below(ed, n))
		if (change_one(ed, &l, n, e))
			goto out;
	r = finish_level(ed, &l, old, id, empty, e);
out:
	level_close(&l);
	return r;
}

int
edit_tree(struct edit *ed, const git_oid *old, git_oid *root, struct err *e)
{
	bool empty = false;

	ed->changed = 0;
	ed->at.len = 0;
	ed->at.path[0] = '\0';
	memset(&ed->counts, 0, sizeof ed->counts);
	if (next_change(ed, e) || edit_level(ed, old, 0, root, &empty, e))
		return -1;
	if (ed->more > 0)
		return err_set(e, FAULT_INTERNAL, "changes out of order");
	if (!empty)
		return 0;
	return pack_out_add(ed->out, GIT_OBJECT_TREE, "", 0, root, e);
}
