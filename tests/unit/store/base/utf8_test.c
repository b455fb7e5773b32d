/*
 * UTF-8 against RFC 3629: what begins a character, and what is none.
 */
#include "store/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
steps(void **state)
{
	(void)state;
	assert_int_equal(utf8_step("a", 1), 1);
	assert_int_equal(utf8_step("", 0), 0);
	assert_int_equal(utf8_step("\xc2\x80", 2), 2);
	assert_int_equal(utf8_step("\xe0\xa0\x80", 3), 3);
	assert_int_equal(utf8_step("\xef\xbf\xbf", 3), 3);
	assert_int_equal(utf8_step("\xf4\x8f\xbf\xbf", 4), 4);
}

static void
refuses(void **state)
{
	static const char *const BAD[] = {
	    "\x80",			/* a continuation alone */
	    "\xc0\xaf",			/* a slash in two bytes */
	    "\xc1\xbf",
	    "\xe0\x9f\xbf",		/* too long a form */
	    "\xed\xa0\x80",		/* a surrogate */
	    "\xf0\x8f\xbf\xbf",
	    "\xf4\x90\x80\x80",		/* above U+10FFFF */
	    "\xf5\x80\x80\x80",
	    "\xc3",			/* cut */
	    "\xe2\x82",
	    "\xf0\x9f\x98",
	    "\xc3(",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof BAD / sizeof *BAD; i++)
		assert_false(utf8_valid(BAD[i], strlen(BAD[i])));
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid("na\xc3\xafve \xf0\x9f\x98\x80", 11));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(steps),
	    cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
