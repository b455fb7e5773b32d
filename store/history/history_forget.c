/*
 * Erasure.  Runs in the checkpoint's thread: the trees of all commits are
 * written without the paths, then everything that main and its tags reach is
 * written anew, and every other pack goes at once, so that no byte of what was
 * erased is left in a file of ours.
 */
#include "history_edit.h"
#include "thin.h"

#include "store/value/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a root became, so that the same one is not edited again. */
struct erasure {
	struct history *h;
	struct history_paths paths;
	struct history_progress progress;
	struct pack_out *out;
	git_oid last_old, last_new;
	bool has_last;
	uint64_t states;		/* different ones that had a path */
};

static int
erase_paths(struct erasure *x, const git_oid *old, git_oid *new,
    struct err *e)
{
	struct sort changes;
	struct edit ed;
	size_t i;
	int r = 0;

	memset(&ed, 0, sizeof ed);
	sort_init(&changes, x->h->dir_fd);
	ed.view = &x->h->own;
	ed.out = x->out;
	ed.changes = &changes;
	for (i = 0; i < x->paths.n && !r; i++)
		r = sort_add(&changes, x->paths.path[i], NULL, e);
	if (!r)
		r = sort_rewind(&changes, e);
	if (!r)
		r = edit_tree(&ed, old, new, e);
	sort_release(&changes);
	x->states += ed.changed > 0;
	return r;
}

static int
erase_from(struct erasure *x, struct chain_commit *c, struct err *e)
{
	git_oid old;

	git_oid_cpy(&old, &c->tree);
	if (x->has_last && git_oid_equal(&old, &x->last_old)) {
		git_oid_cpy(&c->tree, &x->last_new);
		return 0;
	}
	if (erase_paths(x, &old, &c->tree, e))
		return -1;
	git_oid_cpy(&x->last_old, &old);
	git_oid_cpy(&x->last_new, &c->tree);
	x->has_last = true;
	return 0;
}

/* The new trees are published, for they are read again; their pack goes too. */
static int
erase_all(struct erasure *x, struct chain *c, struct err *e)
{
	struct pack_span span = { 0, x->h->tip.public.position,
		x->h->tip.public.time_ms / 1000, 0 };
	uint64_t objects, bytes;
	size_t i;

	for (i = 0; i < c->n; i++)
		if (erase_from(x, &c->c[i], e))
			return -1;
	return pack_out_publish(x->out, &span, &objects, &bytes, e);
}

/* Nobody may go on reading what is erased: readers are waited for. */
static int
remove_now(struct history *h, struct err *e)
{
	size_t i;

	pthread_rwlock_wrlock(&h->packs);
	for (i = 0; i < h->ndoomed; i++)
		pack_remove(h->pack_fd, h->doomed[i].name);
	pthread_rwlock_unlock(&h->packs);
	h->ndoomed = 0;
	if (fsync(h->pack_fd))
		return err_sys(e, "sync the directory of packs");
	return history_weigh(h, e) || history_reopen(h, e) ? -1 : 0;
}

static int
erase(struct erasure *x, struct chain *c, struct err *e)
{
	int r;

	x->out = pack_out_new(x->h->pack_fd, e);
	r = x->out ? erase_all(x, c, e) : -1;
	if (!r && x->states &&
	    (thin_all(x->h, c, &x->progress, e) || remove_now(x->h, e)))
		r = -1;
	pack_out_free(x->out);
	return r;
}

int
history_forget(struct history *h, struct history_paths p,
    struct history_progress progress, uint64_t *states, struct err *e)
{
	struct erasure x = { .h = h, .paths = p, .progress = progress };
	struct chain c;
	int r;

	*states = 0;
	if (h->read_only)
		return err_set(e, FAULT_READ_ONLY,
		    "the history is open for reading only");
	r = chain_load(&h->own, &c, e);
	if (!r && c.foreign)
		r = err_set(e, FAULT_BUSY, "a restore or an import is under"
		    " way in the history: forget when it is done");
	if (!r && c.n)
		r = erase(&x, &c, e);
	*states = x.states;
	chain_release(&c);
	return r;
}
