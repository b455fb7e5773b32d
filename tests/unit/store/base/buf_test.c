/*
 * The growable buffer: limits, failure that sticks, JSON text.
 */
#include "store/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
grows_and_consumes(void **state)
{
	struct buf b;
	int i;

	(void)state;
	buf_init(&b, 100000);
	assert_string_equal(buf_str(&b), "");
	for (i = 0; i < 10000; i++)
		assert_int_equal(buf_printf(&b, "%d,", i % 10), 0);
	assert_int_equal(b.len, 20000);
	buf_consume(&b, 19996);
	assert_string_equal(buf_str(&b), "8,9,");
	buf_release(&b);
}

static void
limit_is_exact_and_failure_sticks(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(buf_add(&b, "abcd", 4), 0);
	assert_true(buf_ok(&b));
	assert_int_equal(buf_putc(&b, 'e'), -1);
	assert_false(buf_ok(&b));
	assert_string_equal(buf_str(&b), "abcd");
	buf_consume(&b, 4);
	assert_int_equal(buf_putc(&b, 'e'), -1);
	assert_null(buf_take(&b));
	buf_reset(&b);
	assert_int_equal(buf_putc(&b, 'e'), 0);
	buf_release(&b);
}

static void
take_gives_the_bytes_away(void **state)
{
	struct buf b;
	char *s;

	(void)state;
	buf_init(&b, 10);
	s = buf_take(&b);
	assert_non_null(s);
	assert_string_equal(s, "");
	free(s);
	buf_puts(&b, "hello");
	s = buf_take(&b);
	assert_string_equal(s, "hello");
	assert_int_equal(b.len, 0);
	free(s);
}

static const struct {
	const char *in;
	size_t len;
	const char *out;
} JSON[] = {
    {"", 0, "\"\""},
    {"plain", 5, "\"plain\""},
    {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
    {"\n\r\t\001\177", 5, "\"\\n\\r\\t\\u0001\\u007f\""},
    {"a\0b", 3, "\"a\\u0000b\""},
    {"\xc3\xa9", 2, "\"\xc3\xa9\""},
    {"\xff", 1, "\"\xef\xbf\xbd\""},
    {"\xed\xa0\x80", 3,
        "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
};

static void
json_is_always_valid(void **state)
{
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 1000);
	for (i = 0; i < sizeof JSON / sizeof *JSON; i++) {
		buf_reset(&b);
		assert_int_equal(buf_json(&b, JSON[i].in, JSON[i].len), 0);
		assert_string_equal(buf_str(&b), JSON[i].out);
	}
	buf_release(&b);
}

static void
shell_words_are_one(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(buf_shell(&b, "a b"), 0);
	buf_putc(&b, ' ');
	assert_int_equal(buf_shell(&b, "it's $x"), 0);
	assert_int_equal(buf_shell(&b, ""), 0);
	assert_string_equal(buf_str(&b), "'a b' 'it'\\''s $x'''");
	buf_release(&b);
	buf_init(&b, 3);
	assert_int_equal(buf_shell(&b, "ab"), -1);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grows_and_consumes),
	    cmocka_unit_test(limit_is_exact_and_failure_sticks),
	    cmocka_unit_test(take_gives_the_bytes_away),
	    cmocka_unit_test(json_is_always_valid),
	    cmocka_unit_test(shell_words_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
