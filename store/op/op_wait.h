/*
 * A job of the writer that a long operation waits for, of which it may do
 * many; and how far it is.
 */
#ifndef OP_OP_WAIT_H
#define OP_OP_WAIT_H

#include "op_internal.h"

#include <pthread.h>

struct op_wait {
	struct commit_job job;
	void *ctx;			/* the operation's */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool over;
	struct err failed;
	bool bad;
};

/* What run() is given, as the caller's. */
struct op_wait *op_wait_of(struct commit_job *job);

/*
 * Runs a job with the arena's room and waits for it, files included: 0, or -1
 * and what it said.  `bytes` is about what it will put.
 */
int op_wait_run(struct store *s, struct arena *a, size_t bytes,
    int (*run)(struct commit_job *job, struct commit *c, struct err *e),
    void *ctx, struct err *e);

/* The same, but the files come later. */
int op_wait_commit(struct store *s, struct arena *a, size_t bytes,
    int (*run)(struct commit_job *job, struct commit *c, struct err *e),
    void *ctx, struct err *e);

/*
 * True, with *e as the reason, if a long operation is to end now.  The second
 * is for what must not be left half done because who asked has gone.
 */
bool op_stopped(struct op *op, struct err *e);
bool op_leaving(struct op *op, struct err *e);

/* Waits a while for what can be read to lie in files; ends soon if it stops. */
void op_settle(struct op *op, int most_ms);

/* Tells who asked; `all` 0 where it isn't known. */
void op_progress(struct op *op, const char *what, uint64_t done,
    uint64_t all);

#endif
