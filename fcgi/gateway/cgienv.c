/*
 * A function's environment block (cgienv.h), put together in one buffer that
 * a worker keeps.
 */
#include "cgienv.h"

#include "functions/sdk/abi.h"
#include "reqid.h"

#include <errno.h>
#include <string.h>

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* What the gateway sets itself: a function's own setting is passed over. */
static const char *const reserved[] = {"GATEWAY_INTERFACE", "SERVER_PROTOCOL",
    "SERVER_SOFTWARE", "SERVER_NAME", "SERVER_PORT", "REQUEST_METHOD",
    "REQUEST_URI", "QUERY_STRING", "SCRIPT_NAME", "PATH_INFO", "REMOTE_ADDR",
    "REMOTE_PORT", "REMOTE_USER", "AUTH_TYPE", "CONTENT_TYPE",
    "CONTENT_LENGTH", "HTTPS", "TRACEPARENT"};

void
cgienv_static_init(struct cgienv_static *s)
{
	memset(s, 0, sizeof(*s));
	buf_init(&s->block, ABI_ENV_MAX);
	buf_init(&s->headers, ABI_ENV_MAX);
}

void
cgienv_static_release(struct cgienv_static *s)
{
	buf_release(&s->block);
	buf_release(&s->headers);
}

/* True if the block, or the list of names, has an entry "name" or "name=". */
static bool
has_entry(const struct buf *b, const char *name)
{
	size_t len = strlen(name), at;

	for (at = 0; at < b->len; at += strlen(b->data + at) + 1)
		if (strncmp(b->data + at, name, len) == 0 &&
		    (b->data[at + len] == '=' || b->data[at + len] == '\0'))
			return true;
	return false;
}

static bool
is_reserved(const char *name)
{
	size_t i;

	if (strncmp(name, "BOTHY_", 6) == 0)
		return true;
	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcmp(reserved[i], name) == 0)
			return true;
	return false;
}

int
cgienv_static_add(struct cgienv_static *s, const char *name,
    const char *value, struct err *e)
{
	if (*name == '\0' || strchr(name, '='))
		return err_set(e, 0, "'%s' is no name for a variable", name);
	if (is_reserved(name))
		return 0;
	if (has_entry(&s->block, name))
		return err_set(e, 0, "the variable %s is set twice", name);
	buf_puts(&s->block, name);
	buf_putc(&s->block, '=');
	buf_add(&s->block, value, strlen(value) + 1);
	if (strncmp(name, "HTTP_", 5) == 0)
		buf_add(&s->headers, name, strlen(name) + 1);
	if (strcmp(name, "PATH") == 0)
		s->has_path = true;
	if (!buf_ok(&s->block) || !buf_ok(&s->headers))
		return err_set(e, E2BIG, "the environment is larger than "
		                         "%d bytes", ABI_ENV_MAX);
	s->count++;
	return 0;
}

int
cgienv_static_finish(struct cgienv_static *s, struct err *e)
{
	if (s->has_path)
		return 0;
	return cgienv_static_add(s, "PATH", DEFAULT_PATH, e);
}

/* The free part of a block; `full` if something did not fit. */
struct writer {
	char *p, *end;
	size_t count;
	bool full;
};

static void
put_bytes(struct writer *w, const char *s, size_t n)
{
	if ((size_t)(w->end - w->p) < n) {
		w->full = true;
		return;
	}
	memcpy(w->p, s, n);
	w->p += n;
}

/* `name` ends in '='.  The value is `a` and `b` together. */
static inline void
put2(struct writer *w, const char *name, const char *a, size_t a_len,
    const char *b, size_t b_len)
{
	put_bytes(w, name, strlen(name));
	put_bytes(w, a, a_len);
	put_bytes(w, b, b_len);
	put_bytes(w, "", 1);
	w->count++;
}

static inline void
put(struct writer *w, const char *name, const char *value)
{
	put2(w, name, value, strlen(value), "", 0);
}

/* RFC 3875: an empty one is left out. */
static inline void
put_if(struct writer *w, const char *name, const char *value)
{
	if (value && *value)
		put(w, name, value);
}

static void
put_number(struct writer *w, const char *name, int64_t v)
{
	char digits[24];
	size_t i = sizeof(digits);
	uint64_t rest = v < 0 ? 0 : (uint64_t)v;

	do
		digits[--i] = (char)('0' + rest % 10);
	while (rest /= 10);
	put2(w, name, digits + i, sizeof(digits) - i, "", 0);
}

/* Where PATH_INFO begins in path->site. */
static size_t
info_at(const struct cgienv_request *r)
{
	switch (r->match->kind) {
	case SNAP_KIND_GREEDY:
		/* Its slash belongs to PATH_INFO. */
		return r->match->rest_at ? r->match->rest_at - 1 : 0;
	case SNAP_KIND_DEFAULT:
		return 0;
	default:
		return r->path->site_len;
	}
}

