/*
 * Upkeep: which packs are to be merged, which span is to be thinned, and when
 * what was superseded goes.  Runs in the checkpoint's thread between
 * checkpoints, one step a call.
 *
 * Packs of single commits are merged when there are sixteen, those again, and
 * so on: a byte is copied once a level.  Hours that lie beyond `all_ms` become one
 * pack each, with a commit a minute; days beyond `minutes_ms` one with a commit
 * an hour; months beyond `hours_ms` one with a commit a day.
 */
#include "thin.h"

#include "store/value/fault.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MERGE_PACKS = 16,
	LOOK_COMMITS = MERGE_PACKS,	/* commits between two looks */
	LOOK_MS = 60 * 1000,		/* and the time */
	TIERS = 3,
	ALONE_BYTES = 32 * 1024 * 1024,	/* a commit's pack left as it is */
	ALONE_THINNED_BYTES = 256 * 1024 * 1024
};

#define HOUR_MS ((int64_t)3600 * 1000)

/* What of a tier is due, and what stays of it. */
struct tier {
	int64_t age_s, span_s, step_s;
};

static int64_t
or_default(int64_t value_ms, int64_t default_ms)
{
	int64_t ms = value_ms ? value_ms : default_ms;

	return ms < 1000 ? 1 : ms / 1000;
}

static void
set_tiers(const struct history_upkeep *u, struct tier *t)
{
	int64_t all = or_default(u->all_ms, HOUR_MS);
	int64_t minutes = or_default(u->minutes_ms, 24 * HOUR_MS);
	int64_t hours = or_default(u->hours_ms, 31 * 24 * HOUR_MS);

	t[0] = (struct tier){ all, all, 60 };
	t[1] = (struct tier){ minutes, minutes, 3600 };
	t[2] = (struct tier){ hours, hours, 24 * 3600 };
}

/* --- what was superseded ------------------------------------------------------------ */

/* Those that lingered long enough stand first: the list is in order of time. */
static size_t
count_due(const struct history *h, int64_t linger_ms)
{
	size_t n = 0;

	while (n < h->ndoomed && (h->doomed[n].since_ms > h->now_ms ||
	    h->doomed[n].since_ms + linger_ms <= h->now_ms))
		n++;
	return n;
}

/* They go if nobody reads; a reader is waited for till the next call. */
static int
remove_doomed(struct history *h, size_t n, struct err *e)
{
	size_t i;

	if (n == 0 || pthread_rwlock_trywrlock(&h->packs))
		return 0;
	for (i = 0; i < n; i++)
		pack_remove(h->pack_fd, h->doomed[i].name);
	pthread_rwlock_unlock(&h->packs);
	h->ndoomed -= n;
	memmove(h->doomed, h->doomed + n, h->ndoomed * sizeof *h->doomed);
	return history_weigh(h, e) || history_reopen(h, e) ? -1 : 1;
}

static bool
is_doomed(const struct history *h, const char *name)
{
	size_t i;

	for (i = 0; i < h->ndoomed; i++)
		if (strcmp(h->doomed[i].name, name) == 0)
			return true;
	return false;
}

/* Our own packs, without those of all commits and those that only linger. */
static int
read_packs(struct history *h, struct pack_set *s, struct err *e)
{
	size_t i, n = 0;

	if (pack_set_read(h->pack_fd, s, e))
		return -1;
	for (i = 0; i < s->n; i++)
		if (s->files[i].own && !is_doomed(h, s->files[i].name) &&
		    s->files[i].span.level != THIN_LEVEL_CHAIN)
			s->files[n++] = s->files[i];
	s->n = n;
	return 0;
}

/* --- merging -------------------------------------------------------------------------- */

static bool
is_alone(const struct pack_file *f)
{
	return f->bytes > (f->span.level < THIN_LEVEL ? ALONE_BYTES :
	    ALONE_THINNED_BYTES);
}

/* The neighbours from `at` of this level or below: where they end. */
static size_t
neighbours(const struct pack_set *s, size_t at, unsigned level, size_t *same)
{
	for (*same = 0; at < s->n; at++) {
		const struct pack_file *f = &s->files[at];

		if (is_alone(f) || f->span.level > level)
			break;
		*same += f->span.level == level;
	}
	return at;
}

