/*
 * The writer, as commit.h describes it, and who writes in its place.
 *
 * A batch: take what waits; write it (commit_batch.c); hand the documents to
 * the file threads, and tell everyone (commit_tell.c).
 */
#include "commit_internal.h"

#include "store/base/clock.h"
#include "store/value/fault.h"

#include <errno.h>
#include <stdlib.h>

void
commit_submit(struct store *s, struct commit_job *job)
{
	if (!s->options.read_only && commit_queue_add(&s->queue, job))
		return;
	if (s->options.read_only)
		err_set(&job->error, FAULT_READ_ONLY,
		    "the store was opened read-only");
	else
		err_set(&job->error, FAULT_LEAVING, "the store is closing");
	job->done(job, &job->error);
}

/* --- the writer ------------------------------------------------------------- */

static void
begin_batch(struct commit *c, const struct commit_job *jobs)
{
	struct store *s = c->s;
	int64_t now_ms = clock_wall_ms();

	if (now_ms > atomic_load(&s->now_ms))
		atomic_store(&s->now_ms, now_ms);
	c->now_ms = atomic_load(&s->now_ms);
	c->catalog = catalog_hold(&s->catalog);
	c->alone = !jobs->next;
}

static void
end_batch(struct commit *c)
{
	catalog_release(&c->s->catalog, c->catalog);
	atomic_fetch_add(&c->s->batches, 1);
}

static void *
writer_main(void *arg)
{
	struct store *s = arg;
	struct commit *c = s->commit;
	struct commit_job *jobs;
	bool late;

	while ((jobs = commit_queue_take(&s->queue, &late))) {
		if (!late)
			c->full = !apply_wait_room(s);
		begin_batch(c, jobs);
		if (!late)
			commit_write(c, &jobs);
		if (c->behind)
			commit_make_visible_late(c, jobs);
		commit_tell(c, jobs);
		end_batch(c);
		commit_queue_turn_over(&s->queue, NULL);
	}
	return NULL;
}

/* --- by another thread ----------------------------------------------------------- */

/* Nothing but the disk would be waited for. */
static bool
is_at_hand(struct commit *c, const struct commit_job *job)
{
	return index_is_at_hand(c->s->index, commit_room_of(job)) &&
	    filework_wait_room(c->s->filework, 0);
}

/* False: the rest is the writer's. */
static bool
do_alone(struct commit *c, struct commit_job *job)
{
	struct err e;
	bool over;

	c->full = false;
	begin_batch(c, job);
	commit_write(c, &job);
	over = !c->behind && (!commit_wrote(job) || commit_hand_over(c, job, &e) == 0);
	if (over) {
		commit_tell_one(c, job);
		filework_reach(c->s->filework, atomic_load(&c->s->visible));
	}
	end_batch(c);
	return over;
}

void
commit_gathered(struct store *s, bool here)
{
	struct commit_job *job = commit_queue_take_one(&s->queue, here);

	if (!job)
		return;
	if (!is_at_hand(s->commit, job)) {
		commit_queue_give_back(&s->queue, job);
		job = NULL;
	} else if (do_alone(s->commit, job)) {
		job = NULL;
	}
	commit_queue_turn_over(&s->queue, job);
}

/* --- coming and going -------------------------------------------------------------- */

int
commit_start(struct store *s, struct err *e)
{
	int rc;

	s->commit = calloc(1, sizeof *s->commit);
	if (!s->commit)
		return err_set(e, ENOMEM, "out of memory");
	s->commit->s = s;
	buf_init(&s->commit->line, COMMIT_LINE_MAX);
	rc = pthread_create(&s->writer, NULL, writer_main, s);
	if (rc) {
		errno = rc;
		return err_sys(e, "cannot start a thread");
	}
	s->writer_runs = true;
	return 0;
}

static void
release(struct store *s)
{
	if (s->commit)
		buf_release(&s->commit->line);
	free(s->commit);
	s->commit = NULL;
}

void
commit_stop(struct store *s)
{
	if (!s->writer_runs) {
		release(s);
		return;
	}
	commit_queue_close(&s->queue);
	pthread_join(s->writer, NULL);
	s->writer_runs = false;
	release(s);
}
