/*
 * Replies in one call: text, errors, refusals.  Runs in a function's process.
 */
#include "reply.h"

#include "store/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 4096 };	/* bytes of an error's text */

int
reply_whole(struct bothy_req *req, int status, const char *type,
    const void *p, size_t n)
{
	if (bothy_status(req, status) < 0)
		return -1;
	output_drop_body(&req->out);
	output_drop_lines(&req->out, "Content-Length");
	output_drop_lines(&req->out, "Content-Type");
	if (n == 0)
		return 0;
	if (bothy_set_header(req, "Content-Type", type) == 0 &&
	    bothy_write(req, p, n) == 0)
		return 0;
	if (!req->out.committed) {
		output_drop_body(&req->out);
		req->out.status = 0;
	}
	return -1;
}

int
bothy_text(struct bothy_req *req, int status, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n, rc;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return request_no_memory(req);
	rc = reply_whole(req, status, "text/plain; charset=utf-8", text,
	    (size_t)n);
	free(text);
	return rc;
}

static int
reply_message(struct bothy_req *req, int status, const char *text)
{
	struct buf b;
	int rc = -1;

	buf_init(&b, 6 * MESSAGE_MAX + 64);
	buf_puts(&b, "{\"message\":");
	buf_json(&b, text, strlen(text));
	buf_puts(&b, "}\n");
	if (buf_ok(&b))
		rc = reply_whole(req, status, "application/json", b.data,
		    b.len);
	else
		request_no_memory(req);
	buf_release(&b);
	return rc;
}

int
bothy_error(struct bothy_req *req, int status, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return reply_message(req, status, text);
}

/* What went wrong on our side is for the log, not for the client. */
int
bothy_refuse(struct bothy_req *req)
{
	int status = req->error_status ? req->error_status : 400;

	if (status < 500)
		return reply_message(req, status,
		    req->error_status ? req->error_text : "bad request");
	bothy_log(BOTHY_ERROR, "%s", req->error_text);
	return reply_message(req, status, "internal error");
}
