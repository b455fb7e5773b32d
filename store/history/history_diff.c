/*
 * What differs between two states.  Runs in any thread, with a view of its
 * own: two trees are walked as one merge, and equal ids are passed over, so
 * that the cost follows the difference.
 */
#include "tree_pair.h"

#include "store/value/fault.h"

#include <string.h>

struct diff {
	struct history_view *view;
	size_t max_bytes;		/* of a new blob; 0: any */
	history_delta_fn *fn;
	void *ctx;
	char path[HISTORY_PATH_MAX + 1];
};

/* Why what somebody pushed isn't read, or NULL. */
static const char *
unfit(const struct diff *d, const git_oid *id)
{
	git_object_t type;
	size_t n;

	if (!d->max_bytes)
		return NULL;
	if (git_odb_read_header(&n, &type, d->view->odb, id) ||
	    type != GIT_OBJECT_BLOB)
		return "it is no file";
	return n > d->max_bytes ? "it is longer than any document" : NULL;
}

static int
tell(struct diff *d, const git_oid *from, const git_oid *to, struct err *e)
{
	struct history_delta delta = { d->path, NULL, 0, NULL, 0, NULL };
	git_odb_object *old = NULL, *new = NULL;
	int r = -1;

	if (to && (delta.unfit = unfit(d, to))) {
		delta.new_bytes = "";
		to = NULL;
	}
	if (from && history_object(d->view, from, GIT_OBJECT_BLOB, &old, e))
		goto out;
	if (to && history_object(d->view, to, GIT_OBJECT_BLOB, &new, e))
		goto out;
	if (from) {
		delta.old_bytes = git_odb_object_data(old);
		delta.old_n = git_odb_object_size(old);
	}
	if (to) {
		delta.new_bytes = git_odb_object_data(new);
		delta.new_n = git_odb_object_size(new);
	}
	r = d->fn(d->ctx, &delta, e);
out:
	git_odb_object_free(old);
	git_odb_object_free(new);
	return r;
}

static int diff_trees(struct diff *d, size_t n, unsigned depth,
    const git_oid *from, const git_oid *to, struct err *e);

/* Entries of one name and kind; either may be NULL. */
static int
diff_entries(struct diff *d, size_t n, unsigned depth,
    const struct tree_entry *from, const struct tree_entry *to, struct err *e)
{
	const struct tree_entry *any = from ? from : to;
	git_oid old, new;
	const git_oid *a = pair_id(from, &old), *b = pair_id(to, &new);

	if (n + any->len + 1 > HISTORY_PATH_MAX || depth > HISTORY_DEPTH_MAX)
		return err_set(e, FAULT_LIMIT, "history: a path too long");
	memcpy(d->path + n, any->name, any->len);
	n += any->len;
	d->path[n] = '\0';
	if (!any->dir)
		return tell(d, a, b, e);
	d->path[n++] = '/';
	return diff_trees(d, n, depth + 1, a, b, e);
}

static int
diff_trees(struct diff *d, size_t n, unsigned depth, const git_oid *from,
    const git_oid *to, struct err *e)
{
	const struct tree_entry *old, *new;
	struct tree_pair p;
	int r = pair_open(d->view, &p, from, to, e);

	while (!r) {
		r = pair_next(&p, &old, &new, e);
		if (r <= 0)
			break;
		r = diff_entries(d, n, depth, old, new, e);
	}
	pair_close(&p);
	return r;
}

/* What a side is: 1, 0 if there is nothing at its path, -1. */
static int
find(struct history_view *v, const struct history_side *s, git_oid *id,
    bool *dir, struct err *e)
{
	struct history_raw raw;
	git_oid commit;

	if (!s->commit.hex[0])
		return 0;
	if (history_id_get(&s->commit, &commit, e) ||
	    history_read_commit(v, &commit, &raw, e))
		return -1;
	return history_lookup(v, &raw.tree, s->path, id, dir, e);
}

/* A document is gone where a directory is now, and the other way round. */
static int
diff_sides(struct diff *d, const struct history_side *from,
    const struct history_side *to, struct err *e)
{
	git_oid a, b;
	bool a_dir = false, b_dir = false;
	int has_a = find(d->view, from, &a, &a_dir, e), has_b, r = 0;

	if (has_a < 0)
		return -1;
	has_b = find(d->view, to, &b, &b_dir, e);
	if (has_b < 0)
		return -1;
	if (has_a && has_b && a_dir == b_dir && git_oid_equal(&a, &b))
		return 0;
	if ((has_a && !a_dir) || (has_b && !b_dir))
		r = tell(d, has_a && !a_dir ? &a : NULL,
		    has_b && !b_dir ? &b : NULL, e);
	if (!r && (a_dir || b_dir))
		r = diff_trees(d, 0, 0, a_dir ? &a : NULL, b_dir ? &b : NULL,
		    e);
	return r;
}

static int
diff(struct history *h, const struct history_side *from,
    const struct history_side *to, struct diff *d, struct err *e)
{
	struct history_view v;
	int r;

	if (history_view_open(h, &v, e))
		return -1;
	d->view = &v;
	r = diff_sides(d, from, to, e);
	d->view = NULL;
	history_view_close(&v);
	return r;
}

int
history_diff(struct history *h, const struct history_side *from,
    const struct history_side *to, history_delta_fn *fn, void *ctx,
    struct err *e)
{
	struct diff d;

	memset(&d, 0, sizeof d);
	d.fn = fn;
	d.ctx = ctx;
	return diff(h, from, to, &d, e);
}

int
history_diff_pushed(struct history *h, const struct history_side *from,
    const struct history_side *to, size_t max_bytes, history_delta_fn *fn,
    void *ctx, struct err *e)
{
	struct diff d;

	memset(&d, 0, sizeof d);
	d.max_bytes = max_bytes;
	d.fn = fn;
	d.ctx = ctx;
	return diff(h, from, to, &d, e);
}
