/*
 * CORS lines (cors.h): put together once, copied for each reply.
 */
#include "cors.h"

#include <string.h>

enum {
	CORS_LIST_MAX = 32 * 1024,	/* bytes of a list of the rules */
	CORS_ORIGIN_MAX = 1024		/* bytes of an origin to echo */
};

void
cors_init(struct cors *c)
{
	memset(c, 0, sizeof(*c));
	buf_init(&c->origins, CORS_LIST_MAX);
	buf_init(&c->simple, CORS_LIST_MAX);
	buf_init(&c->preflight, 2 * CORS_LIST_MAX);
	buf_init(&c->methods, CORS_LIST_MAX);
}

void
cors_release(struct cors *c)
{
	buf_release(&c->origins);
	buf_release(&c->simple);
	buf_release(&c->preflight);
	buf_release(&c->methods);
	cors_init(c);
}

static bool
has_star(const char *const *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], "*") == 0)
			return true;
	return false;
}

static void
add_list(struct buf *b, const char *const *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		buf_puts(b, i ? ", " : "");
		buf_puts(b, list[i]);
	}
}

int
cors_set(struct cors *c, const struct cors_rules *r)
{
	size_t i;

	c->enabled = true;
	c->any = has_star(r->origins, r->origin_count);
	c->credentials = r->credentials;
	c->any_header = r->header_count == 0 ||
	    has_star(r->headers, r->header_count);
	for (i = 0; i < r->origin_count; i++)
		buf_add(&c->origins, r->origins[i], strlen(r->origins[i]) + 1);
	if (r->credentials)
		buf_puts(&c->simple,
		    "Access-Control-Allow-Credentials: true\r\n");
	if (r->exposed_count) {
		buf_puts(&c->simple, "Access-Control-Expose-Headers: ");
		add_list(&c->simple, r->exposed, r->exposed_count);
		buf_puts(&c->simple, "\r\n");
	}
	if (!has_star(r->methods, r->method_count))
		add_list(&c->methods, r->methods, r->method_count);
	if (!c->any_header) {
		buf_puts(&c->preflight, "Access-Control-Allow-Headers: ");
		add_list(&c->preflight, r->headers, r->header_count);
		buf_puts(&c->preflight, "\r\n");
	}
	if (r->max_age_s)
		buf_printf(&c->preflight, "Access-Control-Max-Age: %u\r\n",
		    r->max_age_s);
	return buf_ok(&c->origins) && buf_ok(&c->simple) &&
	        buf_ok(&c->methods) && buf_ok(&c->preflight) ? 0 : -1;
}

enum { CORS_ITEMS_MAX = 256 };

/* Fills `out` from a list of the snapshot: how many. */
static size_t
load_list(const struct snapshot *s, struct snap_list l, const char **out)
{
	size_t i, n = l.count < CORS_ITEMS_MAX ? l.count : CORS_ITEMS_MAX;

	for (i = 0; i < n; i++)
		out[i] = snapshot_item(s, l, i);
	return n;
}

int
cors_load(struct cors *c, const struct snapshot *s)
{
	const struct snap_cors *from = &snapshot_site(s)->cors;
	const char *lists[4][CORS_ITEMS_MAX];
	struct cors_rules r = {
	    .origins = lists[0],
	    .methods = lists[1],
	    .headers = lists[2],
	    .exposed = lists[3],
	    .credentials = from->credentials != 0,
	    .max_age_s = from->max_age_s,
	};

	if (!from->enabled)
		return 0;
	r.origin_count = load_list(s, from->origins, lists[0]);
	r.method_count = load_list(s, from->methods, lists[1]);
	r.header_count = load_list(s, from->headers, lists[2]);
	r.exposed_count = load_list(s, from->exposed, lists[3]);
	return cors_set(c, &r);
}

static bool
allowed(const struct cors *c, const char *origin)
{
	const char *p = c->origins.data, *end = p + c->origins.len;

	if (strnlen(origin, CORS_ORIGIN_MAX + 1) > CORS_ORIGIN_MAX)
		return false;
	if (c->any)
		return true;
	for (; p < end; p += strlen(p) + 1)
		if (strcmp(p, origin) == 0)
			return true;
	return false;
}

/* The lines, and whether the origin may read the reply. */
static bool
origin_lines(const struct cors *c, const char *origin, struct buf *out)
{
	bool echo = !c->any || c->credentials;

	if (echo)
		buf_puts(out, "Vary: Origin\r\n");
	if (!origin || *origin == '\0' || !allowed(c, origin))
		return false;
	buf_puts(out, "Access-Control-Allow-Origin: ");
	buf_puts(out, echo ? origin : "*");
	buf_puts(out, "\r\n");
	buf_add(out, c->simple.data, c->simple.len);
	return true;
}

void
cors_lines(const struct cors *c, const char *origin, struct buf *out)
{
	if (c->enabled)
		origin_lines(c, origin, out);
}

bool
cors_is_preflight(const struct cors *c, const struct params *p)
{
	return c->enabled && strcmp(p->request_method, "OPTIONS") == 0 &&
	    params_header(p, PARAMS_ORIGIN) && params_header(p, PARAMS_ACRM);
}

/* Tokens (RFC 9110 5.6.2), and with `list` commas and spaces too. */
static bool
tokens(const char *s, bool list)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (!((s[i] >= 'A' && s[i] <= 'Z') ||
		        (s[i] >= 'a' && s[i] <= 'z') ||
		        (s[i] >= '0' && s[i] <= '9') || strchr(others, s[i]) ||
		        (list && (s[i] == ',' || s[i] == ' '))))
			return false;
	return i > 0 && i <= CORS_ORIGIN_MAX;
}

void
cors_preflight(const struct cors *c, const struct params *p,
    const char *allow, const char *request_id, struct buf *out)
{
	const char *headers = params_header(p, PARAMS_ACRH);
	const char *method = params_header(p, PARAMS_ACRM);

	buf_puts(out, "Status: 204 No Content\r\nX-Request-Id: ");
	buf_puts(out, request_id);
	buf_puts(out, "\r\n");
	if (origin_lines(c, params_header(p, PARAMS_ORIGIN), out)) {
		if (c->methods.len)
			method = c->methods.data;
		else if (allow && *allow)
			method = allow;
		else if (!tokens(method, false))
			method = "GET";
		buf_puts(out, "Access-Control-Allow-Methods: ");
		buf_puts(out, method);
		buf_puts(out, "\r\n");
		if (c->any_header && headers && tokens(headers, true)) {
			buf_puts(out, "Access-Control-Allow-Headers: ");
			buf_puts(out, headers);
			buf_puts(out, "\r\n");
		}
		buf_add(out, c->preflight.data, c->preflight.len);
		buf_puts(out, "Vary: Access-Control-Request-Method, "
		              "Access-Control-Request-Headers\r\n");
	}
	buf_puts(out, "\r\n");
}
