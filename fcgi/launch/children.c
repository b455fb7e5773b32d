/*
 * The launcher's table of children: ids, ends, watching, reports.
 */
#include "launcher.h"

#include "containment.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

struct child *
child_new(struct launcher *l, struct zygote_host *z, uint32_t serial,
    int ctl_fd, int pidfd)
{
	struct child *c = l->free_children;
	struct child **place = &z->children[serial & 0xff];

	if (*place)
		return NULL;
	if (c)
		l->free_children = c->next;
	else if (l->children_used < CHILD_TABLE)
		c = &l->children[l->children_used++];
	else
		return NULL;
	*c = (struct child){
	    .id = ++l->last_id * CHILD_TABLE + (uint64_t)(c - l->children),
	    .serial = serial,
	    .ctl_fd = ctl_fd,
	    .pidfd = pidfd,
	    .zygote = z,
	};
	c->cgroup_slot = containment_place(l->containment, pidfd,
	    z->pool->fn->memory_mb);
	*place = c;
	l->nchildren++;
	z->alive++;
	z->pool->alive++;
	return c;
}

struct child *
child_find(struct launcher *l, uint64_t id)
{
	struct child *c = &l->children[id % CHILD_TABLE];

	return id && c->id == id ? c : NULL;
}

/*
 * While a request is watched the launcher goes before all that wait for their
 * turn, or a fork bomb would keep it from ending it.
 */
static void
set_watched(struct launcher *l, struct child *c, bool watched)
{
	if (c->watched == watched)
		return;
	c->watched = watched;
	if (watched)
		l->nwatched++;
	else
		l->nwatched--;
	yield_self(l);
}

void
child_own(struct child *c, struct client *owner)
{
	if (c->owner) {
		if (c->owned_prev)
			c->owned_prev->owned_next = c->owned_next;
		else
			c->owner->children = c->owned_next;
		if (c->owned_next)
			c->owned_next->owned_prev = c->owned_prev;
	}
	c->owner = owner;
	c->owned_prev = NULL;
	c->owned_next = owner ? owner->children : NULL;
	if (c->owned_next)
		c->owned_next->owned_prev = c;
	if (owner)
		owner->children = c;
}

void
child_kill(struct launcher *l, struct child *c)
{
	if (c->killed_ms)
		return;		/* sample() does it again */
	containment_kill_first(l->containment, c->pidfd, c->zygote->uid,
	    c->cgroup_slot);
	c->killed_ms = clock_mono_ms();
	set_watched(l, c, true);
}

void
child_signal(struct launcher *l, struct child *c, uint32_t sig)
{
	if (sig == SIGTERM)
		containment_ask(l->containment, c->pidfd, c->zygote->uid);
	else
		child_kill(l, c);
}

static void
remember(struct launcher *l, const struct launch_msg *m)
{
	l->ended[l->ended_at] = (struct ended){m->id, *m};
	l->ended_at = (l->ended_at + 1) % ENDED_KEPT;
}

void
child_ended(struct launcher *l, struct child *c, int wait_status,
    uint64_t max_rss_kb, uint64_t cpu_us)
{
	struct launch_msg m = {.type = LAUNCH_EXIT,
	    .id = c->id,
	    .wait_status = wait_status,
	    .code = c->ended_by,
	    .max_rss_kb = c->peak_kb > max_rss_kb ? c->peak_kb : max_rss_kb,
	    .cpu_us = c->cpu_us > cpu_us ? c->cpu_us : cpu_us};
	struct zygote_host *z = c->zygote;
	struct child **p;

	for (p = &z->pool->stock; *p && *p != c; p = &(*p)->next)
		;
	if (*p && c->ctl_fd >= 0) {
		*p = c->next;
		z->pool->nstock--;
	}
	if (c->report && c->owner)
		client_say(l, c->owner, &m, NULL, NULL, 0);
	else if (wait_status != 0)
		remember(l, &m);
	containment_leave(l->containment, c->cgroup_slot);
	io_close(&c->ctl_fd);
	io_close(&c->pidfd);
	set_watched(l, c, false);
	child_own(c, NULL);
	z->children[c->serial & 0xff] = NULL;
	z->alive--;
	z->pool->alive--;
	l->nchildren--;
	c->id = 0;
	c->next = l->free_children;
	l->free_children = c;
}

void
child_watch(struct launcher *l, struct child *c, int64_t deadline)
{
	if (!c->watched)
		c->cpu_before_us = UINT64_MAX;
	set_watched(l, c, true);
	c->deadline_mono_ms = deadline;
}

