/*
 * Documents as files, as files.h describes them: looked at and read.
 */
#include "files_internal.h"

#include "files_seal.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int find(struct files_table *t, const struct path_name *name,
    char path[PATH_MAX_BYTES], struct stat *st);
static int open_one(const struct files *f, const char *path, struct stat *st);

enum files_state
files_check(struct files_table *t, const struct path_name *name,
    struct files_stat *st)
{
	char path[PATH_MAX_BYTES];
	struct stat found;

	if (find(t, name, path, &found) == -1)
		return FILES_ABSENT;
	if (st)
		*st = files_stat_of(&found);
	return files_state_of(t, name, &found);
}

int
files_read(struct files_table *t, const struct path_name *name,
    struct buf *out, struct files_stat *st, enum files_state *state,
    struct err *e)
{
	char path[PATH_MAX_BYTES];
	struct stat found;
	int fd, r;

	do {
		if (find(t, name, path, &found) == -1)
			return 0;
		fd = open_one(t->files, path, &found);
	} while (fd == -1 && errno == ENOENT);
	if (fd == -1)
		return err_sys(e, "can't read data/%s", path);
	if (st)
		*st = files_stat_of(&found);
	if (state)
		*state = files_state_of(t, name, &found);
	r = io_read_fd(fd, path, out, e);
	close(fd);
	return r == 0 ? 1 : -1;
}

void
files_path(struct files_table *t, const struct path_name *name,
    char out[PATH_MAX_BYTES + 5])
{
	char path[PATH_MAX_BYTES];
	struct stat st;

	if (find(t, name, path, &st) == -1) {
		pthread_rwlock_rdlock(&t->lock);
		files_place(t, t->level, name, path);
		pthread_rwlock_unlock(&t->lock);
	}
	snprintf(out, PATH_MAX_BYTES + 5, "data/%s", path);
}

int
files_seal(struct files_table *t, const struct path_name *name,
    const struct files_stat *st, struct err *e)
{
	char path[PATH_MAX_BYTES];
	struct timespec times[2] = {{0, UTIME_OMIT}, {0, 0}};
	struct files_stat now;
	struct stat found;
	int fd, r;

	if (find(t, name, path, &found) == -1)
		return err_set(e, EAGAIN, "the document is gone");
	fd = open_one(t->files, path, &found);
	if (fd == -1)
		return err_sys(e, "can't open data/%s", path);
	now = files_stat_of(&found);
	times[1] = files_seal_time(files_salt(t, name), found.st_ino,
	    found.st_size, &found.st_mtim);
	if (now.inode != st->inode || now.size != st->size ||
	    now.mtime_ns != st->mtime_ns)
		r = err_set(e, EAGAIN, "data/%s was edited meanwhile", path);
	else if (futimens(fd, times) == -1)
		r = err_sys(e, "can't seal data/%s", path);
	else
		r = 0;
	if (r == 0)
		unsynced_note(&t->files->unsynced, path);
	close(fd);
	return r;
}

/* Where it lies; what is moved meanwhile is found all the same. */
static int
find(struct files_table *t, const struct path_name *name,
    char path[PATH_MAX_BYTES], struct stat *st)
{
	unsigned level;
	int r;

	pthread_rwlock_rdlock(&t->lock);
	level = t->level;
	do {
		files_place(t, level, name, path);
		r = fstatat(t->files->data_fd, path, st, AT_SYMLINK_NOFOLLOW);
	} while (r == -1 && t->moving && name && level-- > 0);
	pthread_rwlock_unlock(&t->lock);
	return r;
}

static int
open_one(const struct files *f, const char *path, struct stat *st)
{
	int fd = openat(f->data_fd, path,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1)
		return -1;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

enum files_state
files_state_of(const struct files_table *t, const struct path_name *name,
    const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return FILES_STRANGE;
	return !t->files->seals || files_seal_holds(files_salt(t, name), st) ?
	    FILES_OURS : FILES_EDITED;
}

struct files_stat
files_stat_of(const struct stat *st)
{
	return (struct files_stat){st->st_size,
	    st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec,
	    st->st_ino};
}
