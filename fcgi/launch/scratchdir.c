/*
 * Directories for zygotes' scratch, as scratchdir.h describes them.  Runs in
 * the launcher, and in short-lived children of it that only remove.
 */
#include "scratchdir.h"

#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int
scratchdir_make(const char *state_dir, const char *function, unsigned number,
    char *path, size_t size, struct err *e)
{
	int n = snprintf(path, size, "%s/scratch/%s/%d.%u", state_dir,
	    function, (int)getpid(), number);

	if (n < 0 || (size_t)n >= size)
		return err_set(e, ENAMETOOLONG, "%s: the path is too long",
		    state_dir);
	if (io_remove_tree(AT_FDCWD, path) < 0)
		return err_sys(e, "cannot empty %s", path);
	return io_mkdirs(path, 0711, e);
}

void
scratchdir_remove(const char *path)
{
	if (rmdir(path) == 0 || errno == ENOENT || fork() != 0)
		return;
	io_remove_tree(AT_FDCWD, path);
	_exit(0);
}

/* True if the launcher that made `name` is gone. */
static int
is_left_over(const char *name)
{
	char *end;
	long pid = strtol(name, &end, 10);

	return end != name && *end == '.' && pid > 0 && pid <= INT_MAX &&
	    kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

static void
clean_function(int fd)
{
	DIR *d = fdopendir(fd);
	const struct dirent *de;

	if (!d) {
		close(fd);
		return;
	}
	while ((de = readdir(d)))
		if (is_left_over(de->d_name))
			io_remove_tree(fd, de->d_name);
	closedir(d);
}

void
scratchdir_clean(const char *state_dir)
{
	char path[4096];
	const struct dirent *de;
	DIR *d;
	int fd;

	snprintf(path, sizeof path, "%s/scratch", state_dir);
	d = opendir(path);
	if (!d || fork() != 0) {
		if (d)
			closedir(d);
		return;
	}
	while ((de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		fd = openat(dirfd(d), de->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			clean_function(fd);
	}
	_exit(0);
}
