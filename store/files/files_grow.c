/*
 * Documents as files: a table that has many gets directories, and its
 * documents are moved there, some at a time, while all else goes on.
 */
#include "files_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { AT_ONCE = 16 };		/* renames under the table's lock */

static struct files_table *choose(struct files *f);
static bool has_to_move(const struct files_table *t);
static int start(struct files_table *t, struct err *e);
static int move_some(struct files_table *t, struct spares *spares,
    unsigned max, struct err *e);
static int next(struct files_table *t, struct path_name *name,
    char path[PATH_MAX_BYTES], struct err *e);
static int unread(struct files_table *t, struct err *e);
static int open_walk(const struct files_table *t, const char *xx, DIR **out);
static bool is_movable(struct files_table *t, const char *text,
    struct path_name *name);
static int move(struct files_table *t, struct spares *spares,
    const char *path, const struct path_name *name, struct err *e);

int
files_grow(struct files *f, unsigned thread, unsigned max, struct err *e)
{
	struct files_thread *own = &f->threads[thread];
	struct files_table *t;
	int r = 0;

	if (f->options.read_only || (!f->crowded && !f->clearing) ||
	    pthread_mutex_trylock(&f->growing) != 0)
		return 0;
	pthread_mutex_lock(&own->lock);
	atomic_store(&f->crowded, false);
	t = choose(f);
	if (t)
		atomic_store(&f->crowded, true);
	if (t)
		r = start(t, e);
	if (t && r == 0)
		r = move_some(t, &own->spares, max, e);
	if (r == 0 && f->clearing)
		r = files_clear(f, max, e);
	pthread_mutex_unlock(&own->lock);
	pthread_mutex_unlock(&f->growing);
	return r;
}

/* One whose documents are being moved, or have to be. */
static struct files_table *
choose(struct files *f)
{
	struct files_table *found = NULL;
	size_t i;

	pthread_mutex_lock(&f->tables_lock);
	for (i = 0; i < f->tables.count && !found; i++) {
		struct files_table *t = f->tables.entries[i].value;

		pthread_rwlock_rdlock(&t->lock);
		if (has_to_move(t) || files_level(t) > t->level)
			found = t;
		pthread_rwlock_unlock(&t->lock);
	}
	pthread_mutex_unlock(&f->tables_lock);
	return found;
}

static bool
has_to_move(const struct files_table *t)
{
	return t->moving && !t->settled;
}

unsigned
files_level(const struct files_table *t)
{
	const struct files_options *o = &t->files->options;
	uint64_t n = t->documents;

	return n > o->one_max ? 2 : n > o->flat_max ? 1 : 0;
}

/* Deeper, if it has to be, and if what was moved last is where it should. */
static int
start(struct files_table *t, struct err *e)
{
	unsigned level = files_level(t);
	int r = 0;

	pthread_rwlock_wrlock(&t->lock);
	if (level > t->level && !has_to_move(t)) {
		r = files_fan_write(t, level, true, e);
		if (r == 0) {
			t->level = level;
			t->moving = true;
			t->settled = 0;
		}
	}
	pthread_rwlock_unlock(&t->lock);
	return r;
}

/* The table is settled when one whole pass has found nothing to move. */
static int
move_some(struct files_table *t, struct spares *spares, unsigned max,
    struct err *e)
{
	char path[PATH_MAX_BYTES];
	struct path_name name;
	unsigned moved = 0, n;
	int r = 1;

	while (r == 1 && moved < max) {
		pthread_rwlock_wrlock(&t->lock);
		for (n = 0; n < AT_ONCE && r == 1; n++) {
			r = next(t, &name, path, e);
			if (r == 1 && move(t, spares, path, &name, e) == -1)
				r = -1;
		}
		moved += n;
		if (r == 0 && !t->walk.found && t->moving)
			t->settled = ++t->files->settlings;
		pthread_rwlock_unlock(&t->lock);
	}
	return r == -1 ? -1 : (int)moved;
}

/* The next document at a lesser level: 1; 0 at the end of a pass; -1. */
static int
next(struct files_table *t, struct path_name *name, char path[PATH_MAX_BYTES],
    struct err *e)
{
	struct files_walk *w = &t->walk;
	const struct dirent *entry;

	if (!w->top) {
		w->found = false;
		if (open_walk(t, NULL, &w->top) == -1)
			return errno == ENOENT ? 0 :
			    err_sys(e, "can't read data/%s", t->dir);
	}
	for (;;) {
		errno = 0;
		entry = readdir(w->sub ? w->sub : w->top);
		if (!entry && errno)
			return unread(t, e);
		if (!entry && !w->sub)
			break;
		if (!entry) {
			closedir(w->sub);
			w->sub = NULL;
		} else if (!w->sub && t->level > 1 &&
		    files_is_fan(entry->d_name)) {
			memcpy(w->xx, entry->d_name, sizeof w->xx);
			if (open_walk(t, w->xx, &w->sub) == -1 &&
			    errno != ENOTDIR && errno != ELOOP)
				return unread(t, e);
		} else if (is_movable(t, entry->d_name, name)) {
			files_place(t, w->sub ? 1 : 0, name, path);
			w->found = true;
			return 1;
		}
	}
	closedir(w->top);
	w->top = NULL;
	return 0;
}

/* What can't be read may hold documents: the pass begins anew. */
static int
unread(struct files_table *t, struct err *e)
{
	err_sys(e, "can't read a directory of data/%s", t->dir);
	files_walk_end(&t->walk);
	return -1;
}

static int
open_walk(const struct files_table *t, const char *xx, DIR **out)
{
	char path[PATH_NAME_MAX + 8];
	int fd;

	snprintf(path, sizeof path, "%s%s%s", t->dir, xx ? "/" : "",
	    xx ? xx : "");
	fd = openat(t->files->data_fd, path,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	*out = fd == -1 ? NULL : fdopendir(fd);
	if (!*out && fd != -1)
		close(fd);
	return *out ? 0 : -1;
}

/* What has no document's name, or lies where none is looked for, stays. */
static bool
is_movable(struct files_table *t, const char *text, struct path_name *name)
{
	struct path_key key;

	arena_reset(&t->files->arena);
	if (path_decode(text, &t->files->arena, name, &key) == PATH_FOREIGN) {
		t->walk.found |= errno == ENOMEM;
		return false;
	}
	return !t->walk.sub || memcmp(name->hash, t->walk.xx, 2) == 0;
}

/* One that has been written anew since is not needed any more. */
static int
move(struct files_table *t, struct spares *spares, const char *path,
    const struct path_name *name, struct err *e)
{
	struct files *f = t->files;
	char to[PATH_MAX_BYTES];
	struct stat st;

	files_place(t, t->level, name, to);
	if (fstatat(f->data_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return files_take_away(t, spares, path, name, 0, e);
	if (renameat(f->data_fd, path, f->data_fd, to) == -1 &&
	    (errno != ENOENT || files_parents(f, to) == -1 ||
	    renameat(f->data_fd, path, f->data_fd, to) == -1) &&
	    errno != ENOENT)
		return err_sys(e, "can't move data/%s", path);
	unsynced_note_all(&f->unsynced);
	atomic_fetch_add(&f->moved, 1);
	return 0;
}

void
files_walk_end(struct files_walk *w)
{
	if (w->sub)
		closedir(w->sub);
	if (w->top)
		closedir(w->top);
	*w = (struct files_walk){.top = NULL};
}

bool
files_is_fan(const char *name)
{
	size_t i;

	for (i = 0; i < 2; i++)
		if (!name[i] || !strchr("0123456789abcdef", name[i]))
			return false;
	return name[2] == '\0';
}
