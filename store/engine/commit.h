/*
 * Writing: jobs that one thread at a time takes, all that wait as a batch: each
 * job reads index and open batch and says what is to change; one line of the
 * journal a job, one sync for all of them, one commit of the index, then
 * everyone hears of it, also those whose condition failed: what they saw
 * lasts.
 *
 * That thread is the writer.  But where one job is all there is, and who has
 * submitted it may wait for the disk, that thread is the writer for so long:
 * waking another takes a quarter of a write's time.
 */
#ifndef ENGINE_COMMIT_H
#define ENGINE_COMMIT_H

#include "store.h"
#include "unit.h"

#include "store/files/filework.h"

struct commit;

struct commit_job {
	/*
	 * Decides, in the thread that writes: reads with commit_get, asks with
	 * commit_put and the like.  0, and all of it stands; -1 with *e, and
	 * nothing does.  May be called again after a try that was undone, so
	 * it begins anew each time.
	 */
	int (*run)(struct commit_job *job, struct commit *c, struct err *e);

	/*
	 * Called once, by a thread of the store's: `failed` is NULL when it
	 * lasts and can be read (and, with wait_file, lies in files).
	 */
	void (*done)(struct commit_job *job, const struct err *failed);

	struct arena *arena;	/* for copies that live as long as the job */
	size_t bytes;		/* about what it will put */
	bool wait_file;
	bool gathered;		/* who submits it calls commit_gathered() soon */

	/* commit_*.c's own */
	struct commit_job *next;
	struct unit unit;
	struct table *table;	/* UNIT_TABLE: the new one */
	uint64_t position;
	size_t room;		/* of unit.changes */
	struct err error;
	bool failed;
	struct filework_ticket ticket;
};

void commit_submit(struct store *s, struct commit_job *job);

/*
 * Sees to it that jobs which were submitted as gathered are done.  With `here`
 * the calling thread may do it: one job, if nothing but the disk is to be
 * waited for.
 */
void commit_gathered(struct store *s, bool here);

/* --- from within run() ------------------------------------------------------ */

struct index_view *commit_view(struct commit *c);
const struct catalog *commit_catalog(struct commit *c);
int64_t commit_now_ms(struct commit *c);	/* never goes back */

struct commit_old {
	bool there;
	struct text bytes;	/* copied into the job's arena */
	struct value item;
};

/* What lies under the key now: 0, or -1 and *e. */
int commit_get(struct commit *c, const struct text *key,
    struct commit_old *old, struct err *e);

/*
 * Asks for a put or a delete; `old` is what commit_get gave, `key` the
 * key_item(), `members` the Key.  All of it lives in the job's arena.  A key
 * may be changed once in a job.
 */
int commit_put(struct commit *c, const struct table *t,
    const struct text *key, const struct commit_old *old,
    const struct value *item, struct err *e);
int commit_delete(struct commit *c, const struct table *t,
    const struct text *key, const struct value *members,
    const struct commit_old *old, struct err *e);

/* Names the unit, so that it is done once: of a transaction. */
void commit_token(struct commit *c, const struct text *token,
    const struct text *hash);

/* What is known of a token: 1 and *hash, 0, -1. */
int commit_token_find(struct commit *c, const struct text *token,
    struct text *hash, struct err *e);

void commit_by_ttl(struct commit *c);

/* A table is made or changed (takes `t`), or goes; nothing else in the job. */
void commit_table(struct commit *c, struct table *t);
void commit_drop(struct commit *c, uint64_t table_id);

/*
 * The job has changed the index through commit_view: by what can be made
 * again from the documents, and so is in no journal.
 */
void commit_touched(struct commit *c);

/*
 * Calls `each` for what earlier jobs of the batch change, which stands in no
 * journal yet: 0, or what isn't 0 and ended it.
 */
int commit_each_earlier(struct commit *c,
    int (*each)(void *arg, const struct unit *u, struct err *e), void *arg,
    struct err *e);

/* A number for a new table. */
int commit_table_id(struct commit *c, uint64_t *id, struct err *e);

#endif
