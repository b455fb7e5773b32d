/*
 * The acceptor: one thread, one epoll set.  It accepts connections, watches
 * those that are idle (new and silent, or kept open after a request), and
 * puts those that have a request into the queue.  It reads nothing itself.
 */
#include "gateway.h"

#include "shed.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	EVENTS_AT_ONCE = 64,
	ACCEPTS_AT_ONCE = 32,
	RECEIVE_S = 5,		/* a peer that is silent amid a request */
	SEND_S = 30,		/* a peer that reads nothing */
	PAUSE_US = 10000	/* out of descriptors: wait for some */
};

static void
dispatch(struct gateway *g, int fd)
{
	if (queue_put(&g->queue, fd) < 0)
		shed(g, fd);
}

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
	if (atomic_load(&g->stopping)) {
		close(fd);
		return;
	}
	if (watch(g, fd, EPOLL_CTL_ADD) < 0)
		close(fd);
	else
		atomic_fetch_add(&g->watched, 1);
}

static void
set_timeouts(int fd)
{
	struct timeval receive = {.tv_sec = RECEIVE_S};
	struct timeval send = {.tv_sec = SEND_S};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &receive, sizeof receive);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &send, sizeof send);
}

static void
accept_some(struct gateway *g)
{
	int i, fd;

	for (i = 0; i < ACCEPTS_AT_ONCE; i++) {
		fd = accept4(g->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOMEM || errno == ENOBUFS) {
				gateway_log(g, "error", "cannot accept a "
				    "connection: out of descriptors or "
				    "memory; raise `ulimit -n`");
				usleep(PAUSE_US);
			}
			return;
		}
		set_timeouts(fd);
		if (has_bytes(fd))
			dispatch(g, fd);
		else
			accept_again(g, fd);
	}
}

static void
on_event(struct gateway *g, const struct epoll_event *ev)
{
	int fd = ev->data.fd;

	if (fd == g->listen_fd) {
		accept_some(g);
		return;
	}
	epoll_ctl(g->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	atomic_fetch_sub(&g->watched, 1);
	if (has_bytes(fd))
		dispatch(g, fd);
	else
		close(fd);
}

int
accept_start(struct gateway *g)
{
	struct epoll_event listening = {.events = EPOLLIN,
	    .data.fd = g->listen_fd};
	struct epoll_event waking = {.events = EPOLLIN};

	g->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	g->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	waking.data.fd = g->wake_fd;
	if (g->epoll_fd < 0 || g->wake_fd < 0 ||
	    epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, g->listen_fd, &listening) <
	        0 ||
	    epoll_ctl(g->epoll_fd, EPOLL_CTL_ADD, g->wake_fd, &waking) < 0)
		return -1;
	return 0;
}

void
accept_run(struct gateway *g)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n, i;

	while (!atomic_load(&g->stopping)) {
		n = epoll_wait(g->epoll_fd, events, EVENTS_AT_ONCE, -1);
		for (i = 0; i < n; i++)
			if (events[i].data.fd != g->wake_fd)
				on_event(g, &events[i]);
	}
	epoll_ctl(g->epoll_fd, EPOLL_CTL_DEL, g->listen_fd, NULL);
}

void
accept_stop(struct gateway *g)
{
	uint64_t one = 1;

	atomic_store(&g->stopping, true);
	if (write(g->wake_fd, &one, sizeof one) < 0)
		return;		/* the counter is full: it wakes anyway */
}
