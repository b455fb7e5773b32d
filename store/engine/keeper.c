/*
 * The keeper: a thread for what happens by time.  It keeps a segment of the
 * journal ready, reads the index into memory after the start, moves documents
 * of growing tables, and submits the jobs of upkeep: items that expire, indexes
 * that are to be filled, what dropped tables left in the index, tokens that
 * nobody can use again.  Each job is short, so that clients' writes pass
 * between two of them.
 */
#include "store_internal.h"

#include "store/base/clock.h"
#include "store/value/fault.h"
#include "store/value/typed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	LOOK_MS = 50,
	PIECE = 100,		/* items in one job */
	TOKENS = 4096,		/* that one job forgets */
	EXPIRE_BYTES = 8 << 20,	/* of items read for one */
	DROP_PIECE = 1000,
	JOB_ROOM = 512 << 20
};

/* A job and who waits for it. */
struct upkeep {
	struct commit_job job;
	struct store *s;
	struct arena arena;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool over, ok, more;
	/* of a fill */
	const struct table *table;
	uint32_t index_id;
};

static void
over(struct commit_job *job, const struct err *failed)
{
	struct upkeep *u = (struct upkeep *)(void *)job;

	pthread_mutex_lock(&u->lock);
	u->over = true;
	u->ok = !failed;
	pthread_cond_signal(&u->wake);
	pthread_mutex_unlock(&u->lock);
}

static bool
is_ending(struct store *s)
{
	bool ending;

	pthread_mutex_lock(&s->lock);
	ending = s->ending;
	pthread_mutex_unlock(&s->lock);
	return ending;
}

/* Runs it to its end; true if there is more of the same to do, and time. */
static bool
do_job(struct upkeep *u, size_t bytes)
{
	struct err ignored;

	u->job.done = over;
	u->job.arena = &u->arena;
	u->job.bytes = bytes;
	u->over = u->more = false;
	arena_reset(&u->arena);
	commit_submit(u->s, &u->job);
	pthread_mutex_lock(&u->lock);
	while (!u->over)
		pthread_cond_wait(&u->wake, &u->lock);
	pthread_mutex_unlock(&u->lock);
	if (journal_wants_segment(u->s->journal))
		journal_prepare(u->s->journal, &ignored);
	return u->ok && u->more && !is_ending(u->s);
}

/* --- expiry -------------------------------------------------------------------- */

static int
expire_one(struct commit *c, struct arena *a, const struct index_due *due,
    int64_t now_s, struct err *e)
{
	const struct table *t = catalog_id(commit_catalog(c), due->table_id);
	struct commit_old old;
	struct value members;
	int64_t at_s;

	if (t && *t->ttl) {
		if (commit_get(c, &due->key, &old, e) < 0)
			return -1;
		if (old.there && index_expiry(t->ttl, &old.item, &at_s) &&
		    at_s <= now_s) {
			if (key_members(a, t, NULL, &old.item, &members, e) < 0)
				return -1;
			return commit_delete(c, t, &due->key, &members, &old,
			    e);
		}
	}
	commit_touched(c);
	return index_unexpire(commit_view(c), due, e);
}

static int
expire(struct commit_job *job, struct commit *c, struct err *e)
{
	struct upkeep *u = (struct upkeep *)(void *)job;
	int64_t now_s = commit_now_ms(c) / 1000;
	struct index_due due[PIECE];
	size_t n, i;

	if (index_due(commit_view(c), now_s, job->arena, due, PIECE, &n, e) <
	    0)
		return -1;
	commit_by_ttl(c);
	for (i = 0; i < n && job->arena->used < EXPIRE_BYTES; i++)
		if (expire_one(c, job->arena, &due[i], now_s, e) < 0)
			return -1;
	u->more = i < n || n == PIECE;
	return 0;
}

/* --- dropped tables --------------------------------------------------------------- */

static int
first_name(void *arg, const struct text *name, const struct text *note,
    struct err *e)
{
	char *room = arg;

	(void)note;
	(void)e;
	snprintf(room, 64, "%.*s", (int)name->n, name->p);
	return 1;
}

