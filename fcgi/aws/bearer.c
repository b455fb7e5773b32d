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

/* The pattern of "deploy:feature"; n is 0 for another action. */
static struct text
branch_of(const struct text *action)
{
	const size_t n = sizeof BEARER_BRANCH - 1;

	if (action->n <= n || memcmp(action->p, BEARER_BRANCH, n) != 0)
		return (struct text){"", 0};
	return (struct text){action->p + n, action->n - n};
}

static bool
names_branch(const struct grant *g)
{
	size_t i;

	for (i = 0; i < g->nactions; i++)
		if (branch_of(&g->actions[i]).n)
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
		allowed |=
		    !g->deny && (names(g, BEARER_DEPLOY) || names_branch(g));
	}
	return allowed;
}

void
bearer_branches(const struct aws_key *k, struct buf *out)
{
	const struct grant *g;
	struct text branch;
	size_t i, j;

	for (i = 0; i < k->nstatements; i++)
		if (!k->statements[i].deny &&
		    names(&k->statements[i], BEARER_DEPLOY))
			return;
	for (i = 0; i < k->nstatements; i++) {
		g = &k->statements[i];
		for (j = 0; !g->deny && j < g->nactions; j++) {
			branch = branch_of(&g->actions[j]);
			if (branch.n && out->len)
				buf_putc(out, ' ');
			buf_add(out, branch.p, branch.n);
		}
	}
}
