/*
 * What a worker has worked out of access keys and uses again: the key that
 * signs in a scope, which changes with the day, and the token that the store
 * knows it by.  Of one worker, without a lock.
 */
#ifndef AWS_KEYCACHE_H
#define AWS_KEYCACHE_H

#include "keys.h"
#include "sigv4.h"

#include "store/base/buf.h"

enum { KEYCACHE_SLOTS = 8, KEYCACHE_SCOPE_MAX = 128 };

struct keycache_slot {
	uint64_t generation;		/* of the keys; 0: nothing is here */
	const struct aws_key *key;
	char scope[KEYCACHE_SCOPE_MAX];
	size_t nscope;
	unsigned char signing[SIGV4_KEY_SIZE];
	unsigned char store[TOKEN_SECRET_SIZE];	/* the token is of */
	struct buf token;		/* "": none yet */
};

struct keycache {
	struct keycache_slot slots[KEYCACHE_SLOTS];
	unsigned next;			/* to be taken for another */
};

void keycache_init(struct keycache *c);
void keycache_release(struct keycache *c);

/* The slot of a key of `keys` in the scope of `s`, with its signing key. */
struct keycache_slot *keycache_find(struct keycache *c,
    const struct aws_keys *keys, const struct aws_key *k,
    const struct sigv4 *s);

/*
 * The token for the store with this secret, minted if it isn't there: a C
 * string, or NULL with the error set.
 */
const char *keycache_token(struct keycache_slot *slot,
    const unsigned char *store, struct err *e);

#endif
