/*
 * bothy_file_save(): an uploaded file under a name of the author's choice.
 * Runs in a function's process; never replaces a file.
 */
#include "request.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 * 1024 };

static int
copy_spooled(const char *from, int to_fd)
{
	char piece[PIECE_BYTES];
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	while ((n = io_read(fd, piece, sizeof piece)) > 0)
		if (io_write_all(to_fd, piece, (size_t)n) < 0) {
			n = -1;
			break;
		}
	io_close(&fd);
	return n < 0 ? -1 : 0;
}

/* Writes a new file, and leaves none behind if that fails. */
static int
write_new(const struct bothy_file *file, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc, e;

	if (fd < 0)
		return -1;
	rc = file->path ? copy_spooled(file->path, fd)
	                : io_write_all(fd, file->data, file->size);
	if (close(fd) < 0)
		rc = -1;
	if (rc < 0) {
		e = errno;
		unlink(path);
		errno = e;
	}
	return rc;
}

/* A spooled file gets a second name, if the file system can do that. */
int
bothy_file_save(struct bothy_req *req, const struct bothy_file *file,
    const char *path)
{
	if (file->path && link(file->path, path) == 0)
		return 0;
	if (write_new(file, path) == 0)
		return 0;
	return request_fail(req, 500, "cannot save %.100s: %s", path,
	    strerror(errno));
}
