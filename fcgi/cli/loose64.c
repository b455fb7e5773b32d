/*
 * Base64 as loose64.h takes it.
 */
#include "loose64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int
loose64_decode(const char *text, struct buf *out)
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
