/*
 * The loop of an I/O thread, as iothread.h describes it.
 *
 * A turn: wait; what others returned goes to its connections; what the sockets
 * have; connections that want another look; what happens by time.
 */
#include "iothread.h"

#include "call.h"
#include "conn.h"
#include "server.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	EVENTS_AT_ONCE = 64,
	TICK_MS = 1000,
	STARVED_MS = 5,
	WATCH_US = 60,
	LEAVING_STALL_MS = 5000		/* for a peer that doesn't read */
};

bool
iothread_is_here(const struct iothread *io)
{
	return pthread_equal(io->thread, pthread_self());
}

void
iothread_wake(struct iothread *io)
{
	static const uint64_t ONE = 1;

	while (write(io->wake_fd, &ONE, sizeof ONE) < 0 && errno == EINTR)
		;
}

void
iothread_return(struct iothread *io, struct outgoing *o)
{
	struct outgoing *first = atomic_load(&io->returned);
	bool sent = o->sent;	/* behind the push it is no longer ours */

	do
		o->next = first;
	while (!atomic_compare_exchange_weak(&io->returned, &first, o));
	if (sent && !atomic_load(&io->paused))
		return;		/* it has time */
	if (atomic_exchange(&io->asleep, false))
		iothread_wake(io);
}

void
iothread_again(struct iothread *io, struct conn *c)
{
	if (c->again)
		return;
	c->again = true;
	c->next_again = io->again;
	io->again = c;
}

/* --- connections ------------------------------------------------------------------ */

int
iothread_add(struct iothread *io, struct conn *c)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP,
	    .data.ptr = c};
	int rc;

	c->interest = ev.events;
	pthread_mutex_lock(&io->lock);
	rc = epoll_ctl(io->epoll_fd, EPOLL_CTL_ADD, c->fd, &ev);
	if (rc == 0) {
		c->next = io->conns;
		if (c->next)
			c->next->prev = c;
		io->conns = c;
	}
	pthread_mutex_unlock(&io->lock);
	return rc;
}

static void
remove_conn(struct iothread *io, struct conn *c)
{
	pthread_mutex_lock(&io->lock);
	if (c->prev)
		c->prev->next = c->next;
	else
		io->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	pthread_mutex_unlock(&io->lock);
	conn_free(c);
	atomic_fetch_sub(&io->server->connections, 1);
}

static void
free_dead(struct iothread *io)
{
	struct conn *c = io->dead, *next;

	io->dead = NULL;
	for (; c; c = next) {
		next = c->next_dead;
		if (c->again) {		/* the next turn, then */
			c->next_dead = io->dead;
			io->dead = c;
		} else {
			remove_conn(io, c);
		}
	}
}

static bool
has_conns(struct iothread *io)
{
	bool any;

	pthread_mutex_lock(&io->lock);
	any = io->conns != NULL;
	pthread_mutex_unlock(&io->lock);
	return any;
}

/* --- turns ------------------------------------------------------------------------- */

/* What others have done, in the order in which they did it. */
static void
take_returned(struct iothread *io)
{
	struct outgoing *o = atomic_exchange(&io->returned, NULL), *next;
	struct outgoing *in_order = NULL;

	for (; o; o = next) {
		next = o->next;
		o->next = in_order;
		in_order = o;
	}
	for (o = in_order; o; o = next) {
		next = o->next;
		conn_reply(o->call->conn, o);
	}
}

static void
go_on(struct iothread *io)
{
	struct conn *c = io->again, *next;

	io->again = NULL;
	for (; c; c = next) {
		next = c->next_again;
		c->again = false;
		conn_go_on(c);
	}
}

/* Those that waited for memory may find some. */
static void
feed_starved(struct iothread *io)
{
	struct conn *c;

	io->starved = false;
	pthread_mutex_lock(&io->lock);
	for (c = io->conns; c; c = c->next)
		if (c->starved)
			iothread_again(io, c);
	pthread_mutex_unlock(&io->lock);
}

static void
tick(struct iothread *io)
{
	struct conn *c;

	if (io->now_ms - io->ticked_ms < TICK_MS)
		return;
	io->ticked_ms = io->now_ms;
	pthread_mutex_lock(&io->lock);
	for (c = io->conns; c; c = c->next)
		if (conn_is_stuck(c, io->now_ms) ||
		    (io->leaving && c->blocked &&
		        io->now_ms - c->moved_ms > LEAVING_STALL_MS))
			conn_close(c);
	pthread_mutex_unlock(&io->lock);
}

