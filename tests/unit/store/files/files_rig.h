/*
 * What the tests of files share: a store's directory that goes with the test,
 * documents by number, and a small reading of what lies there.
 */
#ifndef TESTS_FILES_RIG_H
#define TESTS_FILES_RIG_H

#include "store/base/io.h"
#include "store/files/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct rig {
	char dir[64];
	int fd;
	struct files_options options;
	struct files *files;
	unsigned edits;		/* told of */
	char saved[600];	/* the last one's place */
};

static inline void
rig_edited(void *arg, const struct files_edit *edit)
{
	struct rig *r = arg;

	r->edits++;
	snprintf(r->saved, sizeof r->saved, "%s", edit->saved);
}

static inline void
rig_open(struct rig *r)
{
	struct err e;

	r->options.edited = rig_edited;
	r->options.arg = r;
	r->files = files_open(r->fd, &r->options, &e);
	if (!r->files)
		fail_msg("%s", e.text);
}

/* In a directory of TMPDIR, or of `where`. */
static inline void
rig_start(struct rig *r, const char *where)
{
	const char *tmp = where ? where : getenv("TMPDIR");

	*r = (struct rig){.options = {.threads = 2}};
	snprintf(r->dir, sizeof r->dir, "%s/files-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(r->dir));
	r->fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_return_code(r->fd, 0);
	rig_open(r);
}

static inline void
rig_again(struct rig *r)
{
	files_close(r->files);
	rig_open(r);
}

static inline void
rig_end(struct rig *r)
{
	files_close(r->files);
	close(r->fd);
	assert_int_equal(io_remove_tree(AT_FDCWD, r->dir), 0);
}

static inline struct files_table *
rig_table(struct rig *r, const char *name)
{
	struct err e;
	struct files_table *t = files_table(r->files, name, 0, &e);

	if (!t)
		fail_msg("%s", e.text);
	return t;
}

static inline struct path_name
rig_name(const char *key)
{
	struct path_key k = {.hash = {VALUE_S, {key, strlen(key)}}};
	struct path_name name;

	assert_int_equal(path_name(&k, &name), 0);
	return name;
}

static inline void
rig_write(struct files_table *t, const char *key, const char *text)
{
	struct path_name name = rig_name(key);
	struct err e;

	if (files_write(t, 0, &name, text, strlen(text), 0, NULL, &e) == -1)
		fail_msg("%s", e.text);
}

static inline int
rig_remove(struct files_table *t, const char *key)
{
	struct path_name name = rig_name(key);
	struct err e;
	int r = files_remove(t, 0, &name, 0, &e);

	if (r == -1)
		fail_msg("%s", e.text);
	return r;
}

/* A file below the store's directory, as text; "" if there is none. */
static inline const char *
rig_text(const struct rig *r, const char *path)
{
	static char text[4096];
	int fd = openat(r->fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	if (fd != -1) {
		n = read(fd, text, sizeof text - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static inline void
assert_document(struct files_table *t, const char *key, const char *expected)
{
	struct path_name name = rig_name(key);
	struct buf b;
	struct err e;
	int r;

	buf_init(&b, 1 << 20);
	r = files_read(t, &name, &b, NULL, NULL, &e);
	if (r == -1)
		fail_msg("%s", e.text);
	if (expected)
		assert_string_equal(buf_str(&b), expected);
	else
		assert_int_equal(r, 0);
	buf_release(&b);
}

/* How many names there are in a directory, but for hidden ones; -1: none. */
static inline int
rig_count(const struct rig *r, const char *path)
{
	int fd = openat(r->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int n = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

#endif
