/*
 * JSON in and out, by Jansson.  Runs in a function's process.
 */
#include "jsontext.h"
#include "reply.h"

#include <stdint.h>

enum { DEPTH_MAX = 2048 };	/* what Jansson reads */

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
	struct buf text;
	int rc;

	if (!json)
		return request_fail(req, 500,
		    "bothy_json: there is no value (did json_pack fail?)");
	buf_init(&text, SIZE_MAX / 2);
	if (jsontext_write(&text, json, DEPTH_MAX) < 0 ||
	    buf_putc(&text, '\n') < 0)
		rc = request_fail(req, 500,
		    "bothy_json: the value cannot be written");
	else
		rc = reply_whole(req, status, "application/json", text.data,
		    text.len);
	buf_release(&text);
	return rc;
}

int
bothy_json_new(struct bothy_req *req, int status, json_t *json)
{
	int rc = bothy_json(req, status, json);

	json_decref(json);
	return rc;
}
