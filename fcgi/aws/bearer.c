/*
 * Whose secret is shown, for bearer.h.  Runs in bothy-fcgi's workers.
 */
#include "bearer.h"

#include "store/base/base64.h"
#include "store/base/hash.h"

#include <string.h>
#include <strings.h>

enum { FIELD_MAX = 2048 };

/* What stands behind "scheme ", or NULL if it is of another. */
static const char *
behind(const char *field, const char *scheme)
{
	size_t n = strlen(scheme);

	if (strncasecmp(field, scheme, n) != 0 || field[n] != ' ')
		return NULL;
	return field + n + strspn(field + n, " ");
}

/* The secret in `room`, and its length; 0 if the field shows none. */
static size_t
read_secret(const char *field, char room[FIELD_MAX])
{
	const char *text = behind(field, "Bearer"), *colon;
	ssize_t n;

	if (strlen(field) >= FIELD_MAX)
		return 0;
	if (text) {
		memcpy(room, text, strlen(text));
		return strlen(text);
	}
	text = behind(field, "Basic");
	if (!text)
		return 0;
	n = base64_decode(text, strlen(text), room);
	colon = n > 0 ? memchr(room, ':', (size_t)n) : NULL;
	if (!colon)
		return 0;
	n -= colon + 1 - room;
	memmove(room, colon + 1, (size_t)n);
	return (size_t)n;
}

/* Of one length, whatever the secret's. */
static void
digest(const char *secret, size_t n, unsigned char *out)
{
	hash_hmac(secret, n, BEARER_DEPLOY, sizeof BEARER_DEPLOY - 1, out);
}

struct aws_key *
bearer_find(const struct aws_keys *keys, const char *field, int64_t now_ms)
{
	unsigned char shown[HASH_SIZE], known[HASH_SIZE];
	struct aws_key *k, *found = NULL;
	char secret[FIELD_MAX];
	size_t n = field ? read_secret(field, secret) : 0, i;

	if (n == 0)
		return NULL;
	digest(secret, n, shown);
	explicit_bzero(secret, sizeof secret);
	for (i = 0; i < keys->count; i++) {
		k = &keys->list[i];
		digest(k->secret, strlen(k->secret), known);
		if (hash_same(shown, known, sizeof shown) &&
		    (!k->expires_ms || now_ms < k->expires_ms))
			found = k;
	}
	return found;
}

static bool
names(const struct grant *g, const char *action)
{
	size_t n = strlen(action), i;

	for (i = 0; i < g->nactions; i++)
		if (g->actions[i].n == n &&
		    memcmp(g->actions[i].p, action, n) == 0)
			return true;
	return false;
}

bool
bearer_may_deploy(const struct aws_key *k)
{
	const struct grant *g;
	bool allowed = false;
	size_t i;

	/* Allowed by name alone: "*" is about operations of the store. */
	for (i = 0; i < k->nstatements; i++) {
		g = &k->statements[i];
		if (g->deny && (names(g, BEARER_DEPLOY) || names(g, "*")))
			return false;
		allowed |= !g->deny && names(g, BEARER_DEPLOY);
	}
	return allowed;
}
