/*
 * The writer, as commit.h describes it.
 *
 * A batch: take what waits; run each job against index and open batch, its
 * unit into the journal, its changes into the batch; sync the journal; commit
 * the index; hand the documents to the file threads; tell everyone.
 *
 * Where the map of the index was too small the batch is undone, in the journal
 * too, and run again.  Once the journal is synced nothing is undone: if the
 * index can't take it (a full disk), the writer tries again from the journal
 * until it can, and nobody is told before.
 */
#include "store_internal.h"

#include "store/base/clock.h"
#include "store/base/plant.h"
#include "store/value/fault.h"
#include "store/value/typed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	ITEM_ROOM = 4096,		/* what index_begin wants an item */
	TRIES = 8,			/* of a batch whose map was too small */
	RETRY_MS = 100,
	CATCH_UP_TRIES = 20,
	LINE_MAX_BYTES = 64 << 20,
	CHANGES_FIRST = 4
};

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

/* --- what a job does in its run() ------------------------------------------- */

struct index_view *
commit_view(struct commit *c)
{
	return c->view;
}

const struct catalog *
commit_catalog(struct commit *c)
{
	return c->catalog;
}

int64_t
commit_now_ms(struct commit *c)
{
	return c->now_ms;
}

int
commit_get(struct commit *c, const struct text *key, struct commit_old *old,
    struct err *e)
{
	struct index_record r;
	int rc = index_get(c->view, key, &r, e);
	char *copy;

	*old = (struct commit_old){.item.type = VALUE_M};
	if (rc <= 0)
		return rc;
	copy = arena_copy(c->job->arena, r.item.p, r.item.n);
	if (!copy)
		return err_set(e, FAULT_LIMIT, "the request takes too much "
		    "memory");
	old->there = true;
	old->bytes = (struct text){copy, r.item.n};
	return typed_read_item(c->job->arena, copy, r.item.n, &old->item, e);
}

/* Room for one more change: its index, or -1. */
static int
add(struct commit *c, const struct table *t, const struct text *key,
    const struct commit_old *old, struct change *change, struct err *e)
{
	struct commit_job *j = c->job;
	struct unit *u = &j->unit;
	size_t room = j->room ? 2 * j->room : CHANGES_FIRST;
	struct change *changes;
	struct applied *olds;
	struct value *before = NULL;

	if (old->there) {
		before = arena_alloc(j->arena, sizeof *before);
		if (!before)
			return err_set(e, FAULT_LIMIT, "the request takes too "
			    "much memory");
		*before = old->item;	/* the caller's may be on its stack */
	}
	if (u->count == j->room) {
		changes = arena_array(j->arena, room, sizeof *changes);
		olds = arena_array(j->arena, room, sizeof *olds);
		if (!changes || !olds)
			return err_set(e, FAULT_LIMIT, "the request takes too "
			    "much memory");
		if (u->count) {
			memcpy(changes, u->changes, u->count * sizeof *changes);
			memcpy(olds, c->olds, u->count * sizeof *olds);
		}
		u->changes = changes;
		c->olds = olds;
		j->room = room;
	}
	change->table_id = t->id;
	if (old->there && t->stream != STREAM_OFF)
		change->old = old->bytes;
	u->changes[u->count] = *change;
	c->olds[u->count++] = (struct applied){t, *key, before};
	return 0;
}

int
commit_put(struct commit *c, const struct table *t, const struct text *key,
    const struct commit_old *old, const struct value *item, struct err *e)
{
	struct change change = {.item = *item, .key.type = VALUE_M};
	struct buf b;
	char *copy;

	buf_init(&b, VALUE_ITEM_MAX * 8);
	typed_write_item(&b, item);
	copy = buf_ok(&b) ? arena_copy(c->job->arena, b.data, b.len) : NULL;
	change.bytes = (struct text){copy, b.len};
	buf_release(&b);
	if (!copy)
		return err_set(e, FAULT_LIMIT, "the request takes too much "
		    "memory");
	return add(c, t, key, old, &change, e);
}

