/*
 * Takes programs out of the builder's cache (built.h).  Runs in pre-receive.
 */
#include "built.h"

#include "fcgi/release/release.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { COPY_BYTES = 256 * 1024 };

/* No link, nor a directory that is one: it could lead to any file of ours. */
static int
open_beneath(const char *directory, const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	int dir_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	fd = dir_fd < 0
		 ? -1
		 : (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
	io_close(&dir_fd);
	return fd;
}

/* What the builder says is the function's program: a plain file of its own. */
static int
open_built(const struct built *b, const char *function, struct err *e)
{
	char link[PATH_MAX], target[PATH_MAX], build[PATH_MAX];
	uid_t owner = b->owner ? b->owner : geteuid();
	struct stat st;
	ssize_t n;
	int fd;

	if (release_path(build, e, "%s/build", b->cache) < 0 ||
	    release_path(link, e, "%s/%s", build, function) < 0)
		return -1;
	n = readlink(link, target, sizeof target - 1);
	if (n < 0)
		return err_set(
		    e, ENOENT, "the build left no program of %s", function);
	target[n] = '\0';
	fd = open_beneath(build, target);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_uid != owner && st.st_uid != geteuid())) {
		io_close(&fd);
		return err_set(e, EINVAL,
		    "the build of %s left something "
		    "else than a program",
		    function);
	}
	return fd;
}

static int
copy_bytes(int from_fd, int to_fd)
{
	char *chunk = malloc(COPY_BYTES);
	ssize_t n = -1;

	while (chunk && (n = io_read(from_fd, chunk, COPY_BYTES)) > 0)
		if (io_write_all(to_fd, chunk, (size_t)n) < 0) {
			n = -1;
			break;
		}
	free(chunk);
	return n == 0 ? 0 : -1;
}

/* Copied: who built it could write to what is in the cache later. */
static int
put_program(int from_fd, const char *to, struct err *e)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	int rc = 0;

	if (fd < 0 || copy_bytes(from_fd, fd) < 0 || fchmod(fd, 0755) < 0)
		rc = err_sys(e, "cannot write %s", to);
	io_close(&fd);
	return rc;
}

/* The same bytes in an open file, from its begin, and in one by name. */
static bool
is_same(int fd, const char *name)
{
	int other_fd = open(name, O_RDONLY | O_CLOEXEC);
	char chunks[2][8192];
	struct stat st[2];
	ssize_t n = -1, m;

	if (other_fd >= 0 && fstat(fd, &st[0]) == 0 &&
	    fstat(other_fd, &st[1]) == 0 && st[0].st_size == st[1].st_size)
		do {
			n = io_read(fd, chunks[0], sizeof *chunks);
			m = io_read(other_fd, chunks[1], sizeof *chunks);
		} while (n > 0 && m == n &&
			 memcmp(chunks[0], chunks[1], (size_t)n) == 0);
	io_close(&other_fd);
	return n == 0 && lseek(fd, 0, SEEK_SET) == 0;
}

/* Adds a name to the list of what changed, as far as it fits. */
static void
note_changed(char *changed, const char *name)
{
	size_t n = strlen(changed), room = RELEASE_TEXT_SIZE - 40;

	if (n + strlen(name) + 3 < room)
		sprintf(changed + n, "%s%s", n ? ", " : "", name);
	else if (n > 3 && strcmp(changed + n - 3, "...") != 0)
		strcat(changed, ", ...");
}

int
built_take(const struct built *b, const char *function, struct err *e)
{
	char to[PATH_MAX], live[PATH_MAX];
	int fd, rc = -1;

	fd = open_built(b, function, e);
	if (fd < 0 || release_path(to, e, "%s/bin/%s", b->release, function) ||
	    release_path(live, e, "%s/live/bin/%s", b->live, function) < 0)
		goto out;
	if (is_same(fd, live)) {
		/* By another name, and takes no room. */
		rc = linkat(AT_FDCWD, live, AT_FDCWD, to, 0);
	} else
		note_changed(b->changed, function);
	if (rc < 0 && lseek(fd, 0, SEEK_SET) == 0)
		rc = put_program(fd, to, e);
out:
	io_close(&fd);
	return rc;
}
