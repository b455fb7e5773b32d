/*
 * The history's figures: its packs and commits, how far it reaches back, and by
 * how much it grew in a day.  Runs in the checkpoint's thread and where figures
 * are asked for.
 *
 * The growth of a day is the difference to what the packs weighed at the full
 * hour of the day before.  A start knows nothing of that: it takes each pack to
 * have been there since its newest commit, so that nothing has to be kept.
 */
#include "history_read.h"
#include "thin.h"

#include "store/base/clock.h"

enum { HOUR_S = 3600 };

/* --- what the packs weigh ------------------------------------------------- */

void
history_count_bytes(struct history *h, int64_t delta)
{
	int64_t hour = clock_wall_ms() / 1000 / HOUR_S;
	size_t i = (size_t)(hour % HISTORY_SAMPLES);

	pthread_mutex_lock(&h->mutex);
	if (h->samples[i].hour != hour) {
		h->samples[i].hour = hour;
		h->samples[i].bytes = h->pack_bytes;
	}
	h->pack_bytes = (uint64_t)((int64_t)h->pack_bytes + delta);
	pthread_mutex_unlock(&h->mutex);
}

static uint64_t
weight_of(const struct pack_set *s)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		bytes += s->files[i].bytes;
	return bytes;
}

int
history_weigh(struct history *h, struct err *e)
{
	struct pack_set s;
	uint64_t bytes;
	int r = pack_set_read(h->pack_fd, &s, e);

	bytes = weight_of(&s);
	pack_set_release(&s);
	if (r)
		return -1;
	pthread_mutex_lock(&h->mutex);
	h->pack_bytes = bytes;
	pthread_mutex_unlock(&h->mutex);
	history_count_bytes(h, 0);
	return 0;
}

/* --- the day before this start ---------------------------------------------- */

struct recall {
	int64_t now;			/* in hours since 1970 */
	uint64_t before[HISTORY_SAMPLES];	/* position at now - i, once
						   `walked` */
	bool walked;
	int at;
};

static int
look_before(void *ctx, const struct history_raw *raw)
{
	struct recall *r = ctx;

	while (r->at < HISTORY_SAMPLES &&
	    raw->public.time_ms / 1000 < (r->now - r->at) * HOUR_S)
		r->before[r->at++] = raw->public.position;
	return r->at == HISTORY_SAMPLES;
}

/*
 * What of a pack came in the last hours, of which this one has only begun.  One
 * that an erasure wrote holds all times: it is divided as the journal's
 * positions are.  That of all commits is written anew each time, and grows by
 * little.
 */
static int
bytes_of(struct history *h, struct recall *r, const struct pack_file *f,
    int hours, uint64_t *bytes, struct err *e)
{
	const struct pack_span *s = &f->span;
	uint64_t before;

	*bytes = 0;
	if (!f->own || s->time_s < (r->now - hours) * HOUR_S ||
	    s->level == THIN_LEVEL_CHAIN)
		return 0;
	*bytes = f->bytes;
	if (s->level != THIN_LEVEL_ALL)
		return 0;
	if (!r->walked && history_walk(&h->own, look_before, r, e))
		return -1;
	r->walked = true;
	before = r->before[hours];
	if (before > s->from && before < s->to)
		*bytes = (uint64_t)((double)f->bytes *
		    (double)(s->to - before) / (double)(s->to - s->from));
	return 0;
}

int
history_recall(struct history *h, struct err *e)
{
	struct recall x = {.now = clock_wall_ms() / 1000 / HOUR_S};
	uint64_t bytes, all, fresh;
	struct pack_set s;
	int hours, r = pack_set_read(h->pack_fd, &s, e);
	size_t i;

	all = weight_of(&s);
	for (hours = 0; !r && hours < HISTORY_SAMPLES; hours++) {
		size_t at = (size_t)((x.now - hours) % HISTORY_SAMPLES);

		for (fresh = 0, i = 0; !r && i < s.n; i++) {
			r = bytes_of(h, &x, &s.files[i], hours, &bytes, e);
			fresh += bytes;
		}
		h->samples[at].hour = x.now - hours;
		h->samples[at].bytes = all - fresh;
	}
	h->pack_bytes = all;
	pack_set_release(&s);
	return r;
}

/* By how much the packs grew since the oldest sample of the last day. */
static uint64_t
day_bytes(struct history *h)
{
	int64_t now = clock_wall_ms() / 1000 / HOUR_S, oldest = INT64_MAX;
	uint64_t then = 0, grown;
	size_t i;

	pthread_mutex_lock(&h->mutex);
	for (i = 0; i < HISTORY_SAMPLES; i++) {
		int64_t hour = h->samples[i].hour;

		if (hour && hour > now - HISTORY_SAMPLES && hour < oldest) {
			oldest = hour;
			then = h->samples[i].bytes;
		}
	}
	grown = oldest != INT64_MAX && h->pack_bytes > then
	    ? h->pack_bytes - then
	    : 0;
	pthread_mutex_unlock(&h->mutex);
	return grown;
}

/* --- commits ---------------------------------------------------------------- */

struct counting {
	int64_t n, first_ms;
};

static int
count_one(void *ctx, const struct history_raw *raw)
{
	struct counting *c = ctx;

	c->n++;
	c->first_ms = raw->public.time_ms;
	return 0;
}

/* Counted once; from then on commits and upkeep keep the count. */
static int
count_commits(struct history *h, struct history_stat *out, struct err *e)
{
	struct counting c = {0, 0};
	struct history_view v;
	int64_t known;
	int r = 0;

	pthread_mutex_lock(&h->mutex);
	known = h->commits;
	pthread_mutex_unlock(&h->mutex);
	if (known < 0) {
		if (history_view_open(h, &v, e))
			return -1;
		r = history_walk(&v, count_one, &c, e);
		history_view_close(&v);
	}
	if (r)
		return -1;
	pthread_mutex_lock(&h->mutex);
	if (h->commits < 0) {
		h->commits = c.n;
		h->first_ms = c.first_ms;
	}
	out->commits = (uint64_t)h->commits;
	out->since_ms = h->first_ms;
	pthread_mutex_unlock(&h->mutex);
	return 0;
}

/* --- all of them ------------------------------------------------------------- */

int
history_stat(struct history *h, struct history_stat *out, struct err *e)
{
	struct pack_set s;

	*out = (struct history_stat){0};
	if (pack_set_read(h->pack_fd, &s, e))
		return -1;
	out->packs = s.n;
	out->foreign_packs = s.foreign;
	out->bytes = weight_of(&s);
	pack_set_release(&s);
	out->day_bytes = day_bytes(h);
	out->anew_ms = h->anew_ms;
	return count_commits(h, out, e);
}
