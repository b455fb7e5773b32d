/*
 * A batch: each job is run against index and open batch, its unit goes into
 * the journal, its changes into the batch; then the journal is synced, and the
 * index committed.  Runs in the thread that writes; tells nobody of anything.
 *
 * Where the map of the index was too small the batch is undone, in the journal
 * too, and run again.  Once the journal is synced nothing is undone.
 */
#include "commit_internal.h"

#include "store/base/plant.h"
#include "store/value/fault.h"

#include <errno.h>
#include <string.h>

enum {
	ITEM_ROOM = 4096,		/* what index_begin wants an item */
	TRIES = 8			/* of a batch whose map was too small */
};

/* --- one job ---------------------------------------------------------------- */

/* A token is remembered even where it changed nothing: it is done once. */
static bool
changes_something(const struct unit *u)
{
	return u->kind != UNIT_CHANGES || u->count > 0 || u->token.p;
}

bool
commit_wrote(const struct commit_job *j)
{
	return !j->failed && changes_something(&j->unit);
}

/* The unit as a line, in c->line. */
static int
write_line(struct commit *c, struct commit_job *j, struct err *e)
{
	struct unit *u = &j->unit;
	const struct table *t;
	struct buf b;
	char *copy;
	size_t i;

	buf_reset(&c->line);
	u->at_ms = c->now_ms;
	switch (u->kind) {
	case UNIT_CHANGES:
		unit_begin(&c->line, u);
		for (i = 0; i < u->count; i++)
			unit_add(&c->line, &u->changes[i], i == 0);
		unit_end(&c->line);
		break;
	case UNIT_TABLE:
		buf_init(&b, COMMIT_LINE_MAX);
		table_write(j->table, &b);
		copy = buf_ok(&b) ? arena_copy(j->arena, b.data, b.len) : NULL;
		u->table = (struct text){copy, b.len};
		buf_release(&b);
		if (!copy)
			return err_set(e, ENOMEM, "out of memory");
		unit_write_table(&c->line, c->now_ms, j->table);
		break;
	case UNIT_DROP:
		t = catalog_id(c->catalog, u->table_id);
		if (!t)
			return err_set(e, FAULT_NOT_FOUND,
			    "the table is gone already");
		u->name.n = strlen(t->name);
		u->name.p = arena_copy(j->arena, t->name, u->name.n);
		if (!u->name.p)
			return err_set(e, ENOMEM, "out of memory");
		unit_write_drop(&c->line, c->now_ms, t);
		break;
	}
	return buf_ok(&c->line) ? 0
	                        : err_set(e, FAULT_LIMIT,
	                              "the change takes too much memory");
}

/* True if it takes nothing: then it may use what is held back. */
static bool
only_deletes(const struct unit *u)
{
	size_t i;

	for (i = 0; i < u->count; i++)
		if (u->changes[i].bytes.p)
			return false;
	return u->kind != UNIT_TABLE;
}

static int
check_room(struct commit *c, const struct commit_job *j, struct err *e)
{
	bool deletes = only_deletes(&j->unit);
	struct filework_status w;

	if (c->full && !deletes) {
		filework_status(c->s->filework, &w);
		return err_set(e, FAULT_NO_ROOM, "writes wait for the disk: "
		    "%s", w.text);
	}
	return room_check(&c->s->room, c->line.len, j->unit.count, deletes, e);
}

enum outcome { JOB_STANDS, JOB_FAILED, JOB_FULL, JOB_AGAIN, JOB_BROKEN };

/*
 * Runs a job into the open batch.  JOB_FULL: the journal's batch is full, the
 * job comes first in the next; JOB_AGAIN: the batch is to be run again;
 * JOB_BROKEN: the batch can only be aborted.
 */
static enum outcome
run_job(struct commit *c, struct commit_job *j)
{
	struct err *e = &j->error;
	struct iovec iov;

	c->job = j;
	filework_ticket_init(&j->ticket, commit_filed, j);
	j->unit = (struct unit){.kind = UNIT_CHANGES};
	j->room = 0;
	j->failed = true;
	*e = (struct err){0};
	if (j->run(j, c, e) < 0)
		return e->code == FAULT_INTERNAL ? JOB_BROKEN
		    : e->code == FAULT_BUSY ? JOB_AGAIN : JOB_FAILED;
	if (!changes_something(&j->unit)) {
		j->failed = false;
		return JOB_STANDS;
	}
	if (write_line(c, j, e) < 0 || check_room(c, j, e) < 0)
		return JOB_FAILED;
	iov = (struct iovec){c->line.data, c->line.len};
	j->position = journal_end(c->s->journal);
	if (journal_add(c->s->journal, &iov, 1, &j->position, e) < 0)
		return e->code == FAULT_BUSY ? JOB_FULL : JOB_FAILED;
	j->position -= c->line.len + JOURNAL_OVERHEAD;
	if (apply_index(c->view, c->catalog, j->arena, &j->unit, c->olds,
	        j->position, e) < 0)
		return e->code == FAULT_BUSY ? JOB_AGAIN : JOB_BROKEN;
	j->failed = false;
	return JOB_STANDS;
}

/* --- a batch ---------------------------------------------------------------- */

size_t
commit_room_of(const struct commit_job *jobs)
{
	size_t room = 0;

	for (; jobs; jobs = jobs->next)
		room += 4 * jobs->bytes + ITEM_ROOM;
	return room;
}

static void
fail_all(struct commit_job *jobs, const struct err *e)
{
	for (; jobs; jobs = jobs->next) {
		jobs->failed = true;
		jobs->error = *e;
	}
}

