/*
 * Daemons: the way into the background, with and without success, and the
 * programs beside ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/daemon.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
finds_what_lies_beside(void **state)
{
	char path[4096], own[4096];
	struct err e;
	ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);
	size_t dir;

	(void)state;
	assert_true(n > 0);
	own[n] = '\0';
	dir = (size_t)(strrchr(own, '/') - own) + 1;
	assert_int_equal(daemon_beside("bothy", path, sizeof path, &e), 0);
	assert_int_equal(strlen(path), dir + 5);
	assert_memory_equal(path, own, dir);
	assert_string_equal(path + dir, "bothy");
	assert_int_equal(daemon_beside("a name that is longer than ours is",
	    path, (size_t)n + 1, &e), -1);
	assert_int_equal(e.code, ENAMETOOLONG);
}

/* The status of the process that was started. */
static int
start(bool ready)
{
	int fd, status;
	pid_t pid = fork();

	if (pid == 0) {
		fd = daemon_detach(20);
		if (fd < 20 || getsid(0) != getpid())
			_exit(3);
		if (ready)
			daemon_ready(&fd);
		_exit(ready && fd != -1 ? 4 : 0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
goes_into_the_background(void **state)
{
	int none = -1;

	(void)state;
	assert_int_equal(start(true), 0);
	assert_int_equal(start(false), 1);
	daemon_ready(&none);
	assert_int_equal(none, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_lies_beside),
		cmocka_unit_test(goes_into_the_background),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
