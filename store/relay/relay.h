/*
 * The way to another DynamoDB: an operation's body goes there by HTTP, signed
 * (SigV4), and its answer comes back as the reply of a frame.  Part of
 * bothy-store; alone knows libcurl.
 *
 * What goes out is typed JSON: documents in plain JSON are turned into it by
 * the operation's table of parameters, and back in the answer.
 *
 * A relay may be used by any number of threads; each call holds a connection,
 * which is kept for later calls.  TLS is verified, always.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { RELAY_LINES_MAX = 16 };		/* connections at once */

struct relay_options {
	const char *endpoint;		/* "https://host[:port]", no path */
	const char *region;
	const char *key_id, *secret;
	const char *token;		/* of a session; or NULL */
	long connect_ms, answer_ms;	/* 0: 5 s, 60 s */
};

struct relay;

/* NULL and *e: what is missing, or no endpoint. */
struct relay *relay_new(const struct relay_options *o, struct err *e);
void relay_free(struct relay *r);

/* Whether the operation has a counterpart there. */
bool relay_has(int op);

/*
 * Sends `n` bytes of the operation's body and waits.  0: its reply was
 * appended to `out`.  Or -1 and *e with what came of it: the fault that was
 * told, of which `out` then has the whole body; with `out` left as it was,
 * FAULT_BUSY if it may be sent again: it never was, was put off (503), or does
 * no harm twice; FAULT_UNKNOWN_OUTCOME if nobody knows, FAULT_DENIED if our
 * keys aren't taken there, FAULT_INTERNAL for an answer that makes no sense.
 */
int relay_call(struct relay *r, int op, bool plain, const char *body,
    size_t n, struct arena *a, struct buf *out, struct err *e);

/*
 * relay_answer.c: the typed JSON of an answer to `out`, with its items in
 * plain JSON if `plain`, without its __type.  0 or -1 (no memory, or no JSON).
 */
int relay_answer(const char *body, size_t n, bool plain, struct arena *a,
    struct buf *out, struct err *e);

#endif
