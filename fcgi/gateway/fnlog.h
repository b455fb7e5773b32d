/*
 * A function's log: its stderr, line by line, in log/<function>.jsonl.
 *
 * Run by bothy-fcgi's workers.  Bytes of one request are fed as they come
 * and lines are kept back, so that a request is usually one open, one write.
 * Everything is bounded and clean: a line 8 KB, a request 64 KB, control
 * bytes escaped, what is no UTF-8 replaced.
 *
 *   {"time":"...","id":"...","function":"hello","level":"info","text":"..."}
 *
 * A line has a level if it begins with "<N>", N a syslog priority of 0 to 7
 * (3 error, 4 warning, 6 info, 7 debug), or if it is what bothy_log() of the
 * SDK writes: {"level":"warn","message":"..."}.
 */
#ifndef GATEWAY_FNLOG_H
#define GATEWAY_FNLOG_H

#include "logfile.h"
#include "store/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FNLOG_LINE_MAX = 8 * 1024,	/* bytes of a line; then it is cut */
	FNLOG_REQUEST_MAX = 64 * 1024,	/* bytes of a request; then dropped */
	FNLOG_BATCH = 16 * 1024		/* bytes kept back before a write */
};

/* One a worker, reused. */
struct fnlog {
	struct logs *logs;
	const char *function, *request_id;
	struct buf line;	/* the unfinished line */
	struct buf batch;	/* finished lines, as JSON */
	uint64_t taken;		/* bytes of this request that were kept */
	uint64_t dropped;	/* and that were not */
	uint64_t cut;		/* bytes cut from the unfinished line */
};

void fnlog_init(struct fnlog *l, struct logs *logs);
void fnlog_release(struct fnlog *l);

/* A new request; both strings stay the caller's until fnlog_end(). */
void fnlog_begin(struct fnlog *l, const char *function,
    const char *request_id);

/* Takes bytes of stderr; writes when FNLOG_BATCH is reached. */
void fnlog_feed(struct fnlog *l, const void *p, size_t n);

/*
 * Adds a line of the gateway's own ("killed by signal 11 ..."), whole, with
 * its level and outside of the limits on a request.
 */
void fnlog_note(struct fnlog *l, const char *level, const char *text);

/* Writes out what is kept back (a stream that goes on; the end). */
void fnlog_flush(struct fnlog *l);

/* The request's end: an unfinished line is a line; tells what was dropped. */
void fnlog_end(struct fnlog *l);

#endif
