/*
 * The scan of files_scan.h: a stack of directories that threads take from.
 *
 * The documents of a directory are told before the directories in it are put
 * on the stack: what is moved deeper meanwhile is met there.
 */
#include "files_scan_internal.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCAN_ARENA_MAX = 64 * 1024 };

static void *run(void *scan);
static struct scan_dir *take(struct scan *s);
static void put(struct scan *s, struct scan_dir *dirs);
static void fail(struct scan *s, int result, const struct err *e);
static int scan_dir(struct scanner *me, const struct scan_dir *d,
    struct err *e);
static int scan_names(struct scanner *me, const struct scan_dir *d, DIR *dir,
    bool directories, struct err *e);
static bool is_directory(const struct scan_dir *d, const char *name);
static int go_deeper(struct scanner *me, const struct scan_dir *d, int fd,
    const char *name, struct err *e);
static struct files_table *table_of(struct scanner *me, int fd,
    const char *dir, struct err *e);
static int name_in_file(struct scanner *me, int fd, const char *dir,
    char name[TABLE_NAME_MAX + 1], struct err *e);

int
files_scan(struct files *f, const struct files_scan_options *o, struct err *e)
{
	struct scan s = {.files = f, .options = o, .e = e};
	pthread_t threads[FILES_THREADS_MAX];
	struct scan_dir *top = calloc(1, sizeof *top);
	unsigned n = 0;

	if (!top)
		return err_set(e, ENOMEM, "no memory for a scan");
	pthread_mutex_init(&s.progress, NULL);
	pthread_mutex_init(&s.lock, NULL);
	pthread_cond_init(&s.changed, NULL);
	put(&s, top);
	while (n + 1 < o->threads && n < FILES_THREADS_MAX &&
	    pthread_create(&threads[n], NULL, run, &s) == 0)
		n++;
	run(&s);
	while (n > 0)
		pthread_join(threads[--n], NULL);
	while (s.stack) {
		struct scan_dir *d = s.stack;

		s.stack = d->next;
		free(d);
	}
	pthread_cond_destroy(&s.changed);
	pthread_mutex_destroy(&s.lock);
	pthread_mutex_destroy(&s.progress);
	return s.result;
}

static void *
run(void *scan)
{
	struct scan *s = scan;
	struct scanner me = {.scan = s};
	struct scan_dir *d;
	struct err e;
	int r;

	arena_init(&me.arena, SCAN_ARENA_MAX);
	buf_init(&me.bytes, FILES_DOCUMENT_MAX);
	pthread_mutex_lock(&s->lock);
	me.thread = s->started++;
	pthread_mutex_unlock(&s->lock);
	while ((d = take(s)) != NULL) {
		me.deeper = NULL;
		r = scan_dir(&me, d, &e);
		free(d);
		if (r != 0)
			fail(s, r, &e);
		put(s, me.deeper);
		pthread_mutex_lock(&s->lock);
		s->busy--;
		pthread_cond_broadcast(&s->changed);
		pthread_mutex_unlock(&s->lock);
	}
	buf_release(&me.bytes);
	arena_release(&me.arena);
	return NULL;
}

/* NULL at the end: none is left, and nobody can find one. */
static struct scan_dir *
take(struct scan *s)
{
	struct scan_dir *d;

	pthread_mutex_lock(&s->lock);
	while (!s->stack && s->busy > 0 && s->result == 0)
		pthread_cond_wait(&s->changed, &s->lock);
	d = s->result == 0 ? s->stack : NULL;
	if (d) {
		s->stack = d->next;
		s->busy++;
	}
	pthread_mutex_unlock(&s->lock);
	return d;
}

static void
put(struct scan *s, struct scan_dir *dirs)
{
	struct scan_dir *d;

	pthread_mutex_lock(&s->lock);
	while ((d = dirs) != NULL) {
		dirs = d->next;
		d->next = s->stack;
		s->stack = d;
	}
	pthread_mutex_unlock(&s->lock);
}

static void
fail(struct scan *s, int result, const struct err *e)
{
	pthread_mutex_lock(&s->lock);
	if (s->result == 0) {
		s->result = result;
		*s->e = *e;
	}
	pthread_mutex_unlock(&s->lock);
}

