/*
 * What follows a batch: its documents are handed to the file threads, and
 * whoever waits is told.  Runs in the thread that writes.
 *
 * The journal is synced, so nothing is undone here: where the index can't take
 * it (a full disk), the writer tries again from the journal until it can, and
 * nobody is told before.
 */
#include "commit_internal.h"

#include "store/base/plant.h"
#include "store/value/fault.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

enum { RETRY_MS = 100, CATCH_UP_TRIES = 20 };

/* --- what can't be done yet ------------------------------------------------- */

/* What holds writing up, for store_stat; "": nothing any more. */
static void
tell_trouble(struct store *s, const char *text)
{
	pthread_mutex_lock(&s->lock);
	snprintf(s->trouble, sizeof s->trouble, "%s", text);
	pthread_mutex_unlock(&s->lock);
}

static void
rest(void)
{
	static const struct timespec PAUSE = {0, RETRY_MS * 1000000L};

	nanosleep(&PAUSE, NULL);
}

static int
bring_up(struct store *s, const struct commit_job *jobs, struct err *e)
{
	if (apply_journal(s, 0, false, e) < 0 || commit_make_known(s, jobs, e) < 0)
		return -1;
	return apply_verify_filled(s, e);
}

/*
 * Nothing may be decided by an index that lacks what the journal has, and no
 * mark moves past files that nobody was told of: the next start has both.
 */
static void
give_up(struct store *s, const struct err *why)
{
	if (why->code != FAULT_NO_ROOM)
		atomic_store(&s->distrusted, true);
	atomic_store(&s->files_lost, true);
	atomic_store(&s->broken, true);
}

/*
 * The journal has it, so index and catalogue get it, however long the disk is
 * full, unless the store is closing.  Where it fails otherwise, LMDB may never
 * write again: then the next start makes the index anew, and this one is over.
 */
static bool
catch_up(struct store *s, const struct commit_job *jobs)
{
	struct err e;
	int tries = 0;

	while (bring_up(s, jobs, &e) < 0) {
		tell_trouble(s, e.text);
		if (e.code != FAULT_NO_ROOM || atomic_load(&s->hurried))
			tries++;
		if (tries == CATCH_UP_TRIES || atomic_load(&s->broken)) {
			give_up(s, &e);
			return false;
		}
		rest();
	}
	tell_trouble(s, "");
	return true;
}

void
commit_make_visible_late(struct commit *c, struct commit_job *jobs)
{
	struct err e;

	if (catch_up(c->s, jobs))
		return;
	err_set(&e, FAULT_UNKNOWN_OUTCOME, "the index failed");
	commit_leave_in_doubt(jobs, &e);
}

/* --- files, and who waits ---------------------------------------------------- */

/* Its files lie there: told by who wrote the last. */
void
commit_filed(struct filework_ticket *t, int error)
{
	struct commit_job *j = t->arg;

	(void)error;	/* the write stands; its file comes later */
	table_free(j->table);
	j->table = NULL;
	j->done(j, NULL);
}

int
commit_hand_over(struct commit *c, struct commit_job *j, struct err *e)
{
	bool waits = j->wait_file && !planted(PLANT_FILE_NOT_AWAITED);
	struct filework_ticket *ticket = waits ? &j->ticket : NULL;

	return apply_files(c->s, c->catalog, &j->unit, j->position, 0, ticket,
	    e);
}

/*
 * While the journal is on its way to the disk: the file that somebody waits
 * for is made, where nobody sees it.
 */
void
commit_draft(struct commit *c, const struct commit_job *j)
{
	const struct change *change = j->unit.changes;
	const struct table *t;
	struct path_key key;

	if (j->unit.count != 1 || !change->bytes.p)
		return;
	t = catalog_id(c->catalog, change->table_id);
	if (t && path_key_of(t, &change->item, &key) == 0)
		filework_draft(c->s->filework, FILES_WRITER, t->name, &key,
		    j->position, change->bytes.p, change->bytes.n);
}

/*
 * The file threads get it, however long that takes: what they were not told
 * of, the next checkpoint would take for written.  Once the store is closing
 * it is left to the next start, and no mark moves any more.
 */
static void
hand_over(struct commit *c, struct commit_job *j)
{
	bool late = false;
	struct err e;

	while (commit_hand_over(c, j, &e) < 0 &&
	    !planted(PLANT_HANDED_OVER_ONCE)) {
		tell_trouble(c->s, e.text);
		late = true;
		if (atomic_load(&c->s->hurried)) {
			atomic_store(&c->s->files_lost, true);
			return;
		}
		rest();
	}
	if (late)
		tell_trouble(c->s, "");
}

/* Nothing was done for want of what may be there again soon: as FAULT_BUSY. */
static void
call_busy(struct err *e)
{
	if (e->code == ENOMEM || e->code == EMFILE || e->code == ENFILE)
		e->code = FAULT_BUSY;
}

/*
 * What was handed over.  A file that somebody waits for, and nothing else is
 * to be written, is written here: that takes less than waking a thread for it.
 */
void
commit_tell_one(struct commit *c, struct commit_job *j)
{
	struct filework *w = c->s->filework;

	if (commit_wrote(j) && j->wait_file) {
		if (c->alone && !planted(PLANT_FILE_NOT_AWAITED))
			filework_do_only(w, FILES_WRITER);
		filework_undraft(w);	/* if it came to nothing */
		filework_ticket_close(w, &j->ticket);
		return;
	}
	filework_undraft(w);
	table_free(j->table);
	j->table = NULL;
	call_busy(&j->error);
	j->done(j, j->failed ? &j->error : NULL);
}

void
commit_tell(struct commit *c, struct commit_job *jobs)
{
	struct store *s = c->s;
	struct commit_job *j, *next;

	for (j = jobs; j; j = next) {
		next = j->next;
		if (commit_wrote(j))
			hand_over(c, j);
		commit_tell_one(c, j);
	}
	filework_reach(s->filework, atomic_load(&s->visible));
}
