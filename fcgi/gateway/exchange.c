/*
 * A request's way through the gateway, top to bottom: parameters, path, route,
 * function (call.c) or file, reply, log line.
 *
 * Runs in a worker thread (or as the only thread of a plain CGI program), in
 * blocking code.  Every way out writes one reply and one access log line.
 */
#include "exchange.h"

#include "stages.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* ---- answers of our own ----------------------------------------------- */

const char *
exchange_origin(const struct exchange *x)
{
	return params_header(&x->w->params, PARAMS_ORIGIN);
}

void
exchange_send_body(struct exchange *x, const void *body, size_t n)
{
	struct worker *w = x->w;

	deadline_set(&w->deadline, peer_fd(w->peer), DEADLINE_WRITE_MS);
	if (peer_write(w->peer, body, n) < 0)
		x->outcome = OUTCOME_CLIENT_LEFT;
	deadline_clear(&w->deadline);
}

void
exchange_send(struct exchange *x)
{
	exchange_send_body(x, x->w->head.data, x->w->head.len);
}

void
exchange_refuse(struct exchange *x, int status, enum outcome outcome,
    const char *detail, struct answer *a)
{
	struct answer plain = {0};

	if (!a)
		a = &plain;
	a->status = status;
	a->request_id = x->id;
	a->cors = x->site ? &x->site->cors : NULL;
	a->origin = exchange_origin(x);
	a->head = x->method && strcmp(x->method, "HEAD") == 0;
	x->status = status;
	x->outcome = outcome;
	x->detail = detail;
	buf_reset(&x->w->head);
	answer_json(&x->w->head, a);
	exchange_send(x);
}

/* Says more than the status's usual words, to the client too. */
void
exchange_refuse_because(struct exchange *x, int status, const char *reason)
{
	struct answer a = {.message = reason};

	exchange_refuse(x, status, OUTCOME_REFUSED, reason, &a);
}

static void
not_allowed(struct exchange *x, unsigned methods)
{
	struct answer a = {0};
	struct buf allow;

	buf_init(&allow, 256);
	router_allow(methods, &allow);
	a.allow = buf_str(&allow);
	exchange_refuse(x, 405, OUTCOME_REFUSED, NULL, &a);
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
	exchange_send(x);
}

static void
nothing_yet(struct exchange *x)
{
	struct answer a = {.message = "nothing is deployed here yet; git push "
				      "does it",
	    .retry_after_s = 60};

	exchange_refuse(x, 503, OUTCOME_REFUSED, "nothing was pushed yet", &a);
}

/* ---- the body --------------------------------------------------------- */

static ssize_t
read_body_bytes(void *ctx, void *p, size_t n)
{
	return peer_read(ctx, p, n);
}

int
exchange_take_body(struct exchange *x, uint64_t max_bytes, int64_t untold_ms)
{
	struct worker *w = x->w;
	struct spool_source from = {read_body_bytes, w->peer};
	int64_t length = w->params.content_length;
	int status;

	deadline_set(&w->deadline, peer_fd(w->peer),
	    length < 0 ? untold_ms
		       : DEADLINE_BODY_MS + length / DEADLINE_BODY_RATE * 1000);
	status = spool_body(&w->spool, &from, length, max_bytes, &x->body_fd,
	    &x->body_bytes);
	if (status == 0)
		peer_body_over(w->peer);
	deadline_clear(&w->deadline);
	x->body_over = status == 0;
	if (status)
		exchange_refuse_because(x, w->deadline.cut ? 408 : status,
		    w->deadline.cut ? "the body came too slowly"
				    : w->spool.reason);
	return status ? -1 : 0;
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
	exchange_send(x);
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
		files_slash(&w->path, &extra, exchange_origin(x), &w->head);
		exchange_send(x);
		return true;
	case FILES_ERROR:
		exchange_refuse(x, 500, OUTCOME_ERROR,
		    "a file of www/ can't be read", NULL);
		return true;
	case FILES_NONE:
		break;
	}
	return false;
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
	exchange_send(x);
	buf_release(&allow);
}

/* Routes, then files, then {proxy+} and $default. */
void
exchange_route(struct exchange *x, int redirects)
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
	else if (aws_answers_last(x))
		return;
	else if (r == ROUTE_METHOD)
		not_allowed(x, x->match.allow);
	else
		exchange_refuse(x, 404, OUTCOME_REFUSED, NULL, NULL);
}

static void
walk(struct exchange *x)
{
	struct worker *w = x->w;
	int status = params_read(&w->params, peer_params(w->peer));

	if (status) {
		exchange_refuse_because(x, status, w->params.reason);
		return;
	}
	x->method = w->params.request_method;
	if (!x->method || !w->params.request_uri) {
		exchange_refuse_because(x, 400, "the web server sent no "
		    "REQUEST_METHOD or REQUEST_URI");
		return;
	}
	client_find(&x->client, &x->site->proxies, &w->params);
	status = path_parse(&w->path, w->params.request_uri);
	if (status == 0 && stages_by_host(x) < 0)
		return;
	if (status == 0)
		status = path_agree(&w->path, w->params.script_name,
		    w->params.path_info, x->site->base_path);
	/* Before its first release nobody knew of a basePath. */
	if (status == 404 && push_answers(x, w->path.text))
		return;
	if (status) {
		exchange_refuse_because(x, status, w->path.reason);
		return;
	}
	if (stages_by_path(x) < 0)
		return;
	if (params_header(&w->params, PARAMS_UPGRADE) &&
	    strcasecmp(params_header(&w->params, PARAMS_UPGRADE),
	        "websocket") == 0) {
		exchange_refuse_because(x, 426, "WebSocket does not go over FastCGI");
		return;
	}
	if (strcmp(w->path.site, "/_bothy/health") == 0 &&
	    (strcmp(x->method, "GET") == 0 ||
	        strcmp(x->method, "HEAD") == 0)) {
		health(x);
		return;
	}
	if (push_answers(x, w->path.site) || aws_answers(x))
		return;
	if (snapshot_site(x->site->snapshot)->nothing_yet)
		nothing_yet(x);
	else
		exchange_route(x, 0);
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
	    .operation = x->operation,
	    .table = x->table.p,
	    .table_len = x->table.n,
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
	stats_end(w->g->stats, x->f ? x->f->stats_slot :
	    x->operation ? w->g->aws_slot : STATS_TOTAL, &s);
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
	endpoint_end(&w->g->aws, &w->aws);
	site_release(x.site);
	stages_leave(w);
}
