/*
 * The queue of the file threads: jobs by document, and in what order they run.
 * All of it is called under the lock.
 */
#include "filework_internal.h"

#include "store/base/plant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TURNS = 8 };		/* one of so many is for who waits longest */

static struct job **find(struct filework *w, const struct job_order *o,
    uint64_t hash);
static int replace(struct filework *w, struct job *j,
    const struct job_order *o);
static void make_void(struct filework *w, const struct job_table *t);
static void enqueue(struct filework *w, struct job *j);
static void stand(struct job_list *list, struct job *j);
static void step_out(struct job *j);
static void forget(struct filework *w, struct job *j);
static int64_t pause_of(struct filework *w, int64_t now_ms);
static void remove_job(struct filework *w, struct job *j);
static void give_place(struct filework *w, const struct job *j,
    struct job *next);
static void left_table(struct filework *w, const struct job *j, bool gone);

int
job_put(struct filework *w, const struct job_order *o)
{
	uint64_t hash = job_hash(w, o);
	struct job **place = find(w, o, hash), *j = *place;
	struct job *fresh;

	if (j && !j->running) {
		if (replace(w, j, o) == -1)
			return -1;
		if (o->kind == JOB_DROP)
			make_void(w, o->table);
		return 0;
	}
	fresh = job_new(o, hash);
	if (!fresh)
		return -1;
	if (o->kind == JOB_DROP) {
		make_void(w, o->table);
		o->table->dropping++;
		place = find(w, o, hash);
	}
	fresh->chain = j ? j->chain : NULL;
	*place = fresh;
	TAILQ_INSERT_TAIL(&w->order, fresh, order);
	w->status.documents++;
	w->status.bytes += job_weight(fresh);
	if (j && !planted(PLANT_FILES_OUT_OF_ORDER))
		j->blocked = fresh;
	else
		enqueue(w, fresh);
	return 0;
}

struct job *
job_take(struct filework *w, int64_t now_ms)
{
	struct job *j = TAILQ_FIRST(&w->later);

	if (!j || j->retry_ms > now_ms) {
		struct job *first = TAILQ_FIRST(&w->urgent);
		struct job *second = TAILQ_FIRST(&w->ready);

		j = !first || (second && w->turns % TURNS == TURNS - 1) ?
		    second : first;
	}
	if (!j)
		return NULL;
	w->turns++;
	step_out(j);
	j->running = true;
	if (j->kind != JOB_DROP)
		j->table->running++;
	return j;
}

void
job_done(struct filework *w, struct job *j, int error, int64_t now_ms,
    struct job_told *told)
{
	struct job *next = j->blocked;

	job_settle(j, error, told);
	j->running = false;
	j->blocked = NULL;
	if (j->kind != JOB_DROP)
		j->table->running--;
	if (error) {
		w->status.failures++;
		j->retry_ms = now_ms + pause_of(w, now_ms);
	} else {
		w->status.written += !j->is_void;
		w->pause_ms = 0;
	}
	w->status.error = error;
	if (error && next)
		give_place(w, j, next);
	left_table(w, j, !error || next);
	if (error && !next)
		stand(&w->later, j);
	else
		remove_job(w, j);
	if (next)
		enqueue(w, next);
}

/* Longer after each round of failures without a success between. */
static int64_t
pause_of(struct filework *w, int64_t now_ms)
{
	if (w->pause_ms == 0)
		w->pause_ms = FILEWORK_RETRY_MS;
	else if (now_ms >= w->paused_ms + w->pause_ms)
		w->pause_ms *= 2;
	else
		return w->pause_ms;
	if (w->pause_ms > FILEWORK_RETRY_MAX_MS)
		w->pause_ms = FILEWORK_RETRY_MAX_MS;
	w->paused_ms = now_ms;
	return w->pause_ms;
}

void
job_end_all(struct filework *w)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&w->order); j; j = next) {
		struct job_told told;

		next = TAILQ_NEXT(j, order);
		job_settle(j, ECANCELED, &told);
		job_free(j);
		job_tell(&told);
	}
	TAILQ_INIT(&w->order);
}

