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
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

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

/* What `argv` says on standard error, its newline cut off. */
static void
hear(const char *const *argv, bool alone, char *said, size_t size)
{
	int ends[2], status;
	size_t n = 0;
	ssize_t k;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(daemon_spawn(argv, environ, ends[1], alone, &pid), 0);
	close(ends[1]);
	while ((k = read(ends[0], said + n, size - 1 - n)) > 0)
		n += (size_t)k;
	close(ends[0]);
	said[n && said[n - 1] == '\n' ? n - 1 : n] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
starts_what_is_owed_nothing(void **state)
{
	static const char *const ARGV[] = {"/bin/sh", "-c",
	    "cat; echo lost; if [ -e /proc/$$/fd/77 ]; then echo has it; "
	    "else echo has not; fi >&2; pwd >&2; "
	    "grep -E 'Sig(Blk|Ign):.*[1-9a-f].{0,6}$' /proc/self/status >&2 || "
	    ":", NULL};
	static const char *const NONE[] = {"/nowhere/to/be/found", NULL};
	char said[1000], dir[500], expected[600];
	sigset_t some, before;
	pid_t pid;

	(void)state;
	sigemptyset(&some);
	sigaddset(&some, SIGUSR2);
	assert_int_equal(sigprocmask(SIG_BLOCK, &some, &before), 0);
	signal(SIGUSR1, SIG_IGN);
	assert_int_equal(dup2(1, 77), 77);
	hear(ARGV, true, said, sizeof said);
	assert_string_equal(said, "has not\n/");
	assert_non_null(getcwd(dir, sizeof dir));
	snprintf(expected, sizeof expected, "has it\n%s", dir);
	hear(ARGV, false, said, sizeof said);
	assert_string_equal(said, expected);
	close(77);
	signal(SIGUSR1, SIG_DFL);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
	assert_int_equal(daemon_spawn(NONE, environ, -1, false, &pid), -1);
	assert_int_equal(errno, ENOENT);
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
		cmocka_unit_test(starts_what_is_owed_nothing),
		cmocka_unit_test(goes_into_the_background),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
