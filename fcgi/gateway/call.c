/*
 * A request's way through a function: body, environment, concurrency, the run
 * itself, and what became of it.  Runs in a worker thread.
 */
#include "exchange.h"

#include "replay.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
	REDIRECTS_MAX = 5,
	BODY_UNTOLD_MS = 90 * 1000	/* for a body of a length not told */
};

static const char TOO_MUCH_MEMORY[] = "it used more than its memorySize";
static const char TOO_MANY_PROCESSES[] =
    "it had more than the 256 processes of a request";

/* A token for the store, if the function may use it: 0, or -1 answered. */
static int
make_token(struct exchange *x, int64_t deadline_ms)
{
	struct answer a = {.message = "the store can't be used; the gateway's "
	    "log says why"};
	struct worker *w = x->w;
	struct err e;

	buf_reset(&w->token);
	if (!x->f->grants ||
	    storage_token(&w->g->storage, x->site->snapshot, x->f->grants,
	        x->f->name, deadline_ms, &w->token, &e) == 0)
		return 0;
	gateway_log(w->g, "error", "%s gets no store: %s", x->f->name, e.text);
	exchange_refuse(x, 503, OUTCOME_ERROR, "the store can't be used", &a);
	return -1;
}

static int
make_environment(struct exchange *x)
{
	struct worker *w = x->w;
	const struct snap_function *fn = x->f->fn;
	struct cgienv_request r = {.params = &w->params, .path = &w->path,
	    .client = &x->client, .match = &x->match, .own = &x->f->own,
	    .function = x->f->name, .request_id = x->id, .method = x->method,
	    .traceparent = x->trace,
	    .body_bytes = x->body_fd >= 0 ? (int64_t)x->body_bytes : -1,
	    .deadline_ms = fn->timeout_ms ? x->wall_ms + fn->timeout_ms : 0};
	int status;

	if (make_token(x, r.deadline_ms) < 0)
		return -1;
	if (x->f->grants) {
		r.store = w->g->storage.place.socket;
		r.store_token = buf_str(&w->token);
	}
	status = cgienv_build(&w->env, &r);
	if (status)
		exchange_refuse_because(x, status, w->env.reason);
	return status ? -1 : 0;
}

static void
log_bytes(void *ctx, const char *p, size_t n)
{
	struct respond *r = ctx;

	fnlog_feed(&r->w->fnlog, p, n);
	if (r->committed)
		fnlog_flush(&r->w->fnlog);
}

/* Time is up: the client hears it before the process is asked to end. */
static void
on_expired(void *ctx)
{
	struct respond *r = ctx;
	struct worker *w = r->w;
	struct answer a = {.status = 504, .request_id = r->request_id,
	    .cors = &r->site->cors, .origin = r->origin, .head = r->head};

	if (r->committed || r->answered)
		return;
	r->answered = true;
	buf_reset(&w->head);
	answer_json(&w->head, &a);
	deadline_set(&w->deadline, peer_fd(w->peer), DEADLINE_WRITE_MS);
	if (peer_write(w->peer, w->head.data, w->head.len) < 0 ||
	    peer_flush(w->peer) < 0)
		r->left = true;
	deadline_clear(&w->deadline);
}

static bool
stops_on_leave(const struct exchange *x)
{
	const struct snap_function *fn = x->f->fn;

	if (fn->on_disconnect != SNAP_DISCONNECT_AUTO)
		return fn->on_disconnect == SNAP_DISCONNECT_STOP;
	return fn->response == SNAP_RESPONSE_STREAM ||
	    strcmp(x->method, "GET") == 0 || strcmp(x->method, "HEAD") == 0;
}

/* A line in the function's log, and the command that does it again. */
static void
note_crash(struct exchange *x)
{
	const struct replay r = {.function = x->f->name,
	    .method = x->method,
	    .target = x->w->path.raw,
	    .content_type = x->w->params.content_type,
	    .request_id = x->id,
	    .body_fd = x->body_fd,
	    .body_bytes = x->body_bytes};
	struct buf line;

	buf_init(&line, REPLAY_MAX);
	snprintf(x->text, sizeof x->text, "killed by signal %d (%s)",
	    x->result.status,
	    x->result.status ? strsignal(x->result.status) : "not known");
	x->detail = x->text;
	fnlog_note(&x->w->fnlog, "error", x->text);
	replay_command(&r, x->w->g->state_fd, x->w->g->state_dir, &line);
	fnlog_note(&x->w->fnlog, "error", buf_str(&line));
	buf_release(&line);
}

