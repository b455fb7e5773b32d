/*
 * The scan of files_scan.h: what a name in a directory is, and the telling.
 */
#include "files_scan_internal.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { PROGRESS_EACH = 4096 };	/* documents */

/* A name in a directory. */
struct entry {
	struct files_found found;	/* points to what follows */
	struct path_name name;
	struct path_key key;
	char path[PATH_MAX_BYTES + PATH_NAME_MAX];
};

static int name_entry(struct scanner *me, const struct scan_dir *d,
    const char *text, struct entry *it, bool *skip, struct err *e);
static bool look_at(struct scanner *me, const struct scan_dir *d, int fd,
    const char *text, struct entry *it);
static bool is_looked_for(const struct scan_dir *d, const char *path,
    const struct path_name *name, bool *superseded);
static int read_all(struct scanner *me, int fd, size_t size);
static int tell(struct scanner *me, const struct scan_dir *d,
    struct files_found *found, struct err *e);

/* Where it is, what it is, and what there is to say of it. */
int
scan_entry(struct scanner *me, const struct scan_dir *d, int fd,
    const char *name, bool table_file, struct err *e)
{
	struct entry it = {.found = {.kind = FILES_FOREIGN, .path = it.path}};
	bool skip = false;

	if (d->depth == 0 && !table_file &&
	    (strcmp(name, PATH_TABLE_FILE) == 0 ||
	    strncmp(name, ".fanout", 7) == 0))
		return 0;
	snprintf(it.path, sizeof it.path, "data/%s/%s", d->path, name);
	if (table_file)
		it.found.kind = FILES_TABLE_FILE;
	else if (name_entry(me, d, name, &it, &skip, e) == -1)
		return -1;
	if (skip || (it.found.kind != FILES_FOREIGN &&
	    !look_at(me, d, fd, name, &it)))
		return 0;
	return tell(me, d, &it.found, e);
}

/* One that is gone again is fine. */
int
scan_tell_dir(struct scanner *me, const struct scan_dir *d, int error,
    struct err *e)
{
	struct entry it = {.found = {.path = it.path, .error = error}};

	if (error == ENOENT)
		return 0;
	snprintf(it.path, sizeof it.path, "data/%s", d->path);
	it.found.kind = error == ENOTDIR || error == ELOOP ? FILES_FOREIGN :
	    FILES_UNREADABLE;
	return tell(me, d, &it.found, e);
}

/*
 * It is a document if its name is one's, and it lies where it should; *skip if
 * the same one lies deeper, where it is met later.
 */
static int
name_entry(struct scanner *me, const struct scan_dir *d, const char *text,
    struct entry *it, bool *skip, struct err *e)
{
	enum path_kind kind;

	arena_reset(&me->arena);
	kind = path_decode(text, &me->arena, &it->name, &it->key);
	if (kind == PATH_FOREIGN && errno == ENOMEM)
		return err_set(e, ENOMEM, "no memory for a scan");
	if (kind == PATH_FOREIGN ||
	    !is_looked_for(d, it->path, &it->name, skip))
		return 0;
	it->found.kind = FILES_DOCUMENT;
	it->found.name = &it->name;
	it->found.key = kind == PATH_WHOLE ? &it->key : NULL;
	return 0;
}

/* What the file says; false if it is not there any more. */
static bool
look_at(struct scanner *me, const struct scan_dir *d, int fd, const char *text,
    struct entry *it)
{
	struct files_found *found = &it->found;
	int file = openat(fd, text,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool read = me->scan->options->read ||
	    found->kind == FILES_TABLE_FILE;
	struct stat st;

	if (file == -1 && errno == ENOENT)
		return false;
	if (file == -1 || fstat(file, &st) == -1) {
		found->kind = errno == ELOOP ? FILES_FOREIGN : FILES_UNREADABLE;
		found->error = errno;
	} else if (!S_ISREG(st.st_mode)) {
		found->kind = FILES_FOREIGN;
	} else if (read && read_all(me, file, (size_t)st.st_size) == -1) {
		found->kind = FILES_UNREADABLE;
		found->error = errno;
	} else {
		found->state = files_state_of(d->table, found->name, &st);
		found->st = files_stat_of(&st);
		found->p = read ? buf_str(&me->bytes) : NULL;
		found->n = read ? me->bytes.len : 0;
	}
	io_close(&file);
	return true;
}

/* True if a document of that name is looked for at that path. */
static bool
is_looked_for(const struct scan_dir *d, const char *path,
    const struct path_name *name, bool *superseded)
{
	struct files_table *t = d->table;
	char place[PATH_MAX_BYTES];
	bool is = false;
	struct stat st;

	pthread_rwlock_rdlock(&t->lock);
	if (d->depth == t->level || (t->moving && d->depth < t->level)) {
		files_place(t, d->depth, name, place);
		is = strcmp(path + strlen("data/"), place) == 0;
	}
	if (d->depth < t->level) {
		files_place(t, t->level, name, place);
		*superseded = fstatat(t->files->data_fd, place, &st,
		    AT_SYMLINK_NOFOLLOW) == 0;
	}
	pthread_rwlock_unlock(&t->lock);
	return is;
}

/* In one read, as long as nobody makes it longer. */
static int
read_all(struct scanner *me, int fd, size_t size)
{
	struct buf *b = &me->bytes;
	ssize_t n;

	buf_reset(b);
	do {
		if (buf_reserve(b, size + 1) == -1) {
			errno = size < FILES_DOCUMENT_MAX ? ENOMEM : EFBIG;
			return -1;
		}
		n = io_read(fd, b->data + b->len, size + 1);
		if (n == -1)
			return -1;
		b->len += (size_t)n;
	} while (n > 0 && b->len > size);
	b->data[b->len] = '\0';
	return 0;
}

static int
tell(struct scanner *me, const struct scan_dir *d, struct files_found *found,
    struct err *e)
{
	struct scan *s = me->scan;
	const struct files_scan_options *o = s->options;
	uint64_t documents;
	int r;

	found->table = d->table ? d->table->name : NULL;
	found->thread = me->thread;
	r = o->each(o->arg, found, e);
	if (r != 0 || found->kind != FILES_DOCUMENT)
		return r;
	documents = atomic_fetch_add(&s->documents, 1) + 1;
	if (o->progress && documents % PROGRESS_EACH == 0 &&
	    pthread_mutex_trylock(&s->progress) == 0) {
		o->progress(o->arg, documents);
		pthread_mutex_unlock(&s->progress);
	}
	return 0;
}
