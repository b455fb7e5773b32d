/*
 * Base64 both ways (base64.h).
 */
#include "base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *
base64_encode(const void *p, size_t n)
{
	const unsigned char *s = p;
	char *out = malloc((n + 2) / 3 * 4 + 1), *at = out;
	uint32_t bits;
	size_t i, k;

	if (!out)
		return NULL;
	for (i = 0; i < n; i += 3) {
		k = n - i < 3 ? n - i : 3;
		bits = (uint32_t)s[i] << 16;
		if (k > 1)
			bits |= (uint32_t)s[i + 1] << 8;
		if (k > 2)
			bits |= s[i + 2];
		at[0] = alphabet[bits >> 18];
		at[1] = alphabet[bits >> 12 & 63];
		at[2] = k > 1 ? alphabet[bits >> 6 & 63] : '=';
		at[3] = k > 2 ? alphabet[bits & 63] : '=';
		at += 4;
	}
	*at = '\0';
	return out;
}

int
base64_decode(const char *text, struct buf *out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	const char *at;

	for (; *text && *text != '='; text++) {
		if (strchr(" \t\r\n", *text))
			continue;
		at = strchr(alphabet, *text);
		if (!at)
			return -1;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		have += 6;
		if (have >= 8) {
			have -= 8;
			if (buf_putc(out, (char)(bits >> have & 0xff)) < 0)
				return -1;
		}
	}
	/* One character alone stands for no byte. */
	if (have >= 6)
		return -1;
	return text[strspn(text, "= \t\r\n")] ? -1 : 0;
}