/* The outcome of a run whose reply has gone out, or began to. */
static void
settle_committed(struct exchange *x)
{
	struct respond *r = &x->respond;

	x->status = x->w->reply.status;
	x->bytes_out = r->bytes;
	switch (x->result.end) {
	case RUN_EXIT:
	case RUN_CLOSED:
		if (r->left)
			x->outcome = OUTCOME_CLIENT_LEFT;
		else if (reply_short(&x->w->reply)) {
			x->outcome = OUTCOME_TRUNCATED;
			x->detail = "the body is shorter than its "
			            "Content-Length";
		} else if (x->result.end == RUN_EXIT && x->result.status) {
			snprintf(x->text, sizeof x->text,
			    "exited with status %d", x->result.status);
			x->outcome = OUTCOME_FAILED;
			x->detail = x->text;
			fnlog_note(&x->w->fnlog, "error", x->text);
		}
		break;
	case RUN_STOPPED:
		x->outcome = OUTCOME_CLIENT_LEFT;
		break;
	case RUN_SIGNAL:
		note_crash(x);
		x->outcome = OUTCOME_TRUNCATED;
		break;
	case RUN_TIMEOUT:
		x->outcome = OUTCOME_TRUNCATED;
		x->detail = "its time was up";
		fnlog_note(&x->w->fnlog, "error", x->detail);
		break;
	case RUN_MEMORY:
		x->outcome = OUTCOME_TRUNCATED;
		x->detail = TOO_MUCH_MEMORY;
		fnlog_note(&x->w->fnlog, "error", x->detail);
		break;
	case RUN_PROCESSES:
		x->outcome = OUTCOME_TRUNCATED;
		x->detail = TOO_MANY_PROCESSES;
		fnlog_note(&x->w->fnlog, "error", x->detail);
		break;
	case RUN_NO_EXEC:
	case RUN_REFUSED:
		x->outcome = OUTCOME_ERROR;
		break;
	}
	x->broken = x->outcome == OUTCOME_TRUNCATED;
}

static void
settle_refused(struct exchange *x)
{
	struct answer a = {0};

	snprintf(x->text, sizeof x->text, "%s", x->result.text);
	switch (x->result.status) {
	case LAUNCH_BUSY:
		exchange_refuse(x, 429, OUTCOME_THROTTLED, x->text, NULL);
		break;
	case LAUNCH_THROTTLED:
		a.message = "the function ends as soon as it starts: try "
		    "again later";
		exchange_refuse(x, 503, OUTCOME_CRASHED, x->text, &a);
		break;
	case LAUNCH_LEAVING:
		a.message = "no process can be had for functions; the "
		    "launcher's log says why";
		exchange_refuse(x, 503, OUTCOME_ERROR, x->text, &a);
		break;
	default:
		fnlog_note(&x->w->fnlog, "error", x->text);
		exchange_refuse(x, 502, OUTCOME_CRASHED, x->text, NULL);
		break;
	}
}

static void
bad_reply(struct exchange *x)
{
	snprintf(x->text, sizeof x->text, "bad reply: %s%s",
	    x->w->reply.reason ? x->w->reply.reason : "no reply",
	    x->result.end == RUN_EXIT && x->result.status
	        ? "; it exited with an error status"
	        : "");
	fnlog_note(&x->w->fnlog, "error", x->text);
	exchange_refuse(x, 502, OUTCOME_BAD_REPLY, x->text, NULL);
}

/* The outcome of a run of which nothing has gone out. */
static void
settle_held(struct exchange *x)
{
	switch (x->result.end) {
	case RUN_EXIT:
	case RUN_CLOSED:
		if (respond_end(&x->respond) == 0)
			settle_committed(x);
		else
			bad_reply(x);
		break;
	case RUN_STOPPED:
		if (x->w->reply.state == REPLY_BAD)
			bad_reply(x);
		else
			x->outcome = OUTCOME_CLIENT_LEFT;
		break;
	case RUN_SIGNAL:
		note_crash(x);
		exchange_refuse(x, 502, OUTCOME_CRASHED, x->detail, NULL);
		break;
	case RUN_NO_EXEC:
		snprintf(x->text, sizeof x->text, "cannot be started: %s",
		    strerror(x->result.status));
		fnlog_note(&x->w->fnlog, "error", x->text);
		exchange_refuse(x, 502, OUTCOME_CRASHED, x->text, NULL);
		break;
	case RUN_TIMEOUT:
		fnlog_note(&x->w->fnlog, "error", "its time was up");
		x->status = 504;
		x->outcome = OUTCOME_TIMEOUT;
		if (!x->respond.answered)
			exchange_refuse(x, 504, OUTCOME_TIMEOUT, x->result.text, NULL);
		break;
	case RUN_MEMORY:
		fnlog_note(&x->w->fnlog, "error", TOO_MUCH_MEMORY);
		exchange_refuse(x, 502, OUTCOME_CRASHED, TOO_MUCH_MEMORY, NULL);
		break;
	case RUN_PROCESSES:
		fnlog_note(&x->w->fnlog, "error", TOO_MANY_PROCESSES);
		exchange_refuse(x, 502, OUTCOME_CRASHED, TOO_MANY_PROCESSES,
		    NULL);
		break;
	case RUN_REFUSED:
		settle_refused(x);
		break;
	}
}

