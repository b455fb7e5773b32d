/*
 * Errors for people: text, place, errno.
 */
#include "store/base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
says_what_and_why(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, 7, "a %s", "b"), -1);
	assert_string_equal(e.text, "a b");
	assert_int_equal(e.code, 7);
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "cannot open %s", "x"), -1);
	assert_string_equal(e.text,
	    "cannot open x: No such file or directory");
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(errno, ENOENT);
}

static void
a_long_name_keeps_its_end(void **state)
{
	struct err e = {0};
	char name[600];

	(void)state;
	memset(name, 'a', sizeof name);
	memcpy(name + sizeof name - 8, "/b.yaml", 8);
	err_at(&e, name, 3, 4);
	assert_int_equal(strlen(e.file), sizeof e.file - 1);
	assert_string_equal(e.file + sizeof e.file - 8, "/b.yaml");
	assert_int_equal(e.line, 3);
	assert_int_equal(e.col, 4);
}

static void
a_long_text_is_cut(void **state)
{
	struct err e;
	char text[2000];

	(void)state;
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	err_set(&e, 0, "%s", text);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	errno = EIO;
	err_sys(&e, "%s", text);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(says_what_and_why),
	    cmocka_unit_test(a_long_name_keeps_its_end),
	    cmocka_unit_test(a_long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
