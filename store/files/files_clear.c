/*
 * Documents as files: what is in spare/ and of no use goes: all that an
 * earlier run left there, and tables that were dropped, some at a time.
 */
#include "files_internal.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEEP_MAX = 6 };		/* table, xx, yy, and what isn't ours */

static DIR *open_at(int dir_fd, const char *name);
static bool is_dropped(const char *name);
static int clear_tree(int dir_fd, const char *name, unsigned depth,
    unsigned *left);

int
files_clear_start(struct files *f, struct err *e)
{
	DIR *dir = open_at(f->spare_fd, ".");
	const struct dirent *entry;
	unsigned long long number;

	if (!dir)
		return err_sys(e, "can't read spare/");
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (!is_dropped(entry->d_name)) {
			io_remove_tree(f->spare_fd, entry->d_name);
			continue;
		}
		number = strtoull(entry->d_name + 5, NULL, 10);
		if (number >= f->dropped)
			f->dropped = number + 1;
		f->clearing = true;
	}
	closedir(dir);
	return 0;
}

int
files_clear(struct files *f, unsigned max, struct err *e)
{
	DIR *dir = open_at(f->spare_fd, ".");
	const struct dirent *entry;
	unsigned left = max;
	int r = 0;

	if (!dir)
		return err_sys(e, "can't read spare/");
	atomic_store(&f->clearing, false);
	while (left > 0 && r == 0 && (entry = readdir(dir)) != NULL)
		if (is_dropped(entry->d_name))
			r = clear_tree(f->spare_fd, entry->d_name, 0, &left);
	closedir(dir);
	if (left == 0 || r == -1)
		atomic_store(&f->clearing, true);
	if (r == -1)
		return err_sys(e, "can't remove a dropped table");
	return (int)(max - left);
}

int
files_forget(struct files *f, struct err *e)
{
	unsigned i;

	for (i = 0; i < f->options.threads; i++) {
		struct files_thread *t = &f->threads[i];
		struct spare s;

		pthread_mutex_lock(&t->lock);
		while (spares_pop(&t->spares, &s))
			spare_drop(&t->spares, s.file);
		pthread_mutex_unlock(&t->lock);
	}
	if (fsync(f->spare_fd) == -1)
		return err_sys(e, "can't sync spare/");
	return 0;
}

static DIR *
open_at(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);

	if (!dir && fd != -1)
		close(fd);
	return dir;
}

static bool
is_dropped(const char *name)
{
	return strncmp(name, "drop-", 5) == 0;
}

/* Removes a directory and what is in it while *left lasts. 0 or -1. */
static int
clear_tree(int dir_fd, const char *name, unsigned depth, unsigned *left)
{
	DIR *dir = open_at(dir_fd, name);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return -1;
	while (*left > 0 && r == 0 && (entry = readdir(dir)) != NULL) {
		const char *child = entry->d_name;

		if (strcmp(child, ".") == 0 || strcmp(child, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), child, 0) == 0)
			(*left)--;
		else if (errno != EISDIR || depth == DEEP_MAX)
			r = -1;
		else
			r = clear_tree(dirfd(dir), child, depth + 1, left);
	}
	closedir(dir);
	if (*left == 0 || r == -1)
		return r;
	(*left)--;
	return unlinkat(dir_fd, name, AT_REMOVEDIR);
}
