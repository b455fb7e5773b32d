/*
 * SHA-256 of bytes and files (FIPS 180-4), by libcrypto; and SHA-1, which
 * closes git's packs.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>

enum {
	HASH_SIZE = 32, HASH_HEX_SIZE = 65, HASH_SHA1_SIZE = 20,
	HASH_MD5_SIZE = 16
};

struct hash;

/* A running hash; NULL without memory. */
struct hash *hash_new(void);
void hash_free(struct hash *h);
void hash_add(struct hash *h, const void *p, size_t n);

/* The digest so far as hex and a NUL in HASH_HEX_SIZE bytes; ends `h`. */
void hash_take_hex(struct hash *h, char *hex);

/* The same as HASH_SIZE bytes. */
void hash_take(struct hash *h, unsigned char *out);

/* The same for SHA-1, whose digest is HASH_SHA1_SIZE bytes. */
struct hash *hash_new_sha1(void);
void hash_take_sha1(struct hash *h, unsigned char *out);

/* The same for MD5 (RFC 1321), which S3's files are told by. */
struct hash *hash_new_md5(void);
void hash_take_md5(struct hash *h, unsigned char *out);

/* The digest of `n` bytes, as hex in HASH_HEX_SIZE bytes. */
void hash_hex(const void *p, size_t n, char *hex);

/* HMAC-SHA256 (RFC 2104) of `n` bytes into HASH_SIZE bytes. */
void hash_hmac(const void *key, size_t nkey, const void *p, size_t n,
    unsigned char *out);

/* True if `n` bytes are the same; takes as long if they aren't. */
bool hash_same(const void *a, const void *b, size_t n);

#endif
