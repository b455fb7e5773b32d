/*
 * Base64 as base64.h promises.
 */
#include "base64.h"

#include <stdint.h>

static const char ALPHABET[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(const void *p, size_t n, char *out)
{
	const unsigned char *s = p;
	uint32_t v;
	size_t i;

	for (i = 0; i < n; i += 3, out += 4) {
		v = (uint32_t)s[i] << 16;
		if (i + 1 < n)
			v |= (uint32_t)s[i + 1] << 8;
		if (i + 2 < n)
			v |= s[i + 2];
		out[0] = ALPHABET[v >> 18];
		out[1] = ALPHABET[v >> 12 & 63];
		out[2] = i + 1 < n ? ALPHABET[v >> 6 & 63] : '=';
		out[3] = i + 2 < n ? ALPHABET[v & 63] : '=';
	}
	*out = '\0';
}

static int
digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

ssize_t
base64_decode(const char *s, size_t n, void *out)
{
	unsigned char *to = out;
	size_t pad = 0, i;
	uint32_t v = 0;
	int d;

	if (n % 4 != 0)
		return -1;
	while (pad < 2 && pad < n && s[n - 1 - pad] == '=')
		pad++;
	for (i = 0; i < n; i++) {
		d = i < n - pad ? digit(s[i]) : 0;
		if (d < 0)
			return -1;
		v = v << 6 | (uint32_t)d;
		if (i % 4 != 3)
			continue;
		*to++ = (unsigned char)(v >> 16);
		*to++ = (unsigned char)(v >> 8);
		*to++ = (unsigned char)v;
		v = 0;
	}
	/* Bits behind the last byte are zero (RFC 4648 3.5). */
	for (i = 0; i < pad; i++)
		if (*--to)
			return -1;
	return to - (unsigned char *)out;
}
