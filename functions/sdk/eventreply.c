/*
 * bothy_reply_event(): the reply from what an API Gateway handler returns
 * (payload format version 2.0).  Runs in a function's process.
 */
#include "reply.h"
#include "text.h"

#include "store/base/base64.h"

#include <stdlib.h>
#include <string.h>

/* Without a statusCode the result itself is the body of a 200. */
static int
reply_bare(struct bothy_req *req, const json_t *result)
{
	const char *text = json_string_value(result);

	if (text)
		return reply_whole(req, 200, "application/json", text,
		    json_string_length(result));
	return bothy_json(req, 200, result);
}

static int
set_header(struct bothy_req *req, const char *name, const json_t *value)
{
	const char *s = json_string_value(value);
	char *text;
	int rc;

	if (s)
		return bothy_set_header(req, name, s);
	text = json_is_number(value) || json_is_boolean(value)
	    ? json_dumps(value, JSON_ENCODE_ANY)
	    : NULL;
	if (!text)
		return request_fail(req, 500,
		    "the result's header %.80s is no string", name);
	rc = bothy_set_header(req, name, text);
	free(text);
	return rc;
}

/* All but two, which the body settles; *type is the Content-Type. */
static int
set_headers(struct bothy_req *req, json_t *headers, const char **type)
{
	const char *name;
	json_t *value;
	size_t n;

	if (headers && !json_is_object(headers) && !json_is_null(headers))
		return request_fail(req, 500,
		    "the result's headers are no object");
	json_object_foreach(headers, name, value) {
		n = strlen(name);
		if (text_same(name, n, "Content-Type") &&
		    json_is_string(value))
			*type = json_string_value(value);
		else if (!text_same(name, n, "Content-Length") &&
		    set_header(req, name, value) < 0)
			return -1;
	}
	return 0;
}

static int
add_cookies(struct bothy_req *req, const json_t *cookies)
{
	const json_t *cookie;
	size_t i;

	if (cookies && !json_is_array(cookies) && !json_is_null(cookies))
		return request_fail(req, 500,
		    "the result's cookies are no array");
	json_array_foreach(cookies, i, cookie) {
		if (!json_is_string(cookie))
			return request_fail(req, 500,
			    "a cookie of the result is no string");
		if (bothy_add_header(req, "Set-Cookie",
		        json_string_value(cookie)) < 0)
			return -1;
	}
	return 0;
}

static int
reply_base64(struct bothy_req *req, int status, const char *type,
    const json_t *body)
{
	size_t len = json_string_length(body);
	char *bytes = malloc(len / 4 * 3 + 1);
	ssize_t n;
	int rc;

	if (!bytes)
		return request_no_memory(req);
	n = base64_decode(json_string_value(body), len, bytes);
	if (n < 0)
		rc = request_fail(req, 500,
		    "the result's body is not base64");
	else
		rc = reply_whole(req, status, type, bytes, (size_t)n);
	free(bytes);
	return rc;
}

int
bothy_reply_event(struct bothy_req *req, const json_t *result)
{
	const json_t *status = json_object_get(result, "statusCode");
	const json_t *body = json_object_get(result, "body");
	const json_t *coded = json_object_get(result, "isBase64Encoded");
	const char *type = "text/plain; charset=utf-8";
	json_int_t code = json_integer_value(status);

	if (!result)
		return request_fail(req, 500,
		    "bothy_reply_event: there is no result");
	if (!status)
		return reply_bare(req, result);
	if (code < 200 || code > 599)
		return request_fail(req, 500,
		    "the result's statusCode is no integer from 200 to 599");
	if (body && !json_is_string(body) && !json_is_null(body))
		return request_fail(req, 500, "the result's body is no string");
	if (set_headers(req, json_object_get(result, "headers"), &type) < 0 ||
	    add_cookies(req, json_object_get(result, "cookies")) < 0)
		return -1;
	if (!json_is_string(body))
		return reply_whole(req, (int)code, type, "", 0);
	if (json_is_true(coded))
		return reply_base64(req, (int)code, type, body);
	return reply_whole(req, (int)code, type, json_string_value(body),
	    json_string_length(body));
}

int
bothy_reply_event_new(struct bothy_req *req, json_t *result)
{
	int rc = bothy_reply_event(req, result);

	json_decref(result);
	return rc;
}
