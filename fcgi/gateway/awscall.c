/*
 * A request's way to the endpoint of DynamoDB's protocol (fcgi/aws): no
 * function has a part in it.  Runs in a worker thread.
 */
#include "exchange.h"

#include "fcgi/aws/fault.h"
#include "store/base/clock.h"
#include "store/value/fault.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PIECE = 64 * 1024 };

/* A request as AWS's protocols see it, out of the parameters. */
struct view {
	struct aws_request request;
	struct aws_field fields[PARAMS_HEADERS_MAX + 2];
};

/* --- the request ---------------------------------------------------------- */

static void
add_field(struct view *v, const char *name, size_t n, const char *value,
    size_t nvalue)
{
	v->fields[v->request.nfields++] = (struct aws_field){{name, n},
	    {value, nvalue}};
}

static void
add_meta(struct view *v, const char *name, const char *value)
{
	if (value && *value)
		add_field(v, name, strlen(name), value, strlen(value));
}

/* These are known without HTTP_. */
static bool
is_content(const char *name, size_t n)
{
	return (n == 12 && memcmp(name, "CONTENT_TYPE", n) == 0) ||
	    (n == 14 && memcmp(name, "CONTENT_LENGTH", n) == 0);
}

/* Each field as it came, those too that came twice: the signature tells. */
static void
look(struct view *v, const struct exchange *x)
{
	const struct params *p = &x->w->params;
	const struct path *path = &x->w->path;
	const struct params_field *f;
	const char *value;
	size_t i;

	v->request = (struct aws_request){.method = x->method,
	    .path = {path->raw, path->raw_len},
	    .query = {path->query, path->query_len},
	    .fields = v->fields};
	add_meta(v, "content-type", p->content_type);
	add_meta(v, "content-length", p->content_length_text);
	for (i = 0; i < p->count; i++) {
		f = &p->fields[i];
		value = f->variable + f->name_len + 1;
		if (!is_content(f->variable + 5, f->name_len - 5))
			add_field(v, f->variable + 5, f->name_len - 5, value,
			    strlen(value));
	}
}

/* --- the reply ------------------------------------------------------------ */

static void
add_line(struct buf *out, const char *name, const char *value)
{
	buf_puts(out, name);
	buf_puts(out, value);
	buf_puts(out, "\r\n");
}

/* Any origin may: what a request may do is what its signature lets it. */
static void
add_cors(struct buf *out, const struct exchange *x)
{
	if (!exchange_origin(x))
		return;
	add_line(out, "Access-Control-Allow-Origin: ", "*");
	add_line(out, "Access-Control-Expose-Headers: ", "x-amzn-RequestId,"
	    "x-amzn-ErrorType,x-amzn-ErrorMessage,x-amz-crc32,Date");
}

/* 52 characters, of which the log has the first 26. */
static void
add_id(struct buf *out, struct exchange *x)
{
	char more[REQID_SIZE];

	reqid_next(&x->w->ids, more);
	buf_puts(out, "x-amzn-RequestId: ");
	buf_puts(out, x->id);
	add_line(out, "", more);
}

static void
begin_head(struct exchange *x, int status)
{
	struct buf *out = &x->w->head;

	x->status = status;
	buf_reset(out);
	buf_printf(out, "Status: %d %s\r\n", status, answer_phrase(status));
	add_id(out, x);
	add_cors(out, x);
}

