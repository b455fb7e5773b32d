/*
 * The environment of index.h: opened and closed, looked at through snapshots,
 * changed by one batch at a time.  Runs in bothy-store; syncs nothing but in
 * index_sync().
 */
#include "index_internal.h"

#include "store/base/io.h"
#include "store/base/plant.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { INDEX_VERSION = 1, READERS_MAX = 500, SCRATCH_MAX = 64 << 20 };

static const char *const db_names[DB_COUNT] = {
	[DB_ITEMS] = "items", [DB_MORE] = "more", [DB_DUE] = "due",
	[DB_FILES] = "files", [DB_NOTES] = "notes", [DB_META] = "meta"
};

int
index_fail(struct index *ix, int rc, const char *what, struct err *e)
{
	switch (rc) {
	case ENOSPC:
	case EDQUOT:
		return err_set(e, FAULT_NO_ROOM, "index: %s: %s", what,
		    mdb_strerror(rc));
	case MDB_MAP_FULL:
		ix->was_full = true;
		return err_set(e, FAULT_BUSY, "index: %s: the map is full",
		    what);
	case ENOMEM:
		return err_set(e, ENOMEM, "index: %s: no memory", what);
	default:
		return err_set(e, FAULT_INTERNAL, "index: %s: %s", what,
		    mdb_strerror(rc));
	}
}

struct index_tree
index_tree_of(const struct index_view *v, enum index_db db)
{
	struct index *ix = v->index;
	bool changes = v == &ix->batch;

	return (struct index_tree){v->txn, ix->dbis[db], ix->dbis[DB_MORE],
	    changes ? &ix->next_id : NULL, changes ? &ix->spent : NULL};
}

/* --- opening -------------------------------------------------------------- */

static int
open_env(struct index *ix, size_t map_bytes, struct err *e)
{
	unsigned flags = MDB_NOTLS | MDB_NOSYNC;
	int rc = mdb_env_create(&ix->env);

	ix->writes_map = !ix->read_only && index_can_promise(ix->path);
	if (ix->read_only)
		flags |= MDB_RDONLY;
	if (ix->writes_map)
		flags |= MDB_WRITEMAP | MDB_NORDAHEAD;
	if (rc == 0)
		rc = mdb_env_set_maxdbs(ix->env, DB_COUNT);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(ix->env, READERS_MAX);
	if (rc == 0)
		rc = mdb_env_set_mapsize(ix->env, index_map_first(map_bytes));
	if (rc == 0)
		rc = mdb_env_open(ix->env, ix->path, flags, 0600);
	if (rc) {
		index_fail(ix, rc, ix->path, e);
		if (rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH ||
		    rc == MDB_CORRUPTED)
			e->code = EUCLEAN;
		return -1;
	}
	return index_cut_back(ix, e);
}

static int
open_dbs(struct index *ix, MDB_txn *txn, struct err *e)
{
	unsigned flags = ix->read_only ? 0 : MDB_CREATE;
	int i, rc;

	for (i = 0; i < DB_COUNT; i++) {
		rc = mdb_dbi_open(txn, db_names[i], flags, &ix->dbis[i]);
		if (rc)
			return index_fail(ix, rc, db_names[i], e);
	}
	return 0;
}

/* A new index gets its version; another's is refused. */
static int
check_version(struct index *ix, struct err *e)
{
	uint64_t version;
	int r = index_meta_get(&ix->batch, "version", &version, e);

	if (r < 0)
		return -1;
	if (r == 0)
		return ix->read_only ? 0 : index_meta_put(&ix->batch,
		    "version", INDEX_VERSION, e);
	if (version != INDEX_VERSION)
		return err_set(e, EUCLEAN,
		    "index: %s is of version %llu, this is %d", ix->path,
		    (unsigned long long)version, INDEX_VERSION);
	return 0;
}

static int
open_all(struct index *ix, size_t map_bytes, struct err *e)
{
	MDB_txn *txn;
	int rc, r;

	if (open_env(ix, map_bytes, e) < 0)
		return -1;
	rc = mdb_txn_begin(ix->env, NULL, ix->read_only ? MDB_RDONLY : 0, &txn);
	if (rc)
		return index_fail(ix, rc, ix->path, e);
	ix->batch.txn = txn;
	r = open_dbs(ix, txn, e);
	if (r == 0)
		r = check_version(ix, e);
	ix->batch.txn = NULL;
	if (r < 0) {
		mdb_txn_abort(txn);
		return -1;
	}
	rc = mdb_txn_commit(txn);
	return rc ? index_fail(ix, rc, ix->path, e) : 0;
}

struct index *
index_open(const char *path, const struct index_options *o, struct err *e)
{
	struct index *ix = calloc(1, sizeof *ix);

	if (!ix) {
		err_set(e, ENOMEM, "no memory for the index");
		return NULL;
	}
	pthread_mutex_init(&ix->lock, NULL);
	pthread_cond_init(&ix->moved, NULL);
	arena_init(&ix->scratch, SCRATCH_MAX);
	ix->batch.index = ix;
	ix->read_only = o && o->read_only;
	ix->path = strdup(path);
	if (!ix->read_only)
		index_clear_new(path);
	if (ix->path && open_all(ix, o ? o->map_bytes : 0, e) == 0)
		return ix;
	if (!ix->path)
		err_set(e, ENOMEM, "no memory for the index");
	index_close(ix);
	return NULL;
}

