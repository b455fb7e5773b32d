/*
 * Cookies in and out (RFC 6265 sections 4.1 and 4.2).  Runs in a function's
 * process.
 */
#include "request.h"
#include "text.h"

#include "store/base/buf.h"

#include <inttypes.h>
#include <string.h>

enum { COOKIE_MAX = 4096 };	/* bytes of a Set-Cookie value, RFC 6265 6.1 */

/* One "name=value" of `n` bytes, spaces and one pair of quotes taken off. */
static int
add_cookie(struct pairs *p, struct bag *a, const char *s, size_t n)
{
	const char *equals, *value;
	const char *name_copy, *value_copy;
	size_t name_len, len;

	while (n && (*s == ' ' || *s == '\t')) {
		s++;
		n--;
	}
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	equals = memchr(s, '=', n);
	if (!equals || equals == s)
		return 0;
	name_len = (size_t)(equals - s);
	value = equals + 1;
	len = n - name_len - 1;
	if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
		value++;
		len -= 2;
	}
	name_copy = bag_copy(a, s, name_len);
	value_copy = bag_copy(a, value, len);
	if (!name_copy || !value_copy)
		return -1;
	return pairs_add(p, a, name_copy, value_copy);
}

static const struct pairs *
cookie_pairs(struct bothy_req *req)
{
	const char *s = bothy_env("HTTP_COOKIE", "");
	struct pairs *p = req->cookies;
	size_t n;

	if (p)
		return p;
	p = bag_alloc(&req->bag, sizeof *p);
	if (!p)
		return NULL;
	*p = (struct pairs){0};
	for (; *s; s += n + (s[n] == ';')) {
		n = strcspn(s, ";");
		if (add_cookie(p, &req->bag, s, n) < 0)
			return NULL;
	}
	return req->cookies = p;
}

const char *
bothy_cookie(struct bothy_req *req, const char *name)
{
	const struct pairs *p = cookie_pairs(req);

	if (p)
		return pairs_find(p, name);
	request_no_memory(req);
	return NULL;
}

/* cookie-octet of RFC 6265 4.1.1. */
static bool
is_cookie_value(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~' || strchr("\",;\\", *s))
			return false;
	return true;
}

/* A Path or Domain attribute: no control bytes, no semicolon. */
static bool
is_attribute_value(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~' || *s == ';')
			return false;
	return true;
}

/* Browsers drop a cookie whose name promises what its attributes don't. */
static int
check_prefix(struct bothy_req *req, const char *name,
    const struct bothy_cookie_attrs *attrs, bool secure)
{
	bool host = text_same(name, strnlen(name, 7), "__Host-");

	if (!host && !text_same(name, strnlen(name, 9), "__Secure-"))
		return 0;
	if (!secure)
		return request_fail(req, 500,
		    "cookie %.80s needs https and not `insecure`", name);
	if (host && (attrs->domain ||
	        (attrs->path && strcmp(attrs->path, "/") != 0)))
		return request_fail(req, 500,
		    "cookie %.80s must have no domain and the path /", name);
	return 0;
}

static int
check_cookie(struct bothy_req *req, const char *name, const char *value,
    const struct bothy_cookie_attrs *attrs, bool secure)
{
	if (!text_is_token(name, strlen(name)))
		return request_fail(req, 500,
		    "a cookie's name is a token, not \"%.80s\"", name);
	if (!is_cookie_value(value))
		return request_fail(req, 500,
		    "cookie %.80s: spaces, quotes, commas, semicolons, "
		    "backslashes, control and non-ASCII bytes must be encoded",
		    name);
	if ((attrs->path && !is_attribute_value(attrs->path)) ||
	    (attrs->domain && !is_attribute_value(attrs->domain)))
		return request_fail(req, 500,
		    "cookie %.80s: its path or domain has bytes that are not "
		    "allowed", name);
	if (attrs->same_site == BOTHY_SAME_SITE_NONE && !secure)
		return request_fail(req, 500,
		    "cookie %.80s: SameSite=None needs https and not "
		    "`insecure`", name);
	return check_prefix(req, name, attrs, secure);
}

static bool
is_https(void)
{
	const char *https = bothy_env("HTTPS", "");

	return *https && !text_same(https, strlen(https), "off");
}

static const char *
same_site_name(enum bothy_same_site s)
{
	if (s == BOTHY_SAME_SITE_STRICT)
		return "Strict";
	return s == BOTHY_SAME_SITE_NONE ? "None" : "Lax";
}

int
bothy_set_cookie(struct bothy_req *req, const char *name, const char *value,
    const struct bothy_cookie_attrs *attrs)
{
	static const struct bothy_cookie_attrs CAREFUL;
	struct buf line;
	bool secure;
	int rc = -1;

	if (!attrs)
		attrs = &CAREFUL;
	secure = is_https() && !attrs->insecure;
	if (check_cookie(req, name, value, attrs, secure) < 0)
		return -1;
	buf_init(&line, COOKIE_MAX);
	buf_printf(&line, "%s=%s; Path=%s", name, value,
	    attrs->path ? attrs->path : "/");
	if (attrs->domain)
		buf_printf(&line, "; Domain=%s", attrs->domain);
	if (attrs->max_age_s)
		buf_printf(&line, "; Max-Age=%" PRId64,
		    attrs->max_age_s > 0 ? attrs->max_age_s : INT64_C(0));
	buf_printf(&line, "%s%s; SameSite=%s", secure ? "; Secure" : "",
	    attrs->script_access ? "" : "; HttpOnly",
	    same_site_name(attrs->same_site));
	if (buf_ok(&line))
		rc = bothy_add_header(req, "Set-Cookie", buf_str(&line));
	else
		request_fail(req, 500,
		    "cookie %.80s is longer than %d bytes with its attributes",
		    name, COOKIE_MAX);
	buf_release(&line);
	return rc;
}
