/*
 * Any query gives names and values in UTF-8, and those, encoded again, give
 * the same names and values.
 */
#include "functions/sdk/pairs.h"

#include "store/base/buf.h"
#include "store/base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

enum { PAIRS_MAX = 100000 };

static void
encode(struct buf *b, const char *s)
{
	if (!utf8_valid(s, strlen(s)))
		abort();
	for (; *s; s++)
		buf_printf(b, "%%%02X", (unsigned char)*s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	struct pairs once = {0}, twice = {0};
	struct bag a = {0};
	struct buf b;
	size_t i;

	if (pairs_add_urlencoded(&once, &a, (const char *)input, n,
	        PAIRS_MAX) != 0)
		abort();
	buf_init(&b, 1 << 24);
	for (i = 0; i < once.count; i++) {
		encode(&b, once.items[i].name);
		buf_putc(&b, '=');
		encode(&b, once.items[i].value);
		buf_putc(&b, '&');
	}
	if (!buf_ok(&b) || pairs_add_urlencoded(&twice, &a, buf_str(&b),
	        b.len, PAIRS_MAX) != 0 || once.count != twice.count)
		abort();
	for (i = 0; i < once.count; i++)
		if (strcmp(once.items[i].name, twice.items[i].name) != 0 ||
		    strcmp(once.items[i].value, twice.items[i].value) != 0)
			abort();
	buf_release(&b);
	bag_release(&a);
	return 0;
}
