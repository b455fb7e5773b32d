/*
 * The epoll set that feeds the workers, as accept.h describes it.
 */
#include "accept.h"

#include "gateway.h"
#include "turns.h"

#include "store/base/clock.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PAUSE_US = 10000,	/* out of descriptors: wait for some */
	LOG_EVERY_MS = 1000
};

/* What an event brought, where that is no descriptor. */
enum { NO_REQUEST = -1, NO_ROOM = -2 };

static int
watch(struct gateway *g, int fd, int op)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
	    .data.fd = fd};

	return epoll_ctl(g->epoll_fd, op, fd, &ev);
}

static bool
has_bytes(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void
accept_again(struct gateway *g, int fd)
{
	if (atomic_load(&g->stopping) || watch(g, fd, EPOLL_CTL_ADD) < 0)
		close(fd);
}

/* Before the socket is armed again, so that one worker waits and not all. */
static void
pause_accept(struct gateway *g)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms - g->accept_failed_ms >= LOG_EVERY_MS) {
		g->accept_failed_ms = now_ms;
		gateway_log(g, "error", "cannot accept a connection: out of "
		    "descriptors or memory; raise `ulimit -n`");
	}
	usleep(PAUSE_US);
}

/* A new connection: its descriptor if it has a request already. */
static int
accept_one(struct gateway *g)
{
	int fd = accept4(g->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	bool no_room = fd < 0 && (errno == EMFILE || errno == ENFILE ||
	    errno == ENOMEM || errno == ENOBUFS);

	if (no_room)
		pause_accept(g);
	watch(g, g->listen_fd, EPOLL_CTL_MOD);
	if (fd < 0)
		return no_room ? NO_ROOM : NO_REQUEST;
	if (has_bytes(fd))
		return fd;
	sched_yield();	/* web servers connect first and write a moment later */
	if (has_bytes(fd))
		return fd;
	accept_again(g, fd);
	return NO_REQUEST;
}

/* One event: a descriptor with a request, or less than 0. */
static int
on_event(struct gateway *g, int fd)
{
	if (fd == g->wake_fd)
		return NO_REQUEST;
	if (fd == g->listen_fd)
		return accept_one(g);
	epoll_ctl(g->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	if (has_bytes(fd))
		return fd;
	close(fd);
	return NO_REQUEST;
}

static int
wait_event(struct gateway *g, int timeout_ms)
{
	struct epoll_event ev;
	int n = epoll_wait(g->epoll_fd, &ev, 1, timeout_ms);

	return n == 1 ? on_event(g, ev.data.fd) : NO_REQUEST;
}

/*
 * While leaving: false if no request is there that came before.  wake_fd is
 * always ready, but the kernel puts what it has told to the end of its list:
 * whoever sees wake_fd twice has seen all.
 */
static bool
last_event(struct gateway *g, int *fd)
{
	struct epoll_event ev;
	int tries;

	for (tries = 0; tries < 2; tries++)
		if (epoll_wait(g->epoll_fd, &ev, 1, 0) == 1 &&
		    ev.data.fd != g->wake_fd) {
			*fd = on_event(g, ev.data.fd);
			return true;
		}
	return false;
}

/*
 * As wait_event, or a request that was taken in before; false: leave.  What is
 * found counts as busy before the worker is off the lookout (turns.h).
 */
static bool
look(struct gateway *g, int *fd, int64_t *wait_us)
{
	bool going = true;

	if (turns_next(g, fd, wait_us) == 0)
		return true;
	*wait_us = 0;
	turns_lookout(&g->turns);
	/* Once more: what comes from here on is not put aside. */
	if (turns_next(g, fd, wait_us) < 0) {
		*wait_us = 0;
		if (atomic_load(&g->stopping))
			going = last_event(g, fd);
		else
			*fd = wait_event(g, -1);
		if (going && *fd >= 0)
			atomic_fetch_add(&g->busy, 1);
	}
	turns_lookout_over(&g->turns);
	return going;
}

int
accept_next(struct gateway *g, int64_t *wait_us)
{
	size_t busy;
	int fd;

	do
		if (!look(g, &fd, wait_us))
			return -1;
	while (fd < 0);
	busy = atomic_load(&g->busy);
	if (busy >= atomic_load(&g->started) && busy < g->nworkers)
		workers_more(g);
	return fd;
}

bool
accept_pending(struct gateway *g, int *fd)
{
	struct epoll_event ev;

	if (epoll_wait(g->epoll_fd, &ev, 1, 0) != 1)
		return false;
	*fd = on_event(g, ev.data.fd);
	return *fd != NO_ROOM;
}

void
accept_done(struct gateway *g)
{
	if (g->idle_ms)
		atomic_store(&g->used_ms, clock_mono_ms());
	atomic_fetch_sub(&g->busy, 1);
}

int
accept_start(struct gateway *g)
{
	struct epoll_event waking = {.events = EPOLLIN};

	g->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	g->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	waking.data.fd = g->wake_fd;
	if (g->epoll_fd < 0 || g->wake_fd < 0 ||
	    watch(g, g->listen_fd, EPOLL_CTL_ADD) < 0 ||
	    epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, g->wake_fd, &waking) < 0)
		return -1;
	return 0;
}

void
accept_stop(struct gateway *g)
{
	uint64_t one = 1;

	atomic_store(&g->stopping, true);
	epoll_ctl(g->epoll_fd, EPOLL_CTL_DEL, g->listen_fd, NULL);
	while (write(g->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}
