/*
 * Token buckets by name, for meter.h.
 */
#include "meter.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME_MAX_BYTES = 64 };

struct bucket {
	double tokens;
	int64_t at_ms;			/* when there were so many */
};

void
meters_init(struct meters *m)
{
	pthread_mutex_init(&m->lock, NULL);
	map_init(&m->buckets);
}

/* All full again. */
static void
forget(struct meters *m)
{
	size_t i;

	for (i = 0; i < m->buckets.count; i++)
		free(m->buckets.entries[i].value);
	map_release(&m->buckets);
	map_init(&m->buckets);
}

void
meters_release(struct meters *m)
{
	forget(m);
	map_release(&m->buckets);
	pthread_mutex_destroy(&m->lock);
}

/* A full one where none is known; NULL without memory, and nothing is held. */
static struct bucket *
find(struct meters *m, const struct meter_name *name, uint64_t limit,
    int64_t now_ms)
{
	char text[NAME_MAX_BYTES];
	size_t n = (size_t)snprintf(text, sizeof text, "%llx/%lx/%d",
	    (unsigned long long)name->table, (unsigned long)name->index,
	    name->write);
	struct bucket *b = map_get(&m->buckets, text);

	if (b)
		return b;
	if (m->buckets.count >= METERS_MAX)
		forget(m);
	b = malloc(sizeof *b);
	if (!b)
		return NULL;
	*b = (struct bucket){(double)limit * METER_BURST_S, now_ms};
	if (map_set(&m->buckets, text, n, b, NULL) == 0)
		return b;
	free(b);
	return NULL;
}

/* Brought up to now. */
static void
fill(struct bucket *b, uint64_t limit, int64_t now_ms)
{
	double most = (double)limit * METER_BURST_S;

	if (now_ms > b->at_ms)
		b->tokens += (double)limit * (double)(now_ms - b->at_ms) /
		    1000;
	b->at_ms = now_ms;
	if (b->tokens > most)
		b->tokens = most;
}

bool
meter_has(struct meters *m, const struct meter_name *name, uint64_t limit,
    double used, int64_t now_ms)
{
	struct bucket *b;
	bool has = true;

	pthread_mutex_lock(&m->lock);
	b = find(m, name, limit, now_ms);
	if (b) {
		fill(b, limit, now_ms);
		has = b->tokens > used;
	}
	pthread_mutex_unlock(&m->lock);
	return has;
}

void
meter_take(struct meters *m, const struct meter_name *name, uint64_t limit,
    double units, int64_t now_ms)
{
	struct bucket *b;

	pthread_mutex_lock(&m->lock);
	b = find(m, name, limit, now_ms);
	if (b) {
		fill(b, limit, now_ms);
		b->tokens -= units;
	}
	pthread_mutex_unlock(&m->lock);
}
