/*
 * Access keys: who may sign requests from outside, and what each may do.
 *
 *   STATE/keys/         0700
 *     keys.json         0600, {"Keys":[{"Id","Secret","Created","Expires",
 *                       "Token","Grants"}...]}; replaced as one step
 *     lock              held by who changes keys.json
 *     used/ID           its time of change is when the key was last used,
 *                       to the day
 *
 * Grants are statements as store/wire/token.h has them.  A key with a Token is
 * a session's: requests carry it as X-Amz-Security-Token.  bothy-fcgi reads
 * these files, bothy changes them; no function can see them.
 */
#ifndef AWS_KEYS_H
#define AWS_KEYS_H

#include "store/base/arena.h"
#include "store/base/err.h"
#include "store/base/map.h"
#include "store/wire/token.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
	KEYS_MAX = 1000,
	KEY_ID_MAX = 128,
	KEY_SECRET_MAX = 512,
	KEY_TOKEN_MAX = 2048,
	KEYS_PATH_MAX = 4096
};

struct aws_key {
	const char *id, *secret;
	const char *token;		/* of a session, or NULL */
	int64_t created_ms, expires_ms;	/* wall clock; expires 0: never */
	struct text grants;		/* as written */
	const struct grant *statements;	/* the same, read */
	size_t nstatements;
	_Atomic int64_t used_day;	/* that was written down, since 1970 */
};

/* Of one state of the file; nobody changes it. */
struct aws_keys {
	atomic_uint refs;
	uint64_t generation;		/* no two are the same; not 0 */
	struct arena arena;
	struct map by_id;
	struct aws_key *list;		/* in the order of the file */
	size_t count;
};

/*
 * Reads the keys of a site; none if there is no file.  0 with *out, which
 * aws_keys_release() frees; or -1: unreadable, of another user, open to
 * others, or damaged.
 */
int aws_keys_load(const char *state_dir, struct aws_keys **out,
    struct err *e);
struct aws_keys *aws_keys_hold(struct aws_keys *k);
void aws_keys_release(struct aws_keys *k);	/* NULL is fine */

/* The key of that id, or NULL. */
struct aws_key *aws_keys_find(const struct aws_keys *k,
    const struct text *id);

/* "STATE/keys", "STATE/keys/<name>" into KEYS_PATH_MAX bytes: 0 or -1. */
int aws_keys_path(char *out, const char *state_dir, const char *name,
    struct err *e);

/* True for 3 to KEY_ID_MAX letters, digits, _ and -. */
bool aws_key_id_valid(const char *id);

#endif
