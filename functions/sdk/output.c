/*
 * The reply's buffer and its commit, as output.h promises.  Runs in a
 * function's process.
 */
#include "output.h"

#include "abi.h"
#include "text.h"

#include "store/base/io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TEXT_PLAIN "text/plain; charset=utf-8"

enum { OWN_LINES_MAX = 256 };	/* bytes that own_lines() makes */

static const struct {
	short status;
	const char *phrase;
} PHRASES[] = {
    {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"},
    {206, "Partial Content"}, {301, "Moved Permanently"}, {302, "Found"},
    {303, "See Other"}, {304, "Not Modified"}, {307, "Temporary Redirect"},
    {308, "Permanent Redirect"}, {400, "Bad Request"}, {401, "Unauthorized"},
    {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
    {406, "Not Acceptable"}, {408, "Request Timeout"}, {409, "Conflict"},
    {410, "Gone"}, {411, "Length Required"}, {412, "Precondition Failed"},
    {413, "Content Too Large"}, {414, "URI Too Long"},
    {415, "Unsupported Media Type"}, {416, "Range Not Satisfiable"},
    {422, "Unprocessable Content"}, {428, "Precondition Required"},
    {429, "Too Many Requests"}, {500, "Internal Server Error"},
    {501, "Not Implemented"}, {502, "Bad Gateway"},
    {503, "Service Unavailable"}, {504, "Gateway Timeout"},
};

const char *
output_phrase(int status)
{
	size_t i;

	for (i = 0; i < sizeof PHRASES / sizeof PHRASES[0]; i++)
		if (PHRASES[i].status == status)
			return PHRASES[i].phrase;
	return "";
}

void
output_init(struct output *o, int fd)
{
	*o = (struct output){.fd = fd};
	buf_init(&o->head, OUTPUT_HEAD_MAX);
	buf_init(&o->body, OWN_LINES_MAX + OUTPUT_HEAD_MAX + OUTPUT_BODY_MAX);
}

void
output_release(struct output *o)
{
	buf_release(&o->head);
	buf_release(&o->body);
}

int
output_add_line(struct output *o, const char *name, const char *value)
{
	size_t n = strlen(name) + strlen(value) + 4;

	if (n > OUTPUT_LINE_MAX || n > OUTPUT_HEAD_MAX - o->head.len ||
	    o->lines == OUTPUT_LINES_MAX) {
		errno = E2BIG;
		return -1;
	}
	if (buf_reserve(&o->head, n) < 0) {
		o->head.failed = false;
		errno = ENOMEM;
		return -1;
	}
	buf_puts(&o->head, name);
	buf_puts(&o->head, ": ");
	buf_puts(&o->head, value);
	buf_puts(&o->head, "\r\n");
	o->lines++;
	return 0;
}

/* The line at or after `at` that has this name, its length in *len. */
static char *
find_line(const struct output *o, char *at, const char *name, size_t *len)
{
	const char *end;

	if (!at)
		return NULL;
	for (end = o->head.data + o->head.len; at < end; at += *len) {
		*len = (size_t)(strstr(at, "\r\n") - at) + 2;
		if (text_same(at, strcspn(at, ":"), name))
			return at;
	}
	return NULL;
}

void
output_drop_lines(struct output *o, const char *name)
{
	char *at = o->head.data;
	size_t len;

	while ((at = find_line(o, at, name, &len))) {
		memmove(at, at + len,
		    o->head.len - (size_t)(at + len - o->head.data) + 1);
		o->head.len -= len;
		o->lines--;
	}
}

const char *
output_line(const struct output *o, const char *name)
{
	size_t len;
	const char *line = find_line(o, o->head.data, name, &len);

	return line ? line + strlen(name) + 2 : NULL;
}

void
output_drop_body(struct output *o)
{
	buf_reset(&o->body);
}

static bool
bodiless(int status)
{
	return status == 204 || status == 304;
}

bool
output_begun(const struct output *o)
{
	return o->committed || o->status || o->body.len;
}

/* The status to send: the one that was chosen, or what the rest implies. */
static int
settle_status(const struct output *o)
{
	if (o->status)
		return o->status;
	return output_line(o, "Location") ? 302 : 200;
}

/*
 * The lines before the author's own: status, and the type and length that he
 * left to us.  Their length.
 */
static size_t
own_lines(const struct output *o, bool whole, char *to, size_t room)
{
	bool typed = output_line(o, "Content-Type") != NULL;
	bool counted = output_line(o, "Content-Length") != NULL;
	bool body = o->body.len || !whole;
	int n;

	n = snprintf(to, room, "Status: %d %s\r\n%s", o->status,
	    output_phrase(o->status),
	    body && !typed ? "Content-Type: " TEXT_PLAIN "\r\n" : "");
	if (whole && !counted && !bodiless(o->status))
		n += snprintf(to + n, room - (size_t)n,
		    "Content-Length: %zu\r\n", o->body.len);
	return (size_t)n;
}

/*
 * Puts the CGI header before the body, which is whole if `whole`: it moves up
 * in the one buffer, so that both can be handed over as one piece.
 */
static int
compose(struct output *o, bool whole)
{
	char own[OWN_LINES_MAX];
	size_t own_len, n;

	o->status = settle_status(o);
	if (bodiless(o->status)) {
		output_drop_body(o);
		output_drop_lines(o, "Content-Length");
		whole = true;
	}
	own_len = own_lines(o, whole, own, sizeof own);
	n = own_len + o->head.len + 2;
	if (buf_reserve(&o->body, n) < 0) {
		o->body.failed = false;
		errno = ENOMEM;
		return -1;
	}
	memmove(o->body.data + n, o->body.data, o->body.len);
	memcpy(o->body.data, own, own_len);
	if (o->head.len)
		memcpy(o->body.data + own_len, o->head.data, o->head.len);
	memcpy(o->body.data + n - 2, "\r\n", 2);
	o->body.len += n;
	o->committed = true;
	buf_release(&o->head);
	return 0;
}

/* Writes what is held back, and `p` behind it. */
static int
write_through(struct output *o, const void *p, size_t n)
{
	if (io_write_all(o->fd, o->body.data, o->body.len) < 0 ||
	    io_write_all(o->fd, p, n) < 0) {
		o->write_errno = errno;
		return -1;
	}
	buf_reset(&o->body);
	return 0;
}

static int
commit(struct output *o)
{
	return o->committed ? 0 : compose(o, false);
}

int
output_write(struct output *o, const void *p, size_t n)
{
	if (o->write_errno) {
		errno = o->write_errno;
		return -1;
	}
	if (n <= OUTPUT_BODY_MAX && o->body.len <= OUTPUT_BODY_MAX - n) {
		if (buf_add(&o->body, p, n) == 0)
			return 0;
		o->body.failed = false;
		errno = ENOMEM;
		return -1;
	}
	if (commit(o) < 0)
		return -1;
	return write_through(o, p, n);
}

int
output_flush(struct output *o)
{
	if (o->write_errno) {
		errno = o->write_errno;
		return -1;
	}
	if (commit(o) < 0)
		return -1;
	return write_through(o, NULL, 0);
}

int
output_end(struct output *o, bool ok, struct sdk_output *rest)
{
	*rest = (struct sdk_output){NULL, 0};
	if (!o->committed) {
		if (!output_begun(o) && !(ok && output_line(o, "Location")))
			return 0;
		if (compose(o, true) < 0)
			return -1;
	}
	if (o->write_errno) {
		errno = o->write_errno;
		return -1;
	}
	if (o->body.len > ABI_INLINE_MAX)
		return write_through(o, NULL, 0);
	*rest = (struct sdk_output){o->body.data, o->body.len};
	return 0;
}
