/*
 * What is on the disk for sure, whatever happens to the power (release.h).
 */
#include "release.h"

#include "store/base/io.h"

#include <fcntl.h>
#include <unistd.h>

int
release_sync(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0 || syncfs(fd) < 0)
		rc = err_sys(e, "cannot sync %s", path);
	io_close(&fd);
	return rc;
}

int
release_sync_names(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0 || fsync(fd) < 0)
		rc = err_sys(e, "cannot sync %s", path);
	io_close(&fd);
	return rc;
}
