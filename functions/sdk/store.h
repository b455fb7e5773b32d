/*
 * The store as the SDK's own files see it: a client that is made when a call
 * first needs it and kept for the process's next requests, each of which shows
 * a token of its own; and the JSON that passes both ways.
 */
#ifndef SDK_STORE_H
#define SDK_STORE_H

#include "request.h"

#include "store/base/buf.h"
#include "store/client/client.h"

struct store {
	struct bothy_req *req;
	struct client *client;		/* NULL: none can be had */
	struct buf body, reply;
	bool granted;			/* anything at all */
	bool no_wait;			/* for files */
	bool failed;			/* of the last call */
	struct bothy_store_error error;
	char name[64], message[512];
};

/*
 * The descriptor that stays open between requests, or -1.  (function.c looks
 * for it only where something else links this.)
 */
int store_kept_fd(void);

/* The request's store; NULL after a failure (there is none for it). */
struct store *store_of(struct bothy_req *req);

/*
 * One operation: `body` is its JSON, in plain documents.  The reply as a new
 * reference; NULL after a failure, which is noted for the request.  `flags`
 * are CLIENT_....
 */
json_t *store_call(struct store *s, enum operation op, unsigned flags,
    const char *body, size_t n);

/* A mistake of the function's own in a call. Always -1. */
int store_fail(struct store *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The flags of a write. */
unsigned store_write_flags(const struct store *s);

/* --- storejson.c ---------------------------------------------------------- */

/*
 * Appends a value.  No digit is added: 0.1 stays 0.1.  0; or -1 for what is
 * nested deeper than a document may be, or without memory.
 */
int store_encode(struct buf *b, const json_t *json);

/* The reply's value as a new reference, or NULL. */
json_t *store_decode(const char *p, size_t n);

/* A request's body, member by member; what is NULL is left out. */
void store_body_begin(struct buf *b, const char *table);
void store_body_text(struct buf *b, const char *name, const char *text);
void store_body_json(struct buf *b, const char *name, const json_t *json);
void store_body_raw(struct buf *b, const char *name, const char *json);

/* ExpressionAttributeNames and -Values, by their first letter. 0 or -1. */
int store_body_values(struct store *s, struct buf *b, const json_t *values);

#endif
