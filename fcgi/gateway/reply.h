/*
 * A function's reply: CGI output (RFC 3875 section 6) checked and completed.
 *
 * Run by bothy-fcgi's workers.  Bytes are fed as they come until the header
 * is whole; what is wrong there becomes a 502 in the caller.  Calling order:
 *
 *   reply_begin
 *   reply_feed       until it is not REPLY_MORE; the rest is body
 *   reply_head       the checked header, once it is known how it goes out
 *   reply_body       for each piece of body: how much of it goes out
 *   reply_short      was it all there?
 *
 * It never trusts what a function says about framing, and knows nothing of
 * sockets and processes.
 */
#ifndef GATEWAY_REPLY_H
#define GATEWAY_REPLY_H

#include "cors.h"
#include "store/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REPLY_HEADER_MAX = 32 * 1024,	/* bytes of the header */
	REPLY_LINE_MAX = 8 * 1024,	/* bytes of one line */
	REPLY_FIELDS_MAX = 128
};

enum reply_state {
	REPLY_MORE,		/* the header is not whole yet */
	REPLY_READY,		/* the header is whole: reply_head() */
	REPLY_LOCAL_REDIRECT,	/* go on with r->location (section 6.2.2) */
	REPLY_BAD		/* r->reason says why */
};

struct reply_field {
	unsigned name_at, name_len;	/* in `text` */
	unsigned value_at, value_len;
	unsigned char kind;		/* enum of reply.c */
};

struct reply {
	enum reply_state state;
	const char *reason;	/* REPLY_BAD: a constant, lower case */
	int status;		/* valid from REPLY_READY on */
	bool head;		/* the request was HEAD */
	bool no_body;		/* HEAD, 204 or 304: nothing goes out */
	bool surplus;		/* bytes behind Content-Length were cut */
	const char *location;	/* of a local redirect; a C string */
	int64_t content_length;	/* what the function said, or -1 */
	uint64_t seen_bytes;	/* body bytes that came */
	uint64_t sent_bytes;	/* body bytes that reply_body() let out */

	struct buf text;	/* the header lines so far */
	size_t line_at;		/* where the unfinished line begins */
	struct reply_field fields[REPLY_FIELDS_MAX];
	size_t count;
	int content_type, location_field, phrase_field; /* index or -1 */
};

/* What reply_head() completes the header with. */
struct reply_extra {
	const char *request_id;
	const struct cors *cors;	/* NULL: none */
	const char *origin;		/* the request's; NULL: none */
	int64_t body_bytes;	/* all of the body, if it is here; else -1 */
	bool stream;		/* response: stream, or flushed before its end */
};

/* Prepares the struct of a worker; reply_release() frees its memory. */
void reply_init(struct reply *r);
void reply_release(struct reply *r);

/* A new reply; `head` for a HEAD request. */
void reply_begin(struct reply *r, bool head);

/*
 * Takes bytes of output.  *used is how many belong to the header; the others
 * are body.  After any state but REPLY_MORE it takes none.
 */
enum reply_state reply_feed(struct reply *r, const char *p, size_t n,
    size_t *used);

/*
 * The output ended before the header was whole: always REPLY_BAD, with a
 * reason that says whether there was anything at all.
 */
enum reply_state reply_feed_end(struct reply *r);

/*
 * Appends the header block with its empty line: Status first, then the
 * function's own fields in order, X-Request-Id, Content-Length where it is
 * known, X-Accel-Buffering: no for a stream, CORS lines.  0; -1 with
 * REPLY_BAD if the body is here and has no Content-Type, or is shorter than
 * its Content-Length.
 */
int reply_head(struct reply *r, const struct reply_extra *x, struct buf *out);

/*
 * Counts `n` bytes of body: how many of them go out, from the first on.
 * Bytes without a Content-Type make the state REPLY_BAD (0 go out).
 */
size_t reply_body(struct reply *r, size_t n);

/* True if the body was shorter than the Content-Length that was promised. */
bool reply_short(const struct reply *r);

#endif
