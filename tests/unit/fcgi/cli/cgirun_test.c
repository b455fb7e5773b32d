/*
 * Tests of running one CGI program, with shell scripts as programs.
 */
#include "fcgi/cli/cgirun.h"
#include "store/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What was printed to stdout. */
static char printed[65536];

/* Runs a script of sh; its reply lands in `printed`. */
static void
sh(struct cgi_result *result, const char *script, bool header)
{
	const char *argv[] = {"/bin/sh", "-c", script, NULL};
	char *envp[] = {NULL};
	struct cgirun r = {.function = "test", .argv = argv, .envp = envp,
	    .directory = "/", .show_header = header};
	int saved = dup(1), file = memfd_create("out", MFD_CLOEXEC);
	struct err e;
	ssize_t n;

	r.stdin_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fflush(stdout);
	dup2(file, 1);
	assert_int_equal(cgirun(&r, result, &e), 0);
	fflush(stdout);
	dup2(saved, 1);
	n = pread(file, printed, sizeof printed - 1, 0);
	printed[n < 0 ? 0 : n] = '\0';
	close(saved);
	close(file);
	close(r.stdin_fd);
}

static void
test_replies(void **state)
{
	struct cgi_result r = {.status = 0};

	(void)state;
	sh(&r, "printf 'Content-Type: text/plain\\n\\nhello\\n'", false);
	assert_int_equal(r.status, 200);
	assert_string_equal(printed, "hello\n");
	sh(&r, "printf 'Status: 404 Not Found\\r\\nX: y\\r\\n\\r\\nno'", true);
	assert_int_equal(r.status, 404);
	assert_string_equal(printed, "X: y\nStatus: 404\n\nno");
	sh(&r, "printf 'Location: /x\\n\\n'", false);
	assert_int_equal(r.status, 302);
	sh(&r, "printf 'Content-Ty'; sleep 0.1; printf 'pe: a\\n'; sleep 0.1; "
	    "printf '\\nbody'", false);
	assert_int_equal(r.status, 200);
	assert_string_equal(printed, "body");
}

static void
test_no_cgi(void **state)
{
	struct cgi_result r = {.status = 0};

	(void)state;
	sh(&r, "echo hello world; echo; echo", false);
	assert_int_equal(r.status, 0);
	assert_string_equal(r.wrong,
	    "a header line has no name: \"hello world\"");
	sh(&r, "true", false);
	assert_non_null(strstr(r.wrong, "(nothing at all)"));
	sh(&r, "printf '\\nbody'", false);
	assert_non_null(strstr(r.wrong, "begins without a header"));
	sh(&r, "printf 'Status: 42\\n\\n'", false);
	assert_non_null(strstr(r.wrong, "the status is none"));
	sh(&r, "printf 'A: b\\n'", false);
	assert_non_null(strstr(r.wrong, "ends within the header"));
	sh(&r, "head -c 100000 /dev/zero | tr '\\0' a", false);
	assert_non_null(strstr(r.wrong, "within 64 KB"));
}

static void
test_endings(void **state)
{
	struct cgi_result r = {.status = 0};

	(void)state;
	sh(&r, "printf 'A: b\\n\\n'; exit 3", false);
	assert_int_equal(r.exit_status, 3);
	sh(&r, "printf 'A: b\\n\\n'; kill -SEGV $$", false);
	assert_int_equal(r.signal, 11);
	/* Under sh a crash handler's 128 + signal looks the same. */
	sh(&r, "printf 'A: b\\n\\n'; exit 134", false);
	assert_int_equal(r.signal, 6);
}

static void
test_descendants(void **state)
{
	struct cgi_result r = {.status = 0};
	int64_t start_ms;

	(void)state;
	/* A descendant that keeps the output open holds nobody up. */
	start_ms = clock_mono_ms();
	sh(&r, "printf 'A: b\\n\\nx'; sleep 60 & exit 0", false);
	assert_int_equal(r.status, 200);
	assert_string_equal(printed, "x");
	assert_true(clock_mono_ms() - start_ms < 50000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_replies),
	    cmocka_unit_test(test_no_cgi),
	    cmocka_unit_test(test_endings),
	    cmocka_unit_test(test_descendants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
