/*
 * Events made from options, and events turned into CGI requests (event.h).
 */
#include "event.h"

#include "loose64.h"
#include "routematch.h"

#include "store/base/base64.h"
#include "store/base/clock.h"
#include "store/base/io.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads a file, or standard input for "-". */
static int
read_whole(const char *path, struct buf *b, struct err *e)
{
	ssize_t n;

	if (strcmp(path, "-") != 0)
		return io_read_file(AT_FDCWD, path, b, e);
	do {
		if (buf_reserve(b, 4096) < 0)
			return err_set(e, EFBIG, "standard input is longer "
			    "than %zu bytes", b->max);
		n = io_read(STDIN_FILENO, b->data + b->len, 4096);
		if (n < 0)
			return err_sys(e, "cannot read standard input");
		b->len += (size_t)n;
		b->data[b->len] = '\0';
	} while (n > 0);
	return 0;
}

static int
set_body(json_t *event, const char *data, struct err *e)
{
	struct buf body;
	char *coded;
	int rc = 0;

	buf_init(&body, EVENT_MAX_BODY);
	if (data[0] == '@')
		rc = read_whole(data + 1, &body, e);
	else
		buf_puts(&body, data);
	if (rc == 0) {
		coded = malloc(BASE64_LENGTH(body.len) + 1);
		if (!coded)
			rc = err_set(e, ENOMEM, "no memory");
		else {
			base64_encode(buf_str(&body), body.len, coded);
			json_object_set_new(event, "body", json_string(coded));
			json_object_set_new(event, "isBase64Encoded",
			    json_true());
		}
		free(coded);
	}
	buf_release(&body);
	return rc;
}

/* Adds "Name: value" to the headers, in lower case; doubled are joined. */
static int
set_header(json_t *headers, const char *line, struct err *e)
{
	const char *colon = strchr(line, ':'), *value, *before;
	char name[256];
	size_t n, i;

	n = colon ? (size_t)(colon - line) : 0;
	if (n == 0 || n >= sizeof name)
		return err_set(e, EINVAL, "--header '%s' is not like "
		    "'Name: value'", line);
	for (i = 0; i < n; i++)
		name[i] = (char)tolower((unsigned char)line[i]);
	name[n] = '\0';
	value = colon + 1 + strspn(colon + 1, " ");
	before = json_string_value(json_object_get(headers, name));
	json_object_set_new(headers, name, before ?
	    json_sprintf("%s, %s", before, value) : json_string(value));
	return 0;
}

json_t *
event_make(const struct conf *conf, const struct conf_function *f,
    const struct event_options *o, struct err *e)
{
	char path[4096];
	const char *method = o->method, *query;
	json_t *event, *headers = json_object();
	size_t i;

	routematch_example(conf, f, path, sizeof path, &method);
	if (o->path && snprintf(path, sizeof path, "%s", o->path) >=
	    (int)sizeof path) {
		json_decref(headers);
		err_set(e, E2BIG, "--path is longer than %zu bytes",
		    sizeof path - 1);
		return NULL;
	}
	if (!o->method && o->data)
		method = "POST";
	query = strchr(path, '?');
	event = json_pack("{s:s, s:s%, s:s, s:o, s:{s:{s:s, s:s}}}", "version",
	    "2.0", "rawPath", path, query ? (size_t)(query - path) :
	    strlen(path), "rawQueryString", query ? query + 1 : "", "headers",
	    headers, "requestContext", "http", "method", method, "sourceIp",
	    "127.0.0.1");
	if (!event) {
		err_set(e, EINVAL, "--path and --method must be UTF-8");
		return NULL;
	}
	for (i = 0; i < o->nheaders; i++) {
		if (set_header(headers, o->headers[i], e) < 0)
			goto fail;
	}
	if (o->data && set_body(event, o->data, e) < 0)
		goto fail;
	return event;
fail:
	json_decref(event);
	return NULL;
}

json_t *
event_read(const char *path, struct err *e)
{
	json_error_t je;
	json_t *event;
	struct buf text;

	buf_init(&text, EVENT_MAX_BODY);
	if (read_whole(path, &text, e) < 0) {
		buf_release(&text);
		return NULL;
	}
	event = json_loadb(buf_str(&text), text.len, JSON_DECODE_ANY, &je);
	buf_release(&text);
	if (!event) {
		err_set(e, EINVAL, "%s", je.text);
		err_at(e, path, je.line, je.column);
	}
	return event;
}

/* --- event -> CGI --------------------------------------------------------- */

static const char *
text_at(const json_t *o, const char *key, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : otherwise;
}

