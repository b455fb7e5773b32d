/*
 * The pools of a gateway: which there are, what the launcher's answers bring
 * them, and what goes by time.
 */
#include "invoke_internal.h"

#include "link.h"

#include "store/base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	WINDOW_MS = 10000,
	IDLE_LEASE_MS = 10000,
	WANTED_EVERY_MS = 15000	/* the launcher forgets it after 60 s */
};

struct invoke_pool *
invoke_pool_new(struct invoke *v, const struct snapshot *s, uint32_t function)
{
	struct invoke_pool *p = calloc(1, sizeof *p);
	uint32_t i;

	if (!p)
		return NULL;
	p->owner = v;
	p->snapshot = s;
	p->function = function;
	p->fn = snapshot_function(s, function);
	p->reusable = p->fn->requests_per_process != 1 ||
	    p->fn->runtime == SNAP_RUNTIME_EXEC;
	pthread_mutex_init(&p->lock, NULL);
	p->waiters_end = &p->waiters;
	pthread_mutex_lock(&v->lock);
	for (i = 0; i < INVOKE_POOLS && v->pools[i]; i++)
		;
	if (i < INVOKE_POOLS) {
		p->tag = (++v->pools_made * INVOKE_POOLS + i) &
		    ~INVOKE_WAITER_TAG;
		v->pools[i] = p;
	}
	pthread_mutex_unlock(&v->lock);
	if (i < INVOKE_POOLS)
		return p;
	pthread_mutex_destroy(&p->lock);
	free(p);
	return NULL;
}

void
invoke_drop_stock(struct invoke_pool *p)
{
	while (p->nstock)
		invoke_close_lease(&p->stock[--p->nstock]);
}

void
invoke_pool_free(struct invoke_pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->owner->lock);
	p->owner->pools[p->tag % INVOKE_POOLS] = NULL;
	pthread_mutex_unlock(&p->owner->lock);
	invoke_drop_stock(p);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

const struct snap_function *
invoke_pool_function(const struct invoke_pool *p)
{
	return p->fn;
}

struct launch_msg
invoke_message(const struct invoke_pool *p, uint32_t type, uint32_t count)
{
	struct launch_msg m = {.type = type, .tag = p->tag,
	    .function = p->function, .count = count};

	snprintf(m.snapshot, sizeof m.snapshot, "%s",
	    snapshot_id(p->snapshot));
	return m;
}

void
invoke_pool_warm(struct invoke_pool *p)
{
	struct launch_msg m = invoke_message(p, LAUNCH_LEASE, 0);
	struct err e;

	invoke_send(p->owner, &m, &e);
}

/* With children of a zygote that is gone more of its are in the stock. */
void
lease_sweep(struct invoke_pool *p)
{
	unsigned keep = 0, i;

	pthread_mutex_lock(&p->lock);
	for (i = 0; i < p->nstock; i++) {
		struct pollfd f = {p->stock[i].ctl_fd, POLLIN, 0};

		if (poll(&f, 1, 0) == 0)
			p->stock[keep++] = p->stock[i];
		else
			invoke_close_lease(&p->stock[i]);
	}
	p->nstock = keep;
	pthread_mutex_unlock(&p->lock);
}

static void
add_stock(struct invoke_pool *p, const struct launch_msg *m, const int *fds)
{
	uint32_t i;

	p->asked -= p->asked < m->count ? p->asked : m->count;
	for (i = 0; i < m->count; i++) {
		struct lease l = {m->ids[i], fds[i], -1, -1,
		    clock_mono_ms()};

		if (!invoke_hand_out(p, &l))
			invoke_close_lease(&l);
	}
}

/* With `lock` of `v` held. */
static void
drop_all_stock(struct invoke *v)
{
	struct invoke_pool *p;
	size_t i;

	for (i = 0; i < INVOKE_POOLS; i++) {
		p = v->pools[i];
		if (!p)
			continue;
		pthread_mutex_lock(&p->lock);
		invoke_drop_stock(p);
		pthread_mutex_unlock(&p->lock);
	}
}

/* With both locks held: what was not worth a message before may be now. */
static void
ask_again(struct invoke_pool *p)
{
	unsigned n = invoke_shortage(p);
	struct launch_msg m;

	if (!n)
		return;
	m = invoke_message(p, LAUNCH_LEASE, n);
	if (p->owner->fd < 0 || link_send(p->owner->fd, &m) < 0)
		p->asked -= n;
}

int
invoke_pool_answer(struct invoke *v, const struct launch_msg *m,
    const char *text, const int *fds, size_t nfds)
{
	struct invoke_pool *p;

	if (m->type == LAUNCH_LEASED &&
	    (m->count > LAUNCH_BATCH || nfds != m->count))
		return -1;
	pthread_mutex_lock(&v->lock);
	if (m->type == LAUNCH_REFUSED && m->code == LAUNCH_LEAVING)
		drop_all_stock(v);	/* or it would wait for them */
	p = v->pools[m->tag % INVOKE_POOLS];
	if (!p || p->tag != m->tag) {
		pthread_mutex_unlock(&v->lock);
		return -1;
	}
	pthread_mutex_lock(&p->lock);
	if (m->type == LAUNCH_LEASED) {
		add_stock(p, m, fds);
		ask_again(p);
	} else {
		p->asked = 0;
		p->refusal = m->code;
		snprintf(p->refusal_text, sizeof p->refusal_text, "%s", text);
		invoke_wake_all(p, LEASE_REFUSED);
	}
	pthread_mutex_unlock(&p->lock);
	pthread_mutex_unlock(&v->lock);
	return 0;
}

void
invoke_pools_disconnected(struct invoke *v)
{
	struct invoke_pool *p;
	size_t i;

	for (i = 0; i < INVOKE_POOLS; i++) {
		p = v->pools[i];
		if (!p)
			continue;
		pthread_mutex_lock(&p->lock);
		p->asked = 0;
		invoke_drop_stock(p);	/* nobody would end them in time now */
		invoke_wake_all(p, LEASE_AGAIN);
		pthread_mutex_unlock(&p->lock);
	}
}

/* With the lock held: closes what nobody has used for a while. */
static void
let_idle_go(struct invoke_pool *p, int64_t now_ms)
{
	unsigned keep = 0, i;

	for (i = 0; i < p->nstock; i++) {
		if (now_ms - p->stock[i].idle_since_ms > IDLE_LEASE_MS)
			invoke_close_lease(&p->stock[i]);
		else
			p->stock[keep++] = p->stock[i];
	}
	p->nstock = keep;
}

void
invoke_tick(struct invoke *v, int64_t now_ms)
{
	struct invoke_pool *p;
	size_t i;

	pthread_mutex_lock(&v->lock);
	for (i = 0; i < INVOKE_POOLS; i++) {
		p = v->pools[i];
		if (!p)
			continue;
		pthread_mutex_lock(&p->lock);
		if (now_ms - p->window_ms >= WINDOW_MS) {
			p->peak_before = p->peak;
			p->peak = p->in_flight;
			p->window_ms = now_ms;
		}
		let_idle_go(p, now_ms);
		pthread_mutex_unlock(&p->lock);
		if (p->fn->warm && v->fd >= 0 &&
		    now_ms - p->wanted_ms >= WANTED_EVERY_MS) {
			struct launch_msg m = invoke_message(p, LAUNCH_LEASE, 0);

			link_send(v->fd, &m);	/* or the next time */
			p->wanted_ms = now_ms;
		}
	}
	pthread_mutex_unlock(&v->lock);
}
