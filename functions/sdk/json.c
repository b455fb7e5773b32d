/*
 * JSON in and out, by Jansson.  Runs in a function's process.
 */
#include "reply.h"

#include <stdlib.h>
#include <string.h>

static void
drop_json(void *json)
{
	json_decref(json);
}

/*
 * Doubled names are refused: readers that disagree about which one counts
 * are a way around checks (RFC 8259 section 4).
 */
json_t *
bothy_json_body(struct bothy_req *req)
{
	json_error_t e;
	const char *body;
	json_t *json;
	size_t n;

	if (req->json)
		return req->json;
	body = bothy_body(req, &n);
	if (!body)
		return NULL;
	json = json_loadb(body, n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES,
	    &e);
	if (!json) {
		request_fail(req, 400, "the body is not JSON: line %d: %.120s",
		    e.line, e.text);
		return NULL;
	}
	if (request_on_end(req, drop_json, json) < 0)
		return NULL;
	return req->json = json;
}

int
bothy_json(struct bothy_req *req, int status, const json_t *json)
{
	char *text;
	size_t n;
	int rc;

	if (!json)
		return request_fail(req, 500,
		    "bothy_json: there is no value (did json_pack fail?)");
	text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	if (!text)
		return request_fail(req, 500,
		    "bothy_json: the value cannot be written");
	n = strlen(text);
	text[n] = '\n';		/* in the NUL's place: it is counted bytes now */
	rc = reply_whole(req, status, "application/json", text, n + 1);
	free(text);
	return rc;
}

int
bothy_json_new(struct bothy_req *req, int status, json_t *json)
{
	int rc = bothy_json(req, status, json);

	json_decref(json);
	return rc;
}
