/*
 * The text of a failure, for message.h.  No reader of JSON: what a function
 * links stays small, and who writes the text is the store's own reply.c.
 */
#include "message.h"

#include <stdint.h>
#include <string.h>

static const char BEGIN[] = "{\"message\":\"";

/* Four hex digits, or -1. */
static int32_t
hex4(const char *p, const char *end)
{
	static const char DIGITS[] = "0123456789abcdef";
	const char *d;
	int32_t n = 0;
	int i;

	if (end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		d = memchr(DIGITS, p[i] | (p[i] >= 'A' ? 0x20 : 0), 16);
		if (!d)
			return -1;
		n = n * 16 + (int32_t)(d - DIGITS);
	}
	return n;
}

/* The byte that an escape of one letter stands for. */
static char
escaped(char c)
{
	static const char FROM[] = "bfnrt", TO[] = "\b\f\n\r\t";
	const char *at = memchr(FROM, c, sizeof FROM - 1);

	return at ? TO[at - FROM] : c;
}

void
message_read(const char *body, size_t n, char *out, size_t size)
{
	const char *p = body + sizeof BEGIN - 1, *end = body + n;
	size_t len = 0;
	int32_t code;

	if (n >= sizeof BEGIN - 1 && memcmp(body, BEGIN, sizeof BEGIN - 1) == 0)
		while (p < end && *p != '"' && len + 1 < size) {
			if (*p != '\\') {
				out[len++] = *p++;
				continue;
			}
			if (++p == end)
				break;
			code = *p == 'u' ? hex4(p + 1, end) : -1;
			out[len++] = code < 0 ? escaped(*p) :
			    code >= 0x20 && code < 0x7f ? (char)code : '?';
			p += code < 0 ? 1 : 5;
		}
	out[len] = '\0';
}
