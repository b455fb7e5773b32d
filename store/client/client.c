/*
 * The blocking client of client.h: which requests are sent again, and what is
 * said when nobody knows.
 */
#include "client.h"

#include "connection.h"
#include "message.h"
#include "store/base/clock.h"
#include "store/value/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	AGAIN_MS = 5000,	/* nothing is tried again after that */
	PAUSE_FIRST_MS = 2, PAUSE_MOST_MS = 200,
	KEPT_BYTES = 256 * 1024		/* of a buffer, while it rests */
};

struct client {
	char *socket, *token, *key_file;
	client_prove *prove;
	int timeout_ms;
	bool starts;
	bool shown;		/* the store knows token or proof */
	uint32_t last_id;
	struct connection connection;
	struct buf frame;
};

/* NULL stays NULL. */
static int
copy_text(char **to, const char *s)
{
	*to = s ? strdup(s) : NULL;
	return s && !*to ? -1 : 0;
}

struct client *
client_new(const struct client_options *o)
{
	struct client *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->connection.fd = -1;
	c->connection.progress = o->progress;
	c->connection.ctx = o->ctx;
	c->prove = o->prove;
	c->timeout_ms = o->timeout_ms;
	c->starts = o->starts;
	buf_init(&c->connection.in, (size_t)2 * FRAME_REPLY_MAX);
	buf_init(&c->frame, FRAME_REQUEST_MAX);
	if (copy_text(&c->socket, o->socket) < 0 ||
	    copy_text(&c->token, o->token) < 0 ||
	    copy_text(&c->key_file, o->key_file) < 0) {
		client_free(c);
		return NULL;
	}
	return c;
}

void
client_free(struct client *c)
{
	if (!c)
		return;
	connection_release(&c->connection);
	buf_release(&c->frame);
	free(c->socket);
	free(c->token);
	free(c->key_file);
	free(c);
}

int
client_set_token(struct client *c, const char *token)
{
	char *copy;

	if (copy_text(&copy, token) < 0)
		return -1;
	free(c->token);
	c->token = copy;
	c->shown = false;
	return 0;
}

void
client_set_timeout(struct client *c, int timeout_ms)
{
	c->timeout_ms = timeout_ms;
}

void
client_rest(struct client *c)
{
	if (c->frame.room > KEPT_BYTES)
		buf_release(&c->frame);
	if (!c->connection.in.len && c->connection.in.room > KEPT_BYTES)
		buf_release(&c->connection.in);
}

int
client_fd(const struct client *c)
{
	return c->connection.fd;
}

/* --- one attempt ---------------------------------------------------------- */

static enum outcome
ensure(struct client *c, int64_t deadline_ms, struct err *e)
{
	if (c->connection.fd >= 0)
		return OUTCOME_DONE;
	c->shown = false;
	return connection_open(&c->connection, c->socket, deadline_ms, e);
}

/* The frame, with token or proof if the store doesn't know it yet. */
static int
make_frame(struct client *c, const struct frame_request *r, struct err *e)
{
	unsigned char proof[CLIENT_PROOF_SIZE];
	struct frame_request full = *r;

	if (!c->shown && c->token) {
		full.token = c->token;
		full.ntoken = strlen(c->token);
	} else if (!c->shown && c->key_file && c->prove) {
		if (c->prove(c->key_file, c->connection.hello.challenge, proof,
		    e) < 0)
			return -1;
		full.token = (const char *)proof;
		full.ntoken = sizeof proof;
		full.flags |= FRAME_PROOF;
	}
	buf_reset(&c->frame);
	if (FRAME_REQUEST_SIZE + full.ntoken + full.nbody <=
	    c->connection.hello.request_max &&
	    frame_write_request(&c->frame, &full) == 0)
		return 0;
	return err_set(e, FAULT_VALIDATION, "the request is too long: %zu "
	    "bytes of at most %u", r->nbody,
	    (unsigned)c->connection.hello.request_max);
}

static enum outcome
send_once(struct client *c, struct frame_request *r, bool repeatable,
    int64_t deadline_ms, struct err *e)
{
	enum outcome o = ensure(c, deadline_ms, e);
	int64_t left_ms;

	if (o != OUTCOME_DONE)
		return o;
	if (deadline_ms) {
		left_ms = deadline_ms - clock_mono_ms();
		r->patience_ms = left_ms > 0 ? (uint32_t)left_ms : 1;
	}
	r->id = ++c->last_id;
	if (make_frame(c, r, e) < 0)
		return OUTCOME_FAILED;
	o = connection_send(&c->connection, r->id, repeatable, &c->frame,
	    deadline_ms, e);
	c->shown = o == OUTCOME_DONE;
	return o;
}

/* The reply of an answered request, as the caller gets it. 0 or -1. */
static int
give_reply(struct client *c, struct waiting *w, struct buf *reply,
    struct err *e)
{
	int status = w->status, rc = 0;

	buf_reset(reply);
	if (!buf_ok(&w->body) || buf_add(reply, w->body.data, w->body.len) < 0)
		rc = err_set(e, FAULT_LIMIT, "the reply is longer than the "
		    "caller has room for");
	else if (status) {
		rc = err_set(e, status, "%s", "");
		message_read(w->body.data, w->body.len, e->text,
		    sizeof e->text);
	}
	connection_forget(&c->connection, w);
	return rc;
}

static int64_t
deadline(const struct client *c)
{
	return c->timeout_ms ? clock_mono_ms() + c->timeout_ms : 0;
}

