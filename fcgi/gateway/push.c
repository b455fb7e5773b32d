/*
 * A request's way to the repository of a deployed site: git push, clone and
 * fetch over HTTP, for who shows a key that may deploy.  Runs in a worker
 * thread.
 *
 * Of git's smart protocol alone (gitprotocol-http(5)), at the path that
 * `bothy site create --http` has named; git http-backend speaks it, which the
 * launcher starts.  What git is told is made here, not handed on, but for the
 * body.
 */
#include "exchange.h"

#include "fcgi/aws/bearer.h"
#include "fcgi/invoke/rungit.h"
#include "fcgi/release/release.h"
#include "store/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PUSH_MAX_MB = 520,	      /* git's receive.maxInputSize is 512 */
	PUSHES_MAX = 16,	      /* at once, as the launcher has it */
	PUSH_UNTOLD_MS = 3600 * 1000, /* for a body of a length not told */
	PUSH_IDLE_MS = 300 * 1000,    /* git says something every 5 s */
	BUSY_RETRY_S = 30
};

static const char TOO_MANY[] = "too many pushes at once: try again later";

static const char REALM[] = "Basic realm=\"bothy\", charset=\"UTF-8\"";

/* All that is served; `method` and `query` are the only ones. */
static const struct service {
	const char *suffix, *method, *query;
} services[] = {
    {"/info/refs", "GET", "service=git-upload-pack"},
    {"/info/refs", "GET", "service=git-receive-pack"},
    {"/git-upload-pack", "POST", ""},
    {"/git-receive-pack", "POST", ""},
};

enum { SERVICES = sizeof services / sizeof *services };

/* A push that is on its way to git. */
struct push {
	struct exchange *x;
	const struct service *service;
	struct release_site site;
	char key[KEY_ID_MAX + 1];
	char branches[1024]; /* that it is for alone, or "" */
	struct buf env;
	char said[512]; /* on git's stderr, for the log */
	size_t nsaid;
};

/* --- which requests ------------------------------------------------------- */

/* The first service that the path ends in; SERVICES if it ends in none. */
static size_t
find_suffix(const char *path)
{
	size_t n = strlen(path), m, i;

	for (i = 0; i < SERVICES; i++) {
		m = strlen(services[i].suffix);
		if (n > m && strcmp(path + n - m, services[i].suffix) == 0)
			break;
	}
	return i;
}

/* True if what stands before the service's suffix is the named path. */
static bool
is_at(const struct release_site *s, const char *path, const char *suffix)
{
	size_t n = strlen(s->http);

	return n && strncmp(path, s->http, n) == 0 &&
	       strcmp(path + n, suffix) == 0;
}

/* By method and query, too; NULL after an answer. */
static const struct service *
find_service(struct exchange *x, size_t i)
{
	const char *suffix = services[i].suffix;
	const struct path *path = &x->w->path;
	struct answer a = {.allow = services[i].method};

	if (strcmp(x->method, services[i].method) != 0) {
		exchange_refuse(x, 405, OUTCOME_REFUSED, NULL, &a);
		return NULL;
	}
	for (; i < SERVICES && services[i].suffix == suffix; i++)
		if (strlen(services[i].query) == path->query_len &&
		    memcmp(services[i].query, path->query, path->query_len) ==
			0)
			return &services[i];
	exchange_refuse_because(x, 403,
	    "git alone is served here, and of it "
	    "upload-pack and receive-pack");
	return NULL;
}

/* --- who asks ------------------------------------------------------------- */

static void
ask_for_key(struct exchange *x)
{
	struct answer a = {.authenticate = REALM,
	    .message = "pushes need a key: any user, and as password the "
		       "secret that `bothy key create --allow deploy` shows"};

	exchange_refuse(x, 401, OUTCOME_REFUSED, "no key that is known", &a);
}

/* False if they are too many. */
static bool
take_branches(struct push *p, const struct aws_key *k)
{
	struct buf b;
	bool fit;

	buf_init(&b, sizeof p->branches - 1);
	bearer_branches(k, &b);
	fit = buf_ok(&b);
	snprintf(p->branches, sizeof p->branches, "%s", fit ? buf_str(&b) : "");
	buf_release(&b);
	return fit;
}

