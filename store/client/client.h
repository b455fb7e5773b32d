/*
 * The blocking client of a store, for functions, the gateway and the command
 * line.  Not for threads to share: each has a client of its own.
 *
 * Sequence: client_init, client_call..., client_release.  The connection is
 * made by the first call and again when it was lost.  What may be repeated
 * without harm (operation.h: `repeatable`, or CLIENT_REPEATABLE by who calls,
 * for a write with a ClientRequestToken) is sent again until it is answered or
 * its time is up; any other request only if the store can't have seen it.
 * Where nobody can tell whether a write was done, the error is
 * FAULT_UNKNOWN_OUTCOME.  A client never starts a daemon: client_start() does.
 *
 * A child of fork() must not use the parent's client.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/wire/frame.h"
#include "store/wire/operation.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	CLIENT_IN_FLIGHT_MAX = FRAME_IN_FLIGHT_MAX,
	CLIENT_PROOF_SIZE = 32,
	CLIENT_PLAIN = FRAME_PLAIN,
	CLIENT_WAIT_FILE = FRAME_WAIT_FILE,
	CLIENT_HERE = FRAME_HERE,
	CLIENT_REPEATABLE = 1 << 16
};

struct client;

/* Answers the store's challenge. 0, or -1 and *e. */
typedef int client_prove(const char *key_file, const unsigned char *challenge,
    unsigned char *proof, struct err *e);

struct client_options {
	const char *socket;	/* path of store.sock */
	const char *token;	/* minted by the gateway; or NULL, and */
	const char *key_file;	/* the store's key, or NULL, with */
	client_prove *prove;	/* client_prove_key (prove.h), or NULL */
	int timeout_ms;		/* of a call, its repeats included; 0: none */
	bool starts;		/* the caller starts the daemon: one that isn't
				 * there is not waited for; ECONNREFUSED or
				 * ENOENT, and nothing was done */
	/* Hears of a long operation: JSON, now and then.  May be NULL. */
	void (*progress)(void *ctx, const char *json, size_t n);
	void *ctx;
};

/* NULL without memory.  Texts are copied; nothing is opened. */
struct client *client_new(const struct client_options *o);
void client_free(struct client *c);		/* NULL is fine */

/* Another token or time limit from the next request on.  0, or -1: ENOMEM. */
int client_set_token(struct client *c, const char *token);
void client_set_timeout(struct client *c, int timeout_ms);

/* Gives back what a long request or reply took: for who keeps it idle. */
void client_rest(struct client *c);

/* Its connection's descriptor, or -1: to tell it apart from others. */
int client_fd(const struct client *c);

/* Connects now if it isn't: for who wants to know.  0, or -1 and *e. */
int client_connect(struct client *c, struct err *e);

/*
 * One operation: `body` is its JSON, `flags` are CLIENT_....  0 and the reply's
 * JSON in *reply (emptied before); or -1 and *e: a number of fault.h with the
 * store's text, then *reply has the body of the failure, if there is one; or
 * an errno value where no store was reached.
 */
int client_call(struct client *c, enum operation op, unsigned flags,
    const char *body, size_t n, struct buf *reply, struct err *e);

/*
 * Several at once: client_send() each, then client_wait() for each of the ids,
 * in any order.  Nothing is repeated; when the connection breaks, all that are
 * waited for fail.  At most 256 are under way.  0 or -1.
 */
int client_send(struct client *c, enum operation op, unsigned flags,
    const char *body, size_t n, uint32_t *id, struct err *e);
int client_wait(struct client *c, uint32_t id, struct buf *reply,
    struct err *e);

#endif
