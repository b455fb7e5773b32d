/*
 * The endpoint: a signed request of DynamoDB's HTTP protocol, its operation
 * done by the store, and the answer as DynamoDB writes it.
 *
 * Run by bothy-fcgi's workers, which do the HTTP:
 *
 *	endpoint_begin	what can be judged without the body
 *	...		the body is read into session.body
 *	endpoint_verify	the signature
 *	endpoint_call	the operation
 *
 * Each is 0, or -1 with session.error set; endpoint_answer() makes the answer
 * of either; endpoint_end() is due in any case.  It never parses a document:
 * bodies pass as they are.
 */
#ifndef AWS_ENDPOINT_H
#define AWS_ENDPOINT_H

#include "encoding.h"
#include "keycache.h"
#include "keyring.h"
#include "pool.h"
#include "request.h"
#include "sigv4.h"

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/wire/operation.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
	ENDPOINT_BODY_MAX = FRAME_BODY_MAX,	/* decoded or not */
	ENDPOINT_HELD_FREE = 256 * 1024,	/* a body that isn't counted */
	ENDPOINT_HELD_MAX = 512 << 20	/* of longer ones, all together */
};

/* What all workers share. */
struct endpoint {
	struct aws_keyring ring;
	struct pool pool;
	atomic_size_t held;		/* bytes of long bodies */
};

/* A worker's part, used again for each request. */
struct session {
	struct keycache cache;
	struct arena arena;
	struct buf body;		/* as it came */
	struct buf plain;		/* decoded */
	struct buf reply;		/* of the store */
	struct buf fault;		/* an error's body */
	struct buf coded;		/* the reply, encoded */
	struct buf scratch;
	size_t held;			/* of endpoint.held */

	/* Of this request. */
	const struct operation_info *op;	/* NULL: unknown */
	struct sigv4 sig;
	enum encoding encoding;		/* of the body */
	struct aws_keys *keys;
	struct aws_key *key;		/* NULL: not known yet */
	struct err error;		/* for the client */
	struct err trouble;		/* for the log; no text: none */
};

struct endpoint_answer {
	int status;
	const char *body;		/* in the session */
	size_t n;
	enum encoding encoding;
	uint32_t crc;			/* CRC-32 of the body as it is sent */
};

/* Both paths are borrowed.  0 or -1. */
int endpoint_init(struct endpoint *ep, const char *state_dir,
    const char *socket, struct err *e);
void endpoint_release(struct endpoint *ep);
void session_init(struct session *s);
void session_release(struct session *s);

int endpoint_begin(struct endpoint *ep, struct session *s,
    const struct aws_request *r, int64_t now_ms);

/* Room for a body of `n` bytes in all: before it is read. */
int endpoint_hold(struct endpoint *ep, struct session *s, size_t n);

int endpoint_verify(struct endpoint *ep, struct session *s,
    const struct aws_request *r, int64_t now_ms);

/* Starts a store that isn't there: 0, or -1 and the error. */
typedef int endpoint_start(void *ctx, struct err *e);

/* `store` is the store's secret. */
int endpoint_call(struct endpoint *ep, struct session *s,
    const unsigned char *store, endpoint_start *start, void *ctx);

/* The answer, after any of these. */
void endpoint_answer(struct session *s, const struct aws_request *r, int rc,
    struct endpoint_answer *a);
void endpoint_end(struct endpoint *ep, struct session *s);

/* Sets the session's error, for what goes wrong around it: -1. */
int session_fail(struct session *s, int fault, const char *text);

/* The name of the request's table, out of its body; p NULL if it tells none. */
struct text session_table(const struct session *s);

/* True if there is any key: who has none has no endpoint. */
bool endpoint_in_use(struct endpoint *ep);

#endif