/* 0 with the key's id, or -1 after an answer. */
static int
authorise(struct push *p)
{
	struct exchange *x = p->x;
	const struct aws_keyring *ring = &x->w->g->aws.ring;
	const char *field = params_header(&x->w->params, PARAMS_AUTHORIZATION);
	struct aws_keys *keys =
	    aws_keyring_hold(&x->w->g->aws.ring, &(struct err){0});
	int64_t now_ms = clock_wall_ms();
	struct aws_key *k;
	int rc = -1;

	if (!keys) {
		exchange_refuse_because(x, 500, "the keys can't be read");
		return -1;
	}
	k = bearer_find(keys, field, now_ms);
	if (!k)
		ask_for_key(x);
	else if (!bearer_may_deploy(k))
		exchange_refuse_because(x, 403,
		    "this key may not deploy; "
		    "`bothy key create --allow deploy` makes one that may");
	else if (!take_branches(p, k))
		exchange_refuse_because(
		    x, 403, "this key names more branches than can be");
	else {
		aws_keyring_used(ring, k, now_ms);
		snprintf(p->key, sizeof p->key, "%s", k->id);
		rc = 0;
	}
	aws_keys_release(keys);
	return rc;
}

/* --- what git is told ----------------------------------------------------- */

static void
add(struct buf *b, const char *name, const char *value)
{
	buf_puts(b, name);
	buf_putc(b, '=');
	buf_add(b, value, strlen(value) + 1);
}

/* What the hooks need to find, as if they were run from a shell. */
static void
add_ours(struct buf *b)
{
	static const char *const names[] = {"HOME", "XDG_CONFIG_HOME", "TMPDIR",
	    "BOTHY_SECRETS", "BOTHY_STAGE", "BOTHY_CONTAINMENT", "ASAN_OPTIONS",
	    "TSAN_OPTIONS", "UBSAN_OPTIONS"};
	const char *path = getenv("PATH"), *value;
	size_t i;

	add(b, "PATH", path ? path : "/usr/local/bin:/usr/bin:/bin");
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		value = getenv(names[i]);
		if (value)
			add(b, names[i], value);
	}
}

/* A header field that is one of these words, or NULL. */
static const char *
one_of(const struct params *p, const char *variable, const char *const *words)
{
	size_t n = strlen(variable), i;

	for (i = 0; i < p->count; i++) {
		if (p->fields[i].name_len != n ||
		    memcmp(p->fields[i].variable, variable, n) != 0)
			continue;
		for (; *words; words++)
			if (strcmp(p->fields[i].value, *words) == 0)
				return *words;
		return NULL;
	}
	return NULL;
}

static void
add_request(struct push *p)
{
	static const char *const protocols[] = {"version=1", "version=2", NULL};
	static const char *const codings[] = {"gzip", "x-gzip", NULL};
	const struct exchange *x = p->x;
	const struct params *params = &x->w->params;
	const char *protocol = one_of(params, "HTTP_GIT_PROTOCOL", protocols);
	const char *coding = one_of(params, "HTTP_CONTENT_ENCODING", codings);
	struct buf *b = &p->env;

	add(b, "GATEWAY_INTERFACE", "CGI/1.1");
	add(b, "SERVER_PROTOCOL", "HTTP/1.1");
	add(b, "REQUEST_METHOD", p->service->method);
	add(b, "QUERY_STRING", p->service->query);
	add(b, "GIT_HTTP_EXPORT_ALL", "1");
	add(b, "REMOTE_USER", p->key);
	if (p->branches[0])
		add(b, "BOTHY_DEPLOY_BRANCHES", p->branches);
	add(b, "REMOTE_ADDR", x->client.addr);
	if (params->content_type)
		add(b, "CONTENT_TYPE", params->content_type);
	if (protocol)
		add(b, "HTTP_GIT_PROTOCOL", protocol);
	if (coding)
		add(b, "HTTP_CONTENT_ENCODING", coding);
	buf_printf(
	    b, "PATH_TRANSLATED=%s%s", p->site.repository, p->service->suffix);
	buf_putc(b, '\0');
	buf_printf(b, "CONTENT_LENGTH=%llu", (unsigned long long)x->body_bytes);
	buf_putc(b, '\0');
}

/* --- the run -------------------------------------------------------------- */

static int
pass_output(void *ctx, const char *bytes, size_t n)
{
	const struct push *p = ctx;

	return respond_output(&p->x->respond, bytes, n);
}

/* The first of what it says; the rest would say the same. */
static void
keep_log(void *ctx, const char *bytes, size_t n)
{
	struct push *p = ctx;
	size_t room = sizeof p->said - 1 - p->nsaid;

	if (n > room)
		n = room;
	memcpy(p->said + p->nsaid, bytes, n);
	p->nsaid += n;
	p->said[p->nsaid] = '\0';
}

