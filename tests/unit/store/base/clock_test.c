/*
 * The two text forms of time, there and back.
 */
#include "store/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
iso(void **state)
{
	char s[CLOCK_ISO_SIZE];

	(void)state;
	clock_iso(0, s);
	assert_string_equal(s, "1970-01-01T00:00:00.000Z");
	clock_iso(1795342830123, s);
	assert_string_equal(s, "2026-11-22T10:20:30.123Z");
	clock_iso(1709251199999, s);
	assert_string_equal(s, "2024-02-29T23:59:59.999Z");
}

static void
http(void **state)
{
	char s[CLOCK_HTTP_SIZE];
	time_t t = 1;

	(void)state;
	clock_http(784111777, s);
	assert_string_equal(s, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(clock_http_parse(s, &t), 0);
	assert_int_equal(t, 784111777);
}

static void
http_refuses(void **state)
{
	time_t t;

	(void)state;
	assert_int_equal(clock_http_parse("", &t), -1);
	assert_int_equal(clock_http_parse("yesterday", &t), -1);
	assert_int_equal(
	    clock_http_parse("Sun, 06 Foo 1994 08:49:37 GMT", &t), -1);
	assert_int_equal(
	    clock_http_parse("Sun, 06 Nov 1994 08:49:37 CET", &t), -1);
}

/* Each day of 400 years and more, against the C library. */
static void
days_are_those_of_gmtime(void **state)
{
	char mine[CLOCK_HTTP_SIZE], theirs[CLOCK_HTTP_SIZE];
	struct tm tm;
	time_t t;

	(void)state;
	for (t = 86399; t < (time_t)450 * 366 * 86400; t += 86400) {
		clock_http(t, mine);
		gmtime_r(&t, &tm);
		strftime(theirs, sizeof theirs, "%a, %d %b %Y %H:%M:%S GMT",
		    &tm);
		assert_string_equal(mine, theirs);
	}
}

static void
monotonic(void **state)
{
	int64_t a = clock_mono_us(), b = clock_mono_us();

	(void)state;
	assert_true(b >= a);
	assert_true(clock_mono_ms() >= a / 1000);
	assert_true(clock_wall_ms() > 1700000000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(iso),
	    cmocka_unit_test(http),
	    cmocka_unit_test(http_refuses),
	    cmocka_unit_test(days_are_those_of_gmtime),
	    cmocka_unit_test(monotonic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
