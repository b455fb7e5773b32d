/*
 * What the files of commit.h share.
 *
 *   commit.c         the writer, and who writes in its place
 *   commit_job.c     what a job reads, and asks for, in its run()
 *   commit_batch.c   jobs into the open batch, the journal, the index
 *   commit_tell.c    what follows: a late index, files, whoever waits
 */
#ifndef ENGINE_COMMIT_INTERNAL_H
#define ENGINE_COMMIT_INTERNAL_H

#include "commit.h"
#include "store_internal.h"

enum { COMMIT_LINE_MAX = 64 << 20 };	/* bytes, of the journal */

/* Whoever has the turn to write (commit_queue.h) has this, too. */
struct commit {
	struct store *s;
	bool alone;			/* the batch is of one job */
	struct index_view *view;
	struct catalog *catalog;
	struct commit_job *jobs;	/* of the batch, */
	struct commit_job *job;		/* and the one that runs */
	struct applied *olds;		/* beside job->unit.changes */
	struct buf line;
	bool touched;			/* the index, beside the journal */
	bool full;			/* files can't follow: only deletes */
	bool behind;			/* the index is, or the catalogue */
	int64_t now_ms;
};

/* --- commit_batch.c -------------------------------------------------------- */

/* What index_begin wants for them. */
size_t commit_room_of(const struct commit_job *jobs);

/* True if it stands, and changes something. */
bool commit_wrote(const struct commit_job *j);

/*
 * Writes the batch, or of it what goes into one: the rest is given back to the
 * queue.  c->behind if the journal has it, and the index could not take it.
 */
void commit_write(struct commit *c, struct commit_job **batch);

/* The tables of a batch, which the index has, are known to all. */
int commit_make_known(struct store *s, const struct commit_job *jobs,
    struct err *e);

/*
 * Their sync failed: what they wrote may be found at the next start, or not.
 * Those that wrote nothing are refused, since what they saw may not last.
 */
void commit_leave_in_doubt(struct commit_job *jobs, const struct err *e);

/* --- commit_tell.c --------------------------------------------------------- */

/* Of a job's ticket: its files lie there. */
void commit_filed(struct filework_ticket *t, int error);

/* What the journal has becomes visible, however long that takes. */
void commit_make_visible_late(struct commit *c, struct commit_job *jobs);

/* Before the sync: makes the file that the one job waits for, if it can. */
void commit_draft(struct commit *c, const struct commit_job *j);

/* To the file threads: 0, or -1 and *e, for the writer to try again. */
int commit_hand_over(struct commit *c, struct commit_job *j, struct err *e);

/* Of a job that was handed over, if it had to be. */
void commit_tell_one(struct commit *c, struct commit_job *j);

/* Hands all of them over, and tells each. */
void commit_tell(struct commit *c, struct commit_job *jobs);

#endif
