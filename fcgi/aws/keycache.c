/*
 * The cache of keycache.h.
 */
#include "keycache.h"

#include <stdio.h>
#include <string.h>

/* As IAM names who may not; an error tells it. */
#define WHO "User: arn:aws:iam::000000000000:user/"

void
keycache_init(struct keycache *c)
{
	size_t i;

	memset(c, 0, sizeof *c);
	for (i = 0; i < KEYCACHE_SLOTS; i++)
		buf_init(&c->slots[i].token, TOKEN_BYTES_MAX);
}

static void
forget(struct keycache_slot *s)
{
	s->generation = 0;
	explicit_bzero(s->signing, sizeof s->signing);
	buf_reset(&s->token);
}

void
keycache_release(struct keycache *c)
{
	size_t i;

	for (i = 0; i < KEYCACHE_SLOTS; i++) {
		forget(&c->slots[i]);
		buf_release(&c->slots[i].token);
	}
}

struct keycache_slot *
keycache_find(struct keycache *c, const struct aws_keys *keys,
    const struct aws_key *k, const struct sigv4 *s)
{
	struct keycache_slot *slot;
	size_t i;

	for (i = 0; i < KEYCACHE_SLOTS; i++) {
		slot = &c->slots[i];
		if (slot->generation == keys->generation && slot->key == k &&
		    slot->nscope == s->scope.n &&
		    memcmp(slot->scope, s->scope.p, s->scope.n) == 0)
			return slot;
	}
	slot = &c->slots[c->next++ % KEYCACHE_SLOTS];
	forget(slot);
	sigv4_key(k->secret, s, slot->signing);
	slot->key = k;
	if (s->scope.n <= sizeof slot->scope) {
		slot->generation = keys->generation;
		memcpy(slot->scope, s->scope.p, s->scope.n);
		slot->nscope = s->scope.n;
	}
	return slot;
}

const char *
keycache_token(struct keycache_slot *slot, const unsigned char *store,
    struct err *e)
{
	const struct aws_key *k = slot->key;
	char who[sizeof WHO + KEY_ID_MAX];
	struct token t = {.release = {"", 0},
	    .grants = k->statements,
	    .ngrants = k->nstatements};
	int n;

	if (slot->token.len &&
	    memcmp(store, slot->store, sizeof slot->store) == 0)
		return buf_str(&slot->token);
	n = snprintf(who, sizeof who, WHO "%s", k->id);
	t.function = (struct text){who, (size_t)n};
	buf_reset(&slot->token);
	if (token_mint(&slot->token, store, &t, e) < 0) {
		buf_reset(&slot->token);
		return NULL;
	}
	memcpy(slot->store, store, sizeof slot->store);
	return buf_str(&slot->token);
}
