/*
 * The queue of the file threads: jobs by document, and in what order they run.
 * All but job_tell is called under the lock.
 */
#include "filework_internal.h"

#include "store/base/siphash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TURNS = 8 };		/* one of so many is for who waits longest */

static uint64_t hash_of(const struct filework *w, const struct job_order *o);
static struct job **find(struct filework *w, const struct job_order *o,
    uint64_t hash);
static bool is_for(const struct job *j, const struct job_order *o);
static int replace(struct filework *w, struct job *j,
    const struct job_order *o);
static struct job *job_new(const struct job_order *o, uint64_t hash);
static void job_free(struct job *j);
static int copy_image(const struct job_order *o, void **out);
static void add_ticket(struct job *j, struct filework_ticket *t);
static void make_void(struct filework *w, const struct job_table *t);
static void enqueue(struct filework *w, struct job *j);
static void stand(struct job_list *list, struct job *j);
static void step_out(struct job *j);
static void forget(struct filework *w, struct job *j);
static int64_t pause_of(struct filework *w, int64_t now_ms);
static void settle(struct job *j, int error, struct job_told *told);
static void remove_job(struct filework *w, struct job *j);
static void give_place(struct filework *w, const struct job *j,
    struct job *next);
static void left_table(struct filework *w, const struct job *j, bool gone);
static size_t weight(const struct job *j);

int
job_put(struct filework *w, const struct job_order *o)
{
	uint64_t hash = hash_of(w, o);
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
	w->status.bytes += weight(fresh);
	if (j)
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

	settle(j, error, told);
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

/* Without the lock: who is told may hand over more. */
void
job_tell(struct job_told *told)
{
	size_t i;

	for (i = 0; i < told->n; i++)
		told->tickets[i]->done(told->tickets[i],
		    told->tickets[i]->error);
	free(told->tickets);
	*told = (struct job_told){.n = 0};
}

void
job_end_all(struct filework *w)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&w->order); j; j = next) {
		struct job_told told;

		next = TAILQ_NEXT(j, order);
		settle(j, ECANCELED, &told);
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

static uint64_t
hash_of(const struct filework *w, const struct job_order *o)
{
	uint64_t out[2];

	siphash128(w->seed ^ (uint64_t)(uintptr_t)o->table, &o->kind,
	    sizeof o->kind, out);
	if (o->kind != JOB_DOCUMENT)
		return out[0];
	siphash128(out[0], o->key->hash.text.p, o->key->hash.text.n, out);
	if (o->key->ranged)
		siphash128(out[0], o->key->range.text.p, o->key->range.text.n,
		    out);
	return out[0];
}

/* Where the map points to the document's newest job, or would. */
static struct job **
find(struct filework *w, const struct job_order *o, uint64_t hash)
{
	struct job **place = &w->buckets[hash % FILEWORK_BUCKETS];

	while (*place && ((*place)->hash != hash || !is_for(*place, o)))
		place = &(*place)->chain;
	return place;
}

static bool
is_for(const struct job *j, const struct job_order *o)
{
	const struct path_key *a = &j->key, *b = o->key;

	if (j->table != o->table || j->kind != o->kind)
		return false;
	if (j->kind != JOB_DOCUMENT)
		return true;
	if (a->hash.type != b->hash.type || a->ranged != b->ranged ||
	    text_compare(&a->hash.text, &b->hash.text) != 0)
		return false;
	return !a->ranged || (a->range.type == b->range.type &&
	    text_compare(&a->range.text, &b->range.text) == 0);
}

/* The newer image takes the place of one that waits. */
static int
replace(struct filework *w, struct job *j, const struct job_order *o)
{
	void *image;

	if (copy_image(o, &image) == -1)
		return -1;
	w->status.bytes -= weight(j);
	w->status.replaced++;
	free(j->image);
	j->image = image;
	j->n = o->n;
	j->position = o->position;
	j->flags |= o->flags;
	w->status.bytes += weight(j);
	if (o->ticket)
		add_ticket(j, o->ticket);
	if (o->ticket && j->in == &w->ready) {
		step_out(j);
		stand(&w->urgent, j);
	}
	return 0;
}

static struct job *
job_new(const struct job_order *o, uint64_t hash)
{
	const struct path_key *k = o->key;
	size_t nhash = k ? k->hash.text.n : 0;
	size_t nrange = k && k->ranged ? k->range.text.n : 0;
	struct job *j = calloc(1, sizeof *j + nhash + nrange);

	if (!j || copy_image(o, &j->image) == -1) {
		free(j);
		return NULL;
	}
	j->hash = hash;
	j->kind = o->kind;
	j->table = o->table;
	j->since = j->position = o->position;
	j->n = o->n;
	j->flags = o->flags;
	j->nbytes = nhash + nrange;
	if (k) {
		j->key = *k;
		memcpy(j->bytes, k->hash.text.p, nhash);
		j->key.hash.text.p = j->bytes;
	}
	if (nrange) {
		memcpy(j->bytes + nhash, k->range.text.p, nrange);
		j->key.range.text.p = j->bytes + nhash;
	}
	if (o->ticket)
		add_ticket(j, o->ticket);
	return j;
}

static void
job_free(struct job *j)
{
	free(j->image);
	free(j->tickets);
	free(j);
}

static int
copy_image(const struct job_order *o, void **out)
{
	*out = NULL;
	if (!o->p)
		return 0;
	*out = malloc(o->n + 1);
	if (!*out)
		return -1;
	memcpy(*out, o->p, o->n);
	return 0;
}

/* Without memory the ticket is told so when it is closed. */
static void
add_ticket(struct job *j, struct filework_ticket *t)
{
	if (j->ntickets == j->tickets_room) {
		size_t room = j->tickets_room ? 2 * j->tickets_room : 2;
		struct filework_ticket **more = realloc(j->tickets,
		    room * sizeof *more);

		if (!more) {
			t->error = ENOMEM;
			return;
		}
		j->tickets = more;
		j->tickets_room = room;
	}
	j->tickets[j->ntickets++] = t;
	t->left++;
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

/* The job owes nothing to its tickets any more. */
static void
settle(struct job *j, int error, struct job_told *told)
{
	size_t i;

	*told = (struct job_told){.tickets = j->tickets};
	for (i = 0; i < j->ntickets; i++) {
		struct filework_ticket *t = j->tickets[i];

		if (error && !t->error)
			t->error = error;
		if (--t->left == 0 && t->closed)
			told->tickets[told->n++] = t;
	}
	j->tickets = NULL;
	j->ntickets = j->tickets_room = 0;
}

static void
remove_job(struct filework *w, struct job *j)
{
	forget(w, j);
	TAILQ_REMOVE(&w->order, j, order);
	w->status.documents--;
	w->status.bytes -= weight(j);
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

static size_t
weight(const struct job *j)
{
	return sizeof *j + j->nbytes + j->n;
}
