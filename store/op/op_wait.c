/*
 * Jobs that are waited for, by a thread that may.
 */
#include "op_wait.h"

#include "store/engine/parts.h"

#include <inttypes.h>
#include <stdio.h>

enum { SETTLE_LOOK_MS = 100 };

struct op_wait *
op_wait_of(struct commit_job *job)
{
	return (struct op_wait *)(void *)((char *)job -
	    offsetof(struct op_wait, job));
}

static void
waited(struct commit_job *job, const struct err *failed)
{
	struct op_wait *w = op_wait_of(job);

	pthread_mutex_lock(&w->lock);
	if (failed)
		w->failed = *failed;
	w->bad = failed != NULL;
	w->over = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

static int
submit(struct store *s, struct op_wait *w, struct err *e)
{
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	commit_submit(s, &w->job);
	pthread_mutex_lock(&w->lock);
	while (!w->over)
		pthread_cond_wait(&w->wake, &w->lock);
	pthread_mutex_unlock(&w->lock);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	if (!w->bad)
		return 0;
	*e = w->failed;
	return -1;
}

int
op_wait_run(struct store *s, struct arena *a, size_t bytes,
    int (*run)(struct commit_job *job, struct commit *c, struct err *e),
    void *ctx, struct err *e)
{
	struct op_wait w = {.job = {.run = run, .done = waited, .arena = a,
	    .bytes = bytes, .wait_file = true}, .ctx = ctx};

	return submit(s, &w, e);
}

int
op_wait_commit(struct store *s, struct arena *a, size_t bytes,
    int (*run)(struct commit_job *job, struct commit *c, struct err *e),
    void *ctx, struct err *e)
{
	struct op_wait w = {.job = {.run = run, .done = waited, .arena = a,
	    .bytes = bytes}, .ctx = ctx};

	return submit(s, &w, e);
}

/* --- how far it is, and whether it goes on -------------------------------- */

static bool
stops(struct op *op, enum op_stop least, struct err *e)
{
	enum op_stop stop = op->stop ? op->stop(op) : OP_GO_ON;

	if (stop < least)
		return false;
	err_set(e, FAULT_ENDED, stop == OP_LEAVING
	    ? "it was ended before it was done, for the store is closing; do it "
	      "again"
	    : "it was ended before it was done, for who asked has gone");
	return true;
}

bool
op_stopped(struct op *op, struct err *e)
{
	return stops(op, OP_UNWANTED, e);
}

bool
op_leaving(struct op *op, struct err *e)
{
	return stops(op, OP_LEAVING, e);
}

void
op_settle(struct op *op, int most_ms)
{
	struct err ignored;

	while (most_ms > 0 && !op_stopped(op, &ignored) &&
	    !store_files_wait(op->store, SETTLE_LOOK_MS))
		most_ms -= SETTLE_LOOK_MS;
}

void
op_progress(struct op *op, const char *what, uint64_t done, uint64_t all)
{
	char json[160];
	int n;

	if (!op->progress)
		return;
	n = snprintf(json, sizeof json, "{\"what\":\"%s\",\"done\":%" PRIu64
	    ",\"all\":%" PRIu64 "}", what, done, all);
	op->progress(op, json, (size_t)n);
}
