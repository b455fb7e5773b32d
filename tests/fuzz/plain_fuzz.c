/*
 * Any bytes as plain JSON: what is taken for a value or an item is canonical
 * once written, and comes back from both kinds of JSON as it was.
 */
#include "store/value/plain.h"
#include "store/value/json.h"
#include "store/value/typed.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

typedef int read_fn(struct arena *a, const char *p, size_t n,
    struct value *out, struct err *e);
typedef int write_fn(struct buf *b, const struct value *v);

/* Written, read and written again: the same. */
static void
trip(struct arena *a, const struct value *v, read_fn *read, write_fn *write)
{
	struct buf first, second;
	struct value back;
	struct err e;

	buf_init(&first, 64 << 20);
	buf_init(&second, 64 << 20);
	if (write(&first, v) < 0 ||
	    read(a, first.data, first.len, &back, &e) < 0 ||
	    !value_equal(v, &back) || write(&second, &back) < 0 ||
	    first.len != second.len ||
	    memcmp(first.data, second.data, first.len) != 0)
		abort();
	buf_release(&first);
	buf_release(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	const char *p = (const char *)input;
	struct arena a;
	struct value v;
	struct err e;

	arena_init(&a, 64 << 20);
	if (plain_read(&a, p, n, &v, &e) == 0) {
		trip(&a, &v, plain_read, plain_write);
		trip(&a, &v, typed_read, typed_write);
		if (value_depth(&v) >= VALUE_DEPTH_MAX)
			abort();
	} else if (!e.text[0] || e.line < 1 || e.col < 1) {
		abort();
	}
	if (plain_read_item(&a, p, n, &v, &e) == 0) {
		trip(&a, &v, plain_read_item, plain_write_line);
		trip(&a, &v, typed_read_item, typed_write_item);
		/* No value that is no JSON, and no tree of another opinion. */
		if (!json_read(&a, p, n, JSON_DEPTH_MAX, &e))
			abort();
	}
	arena_release(&a);
	return 0;
}
