/*
 * Directories that stand for S3's buckets, for bucket.h.
 */
#include "bucket.h"

#include "store/base/io.h"
#include "store/engine/parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEPTH = 16 };			/* of directories */

static int
fail(const char *path, struct err *e)
{
	return err_set(e, errno == ENOSPC || errno == EDQUOT ? FAULT_NO_ROOM
	                                                     : FAULT_VALIDATION,
	    "%.300s: %s", path, strerror(errno));
}

/* Below a directory and nowhere else. */
static int
open_below(int dir_fd, const char *path, int flags)
{
	struct open_how how = {
	    .flags = (unsigned)flags | O_CLOEXEC,
	    .mode = flags & O_CREAT ? 0666 : 0,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
	        RESOLVE_NO_MAGICLINKS};

	return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
}

int
op_bucket_open(struct store *s, const struct text *name, struct err *e)
{
	char path[4096];
	int root_fd, fd;

	snprintf(path, sizeof path, "%s/buckets", store_dir(s));
	root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof path, "%.*s", (int)name->n, name->p);
	fd = root_fd < 0 ? -1
	                 : open_below(root_fd, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR ||
	                  errno == ELOOP || errno == EXDEV))
		err_set(e, FAULT_NOT_FOUND, "The specified bucket does not "
		    "exist: there is no directory buckets/%s in the store's",
		    path);
	else if (fd < 0)
		fail(path, e);
	io_close(&root_fd);
	return fd;
}

int
op_bucket_make(int bucket_fd, const char *path, struct err *e)
{
	char part[BUCKET_PATH];
	int fd = fcntl(bucket_fd, F_DUPFD_CLOEXEC, 0), next;
	const char *p = path, *slash;

	while (fd >= 0 && *p) {
		slash = strchrnul(p, '/');
		snprintf(part, sizeof part, "%.*s", (int)(slash - p), p);
		p = *slash ? slash + 1 : slash;
		if (!*part)
			continue;
		next = mkdirat(fd, part, 0777) < 0 && errno != EEXIST
		    ? -1
		    : open_below(fd, part, O_RDONLY | O_DIRECTORY);
		if (next < 0)
			fail(path, e);
		io_close(&fd);
		fd = next;
	}
	return fd;
}

int
op_bucket_write(int dir_fd, const char *name, const void *p, size_t n,
    struct err *e)
{
	int fd = open_below(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL), rc;

	rc = fd < 0 ? -1 : io_write_all(fd, p, n);
	if (rc == 0)
		rc = fsync(fd);
	if (rc < 0)
		fail(name, e);
	io_close(&fd);
	return rc;
}

/* --- walking ---------------------------------------------------------------- */

struct walk {
	op_bucket_fn *each;
	void *ctx;
	struct err *e;
};

static int walk(const struct walk *w, int dir_fd, const char *path,
    const char *begins, unsigned depth);

static int
visit(const struct walk *w, int dir_fd, const char *path, const char *name,
    unsigned depth)
{
	char below[BUCKET_PATH];
	struct stat st;
	int fd, rc = 0;

	if (snprintf(below, sizeof below, "%s%s%s", path, *path ? "/" : "",
	        name) >= (int)sizeof below)
		return err_set(w->e, FAULT_VALIDATION, "%.300s: too long",
		    path);
	fd = open_below(dir_fd, name, O_RDONLY | O_NONBLOCK);
	if (fd < 0 && (errno == ELOOP || errno == ENOENT))
		return 0;	/* a link, or gone */
	if (fd < 0 || fstat(fd, &st) < 0)
		rc = fail(below, w->e);
	else if (S_ISDIR(st.st_mode) && depth)
		rc = walk(w, fd, below, "", depth - 1);
	else if (S_ISREG(st.st_mode))
		rc = w->each(w->ctx, below, fd, w->e);
	io_close(&fd);
	return rc;
}

static int
not_hidden(const struct dirent *d)
{
	return *d->d_name != '.';
}

static int
walk(const struct walk *w, int dir_fd, const char *path, const char *begins,
    unsigned depth)
{
	struct dirent **names;
	int n = scandirat(dir_fd, ".", &names, not_hidden, alphasort);
	int i, rc = 0;

	if (n < 0)
		return fail(path, w->e);
	for (i = 0; i < n; i++) {
		if (rc == 0 &&
		    strncmp(names[i]->d_name, begins, strlen(begins)) == 0)
			rc = visit(w, dir_fd, path, names[i]->d_name, depth);
		free(names[i]);
	}
	free(names);
	return rc;
}

int
op_bucket_each(int bucket_fd, const struct text *prefix, op_bucket_fn *each,
    void *ctx, struct err *e)
{
	const struct walk w = {each, ctx, e};
	char path[BUCKET_PATH], *slash, *begins = path;
	int fd, rc;

	snprintf(path, sizeof path, "%.*s", (int)prefix->n,
	    prefix->p ? prefix->p : "");
	slash = strrchr(path, '/');
	if (slash) {
		*slash = '\0';
		begins = slash + 1;
	}
	fd = open_below(bucket_fd, slash ? path : ".",
	    O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
		    ? 0
		    : fail(path, e);
	rc = walk(&w, fd, slash ? path : "", begins, DEPTH);
	io_close(&fd);
	return rc;
}
