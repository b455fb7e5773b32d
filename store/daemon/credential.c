/*
 * Checking what a peer shows, as credential.h describes it.
 */
#include "credential.h"

#include "store/value/fault.h"

#include <string.h>

enum { CREDENTIAL_ROOM = 512 * 1024 };	/* of one token, read */

void
credential_init(struct credential *c)
{
	*c = (struct credential){0};
	arena_init(&c->arena, CREDENTIAL_ROOM);
}

void
credential_release(struct credential *c)
{
	arena_release(&c->arena);
}

static bool
is_known(const struct credential *c, const struct frame_request *r)
{
	return c->shown && c->proof == !!(r->flags & FRAME_PROOF) &&
	    c->bytes.n == r->ntoken &&
	    memcmp(c->bytes.p, r->token, r->ntoken) == 0;
}

static int
read_anew(struct credential *c, const struct frame_request *r,
    const unsigned char *secret, const unsigned char *challenge,
    struct err *e)
{
	char *copy;

	c->shown = false;
	arena_reset(&c->arena);
	copy = arena_copy(&c->arena, r->token, r->ntoken);
	if (!copy)
		return err_set(e, FAULT_BUSY, "no memory for the token");
	c->bytes = (struct text){copy, r->ntoken};
	c->proof = r->flags & FRAME_PROOF;
	if ((c->proof ? token_check_proof(&c->token, secret, challenge, copy,
	                    r->ntoken, e)
	              : token_read(&c->token, &c->arena, secret, copy,
	                    r->ntoken, e)) < 0)
		return -1;
	c->shown = true;
	return 0;
}

const struct token *
credential_check(struct credential *c, const struct frame_request *r,
    const unsigned char *secret, const unsigned char *challenge,
    int64_t wall_ms, struct err *e)
{
	if (r->ntoken && !is_known(c, r) &&
	    read_anew(c, r, secret, challenge, e) < 0)
		return NULL;
	if (!c->shown) {
		err_set(e, FAULT_DENIED, "no token was shown");
		return NULL;
	}
	if (token_expired(&c->token, wall_ms)) {
		err_set(e, FAULT_DENIED, "the token has expired");
		return NULL;
	}
	return &c->token;
}