static void
leave(struct iothread *io)
{
	struct conn *c;

	io->leaving = true;
	pthread_mutex_lock(&io->lock);
	for (c = io->conns; c; c = c->next)
		conn_leave(c);
	pthread_mutex_unlock(&io->lock);
}

/*
 * Who alone has been answered asks again soon, and a thread that sleeps is
 * woken in half the time of a write: so this one looks for a moment first.
 * Whoever wants the core meanwhile has it.
 */
static int
watch(struct iothread *io, struct epoll_event *events)
{
	int64_t until_us = clock_mono_us() + WATCH_US;
	int n;

	io->watches = false;
	do {
		sched_yield();
		n = epoll_wait(io->epoll_fd, events, EVENTS_AT_ONCE, 0);
	} while (n == 0 && !atomic_load(&io->returned) &&
	    clock_mono_us() < until_us);
	return n;
}

static int
sleep_for_events(struct iothread *io, struct epoll_event *events)
{
	int timeout_ms = io->starved ? STARVED_MS : TICK_MS, n;

	atomic_store(&io->asleep, true);
	if (atomic_load(&io->returned) || io->again)
		timeout_ms = 0;
	n = epoll_wait(io->epoll_fd, events, EVENTS_AT_ONCE, timeout_ms);
	atomic_store(&io->asleep, false);
	return n;
}

static int
wait_events(struct iothread *io, struct epoll_event *events)
{
	int n = io->watches && !io->again ? watch(io, events) : 0;

	if (n <= 0)
		n = sleep_for_events(io, events);
	io->now_ms = clock_mono_ms();
	io->wall_ms = clock_wall_ms();
	return n;
}

/* One connection is all there is, and one call all that it waits for. */
static bool
is_alone(struct iothread *io)
{
	bool alone;

	pthread_mutex_lock(&io->lock);
	alone = io->conns && !io->conns->next && io->conns->in_flight == 1;
	pthread_mutex_unlock(&io->lock);
	return alone && !io->leaving;
}

static void
see_to_writes(struct iothread *io)
{
	bool alone;

	if (!io->gathered)
		return;
	io->gathered = false;
	alone = is_alone(io);
	atomic_store(&io->writes, alone);
	commit_gathered(io->server->store, alone);
	atomic_store(&io->writes, false);
	io->watches = alone;
}

static void
turn(struct iothread *io)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n = wait_events(io, events), i;

	take_returned(io);
	for (i = 0; i < n; i++)
		if (events[i].data.ptr)		/* else it was wake_fd */
			conn_ready(events[i].data.ptr, events[i].events);
	see_to_writes(io);
	if (io->starved)
		feed_starved(io);
	go_on(io);
	see_to_writes(io);
	tick(io);
	free_dead(io);
}

static void *
iothread_main(void *arg)
{
	struct iothread *io = arg;

	while (!io->leaving || has_conns(io)) {
		turn(io);
		if (!io->leaving && atomic_load(&io->server->leaving))
			leave(io);
	}
	return NULL;
}

/* --- coming and going ------------------------------------------------------------------- */

static int
prepare(struct iothread *io, struct err *e)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET};

	io->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	io->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (io->epoll_fd < 0 || io->wake_fd < 0 ||
	    epoll_ctl(io->epoll_fd, EPOLL_CTL_ADD, io->wake_fd, &ev) < 0)
		return err_sys(e, "cannot make an epoll set");
	io->scratch = malloc(IOTHREAD_SCRATCH);
	if (!io->scratch)
		return err_sys(e, "cannot begin");
	return store_view_init(&io->view, io->server->store, e);
}

int
iothread_start(struct iothread *io, struct server *s, struct err *e)
{
	int rc;

	*io = (struct iothread){.server = s, .epoll_fd = -1, .wake_fd = -1};
	pthread_mutex_init(&io->lock, NULL);
	if (prepare(io, e) < 0)
		return -1;
	rc = pthread_create(&io->thread, NULL, iothread_main, io);
	if (rc) {
		errno = rc;
		return err_sys(e, "cannot start a thread");
	}
	io->runs = true;
	return 0;
}

void
iothread_stop(struct iothread *io)
{
	struct call *k;

	if (!io->server)
		return;
	if (io->runs)
		pthread_join(io->thread, NULL);
	while ((k = io->calls)) {
		io->calls = k->next;
		call_free(k);
	}
	if (io->view.store)
		store_view_release(&io->view);
	free(io->scratch);
}

void
iothread_release(struct iothread *io)
{
	if (!io->server)
		return;
	io_close(&io->epoll_fd);
	io_close(&io->wake_fd);
	pthread_mutex_destroy(&io->lock);
}
