/*
 * UTF-8 as RFC 3629 defines it: shortest forms only, no surrogates, nothing
 * above U+10FFFF.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Length in bytes (1 to 4) of the character at `s`, of which `n` bytes are
 * there; 0 if no well-formed character begins here.
 */
size_t utf8_step(const char *s, size_t n);

/* True if all `n` bytes are well-formed. */
bool utf8_valid(const char *s, size_t n);

#endif
