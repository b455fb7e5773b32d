/*
 * Documents as files, as files.h describes them: put and removed.
 */
#include "files_internal.h"

#include "files_seal.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What lies where a document goes. */
struct place {
	char path[PATH_MAX_BYTES];
	bool there;
	bool ours;		/* as it was written: may be a spare */
	off_t size;
};

static int write_document(struct files_table *t, struct files_thread *own,
    const struct path_name *name, const void *p, size_t n, int flags,
    struct files_stat *st, struct err *e);
static int look(struct files_table *t, const struct path_name *name,
    const void *p, size_t n, int flags, struct place *place, struct err *e);
static bool holds(int dir_fd, const char *path, const void *p, size_t n,
    off_t size);
static int take_spare(struct files *f, struct spares *spares,
    bool (*pop)(struct spares *s, struct spare *out), struct spare_file *out);
static int fill(struct files_table *t, const struct path_name *name,
    struct spare_file *file, const void *p, size_t n, struct files_stat *st);
static int put(struct files_table *t, struct spares *spares,
    const struct path_name *name, const char *file, struct place *place);
static int exchange(struct files_table *t, struct spares *spares,
    const struct path_name *name, const char *file,
    const struct place *place);
static struct spare spare_of(struct files_table *t,
    const struct path_name *name, const char *file);
static int take_lesser(struct files_table *t, struct spares *spares,
    const struct path_name *name, int flags, struct err *e);

int
files_write(struct files_table *t, unsigned thread,
    const struct path_name *name, const void *p, size_t n, int flags,
    struct files_stat *st, struct err *e)
{
	struct files_thread *own = &t->files->threads[thread];
	struct files_stat unused;
	int r, lesser = 0;

	pthread_mutex_lock(&own->lock);
	pthread_rwlock_rdlock(&t->lock);
	r = write_document(t, own, name, p, n, flags, st ? st : &unused, e);
	if (r >= 0 && t->moving && name)
		lesser = take_lesser(t, &own->spares, name, flags, e);
	if (r == 1 && lesser == 0 && name) {
		atomic_fetch_add(&t->documents, 1);
		if (files_level(t) > t->level)
			atomic_store(&t->files->crowded, true);
	}
	pthread_rwlock_unlock(&t->lock);
	pthread_mutex_unlock(&own->lock);
	if (r == -1)
		return -1;
	atomic_fetch_add(&t->files->written, 1);
	return lesser == -1 ? -1 : 0;
}

bool
files_draft(struct files_table *t, unsigned thread,
    const struct path_name *name, const void *p, size_t n)
{
	struct files_thread *own = &t->files->threads[thread];
	bool made = false;

	pthread_mutex_lock(&own->lock);
	if (take_spare(t->files, &own->spares, spares_pop_rested,
	    &own->draft) == 0) {
		made = fill(t, name, &own->draft, p, n, &own->drafted) == 0;
		if (!made)
			spare_drop(&own->spares, own->draft.file);
	}
	pthread_mutex_unlock(&own->lock);
	return made;
}

void
files_undraft(struct files *f, unsigned thread)
{
	struct files_thread *own = &f->threads[thread];

	pthread_mutex_lock(&own->lock);
	spare_drop(&own->spares, own->draft.file);
	pthread_mutex_unlock(&own->lock);
}

int
files_remove(struct files_table *t, unsigned thread,
    const struct path_name *name, int flags, struct err *e)
{
	struct files_thread *own = &t->files->threads[thread];
	char path[PATH_MAX_BYTES];
	int lesser = 0, r = -1;

	pthread_mutex_lock(&own->lock);
	pthread_rwlock_rdlock(&t->lock);
	if (t->moving && name)
		lesser = take_lesser(t, &own->spares, name, flags, e);
	if (lesser != -1) {
		files_place(t, t->level, name, path);
		r = files_take_away(t, &own->spares, path, name, flags, e);
	}
	pthread_rwlock_unlock(&t->lock);
	pthread_mutex_unlock(&own->lock);
	if (r == -1)
		return -1;
	if (r == 0 && lesser == 0)
		return 0;
	if (name && t->documents > 0)
		atomic_fetch_sub(&t->documents, 1);
	atomic_fetch_add(&t->files->removed, 1);
	return 1;
}

