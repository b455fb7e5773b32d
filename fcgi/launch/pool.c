/*
 * A function's children at the launcher: who waits for some, how many are
 * kept ready, who holds a unit of its concurrency.
 */
#include "launcher.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	WINDOW_MS = 10000,
	WANT_MAX = 64,
	REPLACED_MS = 3000	/* what an old release is kept ready for */
};

void
pool_add_stock(struct pool *p, struct child *c)
{
	c->next = p->stock;
	p->stock = c;
	p->nstock++;
}

static struct child *
take_stock(struct pool *p)
{
	struct child *c = p->stock;

	p->stock = c->next;
	p->nstock--;
	return c;
}

/* Hands up to one batch of the stock to the pool's oldest want. */
static void
hand_out(struct launcher *l, struct pool *p)
{
	struct want *w = p->wants;
	struct launch_msg m = {.type = LAUNCH_LEASED, .tag = w->tag};
	struct child *given[LAUNCH_BATCH];
	int fds[LAUNCH_BATCH];
	uint32_t i, n;

	for (n = 0; n < LAUNCH_BATCH && n < w->count && p->stock; n++) {
		struct child *c = take_stock(p);

		given[n] = c;
		fds[n] = c->ctl_fd;
		m.ids[n] = c->id;
		child_own(c, w->client);
		c->leased_ms = p->used_ms;
	}
	m.count = n;
	w->count -= n;
	for (i = 0; i < n; i++)
		given[i]->next = NULL;
	client_say(l, w->client, &m, NULL, fds, n);
	for (i = 0; i < n; i++)
		io_close(&given[i]->ctl_fd);
}

static void
drop_want(struct pool *p, struct want **at)
{
	struct want *w = *at;

	*at = w->next;
	if (!w->next)
		p->wants_end = at;
	free(w);
}

/* How many idle children are to lie here when nobody waits. */
static unsigned
stock_target(const struct pool *p)
{
	unsigned n = p->misses > p->misses_before ? p->misses
	                                          : p->misses_before;

	if (n > STOCK_MAX)
		n = STOCK_MAX;
	return n > p->warm ? n : p->warm;
}

void
pool_serve(struct launcher *l, struct pool *p)
{
	struct want *w;
	unsigned wanted = 0, need;

	while (p->wants && p->stock) {
		hand_out(l, p);
		if (p->wants && p->wants->count == 0)
			drop_want(p, &p->wants);
	}
	if (l->leaving)
		return;
	for (w = p->wants; w; w = w->next)
		wanted += w->count;
	need = wanted + stock_target(p);
	if (need <= p->nstock + p->forking)
		return;
	need -= p->nstock + p->forking;
	if (p->alive + p->forking + need > POOL_ALIVE_MAX)
		need = p->alive + p->forking < POOL_ALIVE_MAX
		    ? POOL_ALIVE_MAX - p->alive - p->forking
		    : 0;
	if (need && zygote_start(l, p) == 0 && p->zygote->ready)
		zygote_fork(l, p->zygote, need);
}

void
pool_lease(struct launcher *l, struct pool *p, struct client *c,
    uint32_t tag, uint32_t count)
{
	struct want *w;

	p->wanted_ms = clock_mono_ms();
	p->warm = p->fn->warm;
	if (count == 0) {
		pool_serve(l, p);
		return;
	}
	p->used_ms = p->wanted_ms;
	if (count > WANT_MAX)
		count = WANT_MAX;
	if (count > p->nstock)
		p->misses++;
	w = calloc(1, sizeof *w);
	if (!w) {
		client_refuse(l, c, tag, LAUNCH_BROKEN, "out of memory");
		return;
	}
	*w = (struct want){c, tag, count, NULL};
	*p->wants_end = w;
	p->wants_end = &w->next;
	pool_serve(l, p);
}

void
pool_refuse_all(struct launcher *l, struct pool *p, uint32_t code,
    const char *text)
{
	while (p->wants) {
		struct client *c = p->wants->client;
		uint32_t tag = p->wants->tag;

		drop_want(p, &p->wants);
		client_refuse(l, c, tag, code, text);
	}
}

