/*
 * A request's way through the gateway, top to bottom: parameters, path, route,
 * body, function or file, reply, log line.
 *
 * Runs in a worker thread (or as the only thread of a plain CGI program), in
 * blocking code.  Every way out writes one reply and one access log line.
 */
#include "gateway.h"

#include "answer.h"
#include "respond.h"
#include "router.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { REDIRECTS_MAX = 5 };

struct exchange {
	struct worker *w;
	struct site *site;
	const struct site_function *f;	/* NULL: no function */
	struct route_match match;
	struct client client;
	struct respond respond;
	struct run_result result;
	const char *method;
	char id[REQID_SIZE];
	char trace[TRACEPARENT_SIZE];
	int64_t start_us, wait_us, wall_ms;
	int64_t deadline_mono_ms;
	int body_fd;
	uint64_t body_bytes;
	int status;
	uint64_t bytes_out;
	enum outcome outcome;
	const char *detail;
	char text[640];		/* detail, when it is put together */
	bool body_over;		/* it has been read whole */
	bool broken;		/* the reply must not look complete */
};

/* ---- answers of our own ----------------------------------------------- */

static const char *
origin_of(const struct exchange *x)
{
	return params_header(&x->w->params, PARAMS_ORIGIN);
}

static void
send_head(struct exchange *x)
{
	struct worker *w = x->w;

	deadline_set(&w->deadline, peer_fd(w->peer), DEADLINE_WRITE_MS);
	if (peer_write(w->peer, w->head.data, w->head.len) < 0)
		x->outcome = OUTCOME_CLIENT_LEFT;
	deadline_clear(&w->deadline);
}

static void
refuse(struct exchange *x, int status, enum outcome outcome,
    const char *detail, struct answer *a)
{
	struct answer plain = {0};

	if (!a)
		a = &plain;
	a->status = status;
	a->request_id = x->id;
	a->cors = x->site ? &x->site->cors : NULL;
	a->origin = origin_of(x);
	a->head = x->method && strcmp(x->method, "HEAD") == 0;
	x->status = status;
	x->outcome = outcome;
	x->detail = detail;
	buf_reset(&x->w->head);
	answer_json(&x->w->head, a);
	send_head(x);
}

/* Says more than the status's usual words, to the client too. */
static void
refuse_because(struct exchange *x, int status, const char *reason)
{
	struct answer a = {.message = reason};

	refuse(x, status, OUTCOME_REFUSED, reason, &a);
}

static void
not_allowed(struct exchange *x, unsigned methods)
{
	struct answer a = {0};
	struct buf allow;

	buf_init(&allow, 256);
	router_allow(methods, &allow);
	a.allow = buf_str(&allow);
	refuse(x, 405, OUTCOME_REFUSED, NULL, &a);
	buf_release(&allow);
}

static void
health(struct exchange *x)
{
	struct answer a = {.status = 200, .request_id = x->id,
	    .head = strcmp(x->method, "HEAD") == 0};

	x->status = 200;
	buf_reset(&x->w->head);
	answer_ok(&x->w->head, "{\"status\":\"ok\"}", &a);
	send_head(x);
}

/* ---- static files ----------------------------------------------------- */

static int
file_write(void *ctx, const void *p, size_t n)
{
	struct exchange *x = ctx;
	struct worker *w = x->w;
	int rc;

	deadline_set(&w->deadline, peer_fd(w->peer), DEADLINE_WRITE_MS);
	rc = peer_write(w->peer, p, n);
	deadline_clear(&w->deadline);
	if (rc == 0)
		x->bytes_out += n;
	return rc;
}