static void
send_answer(struct exchange *x, const struct aws_request *r, int rc)
{
	struct worker *w = x->w;
	struct endpoint_answer a;

	endpoint_answer(&w->aws, r, rc, &a);
	begin_head(x, a.status);
	add_line(&w->head, "Content-Type: ", "application/x-amz-json-1.0");
	buf_printf(&w->head, "Content-Length: %zu\r\nx-amz-crc32: %lu\r\n",
	    a.n, (unsigned long)a.crc);
	if (a.encoding != ENCODING_NONE)
		add_line(&w->head, "Content-Encoding: ",
		    encoding_name(a.encoding));
	buf_puts(&w->head, "\r\n");
	if (a.n <= PIECE)
		buf_add(&w->head, a.body, a.n);
	x->bytes_out = a.n;
	if (rc < 0) {
		x->outcome = a.status >= 500 ? OUTCOME_ERROR
		                             : OUTCOME_REFUSED;
		snprintf(x->text, sizeof x->text, "%s", w->aws.error.text);
		x->detail = x->text;
	}
	exchange_send(x);
	if (a.n > PIECE && x->outcome != OUTCOME_CLIENT_LEFT)
		exchange_send_body(x, a.body, a.n);
}

/* --- the body ------------------------------------------------------------- */

/* Room for `n` bytes in all: 0, or -1 and the session's error. */
static int
hold(struct exchange *x, uint64_t n)
{
	struct gateway *g = x->w->g;

	if (n > g->max_body)
		return session_fail(&x->w->aws, AWS_TOO_LARGE,
		    "the request body is too large");
	return endpoint_hold(&g->aws, &x->w->aws, n);
}

/* All of it: 0, or -1 and the session's error. */
static int
read_body(struct exchange *x)
{
	struct session *s = &x->w->aws;
	int64_t length = x->w->params.content_length;
	struct buf *b = &s->body;
	size_t want;
	ssize_t n;

	if (length > 0 && hold(x, (uint64_t)length) < 0)
		return -1;
	for (;;) {
		want = length >= 0 ? (size_t)length - b->len : PIECE;
		if (length >= 0 && want == 0)
			return 0;
		if (length < 0 && hold(x, b->len + 1) < 0)
			return -1;
		if (b->max - b->len < want)
			want = b->max - b->len;
		if (buf_reserve(b, want) < 0)
			return session_fail(s, AWS_THROTTLED, "out of memory");
		n = peer_read(x->w->peer, b->data + b->len, want);
		if (n == 0 && length < 0)
			return 0;
		if (n <= 0)
			return session_fail(s, AWS_TOO_SLOW,
			    x->w->deadline.cut ? "the body came too slowly"
			                       : "the body ended too early");
		b->len += (size_t)n;
		b->data[b->len] = '\0';
	}
}

static int
take_body(struct exchange *x)
{
	struct worker *w = x->w;
	int64_t length = w->params.content_length;
	int rc;

	deadline_set(&w->deadline, peer_fd(w->peer),
	    DEADLINE_BODY_MS +
	        (length > 0 ? length / DEADLINE_BODY_RATE : 60) * 1000);
	rc = read_body(x);
	if (rc == 0) {
		peer_body_over(w->peer);
		x->body_over = true;
	}
	deadline_clear(&w->deadline);
	x->body_bytes = w->aws.body.len;
	return rc;
}

/* --- the way -------------------------------------------------------------- */

static int
start_store(void *ctx, struct err *e)
{
	struct exchange *x = ctx;
	unsigned char secret[TOKEN_SECRET_SIZE];
	int rc = storage_ready(&x->w->g->storage, x->site->snapshot, secret, e);

	explicit_bzero(secret, sizeof secret);
	return rc;
}

static int
ask_store(struct exchange *x)
{
	unsigned char secret[TOKEN_SECRET_SIZE];
	struct worker *w = x->w;
	struct err e;
	int rc;

	if (storage_ready(&w->g->storage, x->site->snapshot, secret, &e) <
	    0) {
		gateway_log(w->g, "error", "%s gets no store: %s",
		    x->operation, e.text);
		return session_fail(&w->aws, FAULT_INTERNAL, "The store can't "
		    "be used; the gateway's log says why");
	}
	rc = endpoint_call(&w->g->aws, &w->aws, secret, start_store, x);
	explicit_bzero(secret, sizeof secret);
	return rc;
}

