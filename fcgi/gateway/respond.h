/*
 * From a function's output to the client: hold until commit, check the
 * header, then pass on what comes.
 *
 * Commit is the SDK's flush, a full buffer, the function's end, or
 * `response: stream`.  Before it every failure is still a clean error reply;
 * after it the connection is broken off.
 */
#ifndef GATEWAY_RESPOND_H
#define GATEWAY_RESPOND_H

#include "gateway.h"

#include <stdbool.h>
#include <stdint.h>

enum { RESPOND_HOLD = 64 * 1024 };	/* bytes of body before commit */

struct respond {
	struct worker *w;
	const struct site *site;
	const char *request_id, *origin;
	bool head;		/* a HEAD request */
	bool stream;		/* commit as soon as the header is whole */
	bool committed;		/* the header has gone out */
	bool left;		/* the client has */
	bool answered;		/* with an error of ours (a 504 at TERM) */
	uint64_t bytes;		/* of body that went out */
};

void respond_begin(struct respond *r);

/* The calls of struct run_request; `ctx` is a struct respond. */
int respond_output(void *ctx, const char *p, size_t n);
int respond_flush(void *ctx);

/*
 * The output has ended well: sends what is held.  0; -1 if the output was no
 * reply (w->reply.reason says why) and nothing has gone out.
 */
int respond_end(struct respond *r);

/* True if a local redirect came (RFC 3875 6.2.2): w->reply.location. */
bool respond_redirects(const struct respond *r);

#endif
