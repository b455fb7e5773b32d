/*
 * Daemons, for daemon.h.
 */
#include "daemon.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
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
