/*
 * An HTTP/1.1 reply as it comes in, for flood.c: only where it ends and what
 * its status is.  Takes what lighttpd, Apache and nginx send; it is no parser
 * for strangers.
 */
#ifndef BENCH_REPLY_H
#define BENCH_REPLY_H

#include <stdbool.h>
#include <stddef.h>

enum { REPLY_HEAD_MAX = 8192 };

struct reply {
	int status;
	bool begun;		/* a byte has come */
	bool in_body, chunked, close;
	long body_left;		/* -1: until the end of the connection */
	char tail[5];		/* of a chunked body: its last bytes */
	size_t head_len;
	char head[REPLY_HEAD_MAX + 1];
};

enum reply_progress {
	REPLY_MORE,
	REPLY_WHOLE,		/* the connection can be used again */
	REPLY_WHOLE_CLOSE,	/* it can't */
	REPLY_BROKEN
};

void reply_begin(struct reply *r);

/* The next n bytes; one reply at a time is on its way. */
enum reply_progress reply_feed(struct reply *r, const char *p, size_t n);

/* The connection has ended. */
enum reply_progress reply_end(const struct reply *r);

#endif
