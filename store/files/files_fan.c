/*
 * Documents as files: how deep a table's directories go, as
 * data/<table>/.fanout says it: "<level>\n" or "<level> moving\n".
 */
#include "files_internal.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FAN_FILE "/.fanout"
#define FAN_NEW "/.fanout.new"

enum { FAN_TEXT_MAX = 16, FAN_PATH_MAX = PATH_NAME_MAX + 16 };

static bool parse(struct files_table *t, const char *text);
static int see(struct files_table *t, struct err *e);
static int write_new(const struct files_table *t, const char *path,
    const char *text);
static int sync_dir(const struct files_table *t);

int
files_fan_read(struct files_table *t, struct err *e)
{
	struct files *f = t->files;
	char path[FAN_PATH_MAX], text[FAN_TEXT_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s" FAN_FILE, t->dir);
	fd = openat(f->data_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 && errno != ENOENT)
		return err_sys(e, "can't read data/%s", path);
	if (fd == -1)
		return see(t, e);
	n = io_read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return parse(t, text) ? 0 : see(t, e);
}

static bool
parse(struct files_table *t, const char *text)
{
	unsigned level = (unsigned)(text[0] - '0');

	if (level > PATH_LEVEL_MAX || (strcmp(text + 1, "\n") != 0 &&
	    strcmp(text + 1, " moving\n") != 0))
		return false;
	t->level = level;
	t->moving = text[1] == ' ';
	return true;
}

/*
 * Without that file a table is flat, unless somebody removed it: then its
 * documents may lie anywhere, and all are moved to the deepest level.
 */
static int
see(struct files_table *t, struct err *e)
{
	struct files *f = t->files;
	int fd = openat(f->data_fd, t->dir,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	bool deep = false;

	if (!dir && fd != -1)
		close(fd);
	if (!dir)
		return errno == ENOENT ? 0 :
		    err_sys(e, "can't read data/%s", t->dir);
	while (!deep && (entry = readdir(dir)) != NULL)
		deep = files_is_fan(entry->d_name);
	closedir(dir);
	if (!deep)
		return 0;
	t->level = PATH_LEVEL_MAX;
	t->moving = true;
	return f->options.read_only ? 0 :
	    files_fan_write(t, t->level, true, e);
}

int
files_fan_write(const struct files_table *t, unsigned level, bool moving,
    struct err *e)
{
	struct files *f = t->files;
	char path[FAN_PATH_MAX], old[FAN_PATH_MAX], text[FAN_TEXT_MAX];

	snprintf(old, sizeof old, "%s" FAN_FILE, t->dir);
	snprintf(path, sizeof path, "%s" FAN_NEW, t->dir);
	snprintf(text, sizeof text, "%u%s\n", level, moving ? " moving" : "");
	if (files_parents(f, path) == -1 || write_new(t, path, text) == -1 ||
	    renameat(f->data_fd, path, f->data_fd, old) == -1 ||
	    sync_dir(t) == -1)
		return err_sys(e, "can't write data/%s", old);
	return 0;
}

static int
write_new(const struct files_table *t, const char *path, const char *text)
{
	int fd = openat(t->files->data_fd, path,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd == -1)
		return -1;
	r = io_write_all(fd, text, strlen(text)) == 0 && fsync(fd) == 0 ?
	    0 : -1;
	io_close(&fd);
	return r;
}

static int
sync_dir(const struct files_table *t)
{
	int fd = openat(t->files->data_fd, t->dir,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd == -1)
		return -1;
	r = fsync(fd);
	io_close(&fd);
	return r;
}
