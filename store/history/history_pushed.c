/*
 * What others push: commits of documents edited elsewhere, to be merged into
 * the store by who calls.  No ref is ever theirs (history_hooks.c), so what was
 * pushed is a pack that nothing refers to; when it was merged or refused, that
 * goes.  Looked at in any thread, removed in the checkpoint's.
 */
#include "thin.h"

#include "store/base/map.h"
#include "store/value/fault.h"

#include <errno.h>
#include <git2/sys/odb_backend.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMMITS_MAX = 10000 };		/* of theirs, above ours */

/* --- what it was made from ------------------------------------------------- */

/* Commits that are still to be looked at, and all that ever were. */
struct walk {
	struct history_view *view;
	git_oid *list;
	size_t n, room;
	struct map seen;
};

/*
 * Ours are the commits with a position that we committed: one that was amended
 * or rebased keeps the trailer, but not the committer.  (Who forges one says
 * only what their own edits are to be compared with.)
 */
static bool
is_ours(const git_commit *c, const struct history_raw *raw)
{
	const git_signature *who = git_commit_committer(c);

	return raw->public.position && who &&
	    strcmp(who->name, HISTORY_WHO) == 0 &&
	    strcmp(who->email, HISTORY_MAIL) == 0;
}

static int
make_room(struct walk *w, struct err *e)
{
	size_t room = w->room ? 2 * w->room : 64;
	git_oid *list;

	if (w->n < w->room)
		return 0;
	list = realloc(w->list, room * sizeof *list);
	if (!list)
		return err_set(e, ENOMEM, "no memory to list the commits");
	w->list = list;
	w->room = room;
	return 0;
}

static int
add(struct walk *w, const git_oid *id, struct err *e)
{
	if (map_find(&w->seen, (const char *)id->id, GIT_OID_RAWSZ))
		return 0;
	if (w->seen.count == COMMITS_MAX)
		return err_set(e, FAULT_LIMIT, "more than %d commits were "
		    "pushed at once", COMMITS_MAX);
	if (make_room(w, e))
		return -1;
	if (map_set(&w->seen, (const char *)id->id, GIT_OID_RAWSZ, w, NULL))
		return err_set(e, ENOMEM, "no memory to list the commits");
	git_oid_cpy(&w->list[w->n++], id);
	return 0;
}

static int
add_parents(struct walk *w, const git_commit *c, struct err *e)
{
	unsigned i, n = git_commit_parentcount(c);
	int r = 0;

	for (i = 0; i < n && !r; i++)
		r = add(w, git_commit_parent_id(c, i), e);
	return r;
}

/* Of ours, the newest has all that is in the others. */
static int
look_at(struct walk *w, const git_oid *id, struct history_commit *base,
    struct err *e)
{
	struct history_raw raw;
	git_commit *c;
	int r = 0;

	if (history_read_commit(w->view, id, &raw, e))
		return -1;
	if (git_commit_lookup(&c, w->view->repo, id))
		return history_git_error(e, raw.public.id.hex);
	if (!is_ours(c, &raw))
		r = add_parents(w, c, e);
	else if (raw.public.position > base->position)
		*base = raw.public;
	git_commit_free(c);
	return r;
}

int
history_pushed(struct history *h, const struct history_id *tip,
    struct history_commit *base, struct err *e)
{
	struct history_view v;
	struct walk w;
	git_oid id;
	int r;

	memset(base, 0, sizeof *base);
	if (history_id_get(tip, &id, e) || history_view_open(h, &v, e))
		return -1;
	memset(&w, 0, sizeof w);
	w.view = &v;
	map_init(&w.seen);
	r = add(&w, &id, e);
	while (!r && w.n) {
		git_oid_cpy(&id, &w.list[--w.n]);
		r = look_at(&w, &id, base, e);
	}
	map_release(&w.seen);
	free(w.list);
	history_view_close(&v);
	return r;
}

/* --- its pack ---------------------------------------------------------------- */

static bool
holds(const struct history *h, const char *pack, const git_oid *id)
{
	git_odb_backend *backend;
	char *path;
	bool yes;

	if (asprintf(&path, "%s/objects/pack/%s.idx", h->path, pack) < 0)
		return false;
	yes = git_odb_backend_one_pack(&backend, path) == 0;
	if (yes) {
		yes = backend->exists(backend, id);
		backend->free(backend);
	}
	free(path);
	return yes;
}

/* Main's own commits may lie in a pack that is not ours: of a mirror, of gc. */
static int
is_theirs(struct history *h, const git_oid *id, struct err *e)
{
	struct history_raw raw;
	git_commit *c;
	bool ours;

	if (history_read_commit(&h->own, id, &raw, e))
		return -1;
	if (git_commit_lookup(&c, h->own.repo, id))
		return history_git_error(e, raw.public.id.hex);
	ours = is_ours(c, &raw);
	git_commit_free(c);
	return !ours;
}

/* At once if nobody reads, or with what else is superseded. */
static int
drop(struct history *h, const struct pack_set *s, const git_oid *id,
    struct err *e)
{
	bool alone = pthread_rwlock_trywrlock(&h->packs) == 0;
	size_t i;
	int r = 0;

	for (i = 0; i < s->foreign && !r; i++) {
		if (!holds(h, s->files[i].name, id))
			continue;
		if (alone)
			pack_remove(h->pack_fd, s->files[i].name);
		else
			r = thin_doom(h, s->files[i].name, e);
	}
	if (alone)
		pthread_rwlock_unlock(&h->packs);
	return r;
}

int
history_pushed_done(struct history *h, const struct history_id *tip,
    struct err *e)
{
	struct pack_set s;
	git_oid id;
	int r;

	if (h->read_only)
		return err_set(e, FAULT_READ_ONLY,
		    "the history is open for reading only");
	if (history_id_get(tip, &id, e) || history_reopen(h, e))
		return -1;
	r = is_theirs(h, &id, e);
	if (r <= 0)
		return r;
	r = pack_set_read(h->pack_fd, &s, e);
	if (!r)
		r = drop(h, &s, &id, e);
	pack_set_release(&s);
	return r || history_weigh(h, e) || history_reopen(h, e) ? -1 : 0;
}
