/*
 * Arenas: alignment, the bound, reuse after a reset.
 */
#include "store/base/arena.h"

#include <errno.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
pieces_are_aligned_and_apart(void **state)
{
	enum { PIECES = 2000 };
	static unsigned char *pieces[PIECES];
	struct arena a;
	size_t i, k;

	(void)state;
	arena_init(&a, 64 << 20);
	for (i = 0; i < PIECES; i++) {
		pieces[i] = arena_alloc(&a, i);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t),
		    0);
		memset(pieces[i], (int)(i % 251), i);
	}
	for (i = 0; i < PIECES; i++)
		for (k = 0; k < i; k++)
			assert_int_equal(pieces[i][k], i % 251);
	arena_release(&a);
}

static void
bound_is_exact(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 4096);
	errno = 0;
	assert_null(arena_alloc(&a, 4097));
	assert_int_equal(errno, ENOMEM);
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_array(&a, SIZE_MAX / 2, 4));
	assert_null(arena_copy(&a, "", SIZE_MAX));
	assert_non_null(arena_alloc(&a, 4096));
	assert_null(arena_alloc(&a, 1));
	assert_non_null(arena_alloc(&a, 0));
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, 1));
	arena_release(&a);
}

static void
bound_counts_padding(void **state)
{
	struct arena a;
	int n = 0;

	(void)state;
	arena_init(&a, 160);
	while (arena_alloc(&a, 1))
		n++;
	assert_int_equal(n, 160 / alignof(max_align_t));
	arena_release(&a);
}

static void
reset_gives_the_room_again(void **state)
{
	struct arena a;
	void *first, *again;
	int i;

	(void)state;
	arena_init(&a, 1 << 20);
	first = arena_alloc(&a, 100);
	arena_reset(&a);
	again = arena_alloc(&a, 100);
	assert_ptr_equal(first, again);
	for (i = 0; i < 1000; i++) {
		arena_reset(&a);
		assert_non_null(arena_alloc(&a, 1 << 20));
	}
	arena_release(&a);
	assert_non_null(arena_alloc(&a, 10));
	arena_release(&a);
}

static void
arrays_are_cleared_and_copies_end(void **state)
{
	struct arena a;
	char *p;
	int i;

	(void)state;
	arena_init(&a, 1 << 20);
	memset(arena_alloc(&a, 1000), 0xff, 1000);
	arena_reset(&a);
	p = arena_array(&a, 10, 100);
	for (i = 0; i < 1000; i++)
		assert_int_equal(p[i], 0);
	assert_string_equal(arena_copy(&a, "text and more", 4), "text");
	assert_string_equal(arena_copy(&a, NULL, 0), "");
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_are_aligned_and_apart),
	    cmocka_unit_test(bound_is_exact),
	    cmocka_unit_test(bound_counts_padding),
	    cmocka_unit_test(reset_gives_the_room_again),
	    cmocka_unit_test(arrays_are_cleared_and_copies_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
