/*
 * fcgi/gateway/reqid.c: shape, order and difference of ids.
 */
#include "fcgi/gateway/reqid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
test_ids(void **state)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char id[REQID_SIZE], last[REQID_SIZE] = "";
	struct reqid r;
	int i;

	(void)state;
	reqid_init(&r);
	for (i = 0; i < 10000; i++) {
		reqid_next(&r, id);
		assert_int_equal(strlen(id), REQID_SIZE - 1);
		assert_int_equal(strspn(id, alphabet), REQID_SIZE - 1);
		assert_true(strcmp(id, last) > 0);
		memcpy(last, id, sizeof(id));
	}
}

static void
test_two_workers(void **state)
{
	char a[REQID_SIZE], b[REQID_SIZE];
	struct reqid r, s;

	(void)state;
	reqid_init(&r);
	reqid_init(&s);
	reqid_next(&r, a);
	reqid_next(&s, b);
	/* Behind the ten characters of time. */
	assert_string_not_equal(a + 10, b + 10);
}

static void
test_carry(void **state)
{
	char a[REQID_SIZE], b[REQID_SIZE];
	struct reqid r;

	(void)state;
	reqid_init(&r);
	r.high = 0xfffe;
	r.low = UINT64_MAX - 1;	/* 16 + 64 bits are 16 characters */
	reqid_next(&r, a);
	assert_string_equal(a + 10, "ZZZFZZZZZZZZZZZZ");
	reqid_next(&r, b);
	assert_string_equal(b + 10, "ZZZG000000000000");
}

static void
test_traceparent_valid(void **state)
{
	static const char good[] =
	    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
	char text[TRACEPARENT_SIZE + 1];
	size_t i;

	(void)state;
	assert_true(traceparent_valid(good));
	for (i = 0; i < TRACEPARENT_SIZE - 1; i++) {
		memcpy(text, good, sizeof(good));
		text[i] = 'X';
		assert_false(traceparent_valid(text));
		text[i] = '\0';
		assert_false(traceparent_valid(text));
	}
	strcpy(text, good);
	strcat(text, "0");
	assert_false(traceparent_valid(text));
	assert_false(traceparent_valid(
	    "00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
	assert_false(traceparent_valid(
	    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
	assert_true(traceparent_valid(
	    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"));
	assert_false(traceparent_valid(
	    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-00"));
}

static void
test_traceparent_next(void **state)
{
	char a[TRACEPARENT_SIZE], b[TRACEPARENT_SIZE];
	struct reqid r;
	int i;

	(void)state;
	reqid_init(&r);
	traceparent_next(&r, b);
	for (i = 0; i < 1000; i++) {
		traceparent_next(&r, a);
		assert_true(traceparent_valid(a));
		assert_memory_not_equal(a + 3, b + 3, 32);
		assert_memory_not_equal(a + 36, b + 36, 16);
		memcpy(b, a, sizeof(a));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ids),
	    cmocka_unit_test(test_two_workers),
	    cmocka_unit_test(test_carry),
	    cmocka_unit_test(test_traceparent_valid),
	    cmocka_unit_test(test_traceparent_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
