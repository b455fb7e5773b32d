/*
 * Base64 (RFC 4648 section 4), strict: padded, nothing between, no stray bits.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <sys/types.h>

/* Characters that `n` bytes need, without a NUL. */
#define BASE64_LENGTH(n) (((n) + 2) / 3 * 4)

/* Encodes `n` bytes into BASE64_LENGTH(n) characters and a NUL. */
void base64_encode(const void *p, size_t n, char *out);

/*
 * Decodes `n` characters, padded and without anything between them; `out` has
 * room for n / 4 * 3 bytes.  How many bytes, or -1 if it isn't base64.
 */
ssize_t base64_decode(const char *s, size_t n, void *out);

#endif
