/*
 * Starting the store's daemon, for start.h.
 */
#include "start.h"

#include "store/base/daemon.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 16 };

extern char **environ;

/* bothy-store lies beside the running program unless told otherwise. */
static int
find_program(const struct start_options *o, char *path, size_t size,
    struct err *e)
{
	const char *told = o->program ? o->program :
	    getenv("BOTHY_STORE_PROGRAM");

	if (!told)
		return daemon_beside("bothy-store", path, size, e);
	snprintf(path, size, "%s", told);
	return 0;
}

/* Runs it, standard error going to `said_fd`. */
static int
spawn(const struct start_options *o, int said_fd, pid_t *pid, struct err *e)
{
	char path[4096];
	const char *argv[ARGUMENTS_MAX + 4] = {path, "--dir", o->store_dir};
	size_t i;

	if (find_program(o, path, sizeof path, e) < 0)
		return -1;
	for (i = 0; o->arguments && o->arguments[i] && i < ARGUMENTS_MAX; i++)
		argv[3 + i] = o->arguments[i];
	if (daemon_spawn(argv, environ, o->shown ? -1 : said_fd, false, pid) <
	    0)
		return err_sys(e, "cannot start %.200s", path);
	return 0;
}

/* The reason that a daemon gave, without its newline. */
static int
refused(int said_fd, const char *store_dir, struct err *e)
{
	char said[400];
	ssize_t n = io_nonblock(said_fd) < 0 ? 0 :
	    io_read(said_fd, said, sizeof said);

	while (n > 0 && said[n - 1] == '\n')
		n--;
	if (n <= 0)
		return err_set(e, ECONNREFUSED, "the store's daemon did not "
		    "start; if nothing says why, `bothy-store --dir %.200s "
		    "--foreground` does", store_dir);
	return err_set(e, ECONNREFUSED, "%.*s", (int)n, said);
}

int
client_start(const struct start_options *o, struct err *e)
{
	int said[2], status = 0, rc;
	pid_t pid, got;

	if (pipe2(said, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	rc = spawn(o, said[1], &pid, e);
	close(said[1]);
	if (rc == 0) {
		do
			got = waitpid(pid, &status, 0);
		while (got < 0 && errno == EINTR);
		if (got == pid &&
		    (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
			rc = refused(said[0], o->store_dir, e);
	}
	close(said[0]);
	return rc;
}
