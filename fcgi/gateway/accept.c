/*
 * The epoll set that feeds the workers, as accept.h describes it.
 */
#include "accept.h"

#include "gateway.h"
#include "shed.h"

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
	LOG_EVERY_MS = 1000,
	OVERFLOW_WAIT_MS = 20
};

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

/* A new connection: its descriptor if it has a request already, else -1. */
static int
accept_one(struct gateway *g)
{
	int fd = accept4(g->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE ||
	                  errno == ENOMEM || errno == ENOBUFS))
		pause_accept(g);
	watch(g, g->listen_fd, EPOLL_CTL_MOD);
	if (fd < 0)
		return -1;
	if (has_bytes(fd))
		return fd;
	sched_yield();	/* web servers connect first and write a moment later */
	if (has_bytes(fd))
		return fd;
	accept_again(g, fd);
	return -1;
}

/* One event: a descriptor with a request, or -1. */
static int
on_event(struct gateway *g, int fd)
{
	if (fd == g->wake_fd)
		return -1;
	if (fd == g->listen_fd)
		return accept_one(g);
	epoll_ctl(g->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	if (has_bytes(fd))
		return fd;
	close(fd);
	return -1;
}

static int
wait_event(struct gateway *g, int timeout_ms)
{
	struct epoll_event ev;
	int n = epoll_wait(g->epoll_fd, &ev, 1, timeout_ms);

	return n == 1 ? on_event(g, ev.data.fd) : -1;
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
 * All that there can be.  One that is being started counts as free: else what
 * it is started for would be put aside, and shed on a busy machine.
 */
static bool
all_busy(struct gateway *g)
{
	size_t most = atomic_load(&g->no_more) ? atomic_load(&g->started)
	                                       : g->nworkers;

	return atomic_load(&g->busy) >= most;
}

int
accept_next(struct gateway *g, int64_t *wait_us)
{
	struct queue_item item;
	size_t busy;
	int fd;

	for (;;) {
		if (queue_try(&g->queue, &item) == 0) {
			fd = item.fd;
			*wait_us = clock_mono_us() - item.since_us;
		} else {
			*wait_us = 0;
			if (!atomic_load(&g->stopping))
				fd = wait_event(g, -1);
			else if (!last_event(g, &fd))
				return -1;
		}
		if (fd < 0)
			continue;
		busy = atomic_fetch_add(&g->busy, 1) + 1;
		if (busy >= atomic_load(&g->started) && busy < g->nworkers)
			workers_more(g);
		if (all_busy(g)) {
			pthread_mutex_lock(&g->overflow_lock);
			pthread_cond_signal(&g->overflow_wake);
			pthread_mutex_unlock(&g->overflow_lock);
		}
		return fd;
	}
}

void
accept_done(struct gateway *g)
{
	if (g->idle_ms)
		atomic_store(&g->used_ms, clock_mono_ms());
	atomic_fetch_sub(&g->busy, 1);
}


/*
 * A worker that came free meanwhile may have looked at the queue before this
 * was put there, and wait in the epoll set for ever: it gets it there then.
 * Either it sees the item, or we see that not all are busy.
 */
static void
put_aside(struct gateway *g, int fd)
{
	struct queue_item item;

	if (queue_put(&g->queue, fd) < 0)
		shed(g, fd);
	else if (!all_busy(g) && queue_try(&g->queue, &item) == 0)
		accept_again(g, item.fd);
}

/* No worker may come free for long: who waits hears of it at once. */
static void
shed_overdue(struct gateway *g)
{
	int64_t before_us = clock_mono_us() - QUEUE_WAIT_US;
	struct queue_item item;

	while (queue_overdue(&g->queue, before_us, &item) == 0)
		shed(g, item.fd);
}

static void *
overflow_main(void *arg)
{
	struct gateway *g = arg;
	int fd;

	while (!atomic_load(&g->stopping)) {
		pthread_mutex_lock(&g->overflow_lock);
		while (!all_busy(g) && !atomic_load(&g->stopping))
			pthread_cond_wait(&g->overflow_wake,
			    &g->overflow_lock);
		pthread_mutex_unlock(&g->overflow_lock);
		while (all_busy(g) && !atomic_load(&g->stopping)) {
			fd = wait_event(g, OVERFLOW_WAIT_MS);
			if (fd >= 0)
				put_aside(g, fd);
			shed_overdue(g);
		}
	}
	return NULL;
}

int
accept_start(struct gateway *g)
{
	struct epoll_event waking = {.events = EPOLLIN};

	pthread_mutex_init(&g->overflow_lock, NULL);
	pthread_cond_init(&g->overflow_wake, NULL);
	g->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	g->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	waking.data.fd = g->wake_fd;
	if (g->epoll_fd < 0 || g->wake_fd < 0 ||
	    watch(g, g->listen_fd, EPOLL_CTL_ADD) < 0 ||
	    epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, g->wake_fd, &waking) < 0)
		return -1;
	return pthread_create(&g->overflow, NULL, overflow_main, g) ? -1 : 0;
}

void
accept_stop(struct gateway *g)
{
	uint64_t one = 1;

	atomic_store(&g->stopping, true);
	epoll_ctl(g->epoll_fd, EPOLL_CTL_DEL, g->listen_fd, NULL);
	while (write(g->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&g->overflow_lock);
	pthread_cond_signal(&g->overflow_wake);
	pthread_mutex_unlock(&g->overflow_lock);
	pthread_join(g->overflow, NULL);
}
