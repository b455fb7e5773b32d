/*
 * SHA-256 of bytes and files (FIPS 180-4), by libcrypto.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>

enum { HASH_SIZE = 32, HASH_HEX_SIZE = 65 };

struct hash;

/* A running hash; NULL without memory. */
struct hash *hash_new(void);
void hash_free(struct hash *h);
void hash_add(struct hash *h, const void *p, size_t n);

/* The digest so far as hex and a NUL in HASH_HEX_SIZE bytes; ends `h`. */
void hash_take_hex(struct hash *h, char *hex);

#endif
