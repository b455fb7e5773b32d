/*
 * bothy.h as authors meet it: alone, in C99 and in C++11, without a warning;
 * and every call of it has a manual page that names it.
 */
#include <ctype.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SDK "functions/sdk/"
#define WARNINGS " -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I" SDK " "

/* The file's text, to be freed. */
static char *
read_text(const char *path)
{
	char *text = calloc(1, 1 << 20);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_in_range(fread(text, 1, (1 << 20) - 1, f), 1, (1 << 20) - 2);
	fclose(f);
	return text;
}

static void
test_languages(void **state)
{
	static const char *const COMMANDS[] = {
	    "gcc -std=c99 -xc" WARNINGS SDK "bothy.h",
	    "g++ -std=c++11 -xc++" WARNINGS SDK "bothy.h",
	    "g++ -std=c++11" WARNINGS "tests/unit/functions/sdk/handler.cc",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++)
		assert_int_equal(system(COMMANDS[i]), 0);
}

/* True if a page's NAME section lists this call. */
static int
is_named(const glob_t *pages, const char *call)
{
	char *text, *name, *end, line[80];
	int found = 0;
	size_t i;

	for (i = 0; i < pages->gl_pathc && !found; i++) {
		text = read_text(pages->gl_pathv[i]);
		name = strstr(text, ".Sh NAME\n");
		assert_non_null(name);
		end = strstr(name, "\n.Nd ");
		assert_non_null(end);
		end[1] = '\0';
		snprintf(line, sizeof line, ".Nm %s\n", call);
		found = strstr(name, line) != NULL;
		snprintf(line, sizeof line, ".Nm %s ,\n", call);
		found = found || strstr(name, line) != NULL;
		free(text);
	}
	return found;
}

static void
test_manual(void **state)
{
	char *header = read_text(SDK "bothy.h"), *at, call[64];
	unsigned calls = 0;
	glob_t pages;
	size_t n;

	(void)state;
	assert_int_equal(glob(SDK "*.3", 0, NULL, &pages), 0);
	for (at = strstr(header, "extern \"C\""); (at = strstr(at, "bothy_"));
	     at += n) {
		for (n = 0; isalnum((unsigned char)at[n]) || at[n] == '_'; n++)
			;
		if (at[n] != '(' || at[n + 1] == ')' || n >= sizeof call)
			continue;
		memcpy(call, at, n);
		call[n] = '\0';
		calls++;
		if (!is_named(&pages, call))
			fail_msg("%s has no manual page", call);
	}
	assert_in_range(calls, 40, 100);
	globfree(&pages);
	free(header);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_languages),
	    cmocka_unit_test(test_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
