/*
 * Deadlines on what a web server may keep a worker waiting with: parameters,
 * a body, a reply that nobody reads.
 *
 * Run by bothy-fcgi: a thread of its own looks at all workers a few times a
 * second and shuts down the connection of each that is overdue; the worker's
 * blocking call then fails.  Send and receive timeouts on the descriptor
 * stop a peer that is silent; this stops one that drips.
 */
#ifndef GATEWAY_DEADLINE_H
#define GATEWAY_DEADLINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DEADLINE_PARAMS_MS = 5000,
	DEADLINE_BODY_MS = 30000,	/* and one second per 16 KB */
	DEADLINE_BODY_RATE = 16 * 1024,
	DEADLINE_WRITE_MS = 30000
};

/* A worker's entry. */
struct deadline {
	pthread_mutex_t lock;
	int fd;			/* -1: nothing to cut */
	int64_t due_ms;
	bool cut;		/* it was overdue and has been shut down */
};

void deadline_init(struct deadline *d);

/* From now on `fd` is cut when `ms` have passed; -1 ends it. */
void deadline_set(struct deadline *d, int fd, int64_t ms);
void deadline_clear(struct deadline *d);

/* Cuts what is overdue among `n` entries, `stride` bytes apart. */
void deadline_check(struct deadline *first, size_t n, size_t stride,
    int64_t now_ms);

#endif
