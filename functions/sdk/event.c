/*
 * bothy_event(): the request as an event of API Gateway's HTTP APIs, payload
 * format version 2.0.  Runs in a function's process.
 *
 * What is absent is left out, as there: cookies, queryStringParameters,
 * pathParameters, body.
 */
#include "request.h"
#include "text.h"

#include "store/base/base64.h"
#include "store/base/clock.h"
#include "store/base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HEADER_NAME_MAX = 256 };

/* An event while it is made. */
struct maker {
	struct bothy_req *req;
	bool failed;	/* memory has run out */
	bool refused;	/* and why is in the request already */
};

/* Consumes `value`; NULL is a failure to make it. */
static void
put(struct maker *m, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		m->failed = true;
}

/* Bytes of a request as a JSON string, which is UTF-8 always. */
static json_t *
string_n(struct maker *m, const char *s, size_t n)
{
	char *copy;
	const char *clean;

	if (utf8_valid(s, n))
		return json_stringn(s, n);
	copy = bag_copy(&m->req->bag, s, n);
	clean = copy ? text_clean(&m->req->bag, copy, n) : NULL;
	return clean ? json_string(clean) : NULL;
}

static json_t *
string(struct maker *m, const char *s)
{
	return string_n(m, s, strlen(s));
}

/* Adds a string; where the name is there already, behind a comma. */
static void
put_joined(struct maker *m, json_t *object, const char *key, const char *s)
{
	const char *old = json_string_value(json_object_get(object, key));

	put(m, object, key,
	    old ? json_sprintf("%s,%s", old, s) : string(m, s));
}

/* Consumes `object`: puts it in place if there is something in it. */
static void
put_filled(struct maker *m, json_t *event, const char *key, json_t *object)
{
	if (json_object_size(object) || json_array_size(object))
		put(m, event, key, object);
	else
		json_decref(object);
}

/* --- headers, cookies, query, path ----------------------------------------- */

/* HTTP_ACCEPT_LANGUAGE=de: accept-language. */
static void
put_header(struct maker *m, json_t *headers, const char *variable)
{
	const char *equals = strchr(variable, '=');
	char name[HEADER_NAME_MAX];
	size_t n = equals ? (size_t)(equals - variable) : 0, i;

	if (n == 0 || n >= sizeof name)
		return;
	for (i = 0; i < n; i++) {
		name[i] = variable[i];
		if (name[i] == '_')
			name[i] = '-';
		else if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] + 'a' - 'A');
	}
	name[n] = '\0';
	if (strcmp(name, "cookie") != 0 && utf8_valid(name, n))
		put(m, headers, name, string(m, equals + 1));
}

static json_t *
headers_of(struct maker *m)
{
	json_t *headers = json_object();
	char **v;

	for (v = environ; v && *v; v++) {
		if (strncmp(*v, "HTTP_", 5) == 0)
			put_header(m, headers, *v + 5);
		else if (strncmp(*v, "CONTENT_TYPE=", 13) == 0 ||
		    strncmp(*v, "CONTENT_LENGTH=", 15) == 0)
			put_header(m, headers, *v);
	}
	return headers;
}

static json_t *
cookies_of(struct maker *m)
{
	const char *s = bothy_env("HTTP_COOKIE", "");
	json_t *cookies = json_array();
	size_t n;

	for (; *s; s += n + (s[n] == ';')) {
		s += strspn(s, " \t");
		n = strcspn(s, ";");
		if (n && json_array_append_new(cookies,
		             string_n(m, s, n)) < 0)
			m->failed = true;
	}
	return cookies;
}

static json_t *
query_of(struct maker *m)
{
	int failed_before = m->req->error_status;
	json_t *query = json_object();
	const struct bothy_pair *p;
	size_t i;

	m->req->error_status = 0;
	for (i = 0; (p = bothy_query_at(m->req, i)); i++)
		put_joined(m, query, p->name, p->value);
	if (m->req->error_status)
		m->refused = true;
	else
		m->req->error_status = failed_before;
	return query;
}

/* The names are in the route, "GET /orders/{order-id}/{rest+}". */
static json_t *
params_of(struct maker *m)
{
	const char *s = bothy_env("BOTHY_ROUTE", ""), *value;
	json_t *params = json_object();
	char name[HEADER_NAME_MAX];
	size_t n;

	while ((s = strchr(s, '{'))) {
		s++;
		n = strcspn(s, "+}");
		if (n >= sizeof name || !utf8_valid(s, n))
			continue;
		memcpy(name, s, n);
		name[n] = '\0';
		value = bothy_param(m->req, name);
		if (value)
			put(m, params, name, string(m, value));
	}
	return params;
}

