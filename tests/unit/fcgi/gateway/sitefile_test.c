/*
 * Which site is served: option before environment before the file beside the
 * program, and errors of that file with their line.
 */
#include "fcgi/gateway/sitefile.h"

#include "store/base/io.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], site[96], program[96];

/* What the file said lives as long as the process. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:take_line";
}

static int
setup(void **state)
{
	(void)state;
	unsetenv("BOTHY_SITE");
	unsetenv("BOTHY_STATE");
	unsetenv("BOTHY_RESIDENT");
	unsetenv("BOTHY_STAGE");
	unsetenv("BOTHY_SECRETS");
	strcpy(dir, "/tmp/bothy-sitefile-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(site, sizeof site, "%s/site", dir);
	snprintf(program, sizeof program, "%s/dispatch.fcgi", dir);
	return mkdir(site, 0700);
}

static int
teardown(void **state)
{
	(void)state;
	return io_remove_tree(AT_FDCWD, dir);
}

static void
write_sitefile(const char *text)
{
	char path[128];
	struct err e;

	snprintf(path, sizeof path, "%s/bothy.site", dir);
	assert_int_equal(
	    io_replace_file(path, text, strlen(text), 0600, &e), 0);
}

/* Strings live as long as the process; the test frees its own. */
static void
release(struct sitefile *s)
{
	free((char *)(uintptr_t)s->site);
	free((char *)(uintptr_t)s->state);
}

static void
an_option_comes_first(void **state)
{
	struct sitefile s = {.site = site};
	struct err e;
	char want[128];

	(void)state;
	setenv("BOTHY_SITE", "/nowhere", 1);
	write_sitefile("nonsense\n");
	assert_int_equal(sitefile_find(&s, program, &e), 0);
	assert_string_equal(s.site, site);
	snprintf(want, sizeof want, "%s/.bothy", site);
	assert_string_equal(s.state, want);
	assert_null(s.launcher);
	release(&s);
}

static void
the_environment_comes_second(void **state)
{
	struct sitefile s = {0};
	struct err e;

	(void)state;
	setenv("BOTHY_SITE", site, 1);
	setenv("BOTHY_STATE", "/somewhere/else", 1);
	setenv("BOTHY_RESIDENT", "0", 1);
	write_sitefile("nonsense\n");
	assert_int_equal(sitefile_find(&s, program, &e), 0);
	assert_string_equal(s.site, site);
	assert_string_equal(s.state, "/somewhere/else");
	assert_string_equal(s.resident, "0");
	free((char *)(uintptr_t)s.site);
}

static void
then_the_file_beside_the_program(void **state)
{
	struct sitefile s = {0};
	struct err e;
	char text[256];

	(void)state;
	snprintf(text, sizeof text, "# a comment\n\nsite=%s\n"
	    "state=/some/state\ngateway=/bin/gateway\nresident=7\n"
	    "stage=prod\nsecrets=/some/secrets\nlaunch=/bin/launch", site);
	write_sitefile(text);
	setenv("BOTHY_SECRETS", "/own/secrets", 1);
	assert_int_equal(sitefile_find(&s, program, &e), 0);
	assert_string_equal(s.site, site);
	assert_string_equal(s.state, "/some/state");
	assert_string_equal(s.launcher, "/bin/launch");
	assert_string_equal(s.resident, "7");
	assert_string_equal(getenv("BOTHY_STAGE"), "prod");
	assert_string_equal(getenv("BOTHY_SECRETS"), "/own/secrets");
	free((char *)(uintptr_t)s.stage);
	free((char *)(uintptr_t)s.secrets);
	free((char *)(uintptr_t)s.resident);
	free((char *)(uintptr_t)s.launcher);
	release(&s);
}

static void
errors_of_the_file_have_a_line(void **state)
{
	static const char *const BAD[] = {"# fine\nsite\n",
	    "# fine\nsite=relative\n", "# fine\nsights=/x\n", "\n=\n",
	    "\nsite=\n", "\nresident=\n", "\nresident=/x\n",
	    "\nresident=-1\n", "\nstage=\n", "\nsecrets=here\n", "\ngateway=bothy-fcgi\n"};
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		struct sitefile s = {0};

		write_sitefile(BAD[i]);
		assert_int_equal(sitefile_find(&s, program, &e), -1);
		assert_int_equal(e.line, 2);
		assert_non_null(strstr(e.file, "bothy.site"));
	}
}

static void
a_missing_site_is_named(void **state)
{
	struct sitefile s = {.site = "/nowhere/at/all"};
	struct err e;

	(void)state;
	assert_int_equal(sitefile_find(&s, program, &e), -1);
	assert_non_null(strstr(e.text, "/nowhere/at/all"));
}

static void
a_huge_file_is_refused(void **state)
{
	static char text[64 * 1024];
	struct sitefile s = {0};
	struct err e;

	(void)state;
	memset(text, '#', sizeof text - 1);
	write_sitefile(text);
	assert_int_equal(sitefile_find(&s, program, &e), -1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(an_option_comes_first),
	    T(the_environment_comes_second),
	    T(then_the_file_beside_the_program),
	    T(errors_of_the_file_have_a_line),
	    T(a_missing_site_is_named),
	    T(a_huge_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
