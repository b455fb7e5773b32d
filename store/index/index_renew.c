/*
 * The index written anew while it is in use: what is in it is copied, entry by
 * entry, into another file, which takes its place.  So no byte is left of
 * anything that was in it and is not any more; LMDB leaves such bytes in pages
 * that are free, and between the entries of others.
 *
 * The writer does it where it would begin a batch.  Who reads goes on in the
 * old file, and is waited for before the new one is taken.  The stamp goes with
 * data.mdb: it names the file, so a crash in between leaves an index that is
 * not trusted.
 */
#include "index_internal.h"

#include "stamp.h"

#include "store/base/io.h"

#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CHUNK = 8 << 20,	/* bytes of entries in one transaction */
	BESIDE = 64,		/* what an entry takes besides its bytes, */
	LONG = 1500,		/* and one that is longer than this: */
	PAGE = 4096
};

struct renewal {
	struct index *from, *to;
	MDB_txn *read;
	size_t bytes;		/* in the transaction that is open */
	struct err *e;
};

void
index_ask_renewal(struct index *ix)
{
	pthread_mutex_lock(&ix->lock);
	ix->renewal = INDEX_RENEWAL_ASKED;
	pthread_mutex_unlock(&ix->lock);
}

int
index_renewal_result(struct index *ix, struct err *e)
{
	int rc;

	pthread_mutex_lock(&ix->lock);
	rc = ix->renewal == INDEX_RENEWAL_NONE ? 0 : -1;
	if (rc < 0)
		*e = ix->renewal_error;
	pthread_mutex_unlock(&ix->lock);
	return rc;
}

void
index_hurry(struct index *ix)
{
	ix->hurried = true;
}

/* --- copying -------------------------------------------------------------- */

static int
begin(struct renewal *r)
{
	int rc;

	r->bytes = 0;
	if (index_make_room(r->to, CHUNK, r->e) < 0)
		return -1;
	rc = mdb_txn_begin(r->to->env, NULL, 0, &r->to->batch.txn);
	if (rc)
		r->to->batch.txn = NULL;
	return rc ? index_fail(r->to, rc, "begin a copy", r->e) : 0;
}

static int
commit(struct renewal *r)
{
	int rc = mdb_txn_commit(r->to->batch.txn);

	r->to->batch.txn = NULL;
	return rc ? index_fail(r->to, rc, "commit a copy", r->e) : 0;
}

static int
put(struct renewal *r, MDB_dbi dbi, MDB_val *key, MDB_val *value,
    unsigned flags)
{
	size_t bytes = key->mv_size + value->mv_size;
	int rc;

	if (r->from->hurried)
		return err_set(r->e, FAULT_ENDED, "it was ended before it was "
		    "done, for the store is closing; do it again");
	if (r->bytes > CHUNK && (commit(r) < 0 || begin(r) < 0))
		return -1;
	r->bytes += bytes;
	r->to->spent += 2 * bytes + BESIDE + (bytes > LONG ? PAGE : 0);
	if (index_reserve(&r->to->batch, 0, r->e) < 0)
		return -1;
	rc = mdb_put(r->to->batch.txn, dbi, key, value, flags);
	return rc ? index_fail(r->to, rc, "copy", r->e) : 0;
}

/* In order, so each goes behind the last; but `meta` has its version. */
static int
copy_db(struct renewal *r, enum index_db db)
{
	unsigned flags = db == DB_META ? 0 : MDB_APPEND;
	MDB_val key, value;
	MDB_cursor *c;
	int rc = mdb_cursor_open(r->read, r->from->dbis[db], &c), result = 0;

	if (rc)
		return index_fail(r->from, rc, "copy", r->e);
	while (result == 0 &&
	    (rc = mdb_cursor_get(c, &key, &value, MDB_NEXT)) == 0)
		result = put(r, r->to->dbis[db], &key, &value, flags);
	mdb_cursor_close(c);
	if (result == 0 && rc != MDB_NOTFOUND)
		return index_fail(r->from, rc, "copy", r->e);
	return result;
}