/* HTTP_ACCEPT_LANGUAGE of "accept-language". */
static void
set_http(struct envlist *env, const char *name, const char *value)
{
	char variable[300];
	size_t i, n;

	n = (size_t)snprintf(variable, sizeof variable, "HTTP_%s", name);
	if (n >= sizeof variable)
		return;
	for (i = 5; i < n; i++) {
		variable[i] = variable[i] == '-' ? '_' :
		    (char)toupper((unsigned char)variable[i]);
	}
	envlist_set(env, variable, value);
}

static void
set_headers(const json_t *event, struct envlist *env)
{
	json_t *headers = json_object_get(event, "headers"), *value;
	json_t *cookies = json_object_get(event, "cookies");
	struct buf joined;
	const char *name;
	size_t i;

	envlist_set(env, "HTTP_HOST", "localhost");
	json_object_foreach(headers, name, value) {
		if (!json_is_string(value))
			continue;
		if (strcasecmp(name, "content-type") == 0)
			envlist_set(env, "CONTENT_TYPE",
			    json_string_value(value));
		else if (strcasecmp(name, "content-length") != 0 &&
		    strcasecmp(name, "proxy") != 0)
			set_http(env, name, json_string_value(value));
	}
	if (json_array_size(cookies) == 0)
		return;
	buf_init(&joined, 16 * 1024);
	json_array_foreach(cookies, i, value) {
		if (json_is_string(value))
			buf_printf(&joined, "%s%s", joined.len ? "; " : "",
			    json_string_value(value));
	}
	envlist_set(env, "HTTP_COOKIE", buf_str(&joined));
	buf_release(&joined);
}

static int
take_body(const json_t *event, struct envlist *env, struct buf *body,
    struct err *e)
{
	const char *text = text_at(event, "body", NULL);
	char length[32];

	if (!text)
		return 0;
	if (json_is_true(json_object_get(event, "isBase64Encoded"))) {
		if (loose64_decode(text, body) < 0)
			return err_set(e, EINVAL, "the event's body is no "
			    "base64, or larger than %zu bytes", body->max);
	} else if (buf_puts(body, text) < 0)
		return err_set(e, EFBIG, "the event's body is larger than "
		    "%zu bytes", body->max);
	snprintf(length, sizeof length, "%zu", body->len);
	envlist_set(env, "CONTENT_LENGTH", length);
	return 0;
}

static void
set_meta(struct envlist *env, const char *method, const char *path,
    const char *query)
{
	struct buf uri;

	buf_init(&uri, 64 * 1024);
	buf_printf(&uri, "%s%s%s", path, *query ? "?" : "", query);
	envlist_set(env, "GATEWAY_INTERFACE", "CGI/1.1");
	envlist_set(env, "SERVER_PROTOCOL", "HTTP/1.1");
	envlist_set(env, "SERVER_SOFTWARE", "bothy-invoke");
	envlist_set(env, "SERVER_NAME", "localhost");
	envlist_set(env, "SERVER_PORT", "80");
	envlist_set(env, "REMOTE_ADDR", "127.0.0.1");
	envlist_set(env, "REQUEST_METHOD", method);
	envlist_set(env, "REQUEST_URI", buf_str(&uri));
	envlist_set(env, "QUERY_STRING", query);
	buf_release(&uri);
}

/* What is no HTTP event: its own text is what the function gets. */
static int
plain_invoke(const json_t *event, struct envlist *env, struct buf *body,
    struct err *e)
{
	char *text = json_dumps(event, JSON_COMPACT | JSON_ENCODE_ANY);
	char length[32];

	if (!text || buf_puts(body, text) < 0) {
		free(text);
		return err_set(e, EFBIG, "the event is larger than %zu bytes",
		    body->max);
	}
	free(text);
	set_meta(env, "POST", "/", "");
	envlist_set(env, "SCRIPT_NAME", "");
	envlist_set(env, "PATH_INFO", "/");
	envlist_set(env, "BOTHY_EVENT", "invoke");
	envlist_set(env, "CONTENT_TYPE", "application/json");
	snprintf(length, sizeof length, "%zu", body->len);
	envlist_set(env, "CONTENT_LENGTH", length);
	return 0;
}

int
event_environment(const json_t *event, const struct conf *conf,
    const struct conf_function *f, struct envlist *env, struct buf *body,
    struct err *e)
{
	const json_t *context = json_object_get(event, "requestContext");
	const json_t *http = json_object_get(context, "http");
	const char *method, *path, *query;

	if (!json_is_object(event) ||
	    (!http && !json_object_get(event, "rawPath")))
		return plain_invoke(event, env, body, e);
	method = text_at(http, "method", "GET");
	path = text_at(event, "rawPath", text_at(http, "path", "/"));
	query = text_at(event, "rawQueryString", "");
	set_meta(env, method, path, query);
	envlist_set(env, "REMOTE_ADDR", text_at(http, "sourceIp",
	    "127.0.0.1"));
	set_headers(event, env);
	if (take_body(event, env, body, e) < 0)
		return -1;
	return routematch_environment(conf, f, method, path, env, e);
}