int
commit_delete(struct commit *c, const struct table *t,
    const struct text *key, const struct value *members,
    const struct commit_old *old, struct err *e)
{
	struct change change = {.key = *members, .item.type = VALUE_M};

	return add(c, t, key, old, &change, e);
}

void
commit_token(struct commit *c, const struct text *token,
    const struct text *hash)
{
	c->job->unit.token = *token;
	c->job->unit.token_hash = *hash;
}

int
commit_token_find(struct commit *c, const struct text *token,
    struct text *hash, struct err *e)
{
	char name[8 + UNIT_TOKEN_MAX + 1];
	struct text n = {name, 0}, note;
	const char *space;
	int rc;

	n.n = (size_t)snprintf(name, sizeof name, "token/%.*s", (int)token->n,
	    token->p);
	rc = index_note_get(c->view, &n, &note, e);
	if (rc <= 0)
		return rc;
	space = memchr(note.p, ' ', note.n);
	if (!space || c->now_ms - strtoll(note.p, NULL, 10) > STORE_TOKEN_MS)
		return 0;
	hash->n = (size_t)(note.p + note.n - space - 1);
	hash->p = arena_copy(c->job->arena, space + 1, hash->n);
	return hash->p ? 1 : err_set(e, FAULT_LIMIT, "out of memory");
}

void
commit_by_ttl(struct commit *c)
{
	c->job->unit.by_ttl = true;
}

void
commit_table(struct commit *c, struct table *t)
{
	const struct table *old = catalog_id(c->catalog, t->id);

	if (t->stream != STREAM_OFF &&
	    (!old || old->stream_since_ms != t->stream_since_ms))
		t->stream_from = (int64_t)journal_end(c->s->journal);
	c->job->unit.kind = UNIT_TABLE;
	table_free(c->job->table);
	c->job->table = t;
}

void
commit_drop(struct commit *c, uint64_t table_id)
{
	c->job->unit.kind = UNIT_DROP;
	c->job->unit.table_id = table_id;
}

void
commit_touched(struct commit *c)
{
	c->touched = true;
}

int
commit_each_earlier(struct commit *c,
    int (*each)(void *arg, const struct unit *u, struct err *e), void *arg,
    struct err *e)
{
	const struct commit_job *j;
	int rc = 0;

	for (j = c->jobs; rc == 0 && j != c->job; j = j->next)
		if (!j->failed)
			rc = each(arg, &j->unit, e);
	return rc;
}

int
commit_table_id(struct commit *c, uint64_t *id, struct err *e)
{
	static const struct text NAME = {"next table", 10};
	struct text note;
	char text[24];
	int rc = index_note_get(c->view, &NAME, &note, e);

	if (rc < 0)
		return -1;
	snprintf(text, sizeof text, "%.*s", rc ? (int)note.n : 1,
	    rc ? note.p : "1");
	*id = strtoull(text, NULL, 10);
	return 0;
}

/* --- one job ---------------------------------------------------------------- */

/* Its files lie there: told by who wrote the last. */
static void
filed(struct filework_ticket *t, int error)
{
	struct commit_job *j = t->arg;

	(void)error;	/* the write stands; its file comes later */
	table_free(j->table);
	j->table = NULL;
	j->done(j, NULL);
}

/* A token is remembered even where it changed nothing: it is done once. */
static bool
changes_something(const struct unit *u)
{
	return u->kind != UNIT_CHANGES || u->count > 0 || u->token.p;
}

static bool
wrote(const struct commit_job *j)
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
		buf_init(&b, LINE_MAX_BYTES);
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
	filework_ticket_init(&j->ticket, filed, j);
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

static size_t
room_of(const struct commit_job *jobs)
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

/*
 * Their sync failed: what they wrote may be found at the next start, or not.
 * Those that wrote nothing are refused, since what they saw may not last.
 */
