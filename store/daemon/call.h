/*
 * A call: a request under way, from its frame to the last byte of its reply.
 * It belongs to a connection, and to the I/O thread of that.
 *
 * Calls are used again and again, so that a small request allocates nothing.
 */
#ifndef DAEMON_CALL_H
#define DAEMON_CALL_H

#include "store/op/op.h"

#include <stdatomic.h>

struct conn;

/* Bytes that wait to be sent. */
struct outgoing {
	struct outgoing *next;
	struct call *call;
	struct buf bytes;
	bool last;		/* the call ends with them */
	bool sent;		/* already, by the thread that had them */
};

struct call {
	struct call *next;	/* of the free, or of longwork */
	struct conn *conn;
	uint32_t id;
	int64_t give_up_ms;	/* the client waits no longer; 0: for ever */
	size_t held;		/* charged to the connection */
	struct buf request;	/* the body, if it must stay */
	struct op op;
	struct relay_ref *relay;	/* while it goes elsewhere */
	struct outgoing reply, note;
	size_t reply_begin;
	atomic_bool noted;	/* a note is on its way */
	int64_t noted_ms;	/* when the last one was sent off */
	atomic_int parts;	/* that must end before it is returned */
	bool away;		/* another thread has to do with it */
};

/* For a new request of `c`; NULL without memory. */
struct call *call_take(struct conn *c, uint32_t id);

/* It is over, and goes back to the free ones; in its I/O thread. */
void call_give_back(struct call *k);

void call_free(struct call *k);

/* Has `e` as its reply, now. */
void call_fail(struct call *k, const struct err *e);

/* Runs it in another thread, with that thread's view (longwork.h). */
void call_run_long(struct call *k, struct store_view *view);

/* The same of one that goes on to the server's relay. */
void call_run_relayed(struct call *k, struct store_view *view);

#endif