void
pool_acquire(struct launcher *l, struct pool *p, struct client *c,
    uint32_t tag)
{
	struct launch_msg m = {.type = LAUNCH_GRANTED, .tag = tag};
	struct slot *s;

	if (p->nslots >= p->fn->reserved_concurrency) {
		client_refuse(l, c, tag, LAUNCH_BUSY,
		    "the function's reservedConcurrency is used up");
		return;
	}
	s = calloc(1, sizeof *s);
	if (!s) {
		client_refuse(l, c, tag, LAUNCH_BROKEN, "out of memory");
		return;
	}
	*s = (struct slot){++l->last_id, c, p->slots};
	p->slots = s;
	p->nslots++;
	m.id = s->id;
	client_say(l, c, &m, NULL, NULL, 0);
}

static void
free_slot(struct pool *p, struct slot **at)
{
	struct slot *s = *at;

	*at = s->next;
	free(s);
	p->nslots--;
}

void
pool_release_slot(struct launcher *l, struct client *c, uint64_t id)
{
	struct pool *p;
	struct slot **s;

	for (p = l->pools; p; p = p->next)
		for (s = &p->slots; *s; s = &(*s)->next)
			if ((*s)->id == id && (*s)->owner == c) {
				free_slot(p, s);
				return;
			}
}

void
pool_forget_client(struct launcher *l, struct client *c)
{
	struct pool *p;

	for (p = l->pools; p; p = p->next) {
		struct want **w = &p->wants;
		struct slot **s = &p->slots;

		while (*w)
			if ((*w)->client == c)
				drop_want(p, w);
			else
				w = &(*w)->next;
		while (*s)
			if ((*s)->owner == c)
				free_slot(p, s);
			else
				s = &(*s)->next;
	}
}

/* Lets idle children go when nobody has asked for a while. */
static void
shrink(struct pool *p, int64_t now_ms)
{
	if (now_ms - p->used_ms < IDLE_CHILD_MS)
		return;
	while (p->nstock > p->warm) {
		struct child *c = take_stock(p);

		io_close(&c->ctl_fd);	/* it sees the end of file, and ends */
		c->next = NULL;
	}
}

/* The function's name and stage. */
static bool
same_function(const struct pool *a, const struct pool *b)
{
	const struct snapshot *s = a->release->snapshot;
	const struct snapshot *t = b->release->snapshot;

	return strcmp(snapshot_str(s, a->fn->name),
	           snapshot_str(t, b->fn->name)) == 0 &&
	    strcmp(snapshot_str(s, snapshot_site(s)->stage),
	        snapshot_str(t, snapshot_site(t)->stage)) == 0;
}

/* A later release has the function, too; new pools stand first. */
static bool
is_replaced(const struct launcher *l, const struct pool *p)
{
	const struct pool *newer;

	for (newer = l->pools; newer != p; newer = newer->next)
		if (same_function(newer, p))
			return true;
	return false;
}

/* Nobody has come back to the old release for a moment: it drains. */
static void
drain_replaced(struct launcher *l, struct pool *p, int64_t now_ms)
{
	if (!p->zygote || p->wants || now_ms - p->wanted_ms < REPLACED_MS ||
	    !is_replaced(l, p))
		return;
	p->misses = p->misses_before = p->warm = 0;
	zygote_retire(l, p->zygote);
}

void
pool_tick(struct launcher *l, struct pool *p, int64_t now_ms)
{
	drain_replaced(l, p, now_ms);
	if (now_ms - p->window_ms >= WINDOW_MS) {
		p->misses_before = p->misses;
		p->misses = 0;
		p->window_ms = now_ms;
	}
	if (now_ms - p->wanted_ms > WARM_KEPT_MS)
		p->warm = 0;
	shrink(p, now_ms);
	if (p->zygote && p->alive == 0 && p->warm == 0 && !p->wants &&
	    now_ms - p->used_ms > IDLE_ZYGOTE_MS)
		zygote_retire(l, p->zygote);
	if ((p->wants || p->warm) && now_ms >= p->not_before_ms)
		pool_serve(l, p);
}
