/*
 * The request's life, and what its CGI variables tell (RFC 3875 section 4).
 * Runs in a function's process.
 */
#include "request.h"

#include "text.h"

#include "store/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t LIMITS[REQUEST_LIMITS] = {
    [BOTHY_MAX_BODY] = 6 << 20,
    [BOTHY_MAX_FIELDS] = 1000,
    [BOTHY_MAX_FILES] = 100,
    [BOTHY_MAX_UPLOAD] = 256 << 20,
};

void
request_init(struct bothy_req *req, const struct sdk_io *io)
{
	*req = (struct bothy_req){
	    .flushed = io->flushed,
	    .in_fd = io->in_fd,
	    .body_left = io->body_bytes};
	memcpy(req->limits, LIMITS, sizeof LIMITS);
	output_init(&req->out, io->out_fd);
}

void
request_release(struct bothy_req *req)
{
	struct request_cleanup *c;

	while ((c = req->cleanups)) {
		req->cleanups = c->next;
		c->run(c->arg);
	}
	output_release(&req->out);
	bag_release(&req->bag);
}

int
request_fail(struct bothy_req *req, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(req->error_text, sizeof req->error_text, fmt, ap);
	va_end(ap);
	req->error_status = status;
	return -1;
}

int
request_no_memory(struct bothy_req *req)
{
	return request_fail(req, 500, "out of memory");
}

int
request_on_end(struct bothy_req *req, void (*run)(void *), void *arg)
{
	struct request_cleanup *c = bag_alloc(&req->bag, sizeof *c);

	if (!c) {
		run(arg);
		return request_no_memory(req);
	}
	*c = (struct request_cleanup){req->cleanups, run, arg};
	req->cleanups = c;
	return 0;
}

int
bothy_failed(struct bothy_req *req)
{
	return req->error_status;
}

const char *
bothy_error_text(struct bothy_req *req)
{
	return req->error_text;
}

int
bothy_limit(struct bothy_req *req, enum bothy_limit what, uint64_t value)
{
	if ((unsigned)what >= REQUEST_LIMITS)
		return request_fail(req, 500, "there is no limit number %u",
		    (unsigned)what);
	req->limits[what] = value;
	return 0;
}

const char *
bothy_env(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value ? value : fallback;
}

const char *
bothy_method(struct bothy_req *req)
{
	(void)req;
	return bothy_env("REQUEST_METHOD", "GET");
}

/* The web server's two halves of the path, decoded (RFC 3875 4.1.5, .13). */
const char *
bothy_path(struct bothy_req *req)
{
	const char *script = bothy_env("SCRIPT_NAME", "");
	const char *info = bothy_env("PATH_INFO", "");
	size_t slen = strlen(script), ilen = strlen(info);
	char *path;

	if (req->path)
		return req->path;
	path = bag_alloc(&req->bag, slen + ilen + 2);
	if (!path)
		return "/";
	memcpy(path, script, slen);
	memcpy(path + slen, info, ilen + 1);
	if (!*path)
		memcpy(path, "/", 2);
	return req->path = path;
}

const char *
bothy_request_id(struct bothy_req *req)
{
	(void)req;
	return bothy_env("BOTHY_REQUEST_ID", "");
}

int64_t
bothy_deadline_ms(struct bothy_req *req)
{
	(void)req;
	return strtoll(bothy_env("BOTHY_DEADLINE_MS", "0"), NULL, 10);
}

int64_t
bothy_remaining_ms(struct bothy_req *req)
{
	int64_t deadline = bothy_deadline_ms(req), left;

	if (deadline <= 0)
		return INT64_MAX;
	left = deadline - clock_wall_ms();
	return left > 0 ? left : 0;
}

/* The variable `prefix` + `name` in which c became map(c); NULL if absent. */
static const char *
mapped_variable(const char *prefix, const char *name, char (*map)(char))
{
	char variable[160];
	size_t n = strlen(prefix), len = strlen(name), i;

	if (len == 0 || len >= sizeof variable - n)
		return NULL;
	memcpy(variable, prefix, n);
	for (i = 0; i < len; i++)
		variable[n + i] = map(name[i]);
	variable[n + len] = '\0';
	return getenv(variable);
}

static char
param_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	        (c >= 'A' && c <= 'Z')
	    ? c
	    : '_';
}

const char *
bothy_param(struct bothy_req *req, const char *name)
{
	(void)req;
	return mapped_variable("BOTHY_PARAM_", name, param_char);
}

static char
header_char(char c)
{
	if (c >= 'a' && c <= 'z')
		return (char)(c - 'a' + 'A');
	return c == '-' ? '_' : c;
}

/* Two headers have variables of their own (RFC 3875 4.1.2, 4.1.3). */
const char *
bothy_header(struct bothy_req *req, const char *name)
{
	size_t n = strlen(name);
	const char *value;

	(void)req;
	if (text_same(name, n, "Content-Type"))
		value = getenv("CONTENT_TYPE");
	else if (text_same(name, n, "Content-Length"))
		value = getenv("CONTENT_LENGTH");
	else if (text_is_token(name, n))
		return mapped_variable("HTTP_", name, header_char);
	else
		return NULL;
	return value && *value ? value : NULL;
}