/* RFC 3875 4.1, but the header fields. */
static void
put_meta(struct writer *w, const struct cgienv_request *r)
{
	const struct params *p = r->params;
	const struct path *path = r->path;
	size_t at = info_at(r);

	put(w, "GATEWAY_INTERFACE=", "CGI/1.1");
	put(w, "SERVER_PROTOCOL=",
	    p->server_protocol ? p->server_protocol : "HTTP/1.1");
	put(w, "SERVER_SOFTWARE=",
	    p->server_software ? p->server_software : "");
	put(w, "SERVER_NAME=", p->server_name ? p->server_name : "");
	put(w, "SERVER_PORT=", p->server_port ? p->server_port : "");
	put(w, "REQUEST_METHOD=", r->method ? r->method : p->request_method);
	/* An absolute form is given as a path: the query follows in place. */
	put2(w, "REQUEST_URI=", path->raw, path->raw_len,
	    path->query - path->has_query, path->query_len + path->has_query);
	put2(w, "QUERY_STRING=", path->query, path->query_len, "", 0);
	put2(w, "SCRIPT_NAME=", path->text, path->mount_len, path->site, at);
	put2(w, "PATH_INFO=", path->site + at, path->site_len - at, "", 0);
	put(w, "REMOTE_ADDR=", r->client->addr);
	if (!r->client->forwarded)
		put_if(w, "REMOTE_PORT=", p->remote_port);
	put_if(w, "REMOTE_USER=", p->remote_user);
	put_if(w, "AUTH_TYPE=", p->auth_type);
	put_if(w, "CONTENT_TYPE=", p->content_type);
	if (r->body_bytes >= 0)
		put_number(w, "CONTENT_LENGTH=", r->body_bytes);
	if (r->client->https)
		put(w, "HTTPS=", "on");
}

/* Header fields; those that the function sets itself are its own. */
static void
put_fields(struct writer *w, const struct cgienv_request *r)
{
	const struct params *p = r->params;
	const struct params_field *f;
	char name[PARAMS_NAME_MAX + 1];
	size_t i;

	for (i = 0; i < p->count; i++) {
		f = &p->fields[i];
		if (f->dropped)
			continue;
		if (r->own && r->own->headers.len) {
			memcpy(name, f->variable, f->name_len);
			name[f->name_len] = '\0';
			if (has_entry(&r->own->headers, name))
				continue;
		}
		put_bytes(w, f->variable, f->name_len + 1);
		put_bytes(w, f->value, f->value_len + 1);
		w->count++;
	}
}

static void
put_own(struct writer *w, const struct cgienv_request *r)
{
	const char *trace = params_header(r->params, PARAMS_TRACEPARENT);
	const struct route_param *param;
	size_t i;

	put(w, "BOTHY_FUNCTION=", r->function);
	put(w, "BOTHY_ROUTE=", r->match->key);
	put(w, "BOTHY_REQUEST_ID=", r->request_id);
	if (r->deadline_ms > 0)
		put_number(w, "BOTHY_DEADLINE_MS=", r->deadline_ms);
	if (r->store) {
		put(w, "BOTHY_STORE=", r->store);
		put(w, "BOTHY_STORE_TOKEN=", r->store_token);
	}
	for (i = 0; i < r->match->nparams; i++) {
		param = &r->match->params[i];
		put_bytes(w, param->variable, strlen(param->variable));
		put2(w, "=", param->value, param->len, "", 0);
	}
	if (trace && traceparent_valid(trace))
		put(w, "TRACEPARENT=", trace);
	else
		put_if(w, "TRACEPARENT=", r->traceparent);
	if (!r->own) {
		put(w, "PATH=", DEFAULT_PATH);
		return;
	}
	put_bytes(w, r->own->block.data, r->own->block.len);
	w->count += r->own->count;
}

void
cgienv_init(struct cgienv *e)
{
	memset(e, 0, sizeof(*e));
	buf_init(&e->block, ABI_ENV_MAX);
}

void
cgienv_release(struct cgienv *e)
{
	buf_release(&e->block);
}

int
cgienv_build(struct cgienv *e, const struct cgienv_request *r)
{
	struct writer w = {0};

	e->reason = NULL;
	e->count = 0;
	buf_reset(&e->block);
	if (!e->block.data && buf_reserve(&e->block, ABI_ENV_MAX) < 0) {
		e->reason = "no memory";
		return 500;
	}
	w.p = e->block.data;
	w.end = e->block.data + ABI_ENV_MAX;
	put_meta(&w, r);
	put_fields(&w, r);
	put_own(&w, r);
	if (w.full || w.count > ABI_VARIABLES_MAX) {
		e->reason = "the request's header fields and the function's "
		            "environment are too large together";
		return 431;
	}
	e->block.len = (size_t)(w.p - e->block.data);
	e->block.data[e->block.len] = '\0';
	e->count = w.count;
	return 0;
}