static void
send_file(struct exchange *x, struct files_hit *hit)
{
	struct files_extra extra = {.request_id = x->id,
	    .cors = &x->site->cors,
	    .head = strcmp(x->method, "HEAD") == 0};
	int rc;

	buf_reset(&x->w->head);
	files_head(hit, &x->w->params, &extra, &x->w->head);
	x->status = hit->status;
	send_head(x);
	rc = extra.head ? 0 : files_send(hit, file_write, x);
	if (rc == -1)
		x->outcome = OUTCOME_CLIENT_LEFT;
	if (rc == -2) {
		x->outcome = OUTCOME_TRUNCATED;
		x->detail = "the file became shorter while it was sent";
		x->broken = true;
	}
}

/* True if a file or directory of www/ answered. */
static bool
try_files(struct exchange *x)
{
	struct worker *w = x->w;
	struct files_extra extra = {.request_id = x->id,
	    .cors = &x->site->cors};
	struct files_hit hit;

	if (strcmp(x->method, "GET") != 0 && strcmp(x->method, "HEAD") != 0)
		return false;
	switch (files_find(&x->site->files, &w->path, &hit)) {
	case FILES_FILE:
		send_file(x, &hit);
		files_hit_close(&hit);
		return true;
	case FILES_SLASH:
		extra.head = strcmp(x->method, "HEAD") == 0;
		x->status = 301;
		buf_reset(&w->head);
		files_slash(&w->path, &extra, origin_of(x), &w->head);
		send_head(x);
		return true;
	case FILES_ERROR:
		refuse(x, 500, OUTCOME_ERROR,
		    "a file of www/ can't be read", NULL);
		return true;
	case FILES_NONE:
		break;
	}
	return false;
}

/* ---- functions -------------------------------------------------------- */

static ssize_t
read_body_bytes(void *ctx, void *p, size_t n)
{
	return peer_read(ctx, p, n);
}

