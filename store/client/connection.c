/*
 * The connection of connection.h.  Runs in functions, the gateway and the
 * command line; never blocks past a deadline, never raises SIGPIPE.
 */
#include "connection.h"

#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/sock.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { RECEIVE_BYTES = 64 * 1024, HELLO_WAIT_MS = 5000 };

/* --- coming and going ----------------------------------------------------- */

/* A path too long for an address is reached through its directory. */
static int
connect_far(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[4096];
	int dir_fd, fd, saved;

	if (!slash || (size_t)(slash - path) >= sizeof dir) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -1;
	fd = sock_connect_at(dir_fd, slash + 1, SOCK_STREAM);
	saved = errno;
	close(dir_fd);
	errno = saved;
	return fd;
}

static int
connect_to(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd, saved;

	if (strlen(path) >= sizeof sun.sun_path)
		return connect_far(path);
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&sun, sizeof sun) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* 1 when something of `events` is there, 0 when the time is up, or -1. */
static int
wait_for(int fd, short events, int64_t deadline_ms)
{
	struct pollfd p = {fd, events, 0};
	int64_t left;
	int rc;

	do {
		left = deadline_ms ? deadline_ms - clock_mono_ms() : -1;
		if (deadline_ms && left < 0)
			left = 0;
		rc = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
	} while (rc < 0 && errno == EINTR);
	return rc;
}

static enum outcome
read_hello(struct connection *c, int64_t deadline_ms, struct err *e)
{
	char bytes[FRAME_HELLO_SIZE];
	size_t got = 0;
	ssize_t n;
	int rc;

	while (got < sizeof bytes) {
		rc = wait_for(c->fd, POLLIN, deadline_ms);
		if (rc == 0) {
			err_set(e, ETIMEDOUT, "the store said no hello");
			return OUTCOME_UNSEEN;
		}
		n = rc < 0 ? -1 : recv(c->fd, bytes + got, sizeof bytes - got,
		    MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0) {
			err_set(e, ECONNRESET,
			    "the store closed the connection");
			return OUTCOME_UNSEEN;
		}
		got += (size_t)n;
	}
	return frame_read_hello(bytes, sizeof bytes, &c->hello, e) < 0 ?
	    OUTCOME_FAILED : OUTCOME_DONE;
}

enum outcome
connection_open(struct connection *c, const char *socket, int64_t deadline_ms,
    struct err *e)
{
	int64_t hello_ms = clock_mono_ms() + HELLO_WAIT_MS;
	enum outcome o;

	if (!c->waiting)
		c->waiting = calloc(FRAME_IN_FLIGHT_MAX, sizeof *c->waiting);
	if (!c->waiting) {
		err_set(e, ENOMEM, "no memory for a connection");
		return OUTCOME_FAILED;
	}
	c->fd = connect_to(socket);
	if (c->fd < 0) {
		err_sys(e, "cannot reach the store at %.200s", socket);
		return e->code == ENOENT || e->code == ECONNREFUSED ||
		    e->code == EAGAIN ? OUTCOME_UNSEEN : OUTCOME_FAILED;
	}
	if (deadline_ms == 0 || deadline_ms > hello_ms)
		deadline_ms = hello_ms;
	o = read_hello(c, deadline_ms, e);
	if (o != OUTCOME_DONE)
		connection_close(c);
	return o;
}

void
connection_close(struct connection *c)
{
	size_t i;

	io_close(&c->fd);
	buf_reset(&c->in);
	for (i = 0; i < c->count; i++)
		c->waiting[i].lost = !c->waiting[i].answered;
}

void
connection_release(struct connection *c)
{
	connection_close(c);
	while (c->count)
		connection_forget(c, &c->waiting[0]);
	free(c->waiting);
	buf_release(&c->in);
}

/* --- what waits ----------------------------------------------------------- */

struct waiting *
connection_find(struct connection *c, uint32_t id)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		if (c->waiting[i].id == id)
			return &c->waiting[i];
	return NULL;
}

void
connection_forget(struct connection *c, struct waiting *w)
{
	buf_release(&w->body);
	*w = c->waiting[--c->count];
}

/* --- replies -------------------------------------------------------------- */

static int
take_reply(struct connection *c, const struct frame_reply *r)
{
	struct waiting *w = connection_find(c, r->id);

	if (!w || w->answered)
		return -1;
	if (r->flags & FRAME_PROGRESS) {
		if (c->progress)
			c->progress(c->ctx, r->body, r->nbody);
		return 0;
	}
	w->answered = true;
	w->status = r->status;
	return buf_add(&w->body, r->body, r->nbody);
}