static int
clear(struct commit_job *job, struct commit *c, struct err *e)
{
	struct upkeep *u = (struct upkeep *)(void *)job;
	char name[64] = "";
	struct text n = {name, 0};
	const char *index;	/* NULL: all of the table */
	bool left;

	if (index_note_each(commit_view(c), &(struct text){"drop/", 5},
	        first_name, name, e) < 0)
		return -1;
	if (!*name)
		return 0;
	n.n = strlen(name);
	index = strchr(name + 5, '/');
	if (index_drop(commit_view(c), strtoull(name + 5, NULL, 16),
	        index ? (uint32_t)strtoul(index + 1, NULL, 10) : 0, DROP_PIECE,
	        &left, e) < 0)
		return -1;
	commit_touched(c);
	u->more = true;
	return left ? 0 : index_note_delete(commit_view(c), &n, e) < 0 ? -1 : 0;
}

/* --- tokens ------------------------------------------------------------------------- */

struct old_tokens {
	int64_t before_ms;
	struct arena *arena;
	struct text names[TOKENS];
	size_t count;
};

static int
take_old(void *arg, const struct text *name, const struct text *note,
    struct err *e)
{
	struct old_tokens *o = arg;
	char *copy;

	if (strtoll(note->p, NULL, 10) >= o->before_ms)
		return 0;
	copy = arena_copy(o->arena, name->p, name->n);
	if (!copy)
		return err_set(e, ENOMEM, "out of memory");
	o->names[o->count++] = (struct text){copy, name->n};
	return o->count == TOKENS;
}

static int
forget_tokens(struct commit_job *job, struct commit *c, struct err *e)
{
	struct upkeep *u = (struct upkeep *)(void *)job;
	struct old_tokens *o = arena_alloc(job->arena, sizeof *o);
	size_t i;

	if (!o)
		return err_set(e, ENOMEM, "out of memory");
	o->arena = job->arena;
	o->before_ms = commit_now_ms(c) - STORE_TOKEN_MS;
	o->count = 0;
	if (index_note_each(commit_view(c), &(struct text){"token/", 6},
	        take_old, o, e) < 0)
		return -1;
	for (i = 0; i < o->count; i++)
		if (index_note_delete(commit_view(c), &o->names[i], e) < 0)
			return -1;
	if (o->count)
		commit_touched(c);
	u->more = o->count == TOKENS;
	return 0;
}

/* --- indexes that fill ----------------------------------------------------------------- */

static const struct table_index *
filling(const struct table *t)
{
	size_t i;

	for (i = 0; i < t->nindexes; i++)
		if (t->indexes[i].filling)
			return &t->indexes[i];
	return NULL;
}

static int
fill_items(struct upkeep *u, struct commit *c, const struct table *t,
    const struct table_index *ix, struct text *last, struct err *e)
{
	struct key_range all;
	struct index_cursor *cursor;
	struct index_entry entry[1];
	struct text keys[PIECE], items[PIECE];
	struct value item;
	size_t n = 0, i;
	int rc = 0;

	if (key_range_scan(u->job.arena, t, NULL, 0, 1, &all, e) < 0 ||
	    (last->n &&
	        key_range_after(u->job.arena, &all, last, false, e) < 0))
		return -1;
	cursor = index_cursor_open(commit_view(c), NULL, &all, false, e);
	if (!cursor)
		return -1;
	while (n < PIECE && (rc = index_cursor_next(cursor, entry, e)) > 0) {
		keys[n] = (struct text){arena_copy(u->job.arena, entry->key.p,
		    entry->key.n), entry->key.n};
		items[n] = (struct text){arena_copy(u->job.arena,
		    entry->record.item.p, entry->record.item.n),
		    entry->record.item.n};
		if (!keys[n].p || !items[n].p)
			rc = err_set(e, ENOMEM, "out of memory");
		if (rc < 0)
			break;
		n++;
	}
	index_cursor_close(cursor);
	for (i = 0; rc >= 0 && i < n; i++) {
		rc = typed_read_item(u->job.arena, items[i].p, items[i].n,
		    &item, e);
		if (rc == 0)
			rc = index_fill(commit_view(c), t, ix, &keys[i], &item,
			    e);
	}
	if (n)
		*last = keys[n - 1];
	u->more = n == PIECE;
	return rc < 0 ? -1 : 0;
}