static int
copy_all(struct renewal *r)
{
	int db, rc = mdb_txn_begin(r->from->env, NULL, MDB_RDONLY, &r->read);

	if (rc)
		return index_fail(r->from, rc, "copy", r->e);
	rc = begin(r);
	for (db = 0; rc == 0 && db < DB_COUNT; db++)
		rc = copy_db(r, (enum index_db)db);
	if (rc == 0)
		rc = commit(r);
	else if (r->to->batch.txn)
		index_abort(&r->to->batch);
	mdb_txn_abort(r->read);
	return rc;
}

/* --- taking its place ----------------------------------------------------- */

/* The file under its name; the index that is open stays the old one. */
static int
put_in_place(const struct index *ix, const char *dir, struct err *e)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (snprintf(from, sizeof from, "%s/data.mdb", dir) >=
	        (int)sizeof from ||
	    snprintf(to, sizeof to, "%s/data.mdb", ix->path) >=
	        (int)sizeof to)
		errno = ENAMETOOLONG;
	else if (rename(from, to) == 0)
		return 0;
	return err_sys(e, "cannot put %s in place", from);
}

/* Nobody reads meanwhile; `to` has the old one then, to be closed with it. */
static void
exchange(struct index *ix, struct index *to)
{
	struct index_view *v;
	MDB_env *env = ix->env;

	index_close_gate(ix);
	for (v = ix->views; v; v = v->next) {
		if (v->txn)
			mdb_txn_abort(v->txn);
		v->txn = NULL;
	}
	ix->env = to->env;
	to->env = env;
	memcpy(ix->dbis, to->dbis, sizeof ix->dbis);
	ix->writes_map = to->writes_map;
	ix->promised = to->promised;
	ix->length = to->length;
	ix->was_full = false;
	index_open_gate(ix);
}

static int
renew_at(struct index *ix, const char *dir, struct err *e)
{
	struct renewal r = {.from = ix, .e = e};
	struct index_options o = {0};
	MDB_envinfo info;
	int rc;

	mdb_env_info(ix->env, &info);
	o.map_bytes = info.me_mapsize;
	r.to = index_open(dir, &o, e);
	if (!r.to)
		return -1;
	rc = copy_all(&r);
	if (rc == 0)
		rc = put_in_place(ix, dir, e);
	if (rc == 0)
		exchange(ix, r.to);
	index_close(r.to);
	if (rc == 0)
		rc = stamp_write(ix->path, STAMP_OPEN, e);
	return rc;
}

void
index_clear_new(const char *path)
{
	char dir[PATH_MAX];

	if (snprintf(dir, sizeof dir, "%s/" INDEX_NEW, path) <
	    (int)sizeof dir)
		io_remove_tree(AT_FDCWD, dir);
}

static int
renew(struct index *ix, struct err *e)
{
	char dir[PATH_MAX];
	int rc;

	if (snprintf(dir, sizeof dir, "%s/" INDEX_NEW, ix->path) >=
	    (int)sizeof dir)
		return err_set(e, ENAMETOOLONG, "%s: too long", ix->path);
	index_clear_new(ix->path);
	if (mkdir(dir, 0700) < 0)
		return err_sys(e, "cannot make %s", dir);
	rc = renew_at(ix, dir, e);
	index_clear_new(ix->path);
	return rc;
}

void
index_renew(struct index *ix)
{
	struct err e = {0};
	int rc;

	pthread_mutex_lock(&ix->lock);
	rc = ix->renewal == INDEX_RENEWAL_ASKED;
	pthread_mutex_unlock(&ix->lock);
	if (!rc)
		return;
	rc = renew(ix, &e);
	pthread_mutex_lock(&ix->lock);
	ix->renewal = rc < 0 ? INDEX_RENEWAL_FAILED : INDEX_RENEWAL_NONE;
	ix->renewal_error = e;
	pthread_mutex_unlock(&ix->lock);
}
