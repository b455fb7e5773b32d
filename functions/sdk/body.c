/*
 * The request's body, whole or piece by piece.  Runs in a function's process;
 * never reads more than CONTENT_LENGTH (RFC 3875 4.2).
 */
#include "request.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static ssize_t
broken(struct bothy_req *req)
{
	int e = errno;

	req->body_state = BODY_BROKEN;
	return request_fail(req, 500, "cannot read the body: %s", strerror(e));
}

static ssize_t
read_some(struct bothy_req *req, void *p, size_t n)
{
	ssize_t k;

	if (n > req->body_left)
		n = (size_t)req->body_left;
	if (n == 0)
		return 0;
	k = io_read(req->in_fd, p, n);
	if (k < 0)
		return broken(req);
	if (req->body_left == SDK_BODY_UNKNOWN)
		return k;
	if (k == 0) {
		req->body_state = BODY_BROKEN;
		return request_fail(req, 400,
		    "the body ended %llu bytes early",
		    (unsigned long long)req->body_left);
	}
	req->body_left -= (uint64_t)k;
	return k;
}

ssize_t
bothy_read(struct bothy_req *req, void *buf, size_t n)
{
	if (req->body_state == BODY_BROKEN)
		return -1;
	if (req->body_state == BODY_WHOLE)
		return request_fail(req, 500,
		    "bothy_read: the whole body was taken already");
	req->body_state = BODY_STREAMED;
	return read_some(req, buf, n);
}

static int
too_large(struct bothy_req *req)
{
	return request_fail(req, 413, "the body is larger than %llu bytes",
	    (unsigned long long)req->limits[BOTHY_MAX_BODY]);
}

/* The length is known: one piece of memory of just that size. */
static int
read_known(struct bothy_req *req)
{
	size_t n = 0;
	char *body;
	ssize_t k;

	if (req->body_left > req->limits[BOTHY_MAX_BODY])
		return too_large(req);
	req->body_len = (size_t)req->body_left;
	body = req->body_len < SIZE_MAX
	    ? bag_alloc(&req->bag, req->body_len + 1)
	    : NULL;
	if (!body)
		return request_no_memory(req);
	while (n < req->body_len) {
		k = read_some(req, body + n, req->body_len - n);
		if (k < 0)
			return -1;
		n += (size_t)k;
	}
	body[n] = '\0';
	req->body = body;
	return 0;
}

/* It ends where the descriptor does. */
static int
read_to_end(struct bothy_req *req)
{
	uint64_t max = req->limits[BOTHY_MAX_BODY];
	struct buf b;
	char piece[4096];
	ssize_t k;

	buf_init(&b, max < SIZE_MAX / 2 ? (size_t)max : SIZE_MAX / 2);
	while ((k = read_some(req, piece, sizeof piece)) > 0) {
		if (b.len + (size_t)k > max) {
			too_large(req);
			goto fail;
		}
		if (buf_add(&b, piece, (size_t)k) < 0) {
			request_no_memory(req);
			goto fail;
		}
	}
	if (k < 0)
		goto fail;
	req->body_len = b.len;
	req->body = buf_str(&b);
	if (!b.data)
		return 0;
	return request_on_end(req, free, b.data);
fail:
	buf_release(&b);
	return -1;
}

const char *
bothy_body(struct bothy_req *req, size_t *len)
{
	int rc = -1;

	if (req->body_state == BODY_STREAMED) {
		request_fail(req, 500, "bothy_body: bothy_read or a multipart "
		                       "form has taken the body already");
	} else if (req->body_state == BODY_WHOLE) {
		rc = 0;
	} else if (req->body_state == BODY_UNREAD) {
		rc = req->body_left == SDK_BODY_UNKNOWN ? read_to_end(req)
		                                        : read_known(req);
		req->body_state = rc < 0 ? BODY_BROKEN : BODY_WHOLE;
	}
	if (len)
		*len = rc < 0 ? 0 : req->body_len;
	return rc < 0 ? NULL : req->body;
}