/* What was watched belongs to that request, not to the child's next. */
void
child_rest(struct launcher *l, struct child *c)
{
	if (!c->watched || c->killed_ms)
		return;
	set_watched(l, c, false);
	c->yields = false;
	c->deadline_mono_ms = 0;
	c->peak_kb = c->cpu_us = 0;
}

void
child_report(struct launcher *l, struct client *client, uint64_t id)
{
	struct child *c = child_find(l, id);
	struct launch_msg m = {.type = LAUNCH_EXIT, .id = id};
	size_t i;

	if (c && c->owner == client) {
		c->report = true;
		zygote_poke(l, c->zygote);
		return;
	}
	if (id / CHILD_TABLE <= l->first_id || id / CHILD_TABLE > l->last_id)
		m.code = LAUNCH_END_LOST;
	for (i = 0; i < ENDED_KEPT; i++)
		if (l->ended[i].id == id)
			m = l->ended[i].msg;
	client_say(l, client, &m, NULL, NULL, 0);
}

/*
 * Its tree gives way to its end, again at each look for what was forked
 * between two; its function as long as that goes on to compute, since many
 * wait for hours and do a little now and then.
 */
static void
yield_if_long(struct launcher *l, struct child *c, uint64_t cpu_us)
{
	const struct snap_function *fn = c->zygote->pool->fn;

	if (c->cpu_before_us == UINT64_MAX)
		c->cpu_before_us = fn->requests_per_process == 1 &&
		        fn->runtime == SNAP_RUNTIME_C && c->cgroup_slot < 0
		    ? 0
		    : cpu_us;
	if (cpu_us < c->cpu_before_us)	/* what went took its time along */
		c->cpu_before_us = cpu_us;
	if (cpu_us - c->cpu_before_us >
	    (c->yields ? YIELD_ON_MS : YIELD_AFTER_MS) * UINT64_C(1000)) {
		c->cpu_before_us = cpu_us;
		c->yields = true;
		yield_function(l, c->zygote->pool);
	}
	if (c->yields)
		containment_yield(l->containment, c->pidfd, c->zygote->uid);
}

static void
end(struct launcher *l, struct child *c, enum launch_end why)
{
	if (!c->ended_by)
		c->ended_by = why;
	if (why != LAUNCH_END_DEADLINE)
		yield_function(l, c->zygote->pool);
	child_kill(l, c);
}

/* Its tree was told to end, and yet is there. */
static void
kill_again(struct launcher *l, struct child *c, int64_t now_ms)
{
	if (now_ms - c->killed_ms < KILL_AGAIN_MS)
		return;
	c->killed_ms = now_ms;
	containment_kill(l->containment, c->pidfd, c->zygote->uid,
	    c->cgroup_slot);
}

/* One look at a watched child: its memory, its time of a core, its deadline. */
static void
sample(struct launcher *l, struct child *c, int64_t now_ms)
{
	uint64_t limit = (uint64_t)c->zygote->pool->fn->memory_mb << 20;
	struct usage u;

	if (c->killed_ms) {
		kill_again(l, c, now_ms);
		return;
	}
	if (containment_usage(l->containment, c->pidfd, c->cgroup_slot,
	        limit, &u) == 0) {
		if (u.memory_bytes / 1024 > c->peak_kb)
			c->peak_kb = u.memory_bytes / 1024;
		c->cpu_us = u.cpu_us;
		if (u.memory_bytes > limit)
			end(l, c, LAUNCH_END_MEMORY);
		else if (u.processes > LIMITS_TREE)
			end(l, c, LAUNCH_END_PROCESSES);
		else
			yield_if_long(l, c, u.cpu_us);
	}
	if (c->deadline_mono_ms && now_ms > c->deadline_mono_ms)
		end(l, c, LAUNCH_END_DEADLINE);
}

void
child_sample_all(struct launcher *l, int64_t now_ms)
{
	size_t i;

	for (i = 0; i < l->children_used; i++)
		if (l->children[i].id && l->children[i].watched)
			sample(l, &l->children[i], now_ms);
}

/*
 * A child that serves one request has no business after its time: it was
 * leased, used or not, and says that it is done, but lives on.
 */
void
child_end_overdue(struct launcher *l, int64_t now_ms)
{
	size_t i;

	for (i = 0; i < l->children_used; i++) {
		struct child *c = &l->children[i];
		const struct snap_function *fn;

		if (!c->id || !c->leased_ms || c->watched)
			continue;
		fn = c->zygote->pool->fn;
		if (fn->requests_per_process == 1 &&
		    fn->runtime == SNAP_RUNTIME_C && fn->timeout_ms &&
		    now_ms - c->leased_ms > LEASE_IDLE_MS + fn->timeout_ms)
			child_kill(l, c);
	}
}
