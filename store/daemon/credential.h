/*
 * What a connection has shown: its last token or proof.  The signature is
 * checked once for each connection and token, the deadline at every request.
 * Nothing shown, nothing allowed.
 */
#ifndef DAEMON_CREDENTIAL_H
#define DAEMON_CREDENTIAL_H

#include "store/base/arena.h"
#include "store/base/err.h"
#include "store/wire/frame.h"
#include "store/wire/token.h"

#include <stdbool.h>
#include <stdint.h>

struct credential {
	bool shown;
	bool proof;
	struct text bytes;	/* as they came; in the arena */
	struct token token;
	struct arena arena;
};

void credential_init(struct credential *c);
void credential_release(struct credential *c);

/*
 * The token that `r` is allowed by; NULL and FAULT_DENIED, or FAULT_BUSY
 * without memory for it.  A token that does not hold takes away the one
 * before.
 */
const struct token *credential_check(struct credential *c,
    const struct frame_request *r, const unsigned char *secret,
    const unsigned char *challenge, int64_t wall_ms, struct err *e);

#endif
