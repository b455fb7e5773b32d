/*
 * From (snapshot, function index) to a pool: maps snapshots on first use, and
 * lets functions that did not change keep their pool across releases.
 */
#include "launcher.h"

#include "fcgi/release/hold.h"
#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

enum { RELEASE_KEPT_MS = 600000 };

/* FNV-1a; the key only tells our own configurations apart. */
static void
mix(uint64_t *h, const void *p, size_t n)
{
	const unsigned char *s = p;
	size_t i;

	for (i = 0; i < n; i++)	/* NOLINTNEXTLINE(*OperatorResult): it is set */
		*h = (*h ^ s[i]) * 0x100000001b3u;
}

static void
mix_str(uint64_t *h, const char *s)
{
	mix(h, s, strlen(s) + 1);
}

static void
mix_list(uint64_t *h, const struct snapshot *s, struct snap_list l)
{
	size_t i;

	mix(h, &l.count, sizeof l.count);
	for (i = 0; i < l.count; i++)
		mix_str(h, snapshot_item(s, l, i));
}

static void
mix_environment(uint64_t *h, const struct snapshot *s, struct snap_list l)
{
	size_t i;

	for (i = 0; i < l.count; i++) {
		const struct snap_pair *p = snapshot_pair(s, l, i);

		if (!p)
			continue;
		mix_str(h, snapshot_str(s, p->name));
		mix_str(h, snapshot_str(s, p->value));
	}
}

/* What makes two functions one pool: all that a zygote is started with. */
static uint64_t
pool_key(const struct snapshot *s, const struct snap_function *fn)
{
	const struct snap_site *site = snapshot_site(s);
	const uint32_t numbers[] = {fn->runtime, fn->network, fn->memory_mb,
	    fn->reserved_concurrency, fn->requests_per_process, fn->warm,
	    site->confinement_required};
	uint64_t h = 0xcbf29ce484222325u;
	struct stat st;

	mix_str(&h, snapshot_str(s, site->service));
	mix_str(&h, snapshot_str(s, site->stage));
	mix_str(&h, snapshot_str(s, site->directory));
	mix_str(&h, snapshot_str(s, fn->name));
	mix_str(&h, snapshot_str(s, fn->binary));
	mix_str(&h, snapshot_str(s, fn->directory));
	mix(&h, numbers, sizeof numbers);
	mix_environment(&h, s, fn->environment);
	mix_list(&h, s, fn->read_paths);
	mix_list(&h, s, fn->write_paths);
	if (stat(snapshot_str(s, fn->binary), &st) == 0) {
		mix(&h, &st.st_ino, sizeof st.st_ino);
		mix(&h, &st.st_size, sizeof st.st_size);
		mix(&h, &st.st_mtim, sizeof st.st_mtim);
	}
	return h;
}

static struct release *
open_release(struct launcher *l, const char *id, struct err *e)
{
	struct release *r;
	char path[4096];
	size_t i;

	for (r = l->releases; r; r = r->next)
		if (strcmp(snapshot_id(r->snapshot), id) == 0)
			return r;
	for (i = 0; id[i]; i++)
		if (!strchr("0123456789abcdef", id[i]))
			break;
	if (i != SNAP_ID_SIZE - 1) {
		err_set(e, EINVAL, "a snapshot's id has %d hex digits",
		    SNAP_ID_SIZE - 1);
		return NULL;
	}
	snprintf(path, sizeof path, "%s/snap/%s", l->state_dir, id);
	r = calloc(1, sizeof *r);
	if (r)
		r->snapshot = snapshot_open(path, e);
	else
		err_set(e, ENOMEM, "out of memory");
	if (!r || !r->snapshot) {
		free(r);
		return NULL;
	}
	r->pools = calloc(snapshot_functions(r->snapshot) + 1,
	    sizeof *r->pools);
	if (!r->pools) {
		err_set(e, ENOMEM, "out of memory");
		snapshot_free(r->snapshot);
		free(r);
		return NULL;
	}
	r->held_fd = release_hold(snapshot_str(r->snapshot,
	    snapshot_site(r->snapshot)->directory));
	r->next = l->releases;
	l->releases = r;
	return r;
}

static struct pool *
new_pool(struct launcher *l, struct release *r,
    const struct snap_function *fn, uint64_t key)
{
	struct pool *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->key = key;
	p->fn = fn;
	p->release = r;
	p->wants_end = &p->wants;
	p->window_ms = p->used_ms = clock_mono_ms();
	p->next = l->pools;
	l->pools = p;
	return p;
}

/* The pool of that key becomes the first: it is what a new release uses. */
static struct pool *
take_pool(struct launcher *l, uint64_t key)
{
	struct pool **at, *p;

	for (at = &l->pools; *at && (*at)->key != key; at = &(*at)->next)
		;
	p = *at;
	if (p) {
		*at = p->next;
		p->next = l->pools;
		l->pools = p;
	}
	return p;
}

struct pool *
release_pool(struct launcher *l, const char *snapshot_id, uint32_t function,
    struct err *e)
{
	struct release *r = open_release(l, snapshot_id, e);
	const struct snap_function *fn;
	struct pool *p;
	uint64_t key;

	if (!r)
		return NULL;
	r->used_ms = clock_mono_ms();
	fn = snapshot_function(r->snapshot, function);
	if (!fn) {
		err_set(e, EINVAL, "the snapshot has no function %u",
		    function);
		return NULL;
	}
	if (r->pools[function])
		return r->pools[function];
	key = pool_key(r->snapshot, fn);
	p = take_pool(l, key);
	if (!p)
		p = new_pool(l, r, fn, key);
	if (!p) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	r->pools[function] = p;
	return p;
}

/* True if a pool that was made from the release still has work. */
static bool
release_needed(const struct launcher *l, const struct release *r)
{
	const struct zygote_host *z;
	const struct pool *p;

	for (p = l->pools; p; p = p->next)
		if (p->release == r && (p->alive || p->wants || p->slots))
			return true;
	for (z = l->zygotes; z; z = z->next)
		if (z->pool->release == r)
			return true;
	return false;
}

/* Removes the pools that were made from `r` and every pointer to them. */
static void
drop_pools(struct launcher *l, struct release *r)
{
	struct pool **at = &l->pools;

	while (*at) {
		struct pool *p = *at;
		struct release *other;
		size_t i, n;

		if (p->release != r) {
			at = &p->next;
			continue;
		}
		for (other = l->releases; other; other = other->next) {
			n = snapshot_functions(other->snapshot);
			for (i = 0; i < n; i++)
				if (other->pools[i] == p)
					other->pools[i] = NULL;
		}
		*at = p->next;
		free(p);
	}
}

void
release_forget_old(struct launcher *l, int64_t now_ms)
{
	struct release **at = &l->releases;

	while (*at) {
		struct release *r = *at;

		if (now_ms - r->used_ms < RELEASE_KEPT_MS ||
		    release_needed(l, r)) {
			at = &r->next;
			continue;
		}
		drop_pools(l, r);
		*at = r->next;
		io_close(&r->held_fd);
		snapshot_free(r->snapshot);
		free(r->pools);
		free(r);
	}
}