static int
fill(struct commit_job *job, struct commit *c, struct err *e)
{
	struct upkeep *u = (struct upkeep *)(void *)job;
	const struct table *t = catalog_id(commit_catalog(c), u->table->id);
	const struct table_index *ix = t ? filling(t) : NULL;
	struct text name, last = {NULL, 0}, note;
	char room[APPLY_NOTE];
	struct table *full;
	int rc;

	if (!t || (u->index_id ? !ix || ix->id != u->index_id
	                       : !t->ttl_filling))
		return 0;
	if (!u->index_id)
		ix = NULL;	/* its expiry */
	name = apply_note(room, "fill", u->table->id, u->index_id);
	rc = index_note_get(commit_view(c), &name, &note, e);
	if (rc < 0)
		return -1;
	if (rc > 0)
		last = (struct text){
		    arena_copy(job->arena, note.p, note.n), note.n};
	if (fill_items(u, c, t, ix, &last, e) < 0)
		return -1;
	commit_touched(c);
	if (u->more)
		return index_note_put(commit_view(c), &name, &last, e);
	if (index_note_delete(commit_view(c), &name, e) < 0 ||
	    apply_filled(commit_view(c), t, u->index_id, e) < 0)
		return -1;
	full = table_copy(t);
	if (!full)
		return err_set(e, ENOMEM, "out of memory");
	if (ix)
		full->indexes[ix - t->indexes].filling = false;
	else
		full->ttl_filling = false;
	commit_table(c, full);
	return 0;
}

static void
fill_all(struct upkeep *u)
{
	struct catalog *catalog = catalog_hold(&u->s->catalog);
	const struct table_index *ix;
	size_t i;

	for (i = 0; i < catalog->count; i++) {
		u->table = catalog->entries[i].table;
		ix = filling(u->table);
		if (u->table->ttl_filling)
			u->index_id = 0;	/* of its expiry */
		else if (ix)
			u->index_id = ix->id;
		else
			continue;
		u->job.run = fill;
		while (do_job(u, PIECE * 4096))
			;
	}
	catalog_release(&u->s->catalog, catalog);
}

/* --- the thread ----------------------------------------------------------------------------- */

/* Until it is time to look again; true at the end. */
static bool
rest(struct store *s)
{
	int64_t due_ms = clock_mono_ms() + LOOK_MS;
	struct timespec until = {due_ms / 1000, due_ms % 1000 * 1000000};
	bool ending;

	pthread_mutex_lock(&s->lock);
	if (!s->ending)
		pthread_cond_clockwait(&s->changed, &s->lock, CLOCK_MONOTONIC,
		    &until);
	ending = s->ending;
	pthread_mutex_unlock(&s->lock);
	return ending;
}

static void
sweep(struct upkeep *u)
{
	u->job.run = expire;
	while (do_job(u, PIECE * 512))
		;
	u->job.run = forget_tokens;
	while (do_job(u, PIECE * 64))
		;
}

static int64_t
sweep_ms(struct store *s)
{
	return s->options.ttl_sweep_ms ? s->options.ttl_sweep_ms
	                               : store_settings(s).ttl_sweep_ms;
}

static void *
keeper_main(void *arg)
{
	struct store *s = arg;
	int64_t swept_ms = INT64_MIN / 2;
	struct upkeep u = {.s = s};
	bool cold = true;
	struct err ignored;

	arena_init(&u.arena, JOB_ROOM);
	pthread_mutex_init(&u.lock, NULL);
	pthread_cond_init(&u.wake, NULL);
	do {
		if (journal_wants_segment(s->journal))
			journal_prepare(s->journal, &ignored);
		cold = cold && index_warm(s->index);
		files_grow(s->files, FILES_KEEPER, PIECE, &ignored);
		if (clock_mono_ms() - swept_ms >= sweep_ms(s)) {
			sweep(&u);
			swept_ms = clock_mono_ms();
		}
		u.job.run = clear;
		if (atomic_exchange(&s->dropping, false))
			while (do_job(&u, 4096))
				;
		fill_all(&u);
	} while (!rest(s));
	pthread_cond_destroy(&u.wake);
	pthread_mutex_destroy(&u.lock);
	arena_release(&u.arena);
	return NULL;
}

int
keeper_start(struct store *s, struct err *e)
{
	int rc = pthread_create(&s->keeper, NULL, keeper_main, s);

	if (rc) {
		errno = rc;
		return err_sys(e, "cannot start a thread");
	}
	s->keeper_runs = true;
	return 0;
}

void
keeper_stop(struct store *s)
{
	if (!s->keeper_runs)
		return;
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->keeper, NULL);
	s->keeper_runs = false;
}
