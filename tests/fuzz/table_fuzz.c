/*
 * Any bytes as a table: what is taken is written as it is read, and a copy of
 * it too.
 */
#include "store/table/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

static void
write(const struct table *t, struct buf *out)
{
	buf_init(out, 16 << 20);
	if (!t || table_write(t, out) < 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	struct err e = {0};
	struct table *t = table_read((const char *)input, n, &e), *again;
	struct buf one, other;

	if (!t) {
		if (!e.text[0])
			abort();
		return 0;
	}
	write(t, &one);
	again = table_read(one.data, one.len, &e);
	write(again, &other);
	if (strcmp(buf_str(&one), buf_str(&other)) != 0)
		abort();
	table_free(again);
	buf_release(&other);
	again = table_copy(t);
	table_free(t);
	write(again, &other);
	if (strcmp(buf_str(&one), buf_str(&other)) != 0)
		abort();
	table_free(again);
	buf_release(&one);
	buf_release(&other);
	return 0;
}