/* 0 with the body spooled, or -1 after an answer. */
static int
take_body(struct exchange *x)
{
	struct worker *w = x->w;
	struct spool_source from = {read_body_bytes, w->peer};
	int64_t length = w->params.content_length;
	int status;

	deadline_set(&w->deadline, peer_fd(w->peer),
	    DEADLINE_BODY_MS +
	        (length > 0 ? length / DEADLINE_BODY_RATE : 60) * 1000);
	status = spool_body(&w->spool, &from, length, w->g->max_body,
	    &x->body_fd, &x->body_bytes);
	if (status == 0)
		peer_body_over(w->peer);
	deadline_clear(&w->deadline);
	if (status == 0) {
		x->body_over = true;
		return 0;
	}
	if (w->deadline.cut)
		refuse_because(x, 408, "the body came too slowly");
	else
		refuse_because(x, status, w->spool.reason);
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
	int status = cgienv_build(&w->env, &r);

	if (status)
		refuse_because(x, status, w->env.reason);
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
	if (peer_write(w->peer, w->head.data, w->head.len) < 0 ||
	    peer_flush(w->peer) < 0)
		r->left = true;
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

/* A line in the function's log, with the command that does it again. */
static void
note_crash(struct exchange *x)
{
	const char *signal = x->result.status ? strsignal(x->result.status)
	                                      : "an unknown cause";

	snprintf(x->text, sizeof x->text, "killed by signal %d (%s); again: "
	    "bothy invoke %s --method %s --path '%.*s'", x->result.status,
	    signal, x->f->name, x->method, (int)x->w->path.raw_len,
	    x->w->path.raw);
	fnlog_note(&x->w->fnlog, "error", x->text);
	x->detail = x->text;
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
		x->detail = "it used more than its memorySize";
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
	snprintf(x->text, sizeof x->text, "%s", x->result.text);
	switch (x->result.status) {
	case LAUNCH_BUSY:
		refuse(x, 429, OUTCOME_THROTTLED, x->text, NULL);
		break;
	case LAUNCH_THROTTLED:
		refuse(x, 503, OUTCOME_CRASHED, x->text, NULL);
		break;
	case LAUNCH_LEAVING:
		refuse(x, 503, OUTCOME_ERROR, x->text, NULL);
		break;
	default:
		fnlog_note(&x->w->fnlog, "error", x->text);
		refuse(x, 502, OUTCOME_CRASHED, x->text, NULL);
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
	refuse(x, 502, OUTCOME_BAD_REPLY, x->text, NULL);
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
		refuse(x, 502, OUTCOME_CRASHED, x->detail, NULL);
		break;
	case RUN_NO_EXEC:
		snprintf(x->text, sizeof x->text, "cannot be started: %s",
		    strerror(x->result.status));
		fnlog_note(&x->w->fnlog, "error", x->text);
		refuse(x, 502, OUTCOME_CRASHED, x->text, NULL);
		break;
	case RUN_TIMEOUT:
		fnlog_note(&x->w->fnlog, "error", "its time was up");
		x->status = 504;
		x->outcome = OUTCOME_TIMEOUT;
		if (!x->respond.answered)
			refuse(x, 504, OUTCOME_TIMEOUT, x->result.text, NULL);
		break;
	case RUN_MEMORY:
		fnlog_note(&x->w->fnlog, "error",
		    "it used more than its memorySize");
		refuse(x, 502, OUTCOME_CRASHED,
		    "it used more than its memorySize", NULL);
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

static void route(struct exchange *x, int redirects);

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
		refuse(x, 502, OUTCOME_BAD_REPLY, "too many local redirects",
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
		refuse(x, 502, OUTCOME_BAD_REPLY,
		    "a local redirect to a bad path", NULL);
		return;
	}
	route(x, redirects + 1);
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
		send_head(x);
	}
	buf_release(&text);
	return found;
}

static void
call_function(struct exchange *x, int redirects)
{
	struct worker *w = x->w;
	uint64_t slot = 0;
	struct err e;

	x->f = site_function(x->site, x->match.function, &e);
	if (!x->f) {
		snprintf(x->text, sizeof x->text, "%s", e.text);
		refuse(x, 500, OUTCOME_ERROR, x->text, NULL);
		return;
	}
	if (show_compile_error(x) || (x->body_fd < 0 && !redirects &&
	                                 take_body(x) < 0))
		return;
	if (make_environment(x) < 0)
		return;
	x->deadline_mono_ms = x->f->fn->timeout_ms
	    ? (x->start_us - x->wait_us) / 1000 + x->f->fn->timeout_ms
	    : 0;
	if (take_slot(x, &slot) < 0)
		return;
	x->respond = (struct respond){.w = w, .site = x->site,
	    .request_id = x->id, .origin = origin_of(x),
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

/* ---- the walk --------------------------------------------------------- */

static void
preflight(struct exchange *x, unsigned methods)
{
	struct worker *w = x->w;
	struct buf allow;

	buf_init(&allow, 256);
	router_allow(methods, &allow);
	buf_reset(&w->head);
	cors_preflight(&x->site->cors, &w->params, buf_str(&allow), x->id,
	    &w->head);
	x->status = 204;
	send_head(x);
	buf_release(&allow);
}

/* Routes, then files, then {proxy+} and $default. */
static void
route(struct exchange *x, int redirects)
{
	struct worker *w = x->w;
	enum route_result r = router_match(x->site->snapshot, x->method,
	    w->path.site, &x->match);
	bool full = r == ROUTE_FOUND && x->match.kind <= SNAP_KIND_PARAMETER;

	if (cors_is_preflight(&x->site->cors, &w->params) && !full &&
	    strcmp(x->method, "OPTIONS") == 0) {
		unsigned methods = router_methods(x->site->snapshot,
		    w->path.site);

		preflight(x, methods);
		return;
	}
	if (!full && try_files(x))
		return;
	if (r == ROUTE_FOUND)
		call_function(x, redirects);
	else if (r == ROUTE_METHOD)
		not_allowed(x, x->match.allow);
	else
		refuse(x, 404, OUTCOME_REFUSED, NULL, NULL);
}

static void
walk(struct exchange *x)
{
	struct worker *w = x->w;
	int status = params_read(&w->params, peer_params(w->peer));

	if (status) {
		refuse_because(x, status, w->params.reason);
		return;
	}
	x->method = w->params.request_method;
	if (!x->method || !w->params.request_uri) {
		refuse_because(x, 400, "the web server sent no "
		    "REQUEST_METHOD or REQUEST_URI");
		return;
	}
	client_find(&x->client, &x->site->proxies, &w->params);
	status = path_parse(&w->path, w->params.request_uri);
	if (status == 0)
		status = path_agree(&w->path, w->params.script_name,
		    w->params.path_info, x->site->base_path);
	if (status) {
		refuse_because(x, status, w->path.reason);
		return;
	}
	if (params_header(&w->params, PARAMS_UPGRADE) &&
	    strcasecmp(params_header(&w->params, PARAMS_UPGRADE),
	        "websocket") == 0) {
		refuse_because(x, 426, "WebSocket does not go over FastCGI");
		return;
	}
	if (strcmp(w->path.site, "/_bothy/health") == 0 &&
	    (strcmp(x->method, "GET") == 0 ||
	        strcmp(x->method, "HEAD") == 0)) {
		health(x);
		return;
	}
	route(x, 0);
}

static void
write_log(struct exchange *x)
{
	struct worker *w = x->w;
	int64_t now_us = clock_mono_us();
	struct accesslog_entry e = {
	    .time_ms = x->wall_ms,
	    .request_id = x->id,
	    .method = x->method ? x->method : "-",
	    .path = w->path.text ? w->path.text : "",
	    .path_len = w->path.text ? w->path.len : 0,
	    .query_len = w->path.query_len,
	    .status = x->status,
	    .bytes_out = x->bytes_out,
	    .bytes_in = x->body_bytes,
	    .function = x->f ? x->f->name : NULL,
	    .route = x->f ? x->match.key : NULL,
	    .duration_us = now_us - x->start_us + x->wait_us,
	    .wait_us = x->wait_us,
	    .cpu_us = x->result.cpu_us,
	    .peak_kb = x->result.peak_kb,
	    .client = x->client.addr,
	    .outcome = x->outcome,
	    .detail = x->detail,
	    .signal = x->f && x->result.end == RUN_SIGNAL
	        ? x->result.status
	        : 0,
	    .exit_status = x->f && x->result.end == RUN_EXIT
	        ? x->result.status
	        : 0,
	};
	struct stats_sample s = {.outcome = x->outcome, .status = x->status,
	    .duration_us = (uint64_t)e.duration_us,
	    .wait_us = (uint64_t)x->wait_us,
	    .bytes_in = x->body_bytes,
	    .bytes_out = x->bytes_out,
	    .cpu_us = x->result.cpu_us > 0 ? (uint64_t)x->result.cpu_us : 0,
	    .peak_kb = x->result.peak_kb > 0 ? (uint64_t)x->result.peak_kb
	                                     : 0};

	accesslog_write(&w->access, &w->g->access, &e);
	stats_end(w->g->stats, x->f ? x->f->stats_slot : STATS_TOTAL, &s);
}

void
exchange(struct worker *w, int64_t wait_us)
{
	struct exchange x = {.w = w, .wait_us = wait_us, .body_fd = -1};

	x.start_us = clock_mono_us();
	x.wall_ms = clock_wall_ms() - wait_us / 1000;
	x.result.cpu_us = x.result.peak_kb = -1;
	x.site = gateway_site(w->g);
	w->path.text = NULL;
	w->path.len = w->path.query_len = 0;
	w->params.count = 0;
	w->params.content_length = -1;
	reqid_next(&w->ids, x.id);
	traceparent_next(&w->ids, x.trace);
	stats_begin(w->g->stats);
	walk(&x);
	io_close(&x.body_fd);
	if (x.broken)
		peer_abort(w->peer);
	else if (!x.body_over && w->params.content_length == 0)
		peer_body_over(w->peer);
	write_log(&x);
	site_release(x.site);
}
