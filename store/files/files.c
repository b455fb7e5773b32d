/*
 * Documents as files, as files.h describes them: the store's directories, its
 * tables, and what is common to all.
 */
#include "files_internal.h"

#include "files_seal.h"

#include "store/base/io.h"
#include "store/base/siphash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_MAX = 64 * 1024 };	/* a name's key fits in */

/* A table that had settled by the time of a sync, and for which time. */
struct settling {
	struct files_table *table;
	uint64_t time;
};

static int open_dirs(struct files *f, struct err *e);
static int open_dir(struct files *f, const char *name, int *fd, struct err *e);
static int probe(struct files *f, struct err *e);
static int probe_file(int dir_fd, const char *name);
static struct files_table *table_new(struct files *f, const char *name,
    struct err *e);
static void table_free_one(struct files_table *t);
static int finish_growth(const struct settling *s, struct err *e);

struct files *
files_open(int store_fd, const struct files_options *o, struct err *e)
{
	struct files *f = calloc(1, sizeof *f);
	unsigned i;

	if (!f) {
		err_set(e, ENOMEM, "no memory for the store's files");
		return NULL;
	}
	f->store_fd = store_fd;
	f->data_fd = f->spare_fd = f->conflicts_fd = -1;
	f->options = *o;
	if (!o->flat_max)
		f->options.flat_max = FILES_FLAT_MAX;
	if (!o->one_max)
		f->options.one_max = FILES_ONE_MAX;
	map_init(&f->tables);
	arena_init(&f->arena, ARENA_MAX);
	pthread_mutex_init(&f->tables_lock, NULL);
	pthread_mutex_init(&f->growing, NULL);
	unsynced_init(&f->unsynced);
	f->threads = calloc(o->threads, sizeof *f->threads);
	if (!f->threads) {
		f->options.threads = 0;
		err_set(e, ENOMEM, "no memory for the store's files");
		goto failed;
	}
	for (i = 0; i < o->threads; i++)
		pthread_mutex_init(&f->threads[i].lock, NULL);
	if (open_dirs(f, e) == -1)
		goto failed;
	if (!o->read_only &&
	    (files_clear_start(f, e) == -1 || probe(f, e) == -1))
		goto failed;
	for (i = 0; i < o->threads; i++)
		spares_init(&f->threads[i].spares, f->spare_fd, i,
		    f->exchange && f->leases && f->seals);
	return f;
failed:
	files_close(f);
	return NULL;
}

void
files_close(struct files *f)
{
	size_t i;

	if (!f)
		return;
	for (i = 0; i < f->tables.count; i++)
		table_free_one(f->tables.entries[i].value);
	map_release(&f->tables);
	arena_release(&f->arena);
	pthread_mutex_destroy(&f->tables_lock);
	pthread_mutex_destroy(&f->growing);
	unsynced_release(&f->unsynced);
	for (i = 0; i < f->options.threads; i++)
		pthread_mutex_destroy(&f->threads[i].lock);
	free(f->threads);
	io_close(&f->data_fd);
	io_close(&f->spare_fd);
	io_close(&f->conflicts_fd);
	free(f);
}

struct files_table *
files_table(struct files *f, const char *table, uint64_t documents,
    struct err *e)
{
	struct files_table *t;

	pthread_mutex_lock(&f->tables_lock);
	t = map_get(&f->tables, table);
	if (!t) {
		t = table_new(f, table, e);
		if (t && map_set(&f->tables, table, strlen(table), t, NULL)) {
			err_set(e, ENOMEM, "no memory for table %s", table);
			table_free_one(t);
			t = NULL;
		}
	}
	if (t && documents > t->documents) {
		atomic_store(&t->documents, documents);
		atomic_store(&f->crowded, true);
	}
	pthread_mutex_unlock(&f->tables_lock);
	return t;
}

int
files_drop(struct files_table *t, struct err *e)
{
	struct files *f = t->files;
	char gone[40];
	int r = 0;

	snprintf(gone, sizeof gone, "drop-%llu",
	    (unsigned long long)atomic_fetch_add(&f->dropped, 1));
	pthread_mutex_lock(&f->growing);
	pthread_rwlock_wrlock(&t->lock);
	files_walk_end(&t->walk);
	if (renameat(f->data_fd, t->dir, f->spare_fd, gone) == 0) {
		unsynced_note_all(&f->unsynced);
		atomic_store(&f->clearing, true);
	} else if (errno != ENOENT)
		r = err_sys(e, "can't remove data/%s", t->dir);
	if (r == 0) {
		t->level = 0;
		t->moving = false;
		t->settled = 0;
		t->documents = 0;
	}
	pthread_rwlock_unlock(&t->lock);
	pthread_mutex_unlock(&f->growing);
	return r;
}

/*
 * Tables whose last document had been moved before the sync began need not be
 * looked through any more.
 */
int
files_sync(struct files *f, struct err *e)
{
	struct settling *settled;
	size_t i, n = 0;
	int r;

	pthread_mutex_lock(&f->tables_lock);
	settled = calloc(f->tables.count + 1, sizeof *settled);
	for (i = 0; settled && i < f->tables.count; i++) {
		struct files_table *t = f->tables.entries[i].value;

		pthread_rwlock_rdlock(&t->lock);
		if (t->settled)
			settled[n++] = (struct settling){t, t->settled};
		pthread_rwlock_unlock(&t->lock);
	}
	pthread_mutex_unlock(&f->tables_lock);
	r = unsynced_sync(&f->unsynced, e);
	if (r > 0)
		atomic_fetch_add(&f->synced, (unsigned)r);
	for (i = 0; i < n && r >= 0; i++)
		r = finish_growth(&settled[i], e);
	free(settled);
	return r < 0 ? -1 : 0;
}

