/*
 * Frames of a connection, and the calls that they begin.  Runs in the I/O
 * thread.
 *
 * The socket is read into the thread's one buffer, and frames are begun from
 * there; only what is left over is kept by the connection.  So one that is
 * quiet holds no memory, and a small request is never copied unless another
 * thread has to do with it.
 */
#include "connread.h"

#include "conn.h"
#include "iothread.h"
#include "server.h"

#include "store/base/clock.h"
#include "store/value/fault.h"

#include <errno.h>
#include <sys/socket.h>

enum {
	CALL_BYTES = 16 * 1024,		/* about what a call holds besides */
	UNPROVEN_MAX = 64 * 1024,	/* of a frame, from who shows nothing */
	TOKEN_SEEN = FRAME_REQUEST_SIZE + FRAME_TOKEN_MAX
};

/* --- one request ----------------------------------------------------------------- */

/* It may outlive this turn: all but the reads of documents that are here. */
static bool
stays(const struct relay_ref *relay, int operation)
{
	const struct operation_info *info = operation_info(operation);

	return info && (relay || info->class != OP_READ ||
	    info->family == OP_FAMILY_BOTHY);
}

static int
copy_body(struct call *k, struct frame_request *r, struct err *e)
{
	if (buf_add(&k->request, r->body, r->nbody) < 0)
		return err_set(e, FAULT_LIMIT, "no memory for the request");
	r->body = k->request.data;
	return 0;
}

/* Where documents are elsewhere: those go on, and little is done here. */
static void
run_far(struct conn *c, struct call *k, struct relay_ref *relay)
{
	const struct operation_info *info = k->op.request.info;
	struct err e;

	if (relay_has((int)info->op)) {
		if (op_check_elsewhere(&k->op, &c->io->view, &e) < 0)
			call_fail(k, &e);
		else {
			k->relay = relay;
			longwork_add(&c->io->server->relayed, k);
			return;
		}
	} else if (info->op == OP_STAT || info->op == OP_STOP ||
	    info->op == OP_DECLARE) {
		op_run(&k->op, &c->io->view);
	} else {
		err_set(&e, FAULT_VALIDATION, "%s has no counterpart "
		    "where resources.store has the documents", info->name);
		call_fail(k, &e);
	}
	relays_give_back(relay);
}

/* Where documents are to be is told by settings that come. */
static int
follow_settings(struct server *s, const struct request *r, struct err *e)
{
	struct settings settings;
	int rc;

	if (r->info->op != OP_DECLARE || !r->store.settings.p)
		return 0;
	if (settings_read(r->store.settings.p, r->store.settings.n, &settings,
	        e) < 0)
		return -1;
	rc = relays_follow(&s->relays, &settings, e);
	settings_release(&settings);
	return rc;
}

static bool
is_for_here(const struct frame_request *r, const struct token *token)
{
	return (r->flags & FRAME_HERE) && token->all;
}

/* `relay` NULL: here. */
static void
run(struct conn *c, struct call *k, const struct frame_request *r,
    const struct token *token, struct relay_ref *relay)
{
	struct err e;

	k->op.wait_file = r->flags & FRAME_WAIT_FILE;
	if (op_read(&k->op, r->operation, r->flags & FRAME_PLAIN, r->body,
	        r->nbody, token) < 0) {
		relays_give_back(relay);
		k->op.done(&k->op);
		return;
	}
	if (k->request.len) {
		k->held = CALL_BYTES + k->request.len + k->op.arena.used;
		conn_hold(c, k->held);
		k->away = true;
		atomic_fetch_add(&c->io->server->away, 1);
	}
	if (follow_settings(c->io->server, &k->op.request, &e) < 0) {
		relays_give_back(relay);
		call_fail(k, &e);
		return;
	}
	if (relay) {
		run_far(c, k, relay);
	} else if (op_is_long(&k->op)) {
		longwork_add(&c->io->server->longwork, k);
	} else {
		k->op.gathered = k->away;
		c->io->gathered |= k->away;
		op_run(&k->op, &c->io->view);
	}
}

/*
 * Where it runs is seen once, before what it needs is kept: it may change at
 * any time.
 */
static int
begin(struct conn *c, struct call *k, struct frame_request *r,
    const struct token *token, struct err *e)
{
	struct relay_ref *relay = is_for_here(r, token)
	    ? NULL
	    : relays_hold(&c->io->server->relays);

	if (stays(relay, r->operation) && copy_body(k, r, e) < 0) {
		relays_give_back(relay);
		return -1;
	}
	run(c, k, r, token, relay);
	return 0;
}

/* One whole frame. False: the connection can't go on. */
static bool
serve(struct conn *c, const char *p, size_t n)
{
	const struct server *s = c->io->server;
	const struct token *token;
	struct frame_request r;
	struct call *k;
	struct err e;
	int rc = frame_read_request(p, n, &r, &e);

	k = call_take(c, r.id);
	if (!k)
		return false;
	c->in_flight++;
	k->give_up_ms = r.patience_ms ? c->io->now_ms + r.patience_ms : 0;
	k->op.plain = r.flags & FRAME_PLAIN;
	if (rc == 0 && c->io->leaving)
		rc = err_set(&e, FAULT_LEAVING, "the store is closing");
	if (rc == 0) {
		token = credential_check(&c->credential, &r, s->secret,
		    c->challenge, c->io->wall_ms, &e);
		if (token && begin(c, k, &r, token, &e) == 0)
			return true;
	}
	call_fail(k, &e);
	return e.code != FAULT_BUSY;	/* its token is lost: it shows it anew */
}

