/*
 * The launcher's event loop: epoll over its sources, a tick for what happens
 * by time, and an orderly way out.
 */
#include "launcher.h"

#include "containment.h"

#include "functions/sdk/contain.h"
#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	EVENTS_AT_ONCE = 64,
	ZYGOTES_KEPT = 2048,
	STRANGERS_MAX = 64,
	LOOKED_AT_MAX = 512	/* the oldest children: bombs are younger */
};

int
loop_add(struct launcher *l, struct source *s)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = s};

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, s->fd, &ev);
}

void
loop_remove(struct launcher *l, struct source *s)
{
	if (s->fd < 0)
		return;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	io_close(&s->fd);
}

/* Out of descriptors: connections wait in the backlog until the next tick. */
void
loop_mute(struct launcher *l, struct source *s, bool mute)
{
	struct epoll_event ev = {.events = mute ? 0 : EPOLLIN, .data.ptr = s};

	if (s->fd >= 0)
		epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, s->fd, &ev);
}

void
loop_leave(struct launcher *l)
{
	struct zygote_host *z;

	if (l->leaving)
		return;
	l->leaving = true;
	l->leave_by_ms = clock_mono_ms() + DRAIN_MS;
	if (!l->private_client)	/* the name is the daemon's */
		unlinkat(l->state_fd, "run/launch.sock", 0);
	loop_remove(l, &l->listener);
	for (z = l->zygotes; z; z = z->next)
		zygote_retire(l, z);
}

/*
 * True if it runs as functions and builds do, which nothing that they start
 * gets rid of.
 */
static bool
is_confined(pid_t pid)
{
	char path[64], text[4096];
	int fd;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : io_read(fd, text, sizeof text - 1);
	io_close(&fd);
	text[n < 0 ? 0 : n] = '\0';
	return !strstr(text, "\nNoNewPrivs:\t0");
}

/* Children that are none of a function's: the store, which a push started. */
static size_t
find_free(pid_t *out, size_t room)
{
	pid_t children[LOOKED_AT_MAX];
	int n = contain_children(getpid(), children, LOOKED_AT_MAX), i;
	size_t found = 0;

	for (i = 0; i < n && found < room; i++)
		if (!is_confined(children[i]))
			out[found++] = children[i];
	return found;
}

/* What a dead zygote left behind has become ours: it ends now. */
static void
sweep_orphans(struct launcher *l)
{
	pid_t living[ZYGOTES_KEPT + BACKENDS_MAX + STRANGERS_MAX];
	const struct zygote_host *z;
	const struct backend *b;
	size_t n = 0;

	for (z = l->zygotes; z && n < ZYGOTES_KEPT; z = z->next)
		if (!z->reaped)
			living[n++] = z->pid;
	for (b = l->backends; b; b = b->next)
		living[n++] = b->pid;
	n += find_free(living + n, STRANGERS_MAX);
	if (!z)
		contain_sweep(NULL, living, n);
}

static void
reap(struct launcher *l)
{
	bool any = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		if (!backend_reaped(l, pid, status))
			zygote_reaped(l, pid, status);
		any = true;
	}
	if (any && l->containment->probe.rung == CONTAIN_SUBREAPER)
		sweep_orphans(l);
}

static void
free_gone(struct launcher *l)
{
	struct client *c = l->clients, *next;

	for (; c; c = next) {
		next = c->next;
		if (!c->gone)
			continue;
		if (c->prev)
			c->prev->next = c->next;
		else
			l->clients = c->next;
		if (c->next)
			c->next->prev = c->prev;
		free(c);
	}
}

static void
tick(struct launcher *l, int64_t now_ms)
{
	struct pool *p;

	if (l->accept_paused) {
		l->accept_paused = false;
		loop_mute(l, &l->listener, false);
	}
	for (p = l->pools; p; p = p->next)
		pool_tick(l, p, now_ms);
	zygote_end_stuck(l, now_ms);
	release_forget_old(l, now_ms);
	child_end_overdue(l, now_ms);
	yield_look(l, now_ms);
	if (l->nclients || l->nchildren)
		l->busy_ms = now_ms;
	else if (now_ms - l->busy_ms > LEAVE_AFTER_MS)
		loop_leave(l);
}

static void
let_clients_go(struct launcher *l)
{
	struct client *c;

	for (c = l->clients; c; c = c->next)
		yield_client_goes(c);
}

/* All that is owed to those who were served is done, or time is up. */
static bool
may_end(const struct launcher *l, int64_t now_ms)
{
	return l->leaving && ((!l->zygotes && !l->backends) ||
	                         now_ms > l->leave_by_ms);
}

static int
timeout_ms(const struct launcher *l)
{
	if (l->nwatched)
		return SAMPLE_EVERY_MS;
	return l->leaving ? 100 : TICK_MS;
}

int
loop_run(struct launcher *l)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int64_t now_ms, ticked_ms = 0, sampled_ms = 0;
	int n, i;

	for (;;) {
		n = epoll_wait(l->epoll_fd, events, EVENTS_AT_ONCE,
		    timeout_ms(l));
		if (n < 0 && errno != EINTR)
			return -1;
		for (i = 0; i < n; i++) {
			struct source *s = events[i].data.ptr;

			if (s->fd >= 0)
				s->ready(l, s, events[i].events);
		}
		reap(l);
		free_gone(l);
		zygote_free_gone(l);
		now_ms = clock_mono_ms();
		if (l->nwatched && now_ms - sampled_ms >= SAMPLE_EVERY_MS) {
			child_sample_all(l, now_ms);
			yield_look(l, now_ms);
			sampled_ms = now_ms;
		}
		if (now_ms - ticked_ms >= TICK_MS) {
			tick(l, now_ms);
			ticked_ms = now_ms;
		}
		if (may_end(l, now_ms)) {
			let_clients_go(l);
			return 0;
		}
	}
}