/* The path as it was sent: REQUEST_URI may be absolute. */
static json_t *
raw_path(struct maker *m)
{
	const char *uri = bothy_env("REQUEST_URI", ""), *host;

	if (*uri != '/' && (host = strstr(uri, "://")))
		uri = host + 3 + strcspn(host + 3, "/?");
	if (*uri != '/')
		return string(m, bothy_path(m->req));
	return string_n(m, uri, strcspn(uri, "?#"));
}

/* --- the context ------------------------------------------------------------ */

static json_t *
http_of(struct maker *m)
{
	json_t *http = json_object();

	put(m, http, "method", string(m, bothy_method(m->req)));
	put(m, http, "path", string(m, bothy_path(m->req)));
	put(m, http, "protocol",
	    string(m, bothy_env("SERVER_PROTOCOL", "HTTP/1.1")));
	put(m, http, "sourceIp", string(m, bothy_env("REMOTE_ADDR", "")));
	put(m, http, "userAgent", string(m, bothy_env("HTTP_USER_AGENT", "")));
	return http;
}

/* "12/Mar/2020:19:03:58 +0000" */
static json_t *
log_time(int64_t ms)
{
	static const char MONTHS[12][4] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	gmtime_r(&t, &tm);
	return json_sprintf("%02d/%s/%d:%02d:%02d:%02d +0000", tm.tm_mday,
	    MONTHS[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
	    tm.tm_sec);
}

/* Who is asking, if the gateway has found that out: claims as JSON. */
static void
put_authorizer(struct maker *m, json_t *context)
{
	const char *auth = bothy_env("BOTHY_AUTH", "");
	json_t *claims = *auth ? json_loads(auth, 0, NULL) : NULL;

	if (claims)
		put(m, context, "authorizer", json_pack("{s:{s:o,s:n}}", "jwt",
		        "claims", claims, "scopes"));
}

static json_t *
context_of(struct maker *m)
{
	json_t *context = json_object();
	const char *host = bothy_header(m->req, "Host");
	int64_t now = clock_wall_ms();

	if (!host)
		host = bothy_env("SERVER_NAME", "");
	put(m, context, "accountId", json_string("anonymous"));
	put(m, context, "apiId", string(m, bothy_env("BOTHY_FUNCTION", "")));
	put_authorizer(m, context);
	put(m, context, "domainName", string_n(m, host, strcspn(host, ":")));
	put(m, context, "domainPrefix",
	    string_n(m, host, strcspn(host, ".:")));
	put(m, context, "http", http_of(m));
	put(m, context, "requestId", string(m, bothy_request_id(m->req)));
	put(m, context, "routeKey",
	    string(m, bothy_env("BOTHY_ROUTE", "$default")));
	put(m, context, "stage", json_string("$default"));
	put(m, context, "time", log_time(now));
	put(m, context, "timeEpoch", json_integer(now));
	return context;
}

/* --- the body ----------------------------------------------------------------*/

/* Text as it is, anything else as base64. */
static void
put_body(struct maker *m, json_t *event)
{
	size_t n;
	const char *body = bothy_body(m->req, &n);
	bool text;
	char *coded;

	if (!body) {
		m->refused = true;
		return;
	}
	text = utf8_valid(body, n) && !memchr(body, '\0', n);
	if (n && text) {
		put(m, event, "body", json_stringn(body, n));
	} else if (n) {
		coded = malloc(BASE64_LENGTH(n) + 1);
		if (coded)
			base64_encode(body, n, coded);
		put(m, event, "body", json_string(coded));
		free(coded);
	}
	put(m, event, "isBase64Encoded", json_boolean(!text));
}

static void
drop_event(void *event)
{
	json_decref(event);
}

static json_t *
make_event(struct maker *m)
{
	json_t *event = json_object();

	put(m, event, "version", json_string("2.0"));
	put(m, event, "routeKey",
	    string(m, bothy_env("BOTHY_ROUTE", "$default")));
	put(m, event, "rawPath", raw_path(m));
	put(m, event, "rawQueryString",
	    string(m, bothy_env("QUERY_STRING", "")));
	put_filled(m, event, "cookies", cookies_of(m));
	put(m, event, "headers", headers_of(m));
	put_filled(m, event, "queryStringParameters", query_of(m));
	put(m, event, "requestContext", context_of(m));
	put_filled(m, event, "pathParameters", params_of(m));
	put_body(m, event);
	if (!m->refused && !m->failed)
		return event;
	if (!m->refused)
		request_no_memory(m->req);
	json_decref(event);
	return NULL;
}

/* What is no web request is a POST of the event itself (BOTHY_EVENT). */
json_t *
bothy_event(struct bothy_req *req)
{
	struct maker m = {.req = req};
	json_t *event;

	if (*bothy_env("BOTHY_EVENT", ""))
		return bothy_json_body(req);
	if (req->event)
		return req->event;
	event = make_event(&m);
	if (!event || request_on_end(req, drop_event, event) < 0)
		return NULL;
	return req->event = event;
}
