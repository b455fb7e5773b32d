/*
 * The request's way to the store: a client when one is first needed, and what
 * its failures mean for the request.  Runs in a function's process.
 */
#include "store.h"

#include "store/value/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BODY_MAX = FRAME_BODY_MAX,
	TIMEOUT_MS = 30000,	/* where the request has no deadline */
	MARGIN_MS = 50		/* left of a deadline to answer in */
};

/*
 * The process's client, from its first request that needs one on.  It isn't
 * that of a process which the author forks.
 */
static struct {
	struct client *client;
	char *socket;
	pid_t owner;
} kept;

int
store_kept_fd(void)
{
	return kept.client && kept.owner == getpid() ? client_fd(kept.client)
	                                             : -1;
}

static void
drop_client(void)
{
	client_free(kept.client);
	free(kept.socket);
	kept.client = NULL;
	kept.socket = NULL;
}

/* The one that is kept, if it leads where it should, with this token. */
static bool
may_keep(const struct client_options *o)
{
	return kept.client && kept.owner == getpid() && o->token &&
	    strcmp(kept.socket, o->socket) == 0 &&
	    client_set_token(kept.client, o->token) == 0;
}

/* Without a token nobody may go on with the connection of who had one. */
static struct client *
take_client(const struct client_options *o)
{
	if (may_keep(o))
		return kept.client;
	drop_client();
	kept.socket = strdup(o->socket);
	kept.client = kept.socket ? client_new(o) : NULL;
	kept.owner = getpid();
	return kept.client;
}

static void
release(void *arg)
{
	struct store *s = arg;

	buf_release(&s->body);
	buf_release(&s->reply);
	json_decref(s->error.body);
}

static struct store *
make(struct bothy_req *req)
{
	const struct client_options o = {
	    .socket = bothy_env("BOTHY_STORE", NULL),
	    .token = bothy_env("BOTHY_STORE_TOKEN", NULL)};
	struct store *s = bag_alloc(&req->bag, sizeof *s);

	if (!s) {
		request_no_memory(req);
		return NULL;
	}
	*s = (struct store){.req = req, .granted = o.socket != NULL,
	    .client = o.socket ? take_client(&o) : NULL};
	buf_init(&s->body, BODY_MAX);
	buf_init(&s->reply, FRAME_REPLY_MAX);
	return request_on_end(req, release, s) < 0 ? NULL : s;
}

static void note(struct store *s, int fault, const char *name,
    const char *text);

struct store *
store_of(struct bothy_req *req)
{
	struct store *s;

	if (!req->store)
		req->store = make(req);
	s = req->store;
	if (!s || s->client)
		return s;
	if (s->granted)
		note(s, FAULT_INTERNAL, fault_name(FAULT_INTERNAL),
		    "out of memory");
	else
		note(s, FAULT_DENIED, fault_name(FAULT_DENIED), "this "
		    "function has no store: give it iam.role.statements in "
		    "deploy.yaml");
	return NULL;
}

unsigned
store_write_flags(const struct store *s)
{
	return s->no_wait ? 0 : CLIENT_WAIT_FILE;
}

/* --- failures ------------------------------------------------------------- */

/* The HTTP status that fits; 500 for what is no row. */
static int
status_of(int fault)
{
	static const struct { int fault, status; } rows[] = {
		{FAULT_CONDITION, 409}, {FAULT_CANCELED, 409},
		{FAULT_CONFLICT, 409}, {FAULT_IN_PROGRESS, 409},
		{FAULT_THROUGHPUT, 503}, {FAULT_NO_ROOM, 503},
		{FAULT_READ_ONLY, 503}, {FAULT_BUSY, 503},
		{FAULT_LEAVING, 503}, {FAULT_UNKNOWN_OUTCOME, 503},
		{ECONNREFUSED, 503}, {ENOENT, 503}, {ECONNRESET, 503},
		{EAGAIN, 503}, {ETIMEDOUT, 503},
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].fault == fault)
			return rows[i].status;
	return 500;
}

/* What the last call failed with, for bothy_store_error() and for all. */
static void
note(struct store *s, int fault, const char *name, const char *text)
{
	json_decref(s->error.body);
	snprintf(s->name, sizeof s->name, "%s", name);
	snprintf(s->message, sizeof s->message, "%s", text);
	s->error = (struct bothy_store_error){.name = s->name,
	    .message = s->message, .unknown = fault == FAULT_UNKNOWN_OUTCOME};
	s->failed = true;
	request_fail(s->req, status_of(fault), "%s: %.150s", name, text);
}

int
store_fail(struct store *s, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	note(s, FAULT_VALIDATION, fault_name(FAULT_VALIDATION), text);
	return -1;
}

const struct bothy_store_error *
bothy_store_error(struct bothy_req *req)
{
	return req->store && req->store->failed ? &req->store->error : NULL;
}

/* --- calls ---------------------------------------------------------------- */

static int
timeout_ms(struct bothy_req *req)
{
	int64_t left = bothy_remaining_ms(req);

	if (left > TIMEOUT_MS + MARGIN_MS)
		return TIMEOUT_MS;
	return left > 2 * MARGIN_MS ? (int)(left - MARGIN_MS) : MARGIN_MS;
}

json_t *
store_call(struct store *s, enum operation op, unsigned flags,
    const char *body, size_t n)
{
	json_t *json;
	struct err e;

	s->failed = false;
	client_set_timeout(s->client, timeout_ms(s->req));
	if (client_call(s->client, op, flags | CLIENT_PLAIN, body, n,
	    &s->reply, &e) < 0) {
		note(s, e.code, e.code < FAULT_FIRST ? "UnreachableException" :
		    fault_name(e.code), e.text);
		if (s->reply.len)
			s->error.body = store_decode(s->reply.data,
			    s->reply.len);
		return NULL;
	}
	json = store_decode(s->reply.data, s->reply.len);
	if (!json)
		note(s, FAULT_INTERNAL, fault_name(FAULT_INTERNAL),
		    "the store's reply is longer than memory, or no JSON");
	return json;
}

static void
drop(void *json)
{
	json_decref(json);
}

json_t *
bothy_keep(struct bothy_req *req, json_t *json)
{
	if (!json || request_on_end(req, drop, json) < 0)
		return NULL;
	return json;
}

void
bothy_wait_file(struct bothy_req *req, bool wait)
{
	struct store *s = store_of(req);

	if (s)
		s->no_wait = !wait;
}

json_t *
bothy_store(struct bothy_req *req, const char *operation, const json_t *body)
{
	const struct operation_info *info = operation_named(operation,
	    strlen(operation));
	struct store *s = store_of(req);

	if (!s)
		return NULL;
	if (!info) {
		store_fail(s, "there is no operation %.60s", operation);
		return NULL;
	}
	buf_reset(&s->body);
	if (body ? store_encode(&s->body, body) < 0 :
	    buf_puts(&s->body, "{}") < 0) {
		store_fail(s, "the body is no JSON that can be written");
		return NULL;
	}
	return bothy_keep(req, store_call(s, info->op,
	    info->class == OP_WRITE ? store_write_flags(s) : 0, s->body.data,
	    s->body.len));
}
