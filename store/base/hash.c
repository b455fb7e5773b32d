/*
 * The hash of hash.h over EVP; only what must name content by its bytes
 * links this file, and with it libcrypto.
 */
#include "hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

struct hash {
	EVP_MD_CTX *ctx;
};

static struct hash *
new_of(const EVP_MD *kind)
{
	struct hash *h = malloc(sizeof *h);

	if (!h)
		return NULL;
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx || EVP_DigestInit_ex(h->ctx, kind, NULL) != 1) {
		hash_free(h);
		return NULL;
	}
	return h;
}

struct hash *
hash_new(void)
{
	return new_of(EVP_sha256());
}

struct hash *
hash_new_sha1(void)
{
	return new_of(EVP_sha1());
}

void
hash_free(struct hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	free(h);
}

void
hash_add(struct hash *h, const void *p, size_t n)
{
	EVP_DigestUpdate(h->ctx, p, n);
}

void
hash_take_hex(struct hash *h, char *hex)
{
	static const char DIGIT[] = "0123456789abcdef";
	unsigned char out[EVP_MAX_MD_SIZE];
	size_t i;

	EVP_DigestFinal_ex(h->ctx, out, NULL);
	for (i = 0; i < HASH_SIZE; i++) {
		hex[2 * i] = DIGIT[out[i] >> 4];
		hex[2 * i + 1] = DIGIT[out[i] & 15];
	}
	hex[2 * HASH_SIZE] = '\0';
	hash_free(h);
}

void
hash_take_sha1(struct hash *h, unsigned char *out)
{
	EVP_DigestFinal_ex(h->ctx, out, NULL);
	hash_free(h);
}

int
hash_hmac(const void *key, size_t nkey, const void *p, size_t n,
    unsigned char *out)
{
	unsigned int len = HASH_SIZE;

	return HMAC(EVP_sha256(), key, (int)nkey, p, n, out, &len) ? 0 : -1;
}

bool
hash_same(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
