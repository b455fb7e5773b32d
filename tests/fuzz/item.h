/*
 * The item that expressions and statements are tried on, and what must hold of
 * every item that comes of them.
 */
#ifndef TESTS_FUZZ_ITEM_H
#define TESTS_FUZZ_ITEM_H

#include "fuzz.h"

#include "store/value/typed.h"

#define ITEM "{\"a\":{\"M\":{\"b\":{\"L\":[{\"N\":\"1\"},{\"S\":\"x\"}," \
	"{\"M\":{\"c\":{\"NS\":[\"1\",\"2\"]}}}]}}},\"b\":{\"S\":\"abc\"}," \
	"\"c\":{\"N\":\"-7\"},\"d\":{\"SS\":[\"a\",\"b\"]},\"p\":{\"S\":" \
	"\"k\"},\"q\":{\"N\":\"3\"}}"

enum { ARENA_MAX = 8 << 20 };

/* Written and read again, it is the same: so it is in order, too. */
static inline void
is_sound(const struct value *item)
{
	struct arena a;
	struct value again;
	struct buf b;
	struct err e;

	arena_init(&a, ARENA_MAX);
	buf_init(&b, ARENA_MAX);
	require(typed_write_item(&b, item) == 0);
	require(typed_read_item(&a, b.data, b.len, &again, &e) == 0);
	require(value_equal(item, &again));
	buf_release(&b);
	arena_release(&a);
}

#endif
