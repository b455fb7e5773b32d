/*
 * The hash map: growth, order, replacement, keys with any bytes.
 */
#include "store/base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
keeps_many_in_order(void **state)
{
	static int values[5000];
	struct map m;
	char key[32];
	int i;

	(void)state;
	map_init(&m);
	assert_null(map_get(&m, "none"));
	for (i = 0; i < 5000; i++) {
		snprintf(key, sizeof key, "key-%d", i);
		assert_int_equal(
		    map_set(&m, key, strlen(key), &values[i], NULL), 0);
	}
	assert_int_equal(m.count, 5000);
	for (i = 0; i < 5000; i++) {
		snprintf(key, sizeof key, "key-%d", i);
		assert_ptr_equal(map_get(&m, key), &values[i]);
		assert_string_equal(m.entries[i].key, key);
	}
	assert_null(map_get(&m, "key-5000"));
	map_release(&m);
}

static void
replaces_and_tells(void **state)
{
	int one, two;
	struct map m;
	void *old = &two;

	(void)state;
	map_init(&m);
	assert_int_equal(map_set(&m, "a", 1, &one, &old), 0);
	assert_null(old);
	assert_int_equal(map_set(&m, "a", 1, &two, &old), 0);
	assert_ptr_equal(old, &one);
	assert_int_equal(m.count, 1);
	map_release(&m);
}

static void
keys_are_bytes(void **state)
{
	int one, two;
	struct map m;

	(void)state;
	map_init(&m);
	map_set(&m, "a\0b", 3, &one, NULL);
	map_set(&m, "a\0c", 3, &two, NULL);
	assert_ptr_equal(map_find(&m, "a\0b", 3)->value, &one);
	assert_ptr_equal(map_find(&m, "a\0c", 3)->value, &two);
	assert_null(map_find(&m, "a", 1));
	map_release(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_many_in_order),
	    cmocka_unit_test(replaces_and_tells),
	    cmocka_unit_test(keys_are_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