static void
run_once(struct exchange *x)
{
	struct worker *w = x->w;
	const struct snap_function *fn = x->f->fn;
	struct run_request q = {.env = w->env.block.data,
	    .env_bytes = w->env.block.len,
	    .env_count = w->env.count,
	    .body_fd = x->body_fd,
	    .body_bytes = x->body_fd >= 0 ? x->body_bytes : 0,
	    .deadline_mono_ms = x->deadline_mono_ms,
	    .idle_timeout_ms = fn->idle_timeout_ms,
	    .client_fd = peer_fd(w->peer),
	    .stop_on_leave = stops_on_leave(x),
	    .ctx = &x->respond,
	    .output = respond_output,
	    .flush = respond_flush,
	    .log = log_bytes,
	    .expired = on_expired};

	respond_begin(&x->respond);
	run_request(w->run, x->f->pool, &q, &x->result);
}

/* reservedConcurrency: 0 with its unit, or -1 after an answer. */
static int
take_slot(struct exchange *x, uint64_t *slot)
{
	int64_t until = x->deadline_mono_ms ? x->deadline_mono_ms
	                                    : clock_mono_ms() + 5000;
	struct err e;
	int rc = slot_take(x->f->pool, until, slot, &e);

	if (rc == 0)
		return 0;
	snprintf(x->result.text, sizeof x->result.text, "%s", e.text);
	x->result.status = rc < 0 ? LAUNCH_LEAVING : rc;
	settle_refused(x);
	return -1;
}

/* RFC 3875 6.2.2: the reply is that of a GET for another path of the site. */
static void
redirect(struct exchange *x, int redirects)
{
	struct worker *w = x->w;
	char target[PATH_URI_MAX];
	int status;

	snprintf(target, sizeof target, "%s%s", x->site->base_path,
	    w->reply.location);
	if (redirects == REDIRECTS_MAX) {
		exchange_refuse(x, 502, OUTCOME_BAD_REPLY, "too many local redirects",
		    NULL);
		return;
	}
	io_close(&x->body_fd);
	x->body_bytes = 0;
	x->method = "GET";
	status = path_parse(&w->path, target);
	if (status == 0)
		status = path_agree(&w->path, NULL, NULL,
		    x->site->base_path);
	if (status != 0) {
		exchange_refuse(x, 502, OUTCOME_BAD_REPLY,
		    "a local redirect to a bad path", NULL);
		return;
	}
	exchange_route(x, redirects + 1);
}

/* In `bothy run` a function that does not compile shows why. */
static bool
show_compile_error(struct exchange *x)
{
	struct worker *w = x->w;
	struct answer a = {.status = 500, .request_id = x->id};
	char path[4096];
	struct buf text;
	struct err e;
	bool found;

	if (!w->g->dev)
		return false;
	snprintf(path, sizeof path, "build/%s.error", x->f->name);
	buf_init(&text, 1 << 20);
	found = io_read_file(w->g->state_fd, path, &text, &e) == 0;
	if (found) {
		x->status = 500;
		x->outcome = OUTCOME_ERROR;
		x->detail = "it does not compile";
		buf_reset(&w->head);
		answer_compile_error(&w->head, x->f->name, buf_str(&text), &a);
		exchange_send(x);
	}
	buf_release(&text);
	return found;
}

void
call_function(struct exchange *x, int redirects)
{
	struct worker *w = x->w;
	uint64_t slot = 0;
	struct err e;

	x->f = site_function(x->site, x->match.function, &e);
	if (!x->f) {
		snprintf(x->text, sizeof x->text, "%s", e.text);
		exchange_refuse(x, 500, OUTCOME_ERROR, x->text, NULL);
		return;
	}
	if (show_compile_error(x) ||
	    (x->body_fd < 0 && !redirects &&
	        exchange_take_body(x, w->g->max_body, BODY_UNTOLD_MS) < 0))
		return;
	if (make_environment(x) < 0)
		return;
	x->deadline_mono_ms = x->f->fn->timeout_ms
	    ? (x->start_us - x->wait_us) / 1000 + x->f->fn->timeout_ms
	    : 0;
	if (take_slot(x, &slot) < 0)
		return;
	x->respond = (struct respond){.w = w, .site = x->site,
	    .request_id = x->id, .origin = exchange_origin(x),
	    .head = strcmp(x->method, "HEAD") == 0,
	    .stream = x->f->fn->response == SNAP_RESPONSE_STREAM};
	fnlog_begin(&w->fnlog, x->f->name, x->id);
	run_once(x);
	slot_give(x->f->pool, slot);
	if (x->result.end == RUN_EXIT && respond_redirects(&x->respond)) {
		fnlog_end(&w->fnlog);
		redirect(x, redirects);
		return;
	}
	if (x->respond.committed)
		settle_committed(x);
	else
		settle_held(x);
	fnlog_end(&w->fnlog);
}