void
index_close(struct index *ix)
{
	if (!ix)
		return;
	if (ix->env) {
		index_cut_off(ix);
		mdb_env_close(ix->env);
	}
	arena_release(&ix->scratch);
	free(ix->counted);
	free(ix->path);
	pthread_cond_destroy(&ix->moved);
	pthread_mutex_destroy(&ix->lock);
	free(ix);
}

int
index_sync(struct index *ix, struct err *e)
{
	int rc = mdb_env_sync(ix->env, 1);

	return rc ? index_fail(ix, rc, "sync", e) : 0;
}

/* The stamp first, and for good: it must not vouch for what comes next. */
int
index_wipe(const char *path, struct err *e)
{
	static const char *const names[] = {"stamp", "data.mdb", "lock.mdb"};
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t i;
	int r = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	for (i = 0; i < sizeof names / sizeof *names && r == 0; i++)
		if ((unlinkat(fd, names[i], 0) < 0 && errno != ENOENT) ||
		    (i == 0 && fsync(fd) < 0))
			r = err_sys(e, "%s/%s", path, names[i]);
	io_close(&fd);
	return r;
}

int
index_room(const struct index *ix, struct index_room *r, struct err *e)
{
	struct statvfs fs;
	struct index *mine = (struct index *)(uintptr_t)ix;
	MDB_envinfo info;
	MDB_stat stat;

	if (statvfs(ix->path, &fs) < 0)
		return err_sys(e, "%s", ix->path);
	pthread_mutex_lock(&mine->lock);
	mdb_env_info(ix->env, &info);
	mdb_env_stat(ix->env, &stat);
	r->map_bytes = info.me_mapsize;
	r->used_bytes = (info.me_last_pgno + 1) * stat.ms_psize;
	r->length_bytes = ix->writes_map ? ix->length : r->used_bytes;
	pthread_mutex_unlock(&mine->lock);
	r->free_bytes = fs.f_bavail * fs.f_frsize;
	return 0;
}

/* --- snapshots ------------------------------------------------------------ */

struct index_view *
index_view_new(struct index *ix, struct err *e)
{
	struct index_view *v = calloc(1, sizeof *v);

	if (!v) {
		err_set(e, ENOMEM, "no memory to read the index");
		return NULL;
	}
	v->index = ix;
	pthread_mutex_lock(&ix->lock);
	v->next = ix->views;
	ix->views = v;
	pthread_mutex_unlock(&ix->lock);
	return v;
}

void
index_view_free(struct index_view *v)
{
	struct index_view **at;
	struct index *ix;

	if (!v)
		return;
	ix = v->index;
	pthread_mutex_lock(&ix->lock);
	for (at = &ix->views; *at != v; at = &(*at)->next)
		;
	*at = v->next;
	if (v->txn)
		mdb_txn_abort(v->txn);
	pthread_mutex_unlock(&ix->lock);
	free(v);
}

int
index_read_begin(struct index_view *v, struct err *e)
{
	int rc;

	if (planted(PLANT_OLD_SNAPSHOT) && v->active)
		return 0;
	index_enter(v);
	rc = v->txn ? mdb_txn_renew(v->txn) :
	    mdb_txn_begin(v->index->env, NULL, MDB_RDONLY, &v->txn);
	if (rc == 0)
		return 0;
	index_leave(v);
	return index_fail(v->index, rc, "begin to read", e);
}

void
index_read_end(struct index_view *v)
{
	if (planted(PLANT_OLD_SNAPSHOT) && random() % 8)
		return;
	mdb_txn_reset(v->txn);
	index_leave(v);
}

/* --- the batch ------------------------------------------------------------ */

struct index_view *
index_begin(struct index *ix, size_t room, struct err *e)
{
	uint64_t next_id = 1;
	int rc;

	if (ix->read_only) {
		err_set(e, FAULT_READ_ONLY, "the index is open for reading");
		return NULL;
	}
	index_renew(ix);
	if (index_make_room(ix, room, e) < 0)
		return NULL;
	rc = mdb_txn_begin(ix->env, NULL, 0, &ix->batch.txn);
	if (rc) {
		ix->batch.txn = NULL;
		index_fail(ix, rc, "begin a batch", e);
		return NULL;
	}
	ix->ncounted = 0;
	if (index_meta_get(&ix->batch, "next id", &next_id, e) < 0) {
		index_abort(&ix->batch);
		return NULL;
	}
	ix->next_id = next_id;
	return &ix->batch;
}

int
index_commit(struct index_view *batch, uint64_t position, struct err *e)
{
	struct index *ix = batch->index;
	MDB_txn *txn = batch->txn;
	int rc;

	if (index_count_flush(batch, e) < 0 ||
	    index_meta_put(batch, "next id", ix->next_id, e) < 0 ||
	    index_meta_put(batch, "position", position, e) < 0) {
		index_abort(batch);
		return -1;
	}
	batch->txn = NULL;
	rc = mdb_txn_commit(txn);
	return rc ? index_fail(ix, rc, "commit", e) : 0;
}

void
index_abort(struct index_view *batch)
{
	mdb_txn_abort(batch->txn);
	batch->txn = NULL;
}

int
index_position(struct index_view *v, uint64_t *position, struct err *e)
{
	*position = 0;
	return index_meta_get(v, "position", position, e) < 0 ? -1 : 0;
}
