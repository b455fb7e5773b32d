/*
 * Puts the debugger's command line together and waits for it (debugger.h).
 */
#include "debugger.h"

#include "cli.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 24, VALGRIND_FOUND = 99 };

static int
write_body(const char *scratch, const struct buf *body, char *path,
    struct err *e)
{
	if (place_path(path, e, "%s/body", scratch) < 0)
		return -1;
	return io_replace_file(path, buf_str(body), body->len, 0600, e);
}

/* gdb is given the variables by a file, so that it keeps its own. */
static int
write_environment(const char *scratch, const struct envlist *env,
    const char *body, char *path, struct err *e)
{
	struct buf text;
	size_t i;
	int rc;

	if (place_path(path, e, "%s/gdb", scratch) < 0)
		return -1;
	buf_init(&text, 1024 * 1024);
	buf_printf(&text, "set confirm off\nunset environment\nset breakpoint "
	    "pending on\n"
	    "set args < '%s'\n", body);
	for (i = 0; i < env->count; i++) {
		const char *equals = strchr(env->items[i], '=');

		/* A line break would end the command. */
		if (!strchr(env->items[i], '\n'))
			buf_printf(&text, "set environment %.*s = %s\n",
			    (int)(equals - env->items[i]), env->items[i],
			    equals + 1);
	}
	if (buf_ok(&text))
		rc = io_replace_file(path, buf_str(&text), text.len, 0600, e);
	else
		rc = err_set(e, E2BIG, "the environment is too large");
	buf_release(&text);
	return rc;
}

/* Spawns and waits; the wait status, or -1. */
static int
spawn_wait(const char *const *argv, char *const *envp, const char *directory,
    const char *stdin_path, struct err *e)
{
	posix_spawn_file_actions_t files;
	char *const *args;
	int rc, status;
	pid_t pid;

	memcpy(&args, &argv, sizeof args);
	posix_spawn_file_actions_init(&files);
	if (stdin_path)
		posix_spawn_file_actions_addopen(&files, 0, stdin_path,
		    O_RDONLY, 0);
	posix_spawn_file_actions_addchdir_np(&files, directory);
	signal(SIGINT, SIG_IGN);
	rc = posix_spawnp(&pid, argv[0], &files, NULL, args, envp);
	posix_spawn_file_actions_destroy(&files);
	if (rc) {
		signal(SIGINT, SIG_DFL);
		return err_set(e, rc, "cannot start %s: %s; is it installed? "
		    "(Debian: apt install %s)", argv[0], strerror(rc),
		    argv[0]);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	signal(SIGINT, SIG_DFL);
	return status;
}

static int
run_gdb(const char *binary, const struct envlist *env, const char *directory,
    const char *body, const char *scratch, struct err *e)
{
	char script[PATH_MAX];
	const char *argv[ARGS_MAX] = {"gdb", "-q", "-nx", "-x", script};
	size_t n = 5;
	int status;

	if (write_environment(scratch, env, body, script, e) < 0)
		return -1;
	if (isatty(STDIN_FILENO)) {
		argv[n++] = "-ex";
		argv[n++] = "break bothy_handle";
		argv[n++] = "-ex";
		argv[n++] = "run";
	} else {
		argv[n++] = "-batch";
		argv[n++] = "-return-child-result";
		argv[n++] = "-ex";
		argv[n++] = "run";
		argv[n++] = "-ex";
		argv[n++] = "backtrace";
	}
	argv[n] = binary;
	status = spawn_wait(argv, environ, directory, NULL, e);
	if (status < 0)
		return -1;
	return status ? CLI_FUNCTION : CLI_OK;
}

static int
run_valgrind(const char *binary, const struct envlist *env,
    const char *directory, const char *body, struct err *e)
{
	const char *argv[] = {"valgrind", "-q", "--error-exitcode=99",
	    "--leak-check=full", "--errors-for-leak-kinds=definite",
	    "--show-leak-kinds=definite", binary, NULL};
	int status = spawn_wait(argv, env->items, directory, body, e);

	if (status < 0)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == VALGRIND_FOUND)
		fprintf(stderr, "bothy: valgrind found errors\n");
	return status ? CLI_FUNCTION : CLI_OK;
}

int
debugger_run(const char *which, const char *binary,
    const struct envlist *env, const char *directory, const struct buf *body,
    const char *scratch, struct err *e)
{
	char path[PATH_MAX];

	if (write_body(scratch, body, path, e) < 0)
		return -1;
	if (strcmp(which, "gdb") == 0)
		return run_gdb(binary, env, directory, path, scratch, e);
	return run_valgrind(binary, env, directory, path, e);
}
