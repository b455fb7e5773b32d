/*
 * Secrets: files of mode 0600, one directory a stage, and templates.
 */
#include "tests/unit/fcgi/conf/site.h"

#include "fcgi/conf/secret.h"

#include <errno.h>

static int
setup(void **state)
{
	struct site *s = calloc(1, sizeof *s);
	char root[128];

	assert_non_null(s);
	site_make(s);
	snprintf(root, sizeof root, "%s/secrets", s->dir);
	setenv("BOTHY_SECRETS", root, 1);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	site_remove(*state);
	free(*state);
	return 0;
}

static void
set(const char *stage, const char *name, const char *value)
{
	struct err e;

	assert_int_equal(secret_set("svc", stage, name, value, strlen(value),
	    &e), 0);
}

static void
what_is_set_can_be_read_in_its_stage_only(void **state)
{
	struct buf out;
	struct err e;

	(void)state;
	set("dev", "KEY", "value\nwith lines");
	buf_init(&out, 1024);
	assert_int_equal(secret_get("svc", "dev", "KEY", &out, &e), 0);
	assert_string_equal(buf_str(&out), "value\nwith lines");
	assert_int_equal(secret_get("svc", "prod", "KEY", &out, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_string_equal(e.text, "the secret KEY is not set for stage "
	    "'prod'; run bothy --stage prod secret set KEY");
	assert_int_equal(secret_get("other", "dev", "KEY", &out, &e), -1);
	assert_int_equal(secret_get("svc", "dev", "NONE", &out, &e), -1);
	set("dev", "KEY", "");
	buf_reset(&out);
	assert_int_equal(secret_get("svc", "dev", "KEY", &out, &e), 0);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

static void
files_are_closed_to_others(void **state)
{
	const struct site *s = *state;
	char path[256];
	struct stat st;
	struct buf out;
	struct err e;

	set("dev", "KEY", "hush");
	snprintf(path, sizeof path, "%s/secrets/svc/dev", s->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	snprintf(path, sizeof path, "%s/secrets/svc/dev/KEY", s->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(chmod(path, 0640), 0);
	buf_init(&out, 1024);
	assert_int_equal(secret_get("svc", "dev", "KEY", &out, &e), -1);
	assert_int_equal(e.code, EPERM);
	assert_non_null(strstr(e.text, "open to others (mode 640)"));
	assert_null(strstr(e.text, "hush"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_int_equal(secret_get("svc", "dev", "KEY", &out, &e), -1);
	assert_int_equal(out.len, 0);
	buf_release(&out);
}

static void
names_and_values_have_limits(void **state)
{
	static char large[SECRET_MAX_VALUE + 2];
	struct buf out;
	struct err e;

	(void)state;
	memset(large, 'x', sizeof large - 1);
	buf_init(&out, 2 * sizeof large);
	assert_int_equal(secret_set("svc", "dev", "../X", "v", 1, &e), -1);
	assert_int_equal(secret_set("svc", "../..", "X", "v", 1, &e), -1);
	assert_int_equal(secret_set("s/v", "dev", "X", "v", 1, &e), -1);
	assert_int_equal(secret_set("svc", "dev", "1X", "v", 1, &e), -1);
	assert_int_equal(secret_set("svc", "dev", "", "v", 1, &e), -1);
	assert_int_equal(secret_set("svc", "dev", "X", "a\0b", 3, &e), -1);
	assert_int_equal(secret_set("svc", "dev", "X", large,
	    SECRET_MAX_VALUE + 1, &e), -1);
	assert_int_equal(secret_set("svc", "dev", "X", large,
	    SECRET_MAX_VALUE, &e), 0);
	assert_int_equal(secret_get("svc", "dev", "X", &out, &e), 0);
	assert_int_equal(out.len, SECRET_MAX_VALUE);
	buf_release(&out);
}

static void
list_and_remove(void **state)
{
	const struct site *s = *state;
	char **names;
	struct err e;

	assert_int_equal(secret_list("svc", "dev", &names, &e), 0);
	assert_null(names[0]);
	secret_list_free(names);
	set("dev", "B", "2");
	set("dev", "A", "1");
	set("prod", "C", "3");
	site_write(s, "secrets/svc/dev/B.x7Yz12", "left behind", 0600);
	assert_int_equal(secret_list("svc", "dev", &names, &e), 0);
	assert_string_equal(names[0], "A");
	assert_string_equal(names[1], "B");
	assert_null(names[2]);
	secret_list_free(names);
	assert_int_equal(secret_remove("svc", "dev", "A", &e), 0);
	assert_int_equal(secret_remove("svc", "dev", "A", &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(secret_remove("svc", "none", "A", &e), -1);
	secret_list_free(NULL);
}

static void
templates_expand(void **state)
{
	struct buf out;
	struct err e;

	(void)state;
	set("dev", "A", "one");
	set("dev", "B", "${secret:A}");
	assert_true(secret_used("x${secret:A}"));
	assert_false(secret_used("${secret:}"));
	assert_false(secret_used("${secret:A"));
	assert_false(secret_used("${env:A}"));
	buf_init(&out, 100);
	assert_int_equal(secret_expand("<${secret:A}-${secret:B}>${x} $",
	    "svc", "dev", &out, &e), 0);
	/* what a secret holds is not looked at again */
	assert_string_equal(buf_str(&out), "<one-${secret:A}>${x} $");
	buf_reset(&out);
	assert_int_equal(secret_expand("${secret:1}${secret:A}", "svc", "dev",
	    &out, &e), 0);
	assert_string_equal(buf_str(&out), "${secret:1}one");
	buf_reset(&out);
	buf_puts(&out, "kept:");
	assert_int_equal(secret_expand("${secret:A}${secret:GONE}", "svc",
	    "dev", &out, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(out.len, 5);
	buf_release(&out);
}

static void
a_small_buffer_is_an_error(void **state)
{
	struct buf out;
	struct err e;

	(void)state;
	set("dev", "A", "0123456789");
	buf_init(&out, 12);
	assert_int_equal(secret_expand("abc${secret:A}", "svc", "dev", &out,
	    &e), -1);
	assert_int_equal(e.code, E2BIG);
	assert_null(strstr(e.text, "0123"));
	buf_release(&out);
	buf_init(&out, 12);
	assert_int_equal(secret_expand("${secret:A}abc", "svc", "dev", &out,
	    &e), -1);
	assert_int_equal(e.code, E2BIG);
	assert_null(memchr(out.data, '5', out.room));
	buf_release(&out);
}

static void
the_root_follows_the_environment(void **state)
{
	const struct site *s = *state;
	char root[160], path[256];
	struct err e;

	unsetenv("BOTHY_SECRETS");
	snprintf(root, sizeof root, "%s/config", s->dir);
	setenv("XDG_CONFIG_HOME", root, 1);
	set("dev", "A", "x");
	snprintf(path, sizeof path, "%s/bothy/svc/dev/A", root);
	assert_int_equal(access(path, R_OK), 0);
	setenv("XDG_CONFIG_HOME", "relative", 1);
	setenv("HOME", s->dir, 1);
	set("dev", "A", "x");
	snprintf(path, sizeof path, "%s/.config/bothy/svc/dev/A", s->dir);
	assert_int_equal(access(path, R_OK), 0);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("HOME");
	assert_int_equal(secret_set("svc", "dev", "A", "x", 1, &e), -1);
	assert_non_null(strstr(e.text, "set BOTHY_SECRETS or HOME"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(what_is_set_can_be_read_in_its_stage_only),
		TEST(files_are_closed_to_others),
		TEST(names_and_values_have_limits),
		TEST(list_and_remove),
		TEST(templates_expand),
		TEST(a_small_buffer_is_an_error),
		TEST(the_root_follows_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
