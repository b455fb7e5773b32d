/*
 * The hashes of hash.h.  libcrypto's plain functions, not its EVP: those look
 * for providers in files and load them, which a static program can't, and a
 * program that starts for each request has no time for.
 *
 * Only what must name content by its bytes links this file, and with it
 * libcrypto.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "hash.h"

#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

struct hash {
	union {
		SHA256_CTX sha256;
		SHA_CTX sha1;
		MD5_CTX md5;
	};
	bool is_sha1, is_md5;
};

struct hash *
hash_new(void)
{
	struct hash *h = calloc(1, sizeof *h);

	if (h)
		SHA256_Init(&h->sha256);
	return h;
}

struct hash *
hash_new_sha1(void)
{
	struct hash *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->is_sha1 = true;
	SHA1_Init(&h->sha1);
	return h;
}

struct hash *
hash_new_md5(void)
{
	struct hash *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->is_md5 = true;
	MD5_Init(&h->md5);
	return h;
}

void
hash_take_md5(struct hash *h, unsigned char *out)
{
	MD5_Final(out, &h->md5);
	hash_free(h);
}

void
hash_free(struct hash *h)
{
	free(h);
}

void
hash_add(struct hash *h, const void *p, size_t n)
{
	if (h->is_sha1)
		SHA1_Update(&h->sha1, p, n);
	else if (h->is_md5)
		MD5_Update(&h->md5, p, n);
	else
		SHA256_Update(&h->sha256, p, n);
}

static void
end_hex(SHA256_CTX *ctx, char *hex)
{
	static const char DIGIT[] = "0123456789abcdef";
	unsigned char out[HASH_SIZE];
	size_t i;

	SHA256_Final(out, ctx);
	for (i = 0; i < HASH_SIZE; i++) {
		hex[2 * i] = DIGIT[out[i] >> 4];
		hex[2 * i + 1] = DIGIT[out[i] & 15];
	}
	hex[2 * HASH_SIZE] = '\0';
}

void
hash_take_hex(struct hash *h, char *hex)
{
	end_hex(&h->sha256, hex);
	hash_free(h);
}

void
hash_take(struct hash *h, unsigned char *out)
{
	SHA256_Final(out, &h->sha256);
	hash_free(h);
}

void
hash_hex(const void *p, size_t n, char *hex)
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, p, n);
	end_hex(&ctx, hex);
}

void
hash_take_sha1(struct hash *h, unsigned char *out)
{
	SHA1_Final(out, &h->sha1);
	hash_free(h);
}

/* One half of HMAC (RFC 2104 2): H(key xor pad, text). */
static void
hash_padded(const unsigned char *key, unsigned char pad, const void *p,
    size_t n, unsigned char *out)
{
	unsigned char block[SHA256_CBLOCK];
	SHA256_CTX ctx;
	size_t i;

	for (i = 0; i < sizeof block; i++)
		block[i] = key[i] ^ pad;
	SHA256_Init(&ctx);
	SHA256_Update(&ctx, block, sizeof block);
	SHA256_Update(&ctx, p, n);
	SHA256_Final(out, &ctx);
	OPENSSL_cleanse(block, sizeof block);
	OPENSSL_cleanse(&ctx, sizeof ctx);
}

void
hash_hmac(const void *key, size_t nkey, const void *p, size_t n,
    unsigned char *out)
{
	unsigned char whole[SHA256_CBLOCK] = {0}, inner[HASH_SIZE];
	SHA256_CTX ctx;

	if (nkey > sizeof whole) {
		SHA256_Init(&ctx);
		SHA256_Update(&ctx, key, nkey);
		SHA256_Final(whole, &ctx);
	} else
		memcpy(whole, key, nkey);
	hash_padded(whole, 0x36, p, n, inner);
	hash_padded(whole, 0x5c, inner, sizeof inner, out);
	OPENSSL_cleanse(whole, sizeof whole);
}

bool
hash_same(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
