/*
 * Daemons, for daemon.h.
 */
#include "daemon.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

int
daemon_beside(const char *name, char *path, size_t size, struct err *e)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	size_t len = strlen(name);
	char *slash;

	if (n < 0)
		return err_sys(e, "cannot find out where this program lies");
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash - path) + 1 + len + 1 > size)
		return err_set(e, ENAMETOOLONG, "%.200s: the path is too long",
		    path);
	memcpy(slash + 1, name, len + 1);
	return 0;
}

static int
set_files(posix_spawn_file_actions_t *a, int error_fd, bool alone)
{
	int rc = posix_spawn_file_actions_addopen(a, 0, "/dev/null", O_RDONLY,
	    0);

	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(a, 1, "/dev/null",
		    O_WRONLY, 0);
	if (rc == 0 && error_fd >= 0)
		rc = posix_spawn_file_actions_adddup2(a, error_fd, 2);
	if (rc == 0 && alone)
		rc = posix_spawn_file_actions_addclosefrom_np(a, 3);
	if (rc == 0 && alone)
		rc = posix_spawn_file_actions_addchdir_np(a, "/");
	return rc;
}

int
daemon_spawn(const char *const *argv, char *const *envp, int error_fd,
    bool alone, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, usual;
	int rc;

	sigemptyset(&none);
	sigfillset(&usual);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, (short)(POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSIGDEF | (alone ? POSIX_SPAWN_SETSID : 0)));
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &usual);
	posix_spawn_file_actions_init(&actions);
	rc = set_files(&actions, error_fd, alone);
	if (rc == 0)
		rc = posix_spawn(pid, argv[0], &actions, &attr,
		    (char *const *)(uintptr_t)argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	errno = rc;
	return rc ? -1 : 0;
}

int
daemon_detach(int least)
{
	int p[2], null_fd;
	char byte = 1;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid < 0) {
		close(p[0]);
		close(p[1]);
		return -1;
	}
	if (pid > 0) {
		close(p[1]);
		_exit(io_read(p[0], &byte, 1) == 1 ? byte : 1);
	}
	close(p[0]);
	setsid();
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd >= 0) {
		dup2(null_fd, 0);
		dup2(null_fd, 1);
		if (null_fd > 1)
			close(null_fd);
	}
	return io_raise_fd(p[1], least);
}

void
daemon_ready(int *ready_fd)
{
	static const char OK = 0;

	if (*ready_fd < 0)
		return;
	if (write(*ready_fd, &OK, 1) == 1)
		dup2(0, 2);
	io_close(ready_fd);
}
