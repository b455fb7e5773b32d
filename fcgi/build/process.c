/*
 * Spawns one program and reads its output to the end (process.h).
 */
#include "process.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptors, directory and signals of the program. 0 or an errno. */
static int
spawn(const char *const argv[], const char *cwd, int out_fd, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, usual;
	char *const *args;
	int rc;

	memcpy(&args, &argv, sizeof args);
	sigemptyset(&none);
	sigfillset(&usual);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out_fd, 1);
	posix_spawn_file_actions_adddup2(&files, out_fd, 2);
	posix_spawn_file_actions_addchdir_np(&files, cwd);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &usual);
	posix_spawnattr_setflags(&attr,
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawnp(pid, argv[0], &files, &attr, args, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

/* Reads to the end; the buffer gets what fits. */
static void
drain(int fd, struct buf *out)
{
	char chunk[4096];
	ssize_t n;
	size_t room;

	while ((n = io_read(fd, chunk, sizeof chunk)) > 0) {
		room = out->max - out->len;
		buf_add(out, chunk, (size_t)n < room ? (size_t)n : room);
	}
}

int
process_run(const char *const argv[], const char *cwd, struct buf *out,
    struct err *e)
{
	int pipe_fds[2], status, rc;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	rc = spawn(argv, cwd, pipe_fds[1], &pid);
	close(pipe_fds[1]);
	if (rc) {
		close(pipe_fds[0]);
		errno = rc;
		return err_sys(e, "cannot run %s", argv[0]);
	}
	drain(pipe_fds[0], out);
	close(pipe_fds[0]);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return err_sys(e, "cannot wait for %s", argv[0]);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    PROCESS_KILLED + WTERMSIG(status);
}
