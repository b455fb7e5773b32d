/*
 * Text that came from outside: escapes, UTF-8, and the grammar that HTTP's
 * headers share (RFC 9110 5.6).
 */
#ifndef SDK_TEXT_H
#define SDK_TEXT_H

#include "bag.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Decodes %XX, and '+' to a space, in place; a '%' without two hex digits
 * stays as it is (WHATWG URL 5.1).  The length after it.
 */
size_t text_unescape(char *s, size_t n);

/*
 * s[0..n) as a C string of well-formed UTF-8: each byte that is none, and
 * each NUL, becomes U+FFFD.  Writes s[n]; gives `s` itself if it was clean,
 * else a copy; NULL without memory.
 */
const char *text_clean(struct bag *a, char *s, size_t n);

/* True for a token (RFC 9110 5.6.2): one byte or more. */
bool text_is_token(const char *s, size_t n);
bool text_is_token_char(char c);

/* Equal without regard to the case of A to Z, whatever the locale. */
bool text_same(const char *a, size_t an, const char *b);

/*
 * The next parameter of "; name=value; name="quoted value"" at *at, which
 * ends with a NUL: 1 with the parts, 0 at the end, -1 if it is malformed.
 * The value goes to `value`, unquoted, `room` bytes with its NUL; without
 * quotes it ends at a space or ';', whatever else is in it.  Of the
 * backslashes in quotes only those before '"' and '\' are escapes, as
 * browsers send "C:\new.txt".
 */
int text_next_param(const char **at, const char **name, size_t *name_len,
    char *value, size_t room);

#endif
