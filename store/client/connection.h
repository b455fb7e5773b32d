/*
 * One connection to the store: its hello, requests on the way, replies as they
 * come.  Inside store/client alone.
 */
#ifndef CLIENT_CONNECTION_H
#define CLIENT_CONNECTION_H

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

/* What can be said when something was tried. */
enum outcome {
	OUTCOME_DONE,
	OUTCOME_UNSEEN,		/* the store can't have seen the request */
	OUTCOME_LOST,		/* the connection broke; who knows */
	OUTCOME_LATE,		/* the time was up; who knows */
	OUTCOME_FAILED		/* here, for good */
};

/* A request that was sent. */
struct waiting {
	uint32_t id;
	bool repeatable;
	bool answered;
	bool lost;		/* its connection is gone */
	uint16_t status;
	struct buf body;	/* of the reply */
};

struct connection {
	int fd;			/* -1: none */
	struct frame_hello hello;
	struct buf in;		/* received and not yet looked at */
	struct waiting *waiting;	/* FRAME_IN_FLIGHT_MAX of them */
	size_t count;
	void (*progress)(void *ctx, const char *json, size_t n);
	void *ctx;
};

/* `deadline_ms` is of clock_mono_ms(), 0 for none. */
enum outcome connection_open(struct connection *c, const char *socket,
    int64_t deadline_ms, struct err *e);

/* Closes it; what waits for an answer is lost. */
void connection_close(struct connection *c);
void connection_release(struct connection *c);

/* Sends a whole frame of request `id`, and notes that it waits. */
enum outcome connection_send(struct connection *c, uint32_t id,
    bool repeatable, const struct buf *frame, int64_t deadline_ms,
    struct err *e);

/* Until request `id` is answered; it waits no more only if it is. */
enum outcome connection_wait(struct connection *c, uint32_t id,
    int64_t deadline_ms, struct err *e);

struct waiting *connection_find(struct connection *c, uint32_t id);
void connection_forget(struct connection *c, struct waiting *w);

#endif
