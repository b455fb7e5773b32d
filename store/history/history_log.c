/*
 * The versions of one document.  Runs in any thread, with a view of its own.
 *
 * Nothing is indexed by path: commits are thinned, and most of them share
 * with their neighbour all of the trees on the way, which tells as soon as
 * one id is the same.
 */
#include "history_log.h"

#include "store/value/fault.h"

#include <stdlib.h>
#include <string.h>

/*
 * The way from a root to a path, as it was in the commit last looked at:
 * id[0] is the root's, id[i] that of what the first i names lead to; the first
 * `known` of them are there, and `found` says that the last is a document.
 */
struct trail {
	const char *path;
	git_oid id[HISTORY_DEPTH_MAX + 1];
	size_t known, names;
	bool found;
};

/*
 * Leads the trail through another root, until it meets where it went before:
 * the ids beyond are then the same.
 */
static int
follow(struct history_view *v, struct trail *t, const git_oid *root,
    struct err *e)
{
	size_t was_known = t->known;
	bool was_found = t->found;
	const char *name = t->path;
	git_oid id;
	bool dir = true;
	size_t i;

	git_oid_cpy(&id, root);
	for (i = 0;; i++) {
		size_t len = strcspn(name, "/");
		int r;

		if (i < was_known && git_oid_equal(&id, &t->id[i])) {
			t->known = was_known;
			t->found = was_found;
			return 0;
		}
		git_oid_cpy(&t->id[i], &id);
		t->known = i + 1;
		t->found = i == t->names && !dir;
		if (i == t->names || !dir)
			return 0;
		r = history_step(v, &t->id[i], name, len, &id, &dir, e);
		if (r <= 0)
			return r;
		name += len + (name[len] == '/');
	}
}

/* --- the walk ----------------------------------------------------------------- */

/* What a document is in a commit: an id, by which path; or not there. */
struct state {
	bool there;
	size_t path;
	git_oid id;
};

/*
 * One walk.  `newer` is the commit before this one on the way down, and
 * `state` the document's in it: it came to be there if this one has another.
 */
struct walk {
	struct history_view *view;
	struct trail *trails;
	size_t n;
	bool begun;
	struct history_raw newer;
	struct state state;
	history_each_fn *fn;
	void *ctx;
	struct err *err;
};

static int
look(struct walk *w, const git_oid *root, struct state *s)
{
	size_t i;

	s->there = false;
	for (i = 0; i < w->n; i++)
		if (follow(w->view, &w->trails[i], root, w->err))
			return -1;
	for (i = 0; i < w->n && !s->there; i++)
		if (w->trails[i].found) {
			s->there = true;
			s->path = i;
			git_oid_cpy(&s->id, &w->trails[i].id[w->trails[i].names]);
		}
	return 0;
}

static bool
is_same(const struct state *a, const struct state *b)
{
	return a->there == b->there &&
	    (!a->there || git_oid_equal(&a->id, &b->id));
}

static int
tell(struct walk *w)
{
	struct history_version version = { &w->newer.public, NULL, NULL, 0 };
	git_odb_object *o = NULL;
	int r;

	if (w->state.there) {
		if (history_object(w->view, &w->state.id, GIT_OBJECT_BLOB, &o,
		    w->err))
			return -1;
		version.path = w->trails[w->state.path].path;
		version.bytes = git_odb_object_data(o);
		version.n = git_odb_object_size(o);
	}
	r = w->fn(w->ctx, &version, w->err);
	git_odb_object_free(o);
	return r;
}

static int
visit(void *ctx, const struct history_raw *raw)
{
	struct walk *w = ctx;
	struct state s;
	int r;

	if (look(w, &raw->tree, &s))
		return -1;
	if (w->begun && !is_same(&s, &w->state)) {
		r = tell(w);
		if (r)
			return r;
	}
	w->begun = true;
	w->newer = *raw;
	w->state = s;
	if (raw->has_parent || !s.there)
		return 0;
	return tell(w);			/* the root's is the first */
}

static int
begin(struct walk *w, struct history_paths p)
{
	size_t i;

	w->trails = calloc(p.n ? p.n : 1, sizeof *w->trails);
	if (!w->trails)
		return err_set(w->err, FAULT_INTERNAL,
		    "no memory to follow a document");
	w->n = p.n;
	for (i = 0; i < p.n; i++) {
		const char *c;

		w->trails[i].path = p.path[i];
		w->trails[i].names = 1;
		for (c = p.path[i]; *c; c++)
			w->trails[i].names += *c == '/';
		if (w->trails[i].names > HISTORY_DEPTH_MAX)
			return err_set(w->err, FAULT_VALIDATION,
			    "not a path of a document: %.200s", p.path[i]);
	}
	return 0;
}

int
history_versions(struct history_view *v, struct history_paths p,
    history_each_fn *fn, void *ctx, struct err *e)
{
	struct walk w;
	int r = -1;

	memset(&w, 0, sizeof w);
	w.view = v;
	w.fn = fn;
	w.ctx = ctx;
	w.err = e;
	if (!begin(&w, p))
		r = history_walk(v, visit, &w, e);
	free(w.trails);
	return r;
}

/* --- directories --------------------------------------------------------------- */

struct touched {
	struct history_view *view;
	const char *path;
	bool begun, there;		/* of the newer commit */
	git_oid id;
	struct history_raw newer;
	history_commit_fn *fn;
	void *ctx;
	struct err *err;
};

static int
visit_touched(void *ctx, const struct history_raw *raw)
{
	struct touched *t = ctx;
	git_oid id = raw->tree;
	bool dir, there;
	int r = 1;

	if (*t->path)
		r = history_lookup(t->view, &raw->tree, t->path, &id, &dir,
		    t->err);
	if (r < 0)
		return -1;
	there = r > 0;
	if (t->begun && (there != t->there ||
	        (there && !git_oid_equal(&id, &t->id))) &&
	    t->fn(t->ctx, &t->newer.public))
		return 1;
	t->begun = true;
	t->there = there;
	git_oid_cpy(&t->id, &id);
	t->newer = *raw;
	if (raw->has_parent || !there)
		return 0;
	return t->fn(t->ctx, &raw->public) ? 1 : 0;
}

int
history_touched(struct history *h, const char *path, history_commit_fn *fn,
    void *ctx, struct err *e)
{
	struct touched t;
	struct history_view v;
	int r;

	memset(&t, 0, sizeof t);
	t.view = &v;
	t.path = path;
	t.fn = fn;
	t.ctx = ctx;
	t.err = e;
	if (history_view_open(h, &v, e))
		return -1;
	r = history_walk(&v, visit_touched, &t, e);
	history_view_close(&v);
	return r;
}

/* --- log ------------------------------------------------------------------------ */

struct log {
	history_version_fn *fn;
	void *ctx;
};

static int
log_one(void *ctx, const struct history_version *v, struct err *e)
{
	const struct log *l = ctx;

	(void)e;
	return l->fn(l->ctx, v) != 0;
}

int
history_log(struct history *h, struct history_paths p,
    history_version_fn *fn, void *ctx, struct err *e)
{
	struct log l = { fn, ctx };
	struct history_view v;
	int r;

	if (history_view_open(h, &v, e))
		return -1;
	r = history_versions(&v, p, log_one, &l, e);
	history_view_close(&v);
	return r;
}