struct job_table *
job_table(struct filework *w, const char *name)
{
	struct job_table *t = map_get(&w->tables, name);

	if (t)
		return t;
	t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	snprintf(t->name, sizeof t->name, "%s", name);
	TAILQ_INIT(&t->held);
	if (map_set(&w->tables, name, strlen(name), t, NULL) == 0)
		return t;
	free(t);
	return NULL;
}

/* Where the map points to the document's newest job, or would. */
static struct job **
find(struct filework *w, const struct job_order *o, uint64_t hash)
{
	struct job **place = &w->buckets[hash % FILEWORK_BUCKETS];

	while (*place && ((*place)->hash != hash || !job_is_for(*place, o)))
		place = &(*place)->chain;
	return place;
}

/* The newer image takes the place of one that waits. */
static int
replace(struct filework *w, struct job *j, const struct job_order *o)
{
	size_t before = job_weight(j);

	if (job_replace(j, o) == -1)
		return -1;
	w->status.bytes += job_weight(j) - before;
	w->status.replaced++;
	if (o->ticket && j->in == &w->ready) {
		step_out(j);
		stand(&w->urgent, j);
	}
	return 0;
}

/* What waits for a table that goes needs not be written any more. */
static void
make_void(struct filework *w, const struct job_table *t)
{
	struct job *j;

	for (j = TAILQ_FIRST(&w->order); j; j = TAILQ_NEXT(j, order)) {
		if (j->table != t || j->kind == JOB_DROP || j->is_void)
			continue;
		if (j->running) {
			j->blocked = NULL;
			continue;
		}
		if (j->in)
			step_out(j);
		forget(w, j);
		w->status.bytes -= j->n;
		free(j->image);
		j->image = NULL;
		j->n = 0;
		j->is_void = true;
		stand(&w->ready, j);
	}
}

/* Puts a job that may have to wait for its table where it belongs. */
static void
enqueue(struct filework *w, struct job *j)
{
	struct job_table *t = j->table;

	if (j->kind == JOB_DROP && t->running > 0)
		t->drop = j;
	else if (j->kind != JOB_DROP && t->dropping > 0 && !j->is_void)
		stand(&t->held, j);
	else
		stand(j->ntickets ? &w->urgent : &w->ready, j);
}

static void
stand(struct job_list *list, struct job *j)
{
	TAILQ_INSERT_TAIL(list, j, place);
	j->in = list;
}

static void
step_out(struct job *j)
{
	TAILQ_REMOVE(j->in, j, place);
	j->in = NULL;
}

/* Takes it out of the map, if it stands there. */
static void
forget(struct filework *w, struct job *j)
{
	struct job **place = &w->buckets[j->hash % FILEWORK_BUCKETS];

	while (*place && *place != j)
		place = &(*place)->chain;
	if (*place)
		*place = j->chain;
	j->chain = NULL;
}

static void
remove_job(struct filework *w, struct job *j)
{
	forget(w, j);
	TAILQ_REMOVE(&w->order, j, order);
	w->status.documents--;
	w->status.bytes -= job_weight(j);
	job_free(j);
}

/* The image behind one that failed stands for both. */
static void
give_place(struct filework *w, const struct job *j, struct job *next)
{
	struct job *before = TAILQ_PREV(j, job_list, order);

	next->since = j->since;
	next->flags |= j->flags;
	TAILQ_REMOVE(&w->order, next, order);
	if (before)
		TAILQ_INSERT_AFTER(&w->order, before, next, order);
	else
		TAILQ_INSERT_HEAD(&w->order, next, order);
}

/* What waited for the table may go on. */
static void
left_table(struct filework *w, const struct job *j, bool gone)
{
	struct job_table *t = j->table;
	struct job *held;

	if (t->running == 0 && t->drop) {
		held = t->drop;
		t->drop = NULL;
		enqueue(w, held);
	}
	if (j->kind != JOB_DROP || !gone || --t->dropping > 0)
		return;
	while ((held = TAILQ_FIRST(&t->held)) != NULL) {
		step_out(held);
		enqueue(w, held);
	}
}
