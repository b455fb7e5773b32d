/*
 * A connection's coming and going, its replies, and when it reads, as conn.h
 * describes it.  What it reads is in connread.c.
 */
#include "conn.h"

#include "connread.h"
#include "iothread.h"
#include "server.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { SEND_AT_ONCE = 64, SEND_HERE_BYTES = 4096 };

/* --- coming -------------------------------------------------------------------- */

static int
say_hello(struct conn *c, int fd)
{
	struct frame_hello h = {.version = FRAME_VERSION,
	    .in_flight_max = FRAME_IN_FLIGHT_MAX,
	    .request_max = FRAME_REQUEST_MAX,
	    .reply_max = FRAME_REPLY_MAX};
	const struct server *s = c->io->server;
	struct buf b;
	ssize_t n = -1;

	if (getrandom(c->challenge, sizeof c->challenge, 0) !=
	    sizeof c->challenge)
		return -1;
	memcpy(h.store_id, store_id(s->store), sizeof h.store_id);
	memcpy(h.challenge, c->challenge, sizeof h.challenge);
	buf_init(&b, FRAME_HELLO_SIZE);
	if (frame_write_hello(&b, &h) == 0)
		n = send(fd, b.data, b.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_release(&b);
	return n == FRAME_HELLO_SIZE ? 0 : -1;
}

struct conn *
conn_new(struct iothread *io, int fd)
{
	struct conn *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->io = io;
	c->fd = -1;
	c->out_end = &c->out;
	c->came_ms = clock_mono_ms();
	credential_init(&c->credential);
	pthread_mutex_init(&c->sending, NULL);
	buf_init(&c->in, FRAME_REQUEST_MAX + IOTHREAD_SCRATCH);
	if (say_hello(c, fd) < 0) {
		conn_free(c);
		return NULL;
	}
	c->fd = fd;
	return c;
}

/* --- memory ---------------------------------------------------------------------- */

void
conn_hold(struct conn *c, size_t n)
{
	c->held += n;
	atomic_fetch_add_explicit(&c->io->server->memory, n,
	    memory_order_relaxed);
}

void
conn_let_go(struct conn *c, size_t n)
{
	c->held -= n;
	atomic_fetch_sub_explicit(&c->io->server->memory, n,
	    memory_order_relaxed);
}

/* --- sending ---------------------------------------------------------------------- */

static void
end_outgoing(struct conn *c, struct outgoing *o)
{
	struct call *k = o->call;

	c->out_bytes -= o->bytes.len;
	if (!o->last) {
		atomic_store(&k->noted, false);
		return;
	}
	conn_let_go(c, k->held);
	c->in_flight--;
	call_give_back(k);
}

static void
drop_first(struct conn *c)
{
	struct outgoing *o = c->out;

	c->out = o->next;
	if (!c->out)
		c->out_end = &c->out;
	c->out_sent = 0;
	end_outgoing(c, o);
}

void
conn_reply(struct conn *c, struct outgoing *o)
{
	iothread_again(c->io, c);
	c->out_bytes += o->bytes.len;
	if (o->sent) {
		end_outgoing(c, o);
		return;
	}
	if (!c->out)
		c->moved_ms = c->io->now_ms;
	o->next = NULL;
	*c->out_end = o;
	c->out_end = &o->next;
	if (o->last && !o->bytes.len)	/* no memory even for a failure */
		conn_close(c);
	while (c->fd < 0 && c->out)
		drop_first(c);
}

/* What the first of `out` hold, as far as it goes in one call. */
static size_t
gather(const struct conn *c, struct iovec *iov)
{
	const struct outgoing *o;
	size_t n = 0;

	for (o = c->out; o && n < SEND_AT_ONCE; o = o->next)
		iov[n++] = (struct iovec){o->bytes.data, o->bytes.len};
	iov[0].iov_base = (char *)iov[0].iov_base + c->out_sent;
	iov[0].iov_len -= c->out_sent;
	return n;
}

static void
sent(struct conn *c, size_t n)
{
	c->moved_ms = c->io->now_ms;
	c->out_sent += n;
	while (c->out && c->out_sent >= c->out->bytes.len) {
		n = c->out_sent - c->out->bytes.len;
		drop_first(c);
		c->out_sent = n;
	}
}

/* What waits here counts, so that a peer that doesn't read can't pile it up. */
static void
charge_waiting(struct conn *c)
{
	struct outgoing *o;

	for (o = c->out; o; o = o->next)
		if (o->last && o->call->held < o->bytes.len) {
			conn_hold(c, o->bytes.len - o->call->held);
			o->call->held = o->bytes.len;
		}
}

/* Sends what goes at once: 0, or -1 if the connection broke. */
static int
send_out(struct conn *c)
{
	struct iovec iov[SEND_AT_ONCE];
	struct msghdr msg = {.msg_iov = iov};
	ssize_t n;

	c->blocked = false;
	while (c->out) {
		msg.msg_iovlen = gather(c, iov);
		n = sendmsg(c->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0) {
			sent(c, (size_t)n);
		} else if (errno == EAGAIN) {
			c->blocked = true;
			charge_waiting(c);
			return 0;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

static void
flush(struct conn *c)
{
	int rc;

	pthread_mutex_lock(&c->sending);
	rc = send_out(c);
	pthread_mutex_unlock(&c->sending);
	if (rc < 0)
		conn_close(c);
}

/*
 * A message this small goes whole or not at all; should half of it go, the
 * connection is at its end.
 */
void
conn_send_here(struct conn *c, struct outgoing *o)
{
	ssize_t n = -1;

	if (o->bytes.len > SEND_HERE_BYTES ||
	    pthread_mutex_trylock(&c->sending))
		return;
	if (c->fd >= 0 && !c->blocked && !c->out_sent && o->bytes.len)
		n = send(c->fd, o->bytes.data, o->bytes.len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0 && (size_t)n < o->bytes.len)
		shutdown(c->fd, SHUT_RDWR);
	o->sent = n > 0;
	pthread_mutex_unlock(&c->sending);
}

/* --- turns -------------------------------------------------------------------------- */

bool
conn_has_memory(struct conn *c)
{
	const struct server *s = c->io->server;

	if (c->held <= s->limits.share ||
	    atomic_load_explicit(&s->memory, memory_order_relaxed) <=
	        s->limits.memory)
		return true;
	c->starved = c->io->starved = true;
	return false;
}

static bool
has_places(const struct conn *c)
{
	return c->fd >= 0 && c->in_flight < FRAME_IN_FLIGHT_MAX &&
	    c->out_bytes <= CONN_OUT_MAX;
}

/* One request always may, or those that wait would hold what they wait for. */
bool
conn_may_begin(struct conn *c)
{
	return has_places(c) && (!c->in_flight || conn_has_memory(c));
}

/* The rest of a frame may come when it has its room. */
static bool
may_read(struct conn *c)
{
	return !c->eof && has_places(c) && !connread_is_whole(c) &&
	    (c->in.len ? connread_has_room(c) : conn_has_memory(c));
}

/* What waits can go on now: a whole frame, or one that wants room. */
static bool
may_go_on(struct conn *c)
{
	if (connread_is_whole(c))
		return conn_may_begin(c);
	return c->in.len && !c->eof && !connread_has_room(c) &&
	    has_places(c) && conn_has_memory(c);
}

static void
count_paused(struct conn *c, bool paused)
{
	if (paused && !c->paused)
		atomic_fetch_add(&c->io->paused, 1);
	else if (!paused && c->paused)
		atomic_fetch_sub(&c->io->paused, 1);
	c->paused = paused;
}

/* A closed one ends when its calls have. */
static void
bury(struct conn *c)
{
	count_paused(c, false);
	if (c->in_flight || c->dead)
		return;
	c->dead = true;
	c->next_dead = c->io->dead;
	c->io->dead = c;
}

/* Tells epoll what is waited for, or ends the connection. */
static void
settle(struct conn *c)
{
	struct epoll_event ev = {.data.ptr = c};

	if (c->fd >= 0 && c->eof && !c->in_flight && !c->out &&
	    !connread_is_whole(c))
		conn_close(c);
	if (c->fd < 0) {
		bury(c);
		return;
	}
	c->starved = false;
	if (may_go_on(c))
		iothread_again(c->io, c);
	if (may_read(c))
		ev.events |= EPOLLIN | EPOLLRDHUP;
	if (c->blocked)
		ev.events |= EPOLLOUT;
	count_paused(c, !(ev.events & EPOLLIN));
	if (ev.events == c->interest)
		return;
	c->interest = ev.events;
	if (epoll_ctl(c->io->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev) < 0)
		conn_close(c);
}

static void
turn(struct conn *c)
{
	if (c->fd >= 0 && c->out && !c->blocked)
		flush(c);
	settle(c);
}

void
conn_ready(struct conn *c, uint32_t events)
{
	if (c->fd < 0)
		return;
	if (events & (EPOLLERR | EPOLLHUP)) {
		conn_close(c);
	} else {
		if (events & EPOLLOUT)
			flush(c);
		if ((events & (EPOLLIN | EPOLLRDHUP)) && may_read(c))
			connread_socket(c);
	}
	turn(c);
}

void
conn_go_on(struct conn *c)
{
	if (c->fd >= 0 && c->out && !c->blocked)
		flush(c);
	connread_rest(c);
	turn(c);
}

bool
conn_is_stuck(const struct conn *c, int64_t now_ms)
{
	int64_t before_ms = now_ms - c->io->server->limits.stall_ms;

	if (c->fd < 0)
		return false;
	if (c->out)
		return c->moved_ms < before_ms;
	if (!c->in_flight && !c->credential.shown)
		return c->came_ms < before_ms;
	return c->in.len && (c->interest & EPOLLIN) && c->frame_ms < before_ms;
}

/* --- going ------------------------------------------------------------------------------ */

void
conn_close(struct conn *c)
{
	pthread_mutex_lock(&c->sending);
	io_close(&c->fd);
	atomic_store(&c->gone, true);
	while (c->out)
		drop_first(c);
	pthread_mutex_unlock(&c->sending);
	iothread_again(c->io, c);
}

void
conn_leave(struct conn *c)
{
	if (c->fd < 0)
		return;
	shutdown(c->fd, SHUT_RD);
	iothread_again(c->io, c);
}

void
conn_free(struct conn *c)
{
	io_close(&c->fd);
	conn_let_go(c, c->held);
	credential_release(&c->credential);
	pthread_mutex_destroy(&c->sending);
	buf_release(&c->in);
	free(c);
}
