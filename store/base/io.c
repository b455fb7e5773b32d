/*
 * Whole reads, whole writes and small files, as io.h promises.
 */
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
io_write_all(int fd, const void *p, size_t n)
{
	const char *s = p;
	ssize_t k;

	while (n) {
		k = write(fd, s, n);
		if (k < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		s += k;
		n -= (size_t)k;
	}
	return 0;
}

ssize_t
io_read(int fd, void *p, size_t n)
{
	ssize_t k;

	do
		k = read(fd, p, n);
	while (k < 0 && errno == EINTR);
	return k;
}

int
io_read_all(int fd, void *p, size_t n)
{
	char *s = p;
	ssize_t k;

	while (n) {
		k = io_read(fd, s, n);
		if (k < 0)
			return -1;
		if (k == 0) {
			errno = EPIPE;
			return -1;
		}
		s += k;
		n -= (size_t)k;
	}
	return 0;
}

int
io_read_fd(int fd, const char *path, struct buf *b, struct err *e)
{
	struct stat st;
	ssize_t k;
	char more;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot look at %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s is not a regular file", path);
	if (st.st_size < 0 || (size_t)st.st_size > b->max - b->len)
		return err_set(e, EFBIG, "%s is larger than %zu bytes", path,
		    b->max - b->len);
	for (;;) {
		if (b->len == b->max)
			k = io_read(fd, &more, 1);
		else if (buf_reserve(b, 1) == 0)
			k = io_read(fd, b->data + b->len,
			    b->room - b->len - 1);
		else
			return err_set(e, ENOMEM, "no memory for %s", path);
		if (k < 0)
			return err_sys(e, "cannot read %s", path);
		if ((size_t)k > b->max - b->len)
			return err_set(e, EFBIG, "%s is larger than %zu bytes",
			    path, b->max);
		b->len += (size_t)k;
		if (b->data)
			b->data[b->len] = '\0';
		if (k == 0)
			return 0;
	}
}

int
io_read_file(int dirfd, const char *path, struct buf *b, struct err *e)
{
	int fd, rc;

	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "cannot open %s", path);
	rc = io_read_fd(fd, path, b, e);
	close(fd);
	return rc;
}

/* The directory part of `path`, "." if it has none. */
static int
open_parent(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (n >= sizeof dir) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!slash)
		memcpy(dir, ".", 2);
	else if (n == 0)
		memcpy(dir, "/", 2);
	else {
		memcpy(dir, path, n);
		dir[n] = '\0';
	}
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int
io_replace_file(const char *path, const void *p, size_t n, mode_t mode,
    struct err *e)
{
	char tmp[PATH_MAX];
	int fd, dirfd = -1;

	if (snprintf(tmp, sizeof tmp, "%s.XXXXXX", path) >= (int)sizeof tmp)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    path);
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot create %s", tmp);
	if (fchmod(fd, mode) < 0 || io_write_all(fd, p, n) < 0 ||
	    fsync(fd) < 0) {
		err_sys(e, "cannot write %s", tmp);
		goto fail;
	}
	if (rename(tmp, path) < 0) {
		err_sys(e, "cannot put %s in place", path);
		goto fail;
	}
	close(fd);
	dirfd = open_parent(path);
	if (dirfd < 0 || fsync(dirfd) < 0) {
		err_sys(e, "cannot sync the directory of %s", path);
		io_close(&dirfd);
		return -1;
	}
	close(dirfd);
	return 0;
fail:
	close(fd);
	unlink(tmp);
	return -1;
}

int
io_vpath(char *out, struct err *e, const char *fmt, va_list ap)
{
	int n = vsnprintf(out, PATH_MAX, fmt, ap);

	if (n < 0 || n >= PATH_MAX)
		return err_set(e, ENAMETOOLONG,
		    "a path is longer than %d bytes: %.64s...", PATH_MAX - 1,
		    out);
	return 0;
}

