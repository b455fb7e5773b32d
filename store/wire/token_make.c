/*
 * Making tokens and proofs, for token.h: in the gateway and the command line.
 * Apart from what reads them, since whoever makes one reads none.
 */
#include "token.h"

#include "store/base/base64.h"
#include "store/base/hash.h"

#include <errno.h>
#include <string.h>

static const char PROVES[] = "bothy-store";

static int
no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "no memory for a token");
}

/* --- base64url (RFC 4648 section 5), without padding ---------------------- */

static int
add_base64url(struct buf *out, const void *p, size_t n)
{
	size_t begin = out->len, i;

	if (buf_reserve(out, BASE64_LENGTH(n) + 1) < 0)
		return -1;
	base64_encode(p, n, out->data + begin);
	out->len = begin + BASE64_LENGTH(n);
	while (out->len > begin && out->data[out->len - 1] == '=')
		out->len--;
	out->data[out->len] = '\0';
	for (i = begin; i < out->len; i++)
		if (out->data[i] == '+')
			out->data[i] = '-';
		else if (out->data[i] == '/')
			out->data[i] = '_';
	return 0;
}

/* --- minting -------------------------------------------------------------- */

static void
add_texts(struct buf *b, const char *name, const struct text *list, size_t n)
{
	size_t i;

	buf_printf(b, ",\"%s\":[", name);
	for (i = 0; i < n; i++) {
		if (i)
			buf_putc(b, ',');
		buf_json(b, list[i].p, list[i].n);
	}
	buf_putc(b, ']');
}

static void
add_claims(struct buf *b, const struct token *t)
{
	const struct grant *g;
	size_t i;

	buf_puts(b, "{\"f\":");
	buf_json(b, t->function.p, t->function.n);
	buf_puts(b, ",\"r\":");
	buf_json(b, t->release.p, t->release.n);
	buf_printf(b, ",\"d\":%lld,\"g\":[", (long long)t->deadline_ms);
	for (i = 0; i < t->ngrants; i++) {
		g = &t->grants[i];
		buf_printf(b, "%s{\"e\":\"%s\"", i ? "," : "",
		    g->deny ? "Deny" : "Allow");
		add_texts(b, "a", g->actions, g->nactions);
		add_texts(b, "t", g->resources, g->nresources);
		if (g->by_key)
			add_texts(b, "k", g->keys, g->nkeys);
		buf_putc(b, '}');
	}
	buf_puts(b, "]}");
}

int
token_mint(struct buf *out, const unsigned char *secret, const struct token *t,
    struct err *e)
{
	unsigned char signature[HASH_SIZE];
	size_t begin = out->len;
	struct buf claims;
	int rc;

	buf_init(&claims, TOKEN_BYTES_MAX);
	add_claims(&claims, t);
	rc = buf_ok(&claims) ? 0 : -1;
	if (rc < 0)
		err_set(e, E2BIG, "the grants of %.*s are too long for a token",
		    (int)(t->function.n < 100 ? t->function.n : 100),
		    t->function.p);
	if (rc == 0 && (buf_puts(out, TOKEN_BEGIN) < 0 ||
	    add_base64url(out, claims.data, claims.len) < 0))
		rc = no_memory(e);
	if (rc == 0) {
		hash_hmac(secret, TOKEN_SECRET_SIZE, out->data + begin,
		    out->len - begin, signature);
		if (buf_putc(out, '.') < 0 ||
		    add_base64url(out, signature, sizeof signature) < 0)
			rc = no_memory(e);
	}
	buf_release(&claims);
	return rc;
}

/* --- the proof of the store's key ----------------------------------------- */

void
token_prove(const unsigned char *secret, const unsigned char *challenge,
    unsigned char *proof)
{
	unsigned char said[sizeof PROVES - 1 + 32];

	memcpy(said, PROVES, sizeof PROVES - 1);
	memcpy(said + sizeof PROVES - 1, challenge, 32);
	hash_hmac(secret, TOKEN_SECRET_SIZE, said, sizeof said, proof);
}