static void
serve(struct exchange *x)
{
	struct worker *w = x->w;
	struct endpoint *ep = &w->g->aws;
	int64_t now_ms = clock_wall_ms();
	struct view v;
	int rc;

	look(&v, x);
	rc = endpoint_begin(ep, &w->aws, &v.request, now_ms);
	x->operation = w->aws.op ? w->aws.op->name : "-";
	if (rc == 0)
		rc = take_body(x);
	if (rc == 0)
		rc = endpoint_verify(ep, &w->aws, &v.request, now_ms);
	if (rc == 0) {
		rc = ask_store(x);
		x->table = session_table(&w->aws);
	}
	if (w->aws.trouble.text[0])
		gateway_log(w->g, "error", "%s fails: %s", x->operation,
		    w->aws.trouble.text);
	send_answer(x, &v.request, rc);
}

/* --- which requests ------------------------------------------------------- */

/* At / or at the path that deploy.yaml names, with a slash behind it or not. */
static bool
is_at(const struct exchange *x)
{
	const char *path = x->w->path.site, *named = x->site->aws_path;
	size_t n = strlen(named);

	if (strcmp(path, "/") == 0)
		return true;
	return n && strncmp(path, named, n) == 0 &&
	    strcmp(path + n + (path[n] == '/'), "") == 0;
}

static const char *
header(const struct exchange *x, const char *variable)
{
	const struct params *p = &x->w->params;
	size_t i, n = strlen(variable);

	for (i = 0; i < p->count; i++)
		if (p->fields[i].name_len == n &&
		    memcmp(p->fields[i].variable, variable, n) == 0)
			return p->fields[i].value;
	return NULL;
}

/* What a browser asks before it sends a script's request. */
static void
preflight(struct exchange *x)
{
	const char *method = params_header(&x->w->params, PARAMS_ACRM);
	const char *headers = params_header(&x->w->params, PARAMS_ACRH);
	struct buf *out = &x->w->head;

	begin_head(x, 200);
	if (exchange_origin(x)) {
		if (method)
			add_line(out, "Access-Control-Allow-Methods: ",
			    method);
		if (headers)
			add_line(out, "Access-Control-Allow-Headers: ",
			    headers);
		add_line(out, "Access-Control-Max-Age: ", "172800");
	}
	add_line(out, "Content-Length: ", "0");
	buf_puts(out, "\r\n");
	exchange_send(x);
}

/* Load balancers ask. */
static void
health(struct exchange *x)
{
	const char *host = params_header(&x->w->params, PARAMS_HOST);
	struct buf *out = &x->w->head;
	size_t n = sizeof "healthy: " - 1 + (host ? strlen(host) : 0);

	begin_head(x, 200);
	add_line(out, "Content-Type: ", "text/plain; charset=utf-8");
	buf_printf(out, "Content-Length: %zu\r\n\r\n", n);
	if (strcmp(x->method, "HEAD") != 0) {
		buf_puts(out, "healthy: ");
		buf_puts(out, host ? host : "");
	}
	exchange_send(x);
}

bool
aws_answers(struct exchange *x)
{
	const char *target, *wanted;

	if (!is_at(x))
		return false;
	target = header(x, "HTTP_X_AMZ_TARGET");
	wanted = params_header(&x->w->params, PARAMS_ACRH);
	if (strcmp(x->method, "POST") == 0 && target &&
	    strncmp(target, "DynamoDB", 8) == 0) {
		serve(x);
		return true;
	}
	if (strcmp(x->method, "OPTIONS") == 0 && wanted &&
	    strcasestr(wanted, "x-amz-target")) {
		preflight(x);
		return true;
	}
	return false;
}

bool
aws_answers_last(struct exchange *x)
{
	if (!is_at(x) || !endpoint_in_use(&x->w->g->aws))
		return false;
	if (strcmp(x->method, "OPTIONS") == 0)
		preflight(x);
	else if (strcmp(x->method, "GET") == 0 ||
	    strcmp(x->method, "HEAD") == 0)
		health(x);
	else
		serve(x);
	return true;
}
