/*
 * Request ids and trace ids: unique without a lock, a file or a system call.
 *
 * One struct a worker thread, seeded from the kernel once.  An id is 26
 * characters of Crockford's base 32: 48 bits of wall clock in milliseconds,
 * so that ids sort by time, then 80 bits that are random at the start of the
 * worker and go on by counting.
 */
#ifndef GATEWAY_REQID_H
#define GATEWAY_REQID_H

#include <stdbool.h>
#include <stdint.h>

enum {
	REQID_SIZE = 27,	/* 26 characters and a NUL */
	TRACEPARENT_SIZE = 56	/* 55 characters and a NUL */
};

struct reqid {
	uint64_t high, low;	/* 16 and 64 bits of the counter */
	uint64_t seed[2];	/* state for trace ids */
};

/* Seeds from getrandom(2); never fails. */
void reqid_init(struct reqid *r);

/* Writes a new id of REQID_SIZE bytes. */
void reqid_next(struct reqid *r, char *out);

/* True if `s` is a W3C traceparent of version 00 that may be passed on. */
bool traceparent_valid(const char *s);

/* Writes a new traceparent, not sampled, of TRACEPARENT_SIZE bytes. */
void traceparent_next(struct reqid *r, char *out);

#endif
