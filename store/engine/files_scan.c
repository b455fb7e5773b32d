/*
 * Walks data/ as files_scan.h says.  A directory's files come before what lies
 * deeper: of two that hold the same document the deeper one is the newer.
 */
#include "files_internal.h"
#include "files_scan.h"
#include "files_seal.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scan {
	struct files *files;
	int (*each)(void *arg, const struct files_found *x, struct err *e);
	void *arg;
	char table[TABLE_NAME_MAX + 1];	/* "" if its name is cut */
	struct files_table *known;	/* to tell edits by; or NULL */
	struct arena arena;
	struct buf content;
};

/* True if it was edited; also where nothing can be told. */
static bool
is_edited(struct scan *s, const char *name, const struct stat *st)
{
	struct path_name decoded;
	struct path_key key;

	arena_reset(&s->arena);
	return !s->known ||
	    path_decode(name, &s->arena, &decoded, &key) == PATH_FOREIGN ||
	    !files_seal_holds(files_salt(s->known, &decoded), st);
}

/* One file, open: its content and what its stat says. */
static void
read_file(struct scan *s, int fd, struct files_found *x)
{
	struct stat st;
	struct err ignored;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	x->st = (struct files_stat){st.st_size,
	    (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
	    st.st_ino};
	x->state = is_edited(s, x->name, &st) ? FILES_EDITED : FILES_OURS;
	if (io_read_fd(fd, x->path, &s->content, &ignored) < 0)
		return;
	x->p = buf_str(&s->content);
	x->n = s->content.len;
}

static int
one_file(struct scan *s, int dir_fd, const char *path, const char *name,
    struct err *e)
{
	struct files_found x = {.table = s->table, .path = path, .name = name,
	    .state = FILES_STRANGE};
	int fd = openat(dir_fd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;	/* gone since it was listed */
	buf_reset(&s->content);
	if (fd >= 0)
		read_file(s, fd, &x);
	io_close(&fd);
	return s->each(s->arg, &x, e);
}

static bool
is_document(const char *name)
{
	size_t n = strlen(name);

	return *name != '.' && n > 5 && strcmp(name + n - 5, ".json") == 0;
}

/* xx or yy */
static bool
is_fan(const char *name)
{
	return strspn(name, "0123456789abcdef") == 2 && name[2] == '\0';
}

static DIR *
open_directory(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		io_close(&fd);
	return d;
}

/* Files first, then directories, down to `levels` more. */
static int
one_directory(struct scan *s, DIR *d, const char *path, unsigned levels,
    struct err *e)
{
	char below[PATH_MAX_BYTES + PATH_NAME_MAX];
	const struct dirent *de;
	DIR *sub;
	int rc = 0;

	while (rc == 0 && (de = readdir(d)))
		if (is_document(de->d_name)) {
			snprintf(below, sizeof below, "%s/%s", path,
			    de->d_name);
			rc = one_file(s, dirfd(d), below, de->d_name, e);
		}
	if (rc || !levels)
		return rc;
	rewinddir(d);
	while (rc == 0 && (de = readdir(d))) {
		if (!is_fan(de->d_name))
			continue;
		sub = open_directory(dirfd(d), de->d_name);
		if (!sub)
			continue;
		snprintf(below, sizeof below, "%s/%s", path, de->d_name);
		rc = one_directory(s, sub, below, levels - 1, e);
		closedir(sub);
	}
	return rc;
}

/* Calls `fn` for each directory of data/. */
static int
each_table(struct files *f,
    int (*fn)(void *arg, DIR *d, const char *dir, struct err *e), void *arg,
    struct err *e)
{
	const struct dirent *de;
	DIR *top = open_directory(f->data_fd, "."), *d;
	int rc = 0;

	if (!top)
		return err_sys(e, "data");
	while (rc == 0 && (de = readdir(top))) {
		if (*de->d_name == '.')
			continue;
		d = open_directory(f->data_fd, de->d_name);
		if (!d)
			continue;
		rc = fn(arg, d, de->d_name, e);
		closedir(d);
	}
	closedir(top);
	return rc;
}

struct tables {
	int (*each)(void *arg, const char *dir, const char *p, size_t n,
	    struct err *e);
	void *arg;
};

static int
own_file(void *arg, DIR *d, const char *dir, struct err *e)
{
	struct tables *t = arg;
	struct buf b;
	int rc = 0;

	buf_init(&b, FILES_DOCUMENT_MAX);
	if (io_read_file(dirfd(d), PATH_TABLE_FILE, &b, e) == 0)
		rc = t->each(t->arg, dir, buf_str(&b), b.len, e);
	else if (e->code != ENOENT)
		rc = -1;
	buf_release(&b);
	return rc;
}

int
files_scan_tables(struct files *f,
    int (*each)(void *arg, const char *dir, const char *p, size_t n,
        struct err *e),
    void *arg, struct err *e)
{
	struct tables t = {each, arg};

	return each_table(f, own_file, &t, e);
}

static int
documents(void *arg, DIR *d, const char *dir, struct err *e)
{
	struct scan *s = arg;
	struct err ignored;

	s->known = NULL;
	if (path_table_decode(dir, s->table) == PATH_WHOLE)
		s->known = files_table(s->files, s->table, 0, &ignored);
	else
		s->table[0] = '\0';
	return one_directory(s, d, dir, PATH_LEVEL_MAX, e);
}

int
files_scan(struct files *f,
    int (*each)(void *arg, const struct files_found *x, struct err *e),
    void *arg, struct err *e)
{
	struct scan s = {.files = f, .each = each, .arg = arg};
	int rc;

	arena_init(&s.arena, 1 << 20);
	buf_init(&s.content, FILES_DOCUMENT_MAX);
	rc = each_table(f, documents, &s, e);
	buf_release(&s.content);
	arena_release(&s.arena);
	return rc;
}