static void
settle_held(struct exchange *x)
{
	struct answer a = {.message = "git can't be started; the gateway's "
				      "log says why"};

	switch (x->result.end) {
	case RUN_STOPPED:
		x->outcome = OUTCOME_CLIENT_LEFT;
		if (x->w->reply.state == REPLY_BAD)
			exchange_refuse(
			    x, 502, OUTCOME_BAD_REPLY, x->w->reply.reason, &a);
		break;
	case RUN_TIMEOUT:
		exchange_refuse_because(x, 504, "git took too long");
		break;
	case RUN_REFUSED:
		if (x->result.status == LAUNCH_BUSY)
			a.message = TOO_MANY;
		exchange_refuse(x, 503, OUTCOME_ERROR, x->text, &a);
		break;
	default:
		if (x->result.end != RUN_EXIT || x->result.status ||
		    respond_end(&x->respond) < 0)
			exchange_refuse(x, 502, OUTCOME_ERROR, x->text, &a);
		break;
	}
}

/* What has gone out can't be taken back; it may not look whole. */
static void
settle_committed(struct exchange *x)
{
	x->status = x->w->reply.status;
	x->bytes_out = x->respond.bytes;
	if (x->respond.left || x->result.end == RUN_STOPPED)
		x->outcome = OUTCOME_CLIENT_LEFT;
	else if (x->result.end != RUN_EXIT || x->result.status) {
		x->outcome = OUTCOME_TRUNCATED;
		x->detail = "git ended in the midst of it";
		x->broken = true;
	}
}

static void
run(struct push *p)
{
	struct exchange *x = p->x;
	struct worker *w = x->w;
	const struct run_request q = {.env = p->env.data,
	    .env_bytes = p->env.len,
	    .body_fd = x->body_fd,
	    .body_bytes = x->body_bytes,
	    .idle_timeout_ms = PUSH_IDLE_MS,
	    .client_fd = peer_fd(w->peer),
	    .ctx = p,
	    .output = pass_output,
	    .log = keep_log};

	x->respond = (struct respond){.w = w,
	    .site = x->site,
	    .request_id = x->id,
	    .origin = exchange_origin(x),
	    .stream = true};
	respond_begin(&x->respond);
	run_git(w->g->invoke, &q, &x->result);
	snprintf(x->text, sizeof x->text, "%s",
	    x->result.end == RUN_REFUSED ? x->result.text : p->said);
	if (x->text[0])
		gateway_log(w->g, "warning", "git http-backend: %s", x->text);
	if (x->respond.committed)
		settle_committed(x);
	else
		settle_held(x);
}

/* The key is looked at again: a body may take hours, and it is gone now. */
static void
serve(struct push *p)
{
	struct exchange *x = p->x;

	if (exchange_take_body(x, (uint64_t)PUSH_MAX_MB << 20, PUSH_UNTOLD_MS) <
		0 ||
	    (x->body_bytes && authorise(p) < 0))
		return;
	buf_init(&p->env, LAUNCH_GIT_BYTES);
	add_ours(&p->env);
	add_request(p);
	if (buf_ok(&p->env))
		run(p);
	else
		exchange_refuse_because(
		    x, 500, "the paths of the site are too long");
	buf_release(&p->env);
}

/* Before the body: each keeps a worker for as long as it takes. */
static void
refuse_busy(struct exchange *x)
{
	struct answer a = {.message = TOO_MANY, .retry_after_s = BUSY_RETRY_S};

	exchange_refuse(x, 503, OUTCOME_ERROR, TOO_MANY, &a);
}

bool
push_answers(struct exchange *x, const char *path)
{
	size_t i = find_suffix(path);
	struct push p = {.x = x};
	struct err ignored;

	if (i == SERVICES || !release_is_site(x->w->g->site_dir) ||
	    release_site_read(&p.site, x->w->g->site_dir, &ignored) < 0 ||
	    !is_at(&p.site, path, services[i].suffix))
		return false;
	if (authorise(&p) < 0)
		return true;
	p.service = find_service(x, i);
	if (!p.service)
		return true;
	if (atomic_fetch_add(&x->w->g->pushes, 1) < PUSHES_MAX)
		serve(&p);
	else
		refuse_busy(x);
	atomic_fetch_sub(&x->w->g->pushes, 1);
	return true;
}
