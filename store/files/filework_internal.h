/*
 * What the files of filework.h share: jobs, and the lists that they stand in.
 *
 * A job is one image on its way to a file.  Of one document there is at most
 * one job that runs, and one that waits; the latter is `blocked` behind it.
 *
 * Invariants, under the lock:
 *   1. `order` has every job, by `since`, the least first; so all before the
 *      first one's `since` lies in files.
 *   2. A job that waits stands in exactly one of ready, urgent, later and its
 *      table's held, or is its table's `drop`, or is `blocked` behind one that
 *      runs.
 *   3. The map has for each document its newest job.
 *   4. While a table is being dropped (dropping > 0) its other jobs are held;
 *      a drop runs when none of its table's jobs does.
 *   5. What a running job says is not written to, but for `blocked`.
 *   6. A job that became void (its table was dropped before it ran) is in no
 *      map, and does nothing when it runs.
 */
#ifndef FILES_FILEWORK_INTERNAL_H
#define FILES_FILEWORK_INTERNAL_H

#include "filework.h"

#include "store/base/map.h"

#include <pthread.h>
#include <sys/queue.h>

enum {
	FILEWORK_BUCKETS = 16384,
	FILEWORK_RENDERED_MAX = 64 << 20,	/* bytes of a file */
	FILEWORK_RETRY_MS = 250,	/* the first pause */
	FILEWORK_RETRY_MAX_MS = 4000
};

enum job_kind { JOB_DOCUMENT, JOB_TABLE_FILE, JOB_DROP };

TAILQ_HEAD(job_list, job);

/* A table by its name, for as long as the threads run. */
struct job_table {
	char name[TABLE_NAME_MAX + 1];
	unsigned running, dropping;
	struct job *drop;	/* waits until none runs */
	struct job_list held;
};

struct job {
	TAILQ_ENTRY(job) order;
	TAILQ_ENTRY(job) place;
	struct job_list *in;	/* the list where it waits; NULL: in none */
	struct job *chain;	/* in the map */
	uint64_t hash;
	enum job_kind kind;
	struct job_table *table;
	struct job *blocked;	/* the next image of the same document */
	bool running, is_void;
	uint64_t since;		/* of the oldest change that it stands for */
	uint64_t position;	/* of the newest */
	int64_t retry_ms;	/* in `later`: monotonic */
	void *image;		/* NULL: removes it */
	size_t n;
	int flags;
	struct filework_ticket **tickets;
	size_t ntickets, tickets_room;
	struct path_key key;	/* its texts lie in `bytes` */
	size_t nbytes;
	char bytes[];
};

/* A file that was made ahead: files_draft. */
struct filework_draft {
	bool there;
	unsigned thread;
	uint64_t position;	/* of the image */
	struct buf rendered;
};

struct filework {
	struct files *files;
	struct filework_options options;
	pthread_mutex_t lock;
	pthread_cond_t work;		/* there is a job, or the end */
	pthread_cond_t progress;	/* a job is done */
	unsigned idle;			/* threads that wait for work, */
	bool lingers;			/* and one of them for more of it */
	unsigned watching;		/* callers that wait for progress */
	bool stop;
	bool leaving;		/* nobody waits for memory any more */
	pthread_t *threads;
	unsigned nthreads, started;

	struct map tables;		/* name -> struct job_table */
	struct job *buckets[FILEWORK_BUCKETS];
	uint64_t seed;			/* of their hash */
	struct job_list order, ready, urgent, later;
	unsigned turns;			/* jobs taken */
	int64_t pause_ms;		/* before what failed is tried again */
	int64_t paused_ms;		/* when that was set: monotonic */
	uint64_t reached;
	struct filework_draft draft;	/* without the lock: the writer's */
	struct filework_status status;	/* figures; the rest is made */
};

/* What a job is made of; `key` and `p` are copied. */
struct job_order {
	enum job_kind kind;
	struct job_table *table;
	const struct path_key *key;	/* of JOB_DOCUMENT */
	uint64_t position;
	const void *p;			/* the image; NULL: removes it */
	size_t n;
	int flags;
	struct filework_ticket *ticket;	/* or NULL */
};

/* Tickets that are settled, and are to be told so. */
struct job_told {
	struct filework_ticket **tickets;
	size_t n;
};

/* --- filework_job.c: under the lock, but for job_tell --------------------- */

struct job *job_new(const struct job_order *o, uint64_t hash);
void job_free(struct job *j);

/* The newer image takes the place of the older: 0, or -1 without memory. */
int job_replace(struct job *j, const struct job_order *o);

/* Bytes of memory. */
size_t job_weight(const struct job *j);

/* Of what the order is for; and whether a job is for the same. */
uint64_t job_hash(const struct filework *w, const struct job_order *o);
bool job_is_for(const struct job *j, const struct job_order *o);

void job_add_ticket(struct job *j, struct filework_ticket *t);

/* The job owes nothing to its tickets any more: the last ones in *told. */
void job_settle(struct job *j, int error, struct job_told *told);

/* Without the lock: who is told may hand over more. */
void job_tell(struct job_told *told);

/* --- filework_queue.c: under the lock ------------------------------------- */

/*
 * Makes a job, or puts the image into the one that waits for the document.
 * 0, or -1 without memory.
 */
int job_put(struct filework *w, const struct job_order *o);

/* The next one that may run, marked as running; or NULL. */
struct job *job_take(struct filework *w, int64_t now_ms);

/*
 * A job has run: with 0 it is gone; with an errno it waits again.  *told is
 * for job_tell.
 */
void job_done(struct filework *w, struct job *j, int error, int64_t now_ms,
    struct job_told *told);

/* Ends all, once no thread runs; their tickets are told ECANCELED. */
void job_end_all(struct filework *w);

/* The table by its name; NULL without memory. */
struct job_table *job_table(struct filework *w, const char *name);

/* --- filework_run.c ------------------------------------------------------- */

/* Under the lock: what waits can wait for more. */
bool filework_has_time(const struct filework *w);

void *filework_run(void *filework);

#endif
