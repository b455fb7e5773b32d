/*
 * Erasure: files of a document that no table has any more: those that were put
 * aside in conflicts/ because somebody had edited them, and those that lie in
 * spare/ with a table that was dropped.
 */
#include "erase_internal.h"

#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STEM_MAX = 200 };	/* of a name in conflicts/, files_aside.c */

static DIR *
open_directory(int dir_fd, const char *path)
{
	int fd = openat(dir_fd, path,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		io_close(&fd);
	return d;
}

/* Removes a name: 1, 0 if it isn't there, -1. */
static int
drop(int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, 0) == 0)
		return 1;
	return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
}

/* As files_aside.c writes a time, with a digit for each 0. */
static const char *
skip_time(const char *p)
{
	static const char FORM[] = "0000-00-00T000000.000Z";
	const char *f;

	for (f = FORM; *f; f++, p++)
		if (*f == '0' ? *p < '0' || *p > '9' : *p != *f)
			return NULL;
	return p;
}

/*
 * "<stem>.<time>[-n].json".  A stem that was cut is that of all keys which
 * begin so: all of them go.
 */
static bool
is_of(const struct path_name *name, const char *file)
{
	size_t stem = strlen(name->text) - strlen(".json");

	if (stem > STEM_MAX)
		stem = STEM_MAX;
	if (strncmp(file, name->text, stem) != 0 || file[stem] != '.')
		return false;
	file = skip_time(file + stem + 1);
	if (file && *file == '-')
		file += 1 + strspn(file + 1, "0123456789");
	return file && strcmp(file, ".json") == 0;
}

static int
drop_conflicts(int store_fd, const struct erasure *x, const char *dir,
    uint64_t *count)
{
	char path[PATH_NAME_MAX + 16];
	const struct dirent *entry;
	int rc = 0, r;
	DIR *d;

	snprintf(path, sizeof path, "conflicts/%s", dir);
	d = open_directory(store_fd, path);
	if (!d)
		return errno == ENOENT ? 0 : -1;
	while (rc == 0 && (errno = 0, entry = readdir(d)) != NULL) {
		if (!is_of(x->name, entry->d_name))
			continue;
		r = drop(dirfd(d), entry->d_name);
		if (r < 0)
			rc = -1;
		else
			*count += (uint64_t)r;
	}
	if (rc == 0 && (errno != 0 || fsync(dirfd(d)) < 0))
		rc = -1;
	closedir(d);
	return rc;
}

/* In any table that was dropped: it is to go anyway. */
static int
drop_dropped(int store_fd, const struct erasure *x, uint64_t *count)
{
	char path[2 * PATH_MAX_BYTES];
	const struct dirent *entry;
	DIR *d = open_directory(store_fd, "spare");
	size_t i;
	int rc = 0, r;

	if (!d)
		return errno == ENOENT ? 0 : -1;
	while (rc == 0 && (errno = 0, entry = readdir(d)) != NULL) {
		if (strncmp(entry->d_name, "drop-", 5) != 0)
			continue;
		for (i = 0; rc == 0 && i < x->paths->list.n; i++) {
			snprintf(path, sizeof path, "%s%s", entry->d_name,
			    strchr(x->paths->at[i], '/'));
			r = drop(dirfd(d), path);
			if (r < 0)
				rc = -1;
			else
				*count += (uint64_t)r;
		}
	}
	if (rc == 0 && errno != 0)
		rc = -1;
	closedir(d);
	return rc;
}

int
erase_aside(int store_fd, const struct erasure *x, uint64_t *count,
    struct err *e)
{
	char dir[PATH_NAME_MAX + 1];

	if (path_table(x->table, dir) < 0)
		return err_sys(e, "%s", x->table);
	if (drop_conflicts(store_fd, x, dir, count) < 0)
		return err_sys(e, "cannot remove from conflicts/%s", dir);
	if (drop_dropped(store_fd, x, count) < 0)
		return err_sys(e, "cannot remove from spare/");
	return 0;
}
