/*
 * Base64 (RFC 4648 section 4), for event bodies.
 */
#ifndef CLI_BASE64_H
#define CLI_BASE64_H

#include "store/base/buf.h"

#include <stddef.h>

/* The text with its padding, malloc'ed; NULL without memory. */
char *base64_encode(const void *p, size_t n);

/*
 * Appends the bytes that `text` stands for; white space is skipped, padding
 * may be absent.  0, or -1 for a wrong character or no room.
 */
int base64_decode(const char *text, struct buf *out);

#endif
