/*
 * Who runs a release holds a shared lock on its tree, which ends with him
 * whatever happens to him (hold.h).  Runs in gateway and launcher.
 */
#include "hold.h"

#include "store/base/io.h"

#include <fcntl.h>
#include <sys/file.h>

int
release_hold(const char *tree)
{
	int fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0)
		io_close(&fd);
	return fd;
}