static void
leave_in_doubt(struct commit_job *jobs, const struct err *e)
{
	for (; jobs; jobs = jobs->next) {
		bool in_doubt = wrote(jobs);

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

/*
 * Runs the jobs into index and journal, neither visible nor synced yet.
 * 0; 1: run it again; -1 with *e.  What doesn't fit goes back to the queue.
 */
static int
run_batch(struct commit *c, struct commit_job **jobs, struct err *e)
{
	struct commit_job *j;

	c->view = index_begin(c->s->index, room_of(*jobs), e);
	if (!c->view)
		return e->code == FAULT_BUSY ? 1 : -1;
	c->jobs = *jobs;
	for (j = *jobs; j; j = j->next) {
		switch (run_job(c, j)) {
		case JOB_STANDS:
		case JOB_FAILED:
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

/* The tables of a batch, which the index has, are known to all. */
static int
make_known(struct store *s, const struct commit_job *jobs, struct err *e)
{
	for (; jobs; jobs = jobs->next) {
		if (jobs->failed || jobs->unit.kind == UNIT_CHANGES)
			continue;
		if (apply_table(s, &jobs->unit, e) < 0)
			return -1;
		atomic_store(&s->dropping, true);
	}
	return 0;
}

static int
bring_up(struct store *s, const struct commit_job *jobs, struct err *e)
{
	if (apply_journal(s, 0, false, e) < 0 || make_known(s, jobs, e) < 0)
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

/* False if index or catalogue can't take what the journal has. */
static bool
make_visible(struct commit *c, struct commit_job *jobs, uint64_t before)
{
	struct store *s = c->s;
	uint64_t end = journal_end(s->journal);
	struct err e;

	if (end == before && !c->touched) {	/* nothing changed: nothing to commit */
		index_abort(c->view);
		return true;
	}
	if (index_commit(c->view, end, &e) < 0)
		return false;
	atomic_store(&s->visible, end);
	return make_known(s, jobs, &e) == 0;
}

static void
make_visible_late(struct commit *c, struct commit_job *jobs)
{
	struct err e;

	if (catch_up(c->s, jobs))
		return;
	err_set(&e, FAULT_UNKNOWN_OUTCOME, "the index failed");
	leave_in_doubt(jobs, &e);
}

/* --- telling ------------------------------------------------------------------ */

static int
try_hand_over(struct commit *c, struct commit_job *j, struct err *e)
{
	bool waits = j->wait_file && !planted(PLANT_FILE_NOT_AWAITED);
	struct filework_ticket *ticket = waits ? &j->ticket : NULL;

	return apply_files(c->s, c->catalog, &j->unit, j->position, 0, ticket,
	    e);
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

	while (try_hand_over(c, j, &e) < 0 &&
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
static void
tell_one(struct commit *c, struct commit_job *j)
{
	struct filework *w = c->s->filework;

	if (wrote(j) && j->wait_file) {
		if (c->alone && !planted(PLANT_FILE_NOT_AWAITED))
			filework_do_only(w, FILES_WRITER);
		filework_ticket_close(w, &j->ticket);
		return;
	}
	table_free(j->table);
	j->table = NULL;
	call_busy(&j->error);
	j->done(j, j->failed ? &j->error : NULL);
}

static void
tell(struct commit *c, struct commit_job *jobs)
{
	struct store *s = c->s;
	struct commit_job *j, *next;

	for (j = jobs; j; j = next) {
		next = j->next;
		if (wrote(j))
			hand_over(c, j);
		tell_one(c, j);
	}
	filework_reach(s->filework, atomic_load(&s->visible));
}

/* --- whole batches -------------------------------------------------------------- */

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

/* c->behind if the journal has it, and the index could not take it. */
static void
write_batch(struct commit *c, struct commit_job **batch)
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
	} else if (journal_sync(s->journal, &e) < 0 &&
	    !planted(PLANT_SYNC_ERROR_IGNORED)) {
		undo(c, before);
		leave_in_doubt(jobs, &e);
	} else {
		c->behind = !make_visible(c, jobs, before);
	}
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
			write_batch(c, &jobs);
		if (c->behind)
			make_visible_late(c, jobs);
		tell(c, jobs);
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
	return index_is_at_hand(c->s->index, room_of(job)) &&
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
	write_batch(c, &job);
	over = !c->behind && (!wrote(job) || try_hand_over(c, job, &e) == 0);
	if (over) {
		tell_one(c, job);
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
	buf_init(&s->commit->line, LINE_MAX_BYTES);
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