void
commit_leave_in_doubt(struct commit_job *jobs, const struct err *e)
{
	for (; jobs; jobs = jobs->next) {
		bool in_doubt = commit_wrote(jobs);

		jobs->failed = true;
		if (in_doubt && !planted(PLANT_DOUBT_REFUSED))
			err_set(&jobs->error, FAULT_UNKNOWN_OUTCOME,
			    "nobody knows whether this was done before the "
			    "store is started again: %s", e->text);
		else
			jobs->error = *e;
	}
}

/* Cuts the list behind (or with `before`, before) `j`: the rest. */
static struct commit_job *
cut(struct commit_job **jobs, struct commit_job *j, bool before)
{
	struct commit_job **at = jobs, *rest;

	while (*at != j)
		at = &(*at)->next;
	if (!before)
		at = &(*at)->next;
	rest = *at;
	*at = NULL;
	return rest;
}

/* A mistake: one that failed has nothing to wait for, and leaves the list. */
static void
tell_at_once(struct commit *c, struct commit_job *jobs, struct commit_job *j)
{
	while (jobs->next != j)
		jobs = jobs->next;
	jobs->next = j->next;
	commit_tell_one(c, j);
}

/*
 * Runs the jobs into index and journal, neither visible nor synced yet.
 * 0; 1: run it again; -1 with *e.  What doesn't fit goes back to the queue.
 */
static int
run_batch(struct commit *c, struct commit_job **jobs, struct err *e)
{
	struct commit_job *j, *next;

	c->view = index_begin(c->s->index, commit_room_of(*jobs), e);
	if (!c->view)
		return e->code == FAULT_BUSY ? 1 : -1;
	c->jobs = *jobs;
	for (j = *jobs; j; j = next) {
		next = j->next;
		switch (run_job(c, j)) {
		case JOB_FAILED:
			if (planted(PLANT_CONDITION_UNSYNCED) && j != *jobs) {
				tell_at_once(c, *jobs, j);
				continue;
			}
			break;
		case JOB_STANDS:
			break;
		case JOB_FULL:
			if (j == *jobs) {	/* alone it is too long */
				err_set(&j->error, FAULT_LIMIT,
				    "the change is too long for the journal");
				break;
			}
			commit_queue_give_back(&c->s->queue, cut(jobs, j, true));
			return 0;
		case JOB_AGAIN:
			return 1;
		case JOB_BROKEN:
			*e = j->error;
			return -1;
		}
		if (!j->failed && j->unit.kind != UNIT_CHANGES) {
			/* Those behind it are to see the other table. */
			commit_queue_give_back(&c->s->queue, cut(jobs, j, false));
			return 0;
		}
	}
	return 0;
}

static void
undo(struct commit *c, uint64_t end)
{
	if (c->view)
		index_abort(c->view);
	c->view = NULL;
	journal_drop(c->s->journal, end);
}

int
commit_make_known(struct store *s, const struct commit_job *jobs, struct err *e)
{
	for (; jobs; jobs = jobs->next) {
		if (jobs->failed || jobs->unit.kind == UNIT_CHANGES)
			continue;
		if (apply_table(s, &jobs->unit, e) < 0 &&
		    !planted(PLANT_TABLE_UNKNOWN))
			return -1;
		atomic_store(&s->dropping, true);
	}
	return 0;
}

/* False if index or catalogue can't take what the journal has. */
static bool
make_visible(struct commit *c, struct commit_job *jobs, uint64_t before)
{
	struct store *s = c->s;
	uint64_t end = journal_end(s->journal);
	struct err e;

	if (end == before && !c->touched) {	/* nothing to commit */
		index_abort(c->view);
		return true;
	}
	if (index_commit(c->view, end, &e) < 0)
		return false;
	atomic_store(&s->visible, end);
	return commit_make_known(s, jobs, &e) == 0;
}

/* A mistake: what the journal doesn't have yet can be read. */
static void
show_early(struct commit *c, uint64_t before)
{
	struct err e;

	c->behind = index_commit(c->view, before, &e) == 0;
	c->view = NULL;
}

void
commit_write(struct commit *c, struct commit_job **batch)
{
	struct store *s = c->s;
	uint64_t before = journal_end(s->journal);
	struct commit_job *jobs = *batch;
	struct err e = {0};
	int tries, rc = 1;

	c->behind = false;
	if (atomic_load(&s->broken))
		rc = err_set(&e, FAULT_READ_ONLY, "the disk failed; the "
		    "store is about to be opened again");
	for (tries = 0; rc == 1 && tries < TRIES; tries++) {
		c->view = NULL;
		c->touched = false;
		rc = run_batch(c, &jobs, &e);
		if (rc)
			undo(c, before);
	}
	*batch = jobs;
	if (rc == 1)
		err_set(&e, FAULT_BUSY, "the index could not grow for the "
		    "change; try again");
	if (rc) {
		fail_all(jobs, &e);
		return;
	}
	if (planted(PLANT_READ_UNSYNCED))
		show_early(c, before);
	if (c->alone && commit_wrote(jobs) && jobs->wait_file) {
		journal_send(s->journal);
		commit_draft(c, jobs);
	}
	if (journal_sync(s->journal, &e) < 0 &&
	    !planted(PLANT_SYNC_ERROR_IGNORED)) {
		undo(c, before);
		commit_leave_in_doubt(jobs, &e);
	} else if (!c->behind) {
		c->behind = !make_visible(c, jobs, before);
	}
}