static int
finish_growth(const struct settling *s, struct err *e)
{
	struct files_table *t = s->table;
	int r = 0;

	pthread_rwlock_wrlock(&t->lock);
	if (t->settled == s->time) {
		r = files_fan_write(t, t->level, false, e);
		if (r == 0) {
			t->moving = false;
			t->settled = 0;
		}
	}
	pthread_rwlock_unlock(&t->lock);
	return r;
}

void
files_status(struct files *f, struct files_status *s)
{
	size_t i;

	*s = (struct files_status){
	    .exchange = f->exchange,
	    .leases = f->leases,
	    .seals = f->seals,
	    .written = f->written,
	    .removed = f->removed,
	    .recycled = f->recycled,
	    .in_use = f->in_use,
	    .edited = f->edited,
	    .moved = f->moved,
	    .synced = f->synced,
	};
	pthread_mutex_lock(&f->tables_lock);
	for (i = 0; i < f->tables.count; i++) {
		struct files_table *t = f->tables.entries[i].value;

		pthread_rwlock_rdlock(&t->lock);
		s->growing += t->moving;
		pthread_rwlock_unlock(&t->lock);
	}
	pthread_mutex_unlock(&f->tables_lock);
}

uint64_t
files_salt(const struct files_table *t, const struct path_name *name)
{
	char part[17] = "";

	if (!name)
		return t->salt;
	memcpy(part, name->hash, 16);
	return t->salt ^ strtoull(part, NULL, 16);
}

void
files_place(const struct files_table *t, unsigned level,
    const struct path_name *name, char out[PATH_MAX_BYTES])
{
	if (name)
		path_write(out, t->dir, level, name);
	else
		snprintf(out, PATH_MAX_BYTES, "%s/%s", t->dir,
		    PATH_TABLE_FILE);
}

int
files_parents(struct files *f, const char *path)
{
	char dir[PATH_MAX_BYTES];
	const char *slash = path;

	while ((slash = strchr(slash, '/')) != NULL) {
		struct stat st;
		size_t n = (size_t)(slash++ - path);

		memcpy(dir, path, n);
		dir[n] = '\0';
		if (mkdirat(f->data_fd, dir, FILES_DIR_MODE) == 0) {
			unsynced_note_all(&f->unsynced);
			continue;
		}
		if (errno != EEXIST || fstatat(f->data_fd, dir, &st,
		    AT_SYMLINK_NOFOLLOW) == -1)
			return -1;
		if (!S_ISDIR(st.st_mode)) {
			errno = ENOTDIR;
			return -1;
		}
	}
	return 0;
}

static int
open_dirs(struct files *f, struct err *e)
{
	if (open_dir(f, "data", &f->data_fd, e) == -1 ||
	    open_dir(f, "spare", &f->spare_fd, e) == -1 ||
	    open_dir(f, "conflicts", &f->conflicts_fd, e) == -1)
		return -1;
	f->unsynced.dir_fd = f->data_fd;
	f->unsynced.spare_fd = f->spare_fd;
	return 0;
}

/* One that is only read may lack all but data/. */
static int
open_dir(struct files *f, const char *name, int *fd, struct err *e)
{
	bool read_only = f->options.read_only;

	if (!read_only && mkdirat(f->store_fd, name, FILES_DIR_MODE) == -1 &&
	    errno != EEXIST)
		return err_sys(e, "can't make %s/", name);
	*fd = openat(f->store_fd, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd == -1 && !(read_only && fd != &f->data_fd))
		return err_sys(e, "can't open %s/", name);
	return 0;
}

/*
 * What the file system can do, tried with two files in spare/.  They stay, so
 * that the next start needs no inodes for them.
 */
static int
probe(struct files *f, struct err *e)
{
	int one = probe_file(f->spare_fd, ".probe-1");
	int two = probe_file(f->spare_fd, ".probe-2");
	struct timespec times[2] = {{0, UTIME_OMIT}, {1000000000, 123456789}};
	struct stat st;

	if (one == -1 || two == -1) {
		err_sys(e, "can't make a file in spare/");
	} else {
		f->exchange = !f->options.plain && renameat2(f->spare_fd,
		    ".probe-1", f->spare_fd, ".probe-2", RENAME_EXCHANGE) == 0;
		f->leases = !f->options.plain &&
		    fcntl(one, F_SETLEASE, F_WRLCK) == 0;
		f->seals = futimens(one, times) == 0 && fstat(one, &st) == 0 &&
		    st.st_mtim.tv_nsec == times[1].tv_nsec;
	}
	if (one == -1 || two == -1) {
		io_close(&one);
		io_close(&two);
		return -1;
	}
	close(one);
	close(two);
	return 0;
}

static int
probe_file(int dir_fd, const char *name)
{
	return openat(dir_fd, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static struct files_table *
table_new(struct files *f, const char *name, struct err *e)
{
	struct files_table *t = calloc(1, sizeof *t);
	uint64_t salt[2];

	if (!t || path_table(name, t->dir) == -1) {
		free(t);
		err_set(e, ENOMEM, "no memory for table %s", name);
		return NULL;
	}
	t->files = f;
	snprintf(t->name, sizeof t->name, "%s", name);
	siphash128(0, name, strlen(name), salt);
	t->salt = salt[0];
	pthread_rwlock_init(&t->lock, NULL);
	if (files_fan_read(t, e) == -1) {
		table_free_one(t);
		return NULL;
	}
	if (t->moving)
		atomic_store(&f->crowded, true);
	return t;
}

static void
table_free_one(struct files_table *t)
{
	files_walk_end(&t->walk);
	pthread_rwlock_destroy(&t->lock);
	free(t);
}