/* Sixteen of one level, and what lies between them, become one of the next. */
static int
merge_some(struct history *h, const struct pack_set *s, struct err *e)
{
	unsigned level;
	size_t at, end, same;

	for (level = 0; level + 1 < THIN_LEVEL; level++)
		for (at = 0; at < s->n; at = end + (end == at)) {
			end = neighbours(s, at, level, &same);
			if (same >= MERGE_PACKS)
				return thin_merge(h, s->files + at, end - at,
				    level + 1, e) ? -1 : 1;
		}
	return 0;
}

/* --- thinning ------------------------------------------------------------------------- */

/*
 * Packs of one `to`, which are those of one large commit, or what a crash left
 * beside what replaced it: none goes without the others.
 */
struct group {
	size_t end;			/* behind its last */
	uint64_t from;
	int64_t bucket;			/* the span of the tier it falls in */
	bool may;			/* be gathered in this tier */
	bool needs;			/* it wasn't yet */
};

static struct group
group_at(const struct pack_set *s, size_t at, unsigned level,
    const struct tier *t, int64_t now_s)
{
	const struct pack_file *first = &s->files[at];
	struct group g = { at, first->span.from,
		first->span.time_s / t->span_s, true, false };

	for (; g.end < s->n; g.end++) {
		const struct pack_file *f = &s->files[g.end];

		if (f->span.to != first->span.to)
			break;
		if (f->span.from < g.from)
			g.from = f->span.from;
		if (is_alone(f) || f->span.level > level ||
		    f->span.time_s / t->span_s != g.bucket)
			g.may = false;
		if (f->span.level < level)
			g.needs = true;
	}
	if ((g.bucket + 1) * t->span_s + t->age_s > now_s)
		g.may = false;
	return g;
}

/* The groups from `at` that are gathered at once: how many packs; 0 none. */
static size_t
run_at(const struct pack_set *s, size_t at, unsigned level,
    const struct tier *t, int64_t now_s, struct thin_span *span)
{
	struct group first = group_at(s, at, level, t, now_s), g = first;
	uint64_t from = first.from;
	bool needs = false;
	size_t end = at;

	while (g.may && g.bucket == first.bucket) {
		needs |= g.needs;
		from = g.from < from ? g.from : from;
		end = g.end;
		if (end == s->n)
			break;
		g = group_at(s, end, level, t, now_s);
	}
	span->after = at ? s->files[at - 1].span.to : from;
	if (!needs || end == at || from < span->after)
		return 0;
	span->upto = s->files[end - 1].span.to;
	span->time_s = s->files[end - 1].span.time_s;
	span->step_s = t->step_s;
	span->level = level;
	return end - at;
}

static bool
find_span(const struct pack_set *s, const struct history_upkeep *u,
    struct thin_span *span)
{
	struct tier tiers[TIERS];
	unsigned t;
	size_t i;

	set_tiers(u, tiers);
	for (t = TIERS; t-- > 0;)
		for (i = 0; i < s->n; i = group_at(s, i, 0, &tiers[t], 0).end)
			if (run_at(s, i, THIN_LEVEL + 1 + t, &tiers[t],
			    u->now_ms / 1000, span))
				return true;
	return false;
}

/* 0 too while somebody else's refs are there: they may need any object. */
static int
thin_some(struct history *h, const struct pack_set *s,
    const struct history_upkeep *u, struct err *e)
{
	struct thin_span span;
	struct chain chain;
	int r;

	if (!find_span(s, u, &span))
		return 0;
	r = chain_load(&h->own, &chain, e);
	if (!r && !chain.foreign)
		r = thin_gather(h, &span, &chain, e) ? -1 : 1;
	chain_release(&chain);
	return r;
}

/* --- one step ---------------------------------------------------------------------------- */

static bool
is_time_to_look(struct history *h)
{
	if (!h->untidy && h->since_tidy < LOOK_COMMITS &&
	    h->now_ms - h->looked_ms < LOOK_MS && h->now_ms >= h->looked_ms)
		return false;
	h->untidy = false;
	h->since_tidy = 0;
	h->looked_ms = h->now_ms;
	return true;
}

int
history_tidy(struct history *h, const struct history_upkeep *u,
    struct err *e)
{
	struct pack_set s;
	int r;

	if (h->read_only || !h->has_tip)
		return 0;
	h->now_ms = u->now_ms;
	r = remove_doomed(h, count_due(h, u->linger_ms), e);
	if (r || !is_time_to_look(h))
		return r;
	r = read_packs(h, &s, e);
	if (!r)
		r = merge_some(h, &s, e);
	if (!r && !u->keep_all)
		r = thin_some(h, &s, u, e);
	pack_set_release(&s);
	if (r > 0)
		h->untidy = true;
	return r;
}