/*
 * First all but the directories, then these: one that is made meanwhile, for
 * a document that would have been met in the first pass, is met in the second.
 */
static int
scan_dir(struct scanner *me, const struct scan_dir *d, struct err *e)
{
	int fd = openat(me->scan->files->data_fd, *d->path ? d->path : ".",
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	int r = 0;

	if (!dir) {
		r = scan_tell_dir(me, d, errno, e);
		io_close(&fd);
		return r;
	}
	if (d->table && d->depth == 0)
		r = scan_entry(me, d, fd, PATH_TABLE_FILE, true, e);
	if (r == 0)
		r = scan_names(me, d, dir, false, e);
	rewinddir(dir);
	if (r == 0)
		r = scan_names(me, d, dir, true, e);
	closedir(dir);
	return r;
}

static int
scan_names(struct scanner *me, const struct scan_dir *d, DIR *dir,
    bool directories, struct err *e)
{
	const struct dirent *entry;
	int r = 0;

	for (errno = 0; r == 0 && me->scan->result == 0; errno = 0) {
		const char *name;

		entry = readdir(dir);
		if (!entry)
			return errno ? scan_tell_dir(me, d, errno, e) : 0;
		name = entry->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (is_directory(d, name) != directories)
			continue;
		if (directories)
			r = go_deeper(me, d, dirfd(dir), name, e);
		else
			r = scan_entry(me, d, dirfd(dir), name, false, e);
	}
	return r;
}

/* By its name and place alone: it may yet turn out to be none. */
static bool
is_directory(const struct scan_dir *d, const char *name)
{
	return !d->table ||
	    (d->depth < PATH_LEVEL_MAX && files_is_fan(name));
}

static int
go_deeper(struct scanner *me, const struct scan_dir *d, int fd,
    const char *name, struct err *e)
{
	const char *only = me->scan->options->table;
	struct scan_dir *next = calloc(1, sizeof *next);

	if (!next)
		return err_set(e, ENOMEM, "no memory for a scan");
	e->code = 0;
	next->depth = d->table ? d->depth + 1 : 0;
	next->table = d->table ? d->table : table_of(me, fd, name, e);
	snprintf(next->path, sizeof next->path, "%.255s%s%.255s", d->path,
	    d->table ? "/" : "", name);
	if (!next->table) {
		int r = e->code == ENOMEM ? -1 :
		    scan_tell_dir(me, next, e->code, e);

		free(next);
		return r;
	}
	if (only && strcmp(next->table->name, only) != 0) {
		free(next);
		return 0;
	}
	next->next = me->deeper;
	me->deeper = next;
	return 0;
}

/* NULL with ENOTDIR if it is no table's; its name may be in its file only. */
static struct files_table *
table_of(struct scanner *me, int fd, const char *dir, struct err *e)
{
	char name[TABLE_NAME_MAX + 1], again[PATH_NAME_MAX + 1];
	enum path_kind kind = path_table_decode(dir, name);

	e->code = ENOTDIR;
	if (kind == PATH_FOREIGN ||
	    (kind == PATH_IS_CUT && name_in_file(me, fd, dir, name, e) == -1))
		return NULL;
	if (path_table(name, again) == -1 || strcmp(again, dir) != 0)
		return NULL;
	return files_table(me->scan->files, name, 0, e);
}

static int
name_in_file(struct scanner *me, int fd, const char *dir,
    char name[TABLE_NAME_MAX + 1], struct err *e)
{
	char path[PATH_NAME_MAX + 16];
	struct table *t;

	snprintf(path, sizeof path, "%s/" PATH_TABLE_FILE, dir);
	buf_reset(&me->bytes);
	if (io_read_file(fd, path, &me->bytes, e) == -1) {
		if (e->code == ENOENT)
			e->code = ENOTDIR;
		return -1;
	}
	t = table_read(buf_str(&me->bytes), me->bytes.len, e);
	if (!t) {
		if (e->code != ENOMEM)
			e->code = ENOTDIR;
		return -1;
	}
	snprintf(name, TABLE_NAME_MAX + 1, "%s", t->name);
	table_free(t);
	return 0;
}
