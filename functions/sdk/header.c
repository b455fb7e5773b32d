/*
 * The author's side of the reply: status, headers, writing.  Everything that
 * the gateway would refuse later is refused here, with a reason.  Runs in a
 * function's process.
 */
#include "request.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the gateway and the web server decide (RFC 9110 7.6.1, 9112). */
static const char *const NOT_YOURS[] = {"Status", "Connection", "Keep-Alive",
    "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade"};

static int
too_late(struct bothy_req *req, const char *call)
{
	return request_fail(req, 500,
	    "%s: the reply is committed, its header has gone out", call);
}

int
bothy_status(struct bothy_req *req, int status)
{
	if (req->out.committed)
		return too_late(req, "bothy_status");
	if (status < 200 || status > 599)
		return request_fail(req, 500,
		    "%d is no status of a reply: 200 to 599", status);
	req->out.status = status;
	return 0;
}

static int
check_header(struct bothy_req *req, const char *name, const char *value)
{
	size_t n = strlen(name), i;

	if (req->out.committed)
		return too_late(req, "a reply header");
	if (!text_is_token(name, n))
		return request_fail(req, 500,
		    "\"%.80s\" is not a header's name", name);
	for (i = 0; i < sizeof NOT_YOURS / sizeof NOT_YOURS[0]; i++)
		if (text_same(name, n, NOT_YOURS[i]))
			return request_fail(req, 500,
			    "the header %s is the server's to set%s",
			    NOT_YOURS[i], i ? "" : ": call bothy_status");
	for (; value && *value; value++)
		if ((*value >= 0 && *value < ' ' && *value != '\t') ||
		    *value == 0x7f)
			return request_fail(req, 500,
			    "the header %.80s has a control byte in its value",
			    name);
	return 0;
}

static int
add_line(struct bothy_req *req, const char *name, const char *value)
{
	if (output_add_line(&req->out, name, value) == 0)
		return 0;
	if (errno == ENOMEM)
		return request_no_memory(req);
	return request_fail(req, 500,
	    "the header %.80s is too much: %d lines, %d bytes a line and %d "
	    "in all are the limits", name, OUTPUT_LINES_MAX, OUTPUT_LINE_MAX,
	    OUTPUT_HEAD_MAX);
}

int
bothy_add_header(struct bothy_req *req, const char *name, const char *value)
{
	if (check_header(req, name, value) < 0)
		return -1;
	return add_line(req, name, value);
}

int
bothy_set_header(struct bothy_req *req, const char *name, const char *value)
{
	if (check_header(req, name, value) < 0)
		return -1;
	output_drop_lines(&req->out, name);
	return value ? add_line(req, name, value) : 0;
}

/* The reason why the output went wrong, from errno. */
static int
write_failed(struct bothy_req *req)
{
	if (errno == ENOMEM)
		return request_no_memory(req);
	return request_fail(req, 500, "cannot write the reply: %s",
	    strerror(errno));
}

int
bothy_write(struct bothy_req *req, const void *p, size_t n)
{
	int status = req->out.status;

	if (n && (status == 204 || status == 304))
		return request_fail(req, 500, "a %d reply has no body",
		    status);
	return output_write(&req->out, p, n) < 0 ? write_failed(req) : 0;
}

int
bothy_printf(struct bothy_req *req, const char *fmt, ...)
{
	char small[512], *text = small;
	va_list ap;
	int n, rc;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof small) {
		va_start(ap, fmt);
		n = vasprintf(&text, fmt, ap);
		va_end(ap);
		if (n < 0)
			return request_no_memory(req);
	}
	if (n < 0)
		return request_fail(req, 500,
		    "bothy_printf: the text cannot be formatted");
	rc = bothy_write(req, text, (size_t)n);
	if (text != small)
		free(text);
	return rc;
}

int
bothy_flush(struct bothy_req *req)
{
	if (fflush(stdout) != 0 || output_flush(&req->out) < 0)
		return write_failed(req);
	if (req->flushed)
		req->flushed();
	return 0;
}
