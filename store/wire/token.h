/*
 * Tokens and grants: who may do what in the store.
 *
 * The gateway mints a token for each request of a function; the daemon, which
 * has the same secret, believes what it says until its deadline.  The command
 * line proves that it can read the store's key instead, and may do everything.
 *
 *	token: text, safe in an environment variable
 *	 "b1." base64url(claims) "." base64url(HMAC-SHA256(secret, all before
 *	 the second point))
 *	claims: JSON
 *	 {"f":function,"r":release,"d":deadline in wall ms,"g":[statement...]}
 *	statement
 *	 {"e":"Allow"|"Deny","a":[action...],"t":[resource...],"k":[key...]}
 *
 * An action is "dynamodb:GetItem", with * for any bytes and ? for one, in any
 * case of letters.  A resource is "table/<name>", "table/<name>/index/<name>",
 * "table/<name>/stream/<label>" or an ARN that ends so, with * and ?; a table
 * does not stand for its indexes, but "table/<name>*" does, as in IAM.  `k`, if
 * there, are the partition keys that a statement is about (LeadingKeys), with
 * * and ?.  A Deny that fits wins; what no Allow fits is denied.
 */
#ifndef WIRE_TOKEN_H
#define WIRE_TOKEN_H

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/value/value.h"

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_BEGIN "b1."

enum {
	TOKEN_BYTES_MAX = 16 * 1024,
	TOKEN_SECRET_SIZE = 32,
	TOKEN_PROOF_SIZE = 32,
	GRANT_STATEMENTS_MAX = 64,
	GRANT_TEXTS_MAX = 256		/* of a kind in one statement */
};

struct grant {
	bool deny;
	const struct text *actions, *resources, *keys;
	size_t nactions, nresources, nkeys;
	bool by_key;			/* `keys` count, if only none */
};

/* Borrowed from the arena it was read into, or from who mints. */
struct token {
	struct text function, release;
	int64_t deadline_ms;		/* wall clock; 0: none */
	const struct grant *grants;
	size_t ngrants;
	bool all;			/* of a proof: may do everything */
};

/* Appends the token to `out`: 0, or -1 and *e. */
int token_mint(struct buf *out, const unsigned char *secret,
    const struct token *t, struct err *e);

/*
 * Checks the signature (in constant time), then reads the claims.  0; or -1
 * and FAULT_DENIED.  The deadline is for token_expired(), at each request.
 */
int token_read(struct token *t, struct arena *a, const unsigned char *secret,
    const char *p, size_t n, struct err *e);
bool token_expired(const struct token *t, int64_t now_wall_ms);

/*
 * The proof of a key: HMAC-SHA256(key, "bothy-store" challenge), into
 * TOKEN_PROOF_SIZE bytes; and its check, which makes a token for everything.
 */
void token_prove(const unsigned char *secret, const unsigned char *challenge,
    unsigned char *proof);
int token_check_proof(struct token *t, const unsigned char *secret,
    const unsigned char *challenge, const char *p, size_t n, struct err *e);

/* What is to be done with what. */
struct wish {
	const char *action;
	struct text table, index;	/* p NULL: none */
	struct text stream;		/* label; p NULL: none */
	struct text key;		/* the partition key's text, if known */
};

/*
 * May it?  0; or -1, FAULT_DENIED and a text that names function, action and
 * resource.  A wish without a table fits resource "*" alone.
 */
int token_allows(const struct token *t, const struct wish *w, struct err *e);

/*
 * The statements that a JSON text of [statement...] holds, as `iam` in the
 * gateway's configuration is written down.  0, or -1 and FAULT_VALIDATION.
 */
int grants_read(struct arena *a, const char *p, size_t n,
    const struct grant **grants, size_t *count, struct err *e);

#endif