/* All whole frames that are there. 0, or -1: this is no store's talk. */
static int
take_frames(struct connection *c)
{
	struct frame_reply r;
	struct err ignored;
	size_t at = 0;
	ssize_t size = 0;

	while (at < c->in.len) {
		size = frame_size(c->in.data + at, c->in.len - at,
		    FRAME_REPLY_SIZE, c->hello.reply_max);
		if (size <= 0 || (size_t)size > c->in.len - at)
			break;
		if (frame_read_reply(c->in.data + at, (size_t)size, &r,
		    &ignored) < 0 || take_reply(c, &r) < 0)
			return -1;
		at += (size_t)size;
	}
	buf_consume(&c->in, at);
	if (size < 0)
		return -1;
	return size > 0 ? buf_reserve(&c->in, (size_t)size - c->in.len) : 0;
}

/*
 * Unread bytes make the kernel tell ECONNRESET: if only one request was under
 * way, the store has not read the whole of it.
 */
static enum outcome
broken(struct connection *c, ssize_t n, struct err *e)
{
	bool unread = n < 0 && errno == ECONNRESET;
	size_t i, unanswered = 0;

	for (i = 0; i < c->count; i++)
		unanswered += !c->waiting[i].answered;
	connection_close(c);
	err_set(e, ECONNRESET, "the store closed the connection");
	return unread && unanswered == 1 ? OUTCOME_UNSEEN : OUTCOME_LOST;
}

static enum outcome
nonsense(struct connection *c, struct err *e)
{
	connection_close(c);
	err_set(e, EPROTO, "the store's reply makes no sense");
	return OUTCOME_LOST;
}

/* What there is to receive, without waiting. */
static enum outcome
receive(struct connection *c, struct err *e)
{
	size_t room;
	ssize_t n;

	if (buf_reserve(&c->in, RECEIVE_BYTES) < 0)
		return nonsense(c, e);
	room = c->in.room - c->in.len - 1;
	n = recv(c->fd, c->in.data + c->in.len, room, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return OUTCOME_DONE;
	if (n <= 0)
		return broken(c, n, e);
	c->in.len += (size_t)n;
	c->in.data[c->in.len] = '\0';
	return take_frames(c) < 0 ? nonsense(c, e) : OUTCOME_DONE;
}

enum outcome
connection_wait(struct connection *c, uint32_t id, int64_t deadline_ms,
    struct err *e)
{
	const struct waiting *w;
	enum outcome o;
	int rc;

	for (;;) {
		w = connection_find(c, id);
		if (!w) {
			err_set(e, EINVAL, "no such request is under way");
			return OUTCOME_FAILED;
		}
		if (w->answered)
			return OUTCOME_DONE;
		if (w->lost) {
			err_set(e, ECONNRESET,
			    "the store closed the connection");
			return OUTCOME_LOST;
		}
		rc = wait_for(c->fd, POLLIN, deadline_ms);
		if (rc == 0) {
			err_set(e, ETIMEDOUT, "the store did not answer in "
			    "time");
			return OUTCOME_LATE;
		}
		o = rc < 0 ? broken(c, -1, e) : receive(c, e);
		if (o != OUTCOME_DONE)
			return o;
	}
}

/* --- requests ------------------------------------------------------------- */

/*
 * Writes it all.  Replies that come meanwhile are taken, or two full sockets
 * could wait for one another.
 */
static enum outcome
write_frame(struct connection *c, const struct buf *frame,
    int64_t deadline_ms, struct err *e)
{
	size_t at = 0;
	ssize_t n;
	int rc;

	while (at < frame->len) {
		n = send(c->fd, frame->data + at, frame->len - at,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0) {
			at += (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			break;
		rc = wait_for(c->fd, POLLIN | POLLOUT, deadline_ms);
		if (rc == 0)
			errno = ETIMEDOUT;
		if (rc <= 0)
			break;
		if (receive(c, e) != OUTCOME_DONE)
			return OUTCOME_UNSEEN;
	}
	if (at == frame->len)
		return OUTCOME_DONE;
	err_sys(e, "cannot write to the store");
	connection_close(c);	/* half a frame can't be followed by another */
	return OUTCOME_UNSEEN;
}

enum outcome
connection_send(struct connection *c, uint32_t id, bool repeatable,
    const struct buf *frame, int64_t deadline_ms, struct err *e)
{
	struct waiting *w;
	enum outcome o;

	if (c->count >= FRAME_IN_FLIGHT_MAX ||
	    c->count >= c->hello.in_flight_max) {
		err_set(e, FAULT_BUSY, "too many requests are under way");
		return OUTCOME_FAILED;
	}
	o = write_frame(c, frame, deadline_ms, e);
	if (o != OUTCOME_DONE)
		return o;
	w = &c->waiting[c->count++];
	*w = (struct waiting){.id = id, .repeatable = repeatable};
	buf_init(&w->body, FRAME_REPLY_MAX);
	return OUTCOME_DONE;
}