/* --- again and again ------------------------------------------------------ */

/* What one attempt came to; a reply that asks for another is none. */
static enum outcome
attempt(struct client *c, struct frame_request *r, bool repeatable,
    int64_t deadline_ms, struct buf *reply, struct err *e, int *rc)
{
	struct frame_request copy = *r;
	struct waiting *w;
	enum outcome o = send_once(c, &copy, repeatable, deadline_ms, e);

	if (o != OUTCOME_DONE)
		return o;
	o = connection_wait(&c->connection, copy.id, deadline_ms, e);
	w = connection_find(&c->connection, copy.id);
	if (!w || o != OUTCOME_DONE) {
		/* A late reply must not meet the next request. */
		if (o == OUTCOME_LATE)
			connection_close(&c->connection);
		if (w)
			connection_forget(&c->connection, w);
		return o;
	}
	*rc = give_reply(c, w, reply, e);
	if (*rc < 0 && e->code == FAULT_LEAVING)
		connection_close(&c->connection);
	return *rc < 0 && (e->code == FAULT_LEAVING || e->code == FAULT_BUSY) ?
	    OUTCOME_UNSEEN : OUTCOME_DONE;
}

/* Waits before the next attempt, longer each time; false: no more of them. */
static bool
pause_before(int *pause_ms, int64_t start_ms, int64_t deadline_ms)
{
	struct timespec ts = {0, *pause_ms * 1000000L};
	int64_t until_ms = start_ms + AGAIN_MS;

	if (deadline_ms && deadline_ms < until_ms)
		until_ms = deadline_ms;
	if (clock_mono_ms() + *pause_ms >= until_ms)
		return false;
	nanosleep(&ts, NULL);
	*pause_ms *= 2;
	if (*pause_ms > PAUSE_MOST_MS)
		*pause_ms = PAUSE_MOST_MS;
	return true;
}

/* Nobody listens, and who calls will see to that. */
static bool
is_callers(const struct client *c, enum outcome o, const struct err *e)
{
	return c->starts && o == OUTCOME_UNSEEN &&
	    (e->code == ECONNREFUSED || e->code == ENOENT);
}

static int
unknown(struct err *e)
{
	char why[sizeof e->text];

	memcpy(why, e->text, sizeof why);
	return err_set(e, FAULT_UNKNOWN_OUTCOME, "nobody knows whether this "
	    "was done: %.300s", why);
}

int
client_call(struct client *c, enum operation op, unsigned flags,
    const char *body, size_t n, struct buf *reply, struct err *e)
{
	const struct operation_info *info = operation_info((int)op);
	struct frame_request r = {.operation = (uint16_t)op,
	    .flags = (uint16_t)flags, .body = body, .nbody = n};
	int64_t start_ms = clock_mono_ms(), until_ms = deadline(c);
	int pause_ms = PAUSE_FIRST_MS, rc = -1;
	bool repeatable;
	enum outcome o;

	buf_reset(reply);
	if (!info)
		return err_set(e, FAULT_UNKNOWN_OPERATION,
		    "there is no operation %d", (int)op);
	repeatable = info->repeatable || (flags & CLIENT_REPEATABLE);
	for (;;) {
		o = attempt(c, &r, repeatable, until_ms, reply, e, &rc);
		if (o == OUTCOME_DONE)
			return rc;
		if (o == OUTCOME_FAILED)
			return -1;
		if (o != OUTCOME_UNSEEN && !repeatable)
			return unknown(e);
		if (o == OUTCOME_LATE || is_callers(c, o, e) ||
		    !pause_before(&pause_ms, start_ms, until_ms))
			return -1;
	}
}

int
client_connect(struct client *c, struct err *e)
{
	int64_t start_ms = clock_mono_ms(), until_ms = deadline(c);
	int pause_ms = PAUSE_FIRST_MS;
	enum outcome o;

	do
		o = ensure(c, until_ms, e);
	while (o == OUTCOME_UNSEEN &&
	    pause_before(&pause_ms, start_ms, until_ms));
	return o == OUTCOME_DONE ? 0 : -1;
}

/* --- several at once ------------------------------------------------------ */

int
client_send(struct client *c, enum operation op, unsigned flags,
    const char *body, size_t n, uint32_t *id, struct err *e)
{
	const struct operation_info *info = operation_info((int)op);
	struct frame_request r = {.operation = (uint16_t)op,
	    .flags = (uint16_t)flags, .body = body, .nbody = n};

	if (!info)
		return err_set(e, FAULT_UNKNOWN_OPERATION,
		    "there is no operation %d", (int)op);
	if (send_once(c, &r, info->repeatable, deadline(c), e) != OUTCOME_DONE)
		return -1;
	*id = r.id;
	return 0;
}

int
client_wait(struct client *c, uint32_t id, struct buf *reply, struct err *e)
{
	enum outcome o = connection_wait(&c->connection, id, deadline(c), e);
	struct waiting *w = connection_find(&c->connection, id);
	bool repeatable = w && w->repeatable;

	buf_reset(reply);
	if (w && o == OUTCOME_DONE)
		return give_reply(c, w, reply, e);
	if (o == OUTCOME_LATE)
		connection_close(&c->connection);
	if (w)
		connection_forget(&c->connection, w);
	return o == OUTCOME_FAILED || o == OUTCOME_UNSEEN || repeatable ? -1 :
	    unknown(e);
}
