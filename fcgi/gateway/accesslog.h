/*
 * The access log: one JSON line a request, in log/access.jsonl.
 *
 * Written by bothy-fcgi's workers when a request has ended, whatever its end.
 * Of the query only its length is kept: it may carry secrets.
 */
#ifndef GATEWAY_ACCESSLOG_H
#define GATEWAY_ACCESSLOG_H

#include "fcgi/invoke/outcome.h"
#include "logfile.h"
#include "store/base/buf.h"

#include <stdint.h>
#include <time.h>

struct accesslog_entry {
	int64_t time_ms;	/* wall clock at the start */
	const char *request_id, *method, *path;	/* path: decoded, no query */
	size_t path_len, query_len;
	int status;
	uint64_t bytes_out, bytes_in;	/* bodies */
	const char *function, *route;	/* NULL: none */
	const char *operation;	/* of DynamoDB's protocol, or NULL */
	const char *table;	/* that it names, table_len bytes; or NULL */
	size_t table_len;
	int64_t duration_us, wait_us;	/* in all; waiting for a worker */
	int64_t cpu_us;		/* of the function; -1: not known */
	int64_t peak_kb;	/* its memory; -1: not known */
	const char *client;
	enum outcome outcome;
	const char *detail;	/* what went wrong, or NULL */
	int signal, exit_status;	/* of the function; 0: none */
};

/* A worker's line buffer and the second that it has formatted last. */
struct accesslog {
	struct buf line;
	int64_t second;
	char stamp[32];
};

void accesslog_init(struct accesslog *a);
void accesslog_release(struct accesslog *a);

/* Formats the line and appends it to `f`. */
void accesslog_write(struct accesslog *a, struct logfile *f,
    const struct accesslog_entry *e);

#endif