/* A file with these bytes, closed, in spare/: 0, or -1. */
static int
make_file(struct files_table *t, struct files_thread *own,
    const struct path_name *name, const void *p, size_t n, const char *path,
    struct spare_file *file, struct files_stat *st, struct err *e)
{
	if (take_spare(t->files, &own->spares, spares_pop, file) == -1)
		return err_sys(e, "can't make a file for data/%s", path);
	if (fill(t, name, file, p, n, st) == 0)
		return 0;
	err_sys(e, "can't write data/%s", path);
	spare_drop(&own->spares, file->file);
	return -1;
}

/* 1 if it is new at its level, 0, -1. */
static int
write_document(struct files_table *t, struct files_thread *own,
    const struct path_name *name, const void *p, size_t n, int flags,
    struct files_stat *st, struct err *e)
{
	struct files *f = t->files;
	bool drafted = flags & FILES_DRAFTED;
	struct spare_file file = own->draft;
	struct place place;
	bool is_new;

	*st = own->drafted;
	if (look(t, name, p, n, flags, &place, e) == -1) {
		if (drafted)
			spare_drop(&own->spares, file.file);
		return -1;
	}
	is_new = !place.there;
	if (!drafted &&
	    make_file(t, own, name, p, n, place.path, &file, st, e) == -1)
		return -1;
	if (put(t, &own->spares, name, file.file, &place) == -1) {
		err_sys(e, "can't put data/%s in place", place.path);
		spare_drop(&own->spares, file.file);
		return -1;
	}
	unsynced_note(&f->unsynced, place.path);
	if (file.recycled)
		atomic_fetch_add(&f->recycled, 1);
	return is_new;
}