static bool
is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int
io_mkdirs(const char *path, mode_t mode, struct err *e)
{
	char dir[PATH_MAX];
	size_t n = strlen(path), i;

	if (n >= sizeof dir)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    path);
	if (mkdir(path, mode) == 0)
		return 0;
	if (errno == EEXIST && is_directory(path))
		return 0;	/* as nearly always */
	for (i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(dir, path, i);
		dir[i] = '\0';
		if (mkdir(dir, mode) < 0 && errno != EEXIST)
			return err_sys(e, "cannot make directory %s", dir);
	}
	if (is_directory(path))
		return 0;
	errno = ENOTDIR;
	return err_sys(e, "cannot make directory %s", path);
}

/*
 * Makes a directory below `at_fd` one that its owner can read and empty; not
 * what a link leads to.
 */
static int
open_up(int at_fd, const char *path)
{
	char name[64];
	int rc, fd = openat(at_fd, path,
	    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -1;
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	rc = chmod(name, 0700);
	close(fd);
	return rc;
}

/*
 * A tree that is being removed.  What lies deeper in it than the stack and the
 * descriptors of whoever removes it may reach is moved up to its top first.
 */
struct removal {
	int top_fd;
	unsigned long moved, named;
};

enum { REMOVE_DEPTH = 32 };

static int remove_at(struct removal *r, int at_fd, const char *path,
    unsigned depth);

static int
empty_dir(struct removal *r, DIR *d, unsigned depth)
{
	struct dirent *de;
	int rc = 0;

	while ((de = readdir(d))) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (remove_at(r, dirfd(d), de->d_name, depth + 1) < 0)
			rc = -1;
	}
	return rc;
}

static int
open_dir(int at_fd, const char *path)
{
	return openat(at_fd, path,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* So that what is in it can be removed, whatever its mode: it, or -1. */
static int
open_to_empty(int at_fd, const char *path)
{
	struct stat st;
	int fd = open_dir(at_fd, path);

	if (fd < 0 && errno == EACCES && open_up(at_fd, path) == 0)
		fd = open_dir(at_fd, path);
	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
		fchmod(fd, 0700);
	return fd;
}

/* Under a name that no tree is in the way of; an empty one is lost, too. */
static int
move_up(struct removal *r, int at_fd, const char *name)
{
	char up[32];
	int rc;

	do {
		snprintf(up, sizeof up, "deep-%lu", r->named++);
		rc = renameat(at_fd, name, r->top_fd, up);
	} while (rc < 0 && (errno == ENOTEMPTY || errno == EEXIST ||
	                       errno == ENOTDIR));
	if (rc == 0)
		r->moved++;
	return rc;
}

/* With all that is moved up to it meanwhile. */
static int
empty_top(struct removal *r, DIR *d)
{
	unsigned long moved;
	int rc;

	r->top_fd = dirfd(d);
	do {
		moved = r->moved;
		if (moved)
			rewinddir(d);
		rc = empty_dir(r, d, 0);
	} while (r->moved != moved);
	return rc;
}

static int
remove_at(struct removal *r, int at_fd, const char *path, unsigned depth)
{
	DIR *d;
	int fd, rc;

	if (unlinkat(at_fd, path, 0) == 0 || errno == ENOENT)
		return 0;
	fd = open_to_empty(at_fd, path);
	if (fd < 0)
		return -1;
	if (depth == REMOVE_DEPTH) {
		close(fd);
		return move_up(r, at_fd, path);
	}
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return -1;
	}
	rc = depth == 0 ? empty_top(r, d) : empty_dir(r, d, depth);
	closedir(d);
	if (unlinkat(at_fd, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		rc = -1;
	return rc;
}

int
io_remove_tree(int at_fd, const char *path)
{
	struct removal r = {.top_fd = -1};

	return remove_at(&r, at_fd, path, 0);
}

int
io_send_off(int fd, off_t at, off_t n)
{
	if (sync_file_range(fd, at, n, SYNC_FILE_RANGE_WRITE) == 0)
		return 0;
	return errno == ENOSYS || errno == EPERM || errno == EINVAL ||
	    errno == EOPNOTSUPP ? 0 : -1;
}

int
io_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void
io_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int
io_raise_fd(int fd, int least)
{
	int high;

	if (fd >= least)
		return fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, least);
	if (high >= 0)
		close(fd);
	return high;
}
