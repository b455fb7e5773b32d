/*
 * Reading and checking tokens and proofs, for token.h.  Runs in the daemon.
 */
#include "token.h"

#include "store/base/base64.h"
#include "store/base/hash.h"
#include "store/value/fault.h"
#include "store/value/json.h"

#include <stdlib.h>
#include <string.h>

enum { SIGNATURE_LENGTH = 43 };	/* base64url of 32 bytes */

static int
deny(struct err *e, const char *why)
{
	return err_set(e, FAULT_DENIED, "%s", why);
}

/* --- base64url (RFC 4648 section 5), without padding ---------------------- */

/* The bytes, in the arena: how many; or -1 if it is no base64url. */
static ssize_t
read_base64url(struct arena *a, const char *p, size_t n, char **out)
{
	size_t padded = (n + 3) / 4 * 4, i;
	char *text = arena_alloc(a, padded + 1);

	*out = arena_alloc(a, padded + 1);
	if (!text || !*out)
		return -1;
	for (i = 0; i < n; i++) {
		if (p[i] == '+' || p[i] == '/' || p[i] == '=')
			return -1;
		text[i] = p[i];
		if (p[i] == '-')
			text[i] = '+';
		else if (p[i] == '_')
			text[i] = '/';
	}
	memset(text + n, '=', padded - n);
	return base64_decode(text, padded, *out);
}

/* --- reading -------------------------------------------------------------- */

/* The signature holds: the claims between the points, or -1. */
static int
check_signature(struct arena *a, const unsigned char *secret, const char *p,
    size_t n, struct text *claims)
{
	unsigned char right[HASH_SIZE];
	size_t begin = sizeof TOKEN_BEGIN - 1, end = n - SIGNATURE_LENGTH - 1;
	char *shown;

	if (n < begin + 1 + SIGNATURE_LENGTH || n > TOKEN_BYTES_MAX ||
	    memcmp(p, TOKEN_BEGIN, begin) != 0 || p[end] != '.')
		return -1;
	if (read_base64url(a, p + end + 1, SIGNATURE_LENGTH, &shown) !=
	    HASH_SIZE)
		return -1;
	hash_hmac(secret, TOKEN_SECRET_SIZE, p, end, right);
	if (!hash_same(shown, right, sizeof right))
		return -1;
	*claims = (struct text){p + begin, end - begin};
	return 0;
}

static int
read_texts(struct arena *a, const struct json_node *list,
    const struct text **out, size_t *n)
{
	const struct json_node *part;
	struct text *texts;
	size_t i = 0;

	if (!list || list->type != JSON_LIST || list->count > GRANT_TEXTS_MAX)
		return -1;
	texts = arena_array(a, list->count + 1, sizeof *texts);
	if (!texts)
		return -1;
	for (part = list->first; part; part = part->next) {
		if (part->type != JSON_STRING)
			return -1;
		texts[i++] = part->text;
	}
	*out = texts;
	*n = i;
	return 0;
}

static int
read_grant(struct arena *a, const struct json_node *node, struct grant *g)
{
	const struct json_node *effect = json_member(node, "e");
	const struct json_node *keys = json_member(node, "k");

	if (!effect || effect->type != JSON_STRING)
		return -1;
	g->deny = effect->text.n == 4 && memcmp(effect->text.p, "Deny", 4) == 0;
	if (!g->deny &&
	    (effect->text.n != 5 || memcmp(effect->text.p, "Allow", 5) != 0))
		return -1;
	if (read_texts(a, json_member(node, "a"), &g->actions,
	    &g->nactions) < 0 ||
	    read_texts(a, json_member(node, "t"), &g->resources,
	    &g->nresources) < 0)
		return -1;
	g->by_key = keys != NULL;
	return keys ? read_texts(a, keys, &g->keys, &g->nkeys) : 0;
}

static int
read_grants(struct arena *a, const struct json_node *list,
    const struct grant **grants, size_t *count)
{
	const struct json_node *part;
	struct grant *all;
	size_t i = 0;

	if (!list || list->type != JSON_LIST ||
	    list->count > GRANT_STATEMENTS_MAX)
		return -1;
	all = arena_array(a, list->count + 1, sizeof *all);
	if (!all)
		return -1;
	for (part = list->first; part; part = part->next)
		if (read_grant(a, part, &all[i++]) < 0)
			return -1;
	*grants = all;
	*count = i;
	return 0;
}

int
grants_read(struct arena *a, const char *p, size_t n,
    const struct grant **grants, size_t *count, struct err *e)
{
	const struct json_node *list = json_read(a, p, n, 3, e);

	if (list && read_grants(a, list, grants, count) == 0)
		return 0;
	return err_set(e, FAULT_VALIDATION, "these are no grants: at most %d "
	    "statements of an effect, actions and resources",
	    GRANT_STATEMENTS_MAX);
}

/* A text that lives on its own in the arena. */
static int
take_text(struct arena *a, const struct json_node *node, struct text *out)
{
	const char *copy;

	if (!node || node->type != JSON_STRING)
		return -1;
	copy = arena_copy(a, node->text.p, node->text.n);
	*out = (struct text){copy, node->text.n};
	return copy ? 0 : -1;
}

static int
read_claims(struct token *t, struct arena *a, const struct text *claims)
{
	const struct json_node *root, *deadline;
	struct err ignored;
	char *text;
	ssize_t n = read_base64url(a, claims->p, claims->n, &text);

	root = n < 0 ? NULL : json_read(a, text, (size_t)n, 4, &ignored);
	deadline = json_member(root, "d");
	if (!root || !deadline || deadline->type != JSON_NUMBER ||
	    take_text(a, json_member(root, "f"), &t->function) < 0 ||
	    take_text(a, json_member(root, "r"), &t->release) < 0)
		return -1;
	t->deadline_ms = strtoll(deadline->text.p, NULL, 10);
	return read_grants(a, json_member(root, "g"), &t->grants, &t->ngrants);
}

int
token_read(struct token *t, struct arena *a, const unsigned char *secret,
    const char *p, size_t n, struct err *e)
{
	struct text claims;

	*t = (struct token){0};
	if (check_signature(a, secret, p, n, &claims) < 0)
		return deny(e, "the token is not of this store");
	if (read_claims(t, a, &claims) < 0) {
		*t = (struct token){0};
		return deny(e, "the token says nothing that this store "
		    "understands");
	}
	return 0;
}

bool
token_expired(const struct token *t, int64_t now_wall_ms)
{
	return t->deadline_ms && now_wall_ms > t->deadline_ms;
}

int
token_check_proof(struct token *t, const unsigned char *secret,
    const unsigned char *challenge, const char *p, size_t n, struct err *e)
{
	unsigned char right[TOKEN_PROOF_SIZE];

	*t = (struct token){0};
	token_prove(secret, challenge, right);
	if (n != sizeof right || !hash_same(p, right, n))
		return deny(e, "the key is not of this store");
	t->function = (struct text){"the command line", 16};
	t->all = true;
	return 0;
}