/* --- frames --------------------------------------------------------------------------- */

static ssize_t
size_of(const char *p, size_t n)
{
	return frame_size(p, n, FRAME_REQUEST_SIZE, FRAME_REQUEST_MAX);
}

bool
connread_is_whole(const struct conn *c)
{
	ssize_t size = size_of(c->in.data, c->in.len);

	return size > 0 && (size_t)size <= c->in.len;
}

bool
connread_has_room(const struct conn *c)
{
	return c->in.room - c->in.len > 1;
}

/*
 * Begins the frames of `n` bytes as far as it may; how many bytes that were.
 * A frame that makes no sense ends the reading: nobody knows where the next
 * one begins.
 */
static size_t
begin_frames(struct conn *c, const char *p, size_t n)
{
	int64_t until_us = clock_mono_us() + CONN_TURN_US;
	unsigned frames = 0;
	size_t at = 0;
	ssize_t size;

	while (frames++ < CONN_FRAMES_AT_ONCE && conn_may_begin(c)) {
		size = size_of(p + at, n - at);
		if (size < 0 || (size > 0 && (size_t)size <= n - at &&
		                    !serve(c, p + at, (size_t)size))) {
			c->eof = true;
			return n;
		}
		if (size == 0 || (size_t)size > n - at)
			break;
		at += (size_t)size;
		if (at < n && clock_mono_us() > until_us)
			break;
	}
	return at;
}

/*
 * Room for the whole of a frame whose begin is in `in`.  A long one needs a
 * token that holds, and memory that nobody else has: until then it waits.
 * False: it is refused.
 */
static bool
make_room(struct conn *c)
{
	const struct server *s = c->io->server;
	ssize_t size = size_of(c->in.data, c->in.len);
	struct frame_request r;
	struct err e;

	if (size < (ssize_t)c->in.room)
		return true;
	if (size > UNPROVEN_MAX) {
		if (frame_read_request(c->in.data, c->in.len, &r, &e) < 0)
			return c->in.len < TOKEN_SEEN &&
			    buf_reserve(&c->in, TOKEN_SEEN) == 0;
		if (!credential_check(&c->credential, &r, s->secret,
		        c->challenge, c->io->wall_ms, &e))
			return false;
		if (!conn_has_memory(c))
			return true;
	}
	c->frame_ms = c->io->now_ms;
	return buf_reserve(&c->in, (size_t)size - c->in.len) == 0;
}

static void
refuse(struct conn *c)
{
	struct frame_request r;
	struct call *k;
	struct err e;

	(void)frame_read_request(c->in.data, c->in.len, &r, &e);
	buf_reset(&c->in);
	c->eof = true;
	k = call_take(c, r.id);
	if (!k)
		return;
	c->in_flight++;
	err_set(&e, FAULT_DENIED, "a request this long needs a token that "
	    "holds, and memory");
	call_fail(k, &e);
}

/* What is left is kept, and counts. */
static void
keep(struct conn *c)
{
	if (!c->in.len)
		buf_release(&c->in);
	else if (!make_room(c))
		refuse(c);
	if (c->in.room > c->in_held)
		conn_hold(c, c->in.room - c->in_held);
	else
		conn_let_go(c, c->in_held - c->in.room);
	c->in_held = c->in.room;
}

/* Begins what is in `in`, and keeps the rest. */
static void
begin_kept(struct conn *c)
{
	size_t n = begin_frames(c, c->in.data, c->in.len);

	buf_consume(&c->in, n);
	if (n)
		c->frame_ms = c->io->now_ms;
	keep(c);
}

void
connread_rest(struct conn *c)
{
	if (c->fd >= 0 && c->in.len)
		begin_kept(c);
}

/* --- the socket -------------------------------------------------------------------------- */

/* One read: bytes, 0 at the end or when nothing is there. */
static size_t
receive(struct conn *c, char *p, size_t room)
{
	ssize_t n;

	do
		n = recv(c->fd, p, room, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return (size_t)n;
	if (n == 0)
		c->eof = true;
	else if (errno != EAGAIN)
		conn_close(c);
	return 0;
}

/* More of a frame that has begun. */
static void
receive_more(struct conn *c)
{
	size_t n = receive(c, c->in.data + c->in.len,
	    c->in.room - c->in.len - 1);

	c->in.len += n;
	if (n)
		begin_kept(c);
}

void
connread_socket(struct conn *c)
{
	char *p = c->io->scratch;
	size_t n, begun;

	if (c->in.len) {
		receive_more(c);
		return;
	}
	n = receive(c, p, IOTHREAD_SCRATCH);
	begun = n ? begin_frames(c, p, n) : 0;
	if (begun == n)
		return;
	if (buf_add(&c->in, p + begun, n - begun) < 0) {
		c->eof = true;
		return;
	}
	c->frame_ms = c->io->now_ms;
	keep(c);
}