/* What lies there, once what isn't ours is saved. */
static int
look(struct files_table *t, const struct path_name *name, const void *p,
    size_t n, int flags, struct place *place, struct err *e)
{
	struct files *f = t->files;
	struct stat st;

	*place = (struct place){.there = false};
	files_place(t, t->level, name, place->path);
	if (fstatat(f->data_fd, place->path, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 :
		    err_sys(e, "can't look at data/%s", place->path);
	if (!S_ISREG(st.st_mode))
		return files_aside(t, f->data_fd, place->path, name, false, e);
	place->there = true;
	place->ours = !f->seals || files_seal_holds(files_salt(t, name), &st);
	place->size = st.st_size;
	if (place->ours || (flags & FILES_REDO) ||
	    holds(f->data_fd, place->path, p, n, st.st_size))
		return 0;
	return files_aside(t, f->data_fd, place->path, name, true, e);
}

/* True if the file has just these bytes: nothing would be lost. */
static bool
holds(int dir_fd, const char *path, const void *p, size_t n, off_t size)
{
	struct buf b;
	struct err ignored;
	bool same;

	if (!p || size < 0 || (size_t)size != n)
		return false;
	buf_init(&b, n);
	same = io_read_file(dir_fd, path, &b, &ignored) == 0 && b.len == n &&
	    memcmp(b.data, p, n) == 0;
	buf_release(&b);
	return same;
}

/* A spare that is nobody's, or a new file. */
static int
take_spare(struct files *f, struct spares *spares,
    bool (*pop)(struct spares *s, struct spare *out), struct spare_file *out)
{
	struct spare s;
	struct err e;

	while (pop(spares, &s)) {
		enum spare_state state = spare_open(spares, &s, out);

		if (state == SPARE_READY)
			return 0;
		if (state == SPARE_CHANGED) {
			files_aside(s.table, f->spare_fd, s.file, &s.was,
			    false, &e);
		} else if (state == SPARE_IN_USE) {
			atomic_fetch_add(&f->in_use, 1);
			spare_drop(spares, s.file);
		}
	}
	return spare_make(spares, out);
}

/* Bytes, length and seal; closes the file, so that nobody waits for it. */
static int
fill(struct files_table *t, const struct path_name *name,
    struct spare_file *file, const void *p, size_t n, struct files_stat *st)
{
	struct timespec times[2] = {{0, UTIME_OMIT}, {0, 0}};
	const char *bytes = p;
	size_t done = 0;
	int was;

	while (done < n) {
		ssize_t r = pwrite(file->fd, bytes + done, n - done,
		    (off_t)done);

		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			goto failed;
		done += (size_t)r;
	}
	if (file->size > (off_t)n && ftruncate(file->fd, (off_t)n) == -1)
		goto failed;
	clock_gettime(CLOCK_REALTIME, &times[1]);
	times[1] = files_seal_time(files_salt(t, name), file->inode,
	    (int64_t)n, &times[1]);
	if (t->files->seals && futimens(file->fd, times) == -1)
		goto failed;
	*st = (struct files_stat){(int64_t)n,
	    times[1].tv_sec * INT64_C(1000000000) + times[1].tv_nsec,
	    file->inode};
	return spare_close(file);
failed:
	was = errno;
	spare_close(file);
	errno = was;
	return -1;
}

static int
put(struct files_table *t, struct spares *spares, const struct path_name *name,
    const char *file, struct place *place)
{
	struct files *f = t->files;
	unsigned how = f->exchange ? RENAME_NOREPLACE : 0;

	if (place->there && f->exchange) {
		if (exchange(t, spares, name, file, place) == 0)
			return 0;
		if (errno != ENOENT)
			return -1;
	}
	if (renameat2(f->spare_fd, file, f->data_fd, place->path, how) == 0)
		return 0;
	if (errno != ENOENT || files_parents(f, place->path) == -1)
		return -1;
	return renameat2(f->spare_fd, file, f->data_fd, place->path, how);
}

/* The old document lies under the spare's name then. */
static int
exchange(struct files_table *t, struct spares *spares,
    const struct path_name *name, const char *file, const struct place *place)
{
	struct files *f = t->files;
	struct spare old;

	if (renameat2(f->spare_fd, file, f->data_fd, place->path,
	    RENAME_EXCHANGE) == -1)
		return -1;
	old = spare_of(t, name, file);
	if (!place->ours || !name)
		spare_drop(spares, file);
	else
		spares_push(spares, &old, place->size);
	return 0;
}

static struct spare
spare_of(struct files_table *t, const struct path_name *name, const char *file)
{
	struct spare s = {.table = t, .salt = files_salt(t, name)};

	snprintf(s.file, sizeof s.file, "%s", file);
	if (name)
		s.was = *name;
	return s;
}

/* Takes it away from levels before the table's own: as files_take_away. */
static int
take_lesser(struct files_table *t, struct spares *spares,
    const struct path_name *name, int flags, struct err *e)
{
	char path[PATH_MAX_BYTES];
	unsigned level;
	int taken = 0;

	for (level = 0; level < t->level; level++) {
		int r;

		files_place(t, level, name, path);
		r = files_take_away(t, spares, path, name, flags, e);
		if (r == -1)
			return -1;
		taken |= r;
	}
	return taken;
}

int
files_take_away(struct files_table *t, struct spares *spares,
    const char *path, const struct path_name *name, int flags,
    struct err *e)
{
	struct files *f = t->files;
	char file[32];
	struct spare old;
	struct stat st;
	bool ours;

	if (fstatat(f->data_fd, path, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 :
		    err_sys(e, "can't look at data/%s", path);
	ours = !f->seals || files_seal_holds(files_salt(t, name), &st);
	if (!S_ISREG(st.st_mode) || (!ours && !(flags & FILES_REDO)))
		return files_aside(t, f->data_fd, path, name, false, e) == 0 ?
		    1 : -1;
	if (!ours || !spares->recycle || spares->n == SPARES_MAX || !name) {
		if (unlinkat(f->data_fd, path, 0) == -1)
			return err_sys(e, "can't remove data/%s", path);
		unsynced_note(&f->unsynced, path);
		return 1;
	}
	spares_name(spares, file);
	if (renameat(f->data_fd, path, f->spare_fd, file) == -1)
		return err_sys(e, "can't remove data/%s", path);
	unsynced_note(&f->unsynced, path);
	old = spare_of(t, name, file);
	spares_push(spares, &old, st.st_size);
	return 1;
}
