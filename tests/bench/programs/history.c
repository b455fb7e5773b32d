/*
 * What the history costs: it is filled, commits of 1, 1,000 and 10,000
 * documents at random places are timed; then a day of commits is made, with
 * upkeep between, and the log of one document is read.
 *
 *   history DIR DOCUMENTS [ROUNDS [COMMITS [SECONDS]]]
 */
#include "store/base/clock.h"
#include "store/history/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fill {
	uint64_t documents;	/* in the store */
	uint64_t left;		/* to give */
	uint64_t next;		/* the number of the next, where all are given */
	unsigned round;
	int64_t clock_ms;
	char path[80], bytes[600];
};

static uint64_t
mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

static int
give(struct fill *f, uint64_t number, struct history_change *c)
{
	uint64_t h = mix(number);
	int n;

	snprintf(f->path, sizeof f->path, "bench/%02x/%02x/user%08llu.json",
	    (unsigned)(h >> 56), (unsigned)(h >> 48 & 255),
	    (unsigned long long)number);
	n = snprintf(f->bytes, sizeof f->bytes, "{\n  \"id\": \"user%08llu\",\n"
	    "  \"name\": \"%016llx%016llx\",\n  \"note\": \"%016llx%016llx"
	    "%016llx and what people write into such a field, which is words,"
	    " and again words, of which a machine makes rather little: they"
	    " are there to be shown and never to be counted\",\n"
	    "  \"round\": %u,\n  \"score\": %llu\n}\n",
	    (unsigned long long)number, (unsigned long long)mix(h),
	    (unsigned long long)mix(h + 1), (unsigned long long)mix(h + 2),
	    (unsigned long long)mix(h + 3), (unsigned long long)mix(h + 4),
	    f->round, (unsigned long long)(h % 1000000));
	c->path = f->path;
	c->bytes = f->bytes;
	c->n = (size_t)n;
	return 1;
}

static int
give_all(void *ctx, struct history_change *c, struct err *e)
{
	struct fill *f = ctx;

	(void)e;
	return f->next == f->documents ? 0 : give(f, f->next++, c);
}

static int
give_random(void *ctx, struct history_change *c, struct err *e)
{
	struct fill *f = ctx;

	(void)e;
	if (!f->left--)
		return 0;
	f->next += 1299709;	/* a prime: no document twice */
	return give(f, f->next % f->documents, c);
}

static int
compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static long
memory_kb(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long kb = 0;

	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, "RssAnon:", 8) == 0)
			kb = strtol(line + 8, NULL, 10);
	if (f)
		fclose(f);
	return kb;
}

static void
commit(struct history *h, history_next *next, struct fill *f, uint64_t pos,
    struct history_made *made)
{
	struct history_meta m = { pos, f->clock_ms, NULL, false };
	struct err e;

	if (history_commit(h, next, f, &m, made, &e)) {
		err_print(&e, "history");
		exit(1);
	}
}

static void
measure(struct history *h, struct fill *f, uint64_t count, int rounds,
    uint64_t *pos)
{
	struct history_made made = { 0 };
	int64_t took[1000];
	int i;

	for (i = 0; i < rounds; i++) {
		int64_t start;

		f->round++;
		f->left = count;
		start = clock_mono_us();
		commit(h, give_random, f, ++*pos, &made);
		took[i] = clock_mono_us() - start;
	}
	qsort(took, (size_t)rounds, sizeof *took, compare);
	printf("%6llu documents: p50 %8.2f ms, worst %8.2f ms; %llu objects,"
	    " %llu bytes; anonymous memory %ld KB\n",
	    (unsigned long long)count, (double)took[rounds / 2] / 1000,
	    (double)took[rounds - 1] / 1000, (unsigned long long)made.objects,
	    (unsigned long long)made.bytes, memory_kb());
}

static int
count_version(void *ctx, const struct history_version *v)
{
	(void)v;
	++*(unsigned *)ctx;
	return 0;
}

static void
log_one(struct history *h, struct fill *f, const char *when)
{
	struct history_change c;
	const char *path = f->path;
	struct history_stat stat;
	struct history_commit tip;
	struct err e;
	struct buf b;
	unsigned versions = 0;
	int64_t start, took;

	give(f, f->next % f->documents, &c);
	start = clock_mono_us();
	if (history_log(h, (struct history_paths){ &path, 1 }, count_version,
	    &versions, &e) || history_stat(h, &stat, &e)) {
		err_print(&e, "history");
		exit(1);
	}
	took = clock_mono_us() - start;
	start = clock_mono_us();
	buf_init(&b, 4096);
	if (history_tip(h, &tip, &e) <= 0 || history_get(h, &tip.id,
	    (struct history_paths){ &path, 1 }, &b, &e) < 0)
		exit(1);
	buf_release(&b);
	printf("%s: %llu commits, %llu packs, %llu bytes; log of one document"
	    " (%u versions) %.1f ms, get %.2f ms\n", when,
	    (unsigned long long)stat.commits, (unsigned long long)stat.packs,
	    (unsigned long long)stat.bytes, versions, (double)took / 1000,
	    (double)(clock_mono_us() - start) / 1000);
}

/* Commits of one document some seconds apart, with upkeep after each. */
static void
live(struct history *h, struct fill *f, unsigned long commits, int64_t step_s,
    uint64_t *pos)
{
	struct history_upkeep u = { 0 };
	struct history_made made;
	int64_t commit_us = 0, tidy_us = 0, worst_us = 0;
	unsigned long i;
	struct err e;
	int r;

	for (i = 0; i < commits; i++) {
		int64_t start = clock_mono_us(), took;

		f->round++;
		f->left = 1;
		f->clock_ms += step_s * 1000;
		commit(h, give_random, f, ++*pos, &made);
		u.now_ms = f->clock_ms;
		took = clock_mono_us();
		commit_us += took - start;
		while ((r = history_tidy(h, &u, &e)) > 0)
			continue;
		if (r)
			err_print(&e, "tidy");
		took = clock_mono_us() - took;
		tidy_us += took;
		worst_us = took > worst_us ? took : worst_us;
	}
	printf("%lu commits: %.2f ms each, upkeep %.2f ms each, at worst"
	    " %.1f ms; anonymous memory %ld KB\n", commits,
	    (double)commit_us / (double)commits / 1000,
	    (double)tidy_us / (double)commits / 1000, (double)worst_us / 1000,
	    memory_kb());
}

int
main(int argc, char **argv)
{
	static const uint64_t COUNTS[] = { 1, 1000, 10000 };
	int rounds = argc > 3 ? atoi(argv[3]) : 9;
	unsigned long commits = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	struct history_made made;
	struct fill f = { 0 };
	struct history *h;
	struct err e;
	uint64_t pos;
	int64_t start;
	int i;

	if (argc < 3 || rounds < 1 || rounds > 1000)
		return 2;
	f.documents = strtoull(argv[2], NULL, 10);
	h = history_open(argv[1], false, &e);
	if (!h) {
		err_print(&e, "history");
		return 1;
	}
	pos = 1;
	f.clock_ms = clock_wall_ms() - 400000000;
	start = clock_mono_us();
	commit(h, give_all, &f, pos, &made);
	printf("%llu documents first: %.2f s, %llu objects, %llu bytes;"
	    " anonymous memory %ld KB\n", (unsigned long long)f.documents,
	    (double)(clock_mono_us() - start) / 1e6,
	    (unsigned long long)made.objects, (unsigned long long)made.bytes,
	    memory_kb());
	for (i = 0; i < 3; i++)
		measure(h, &f, COUNTS[i], rounds, &pos);
	log_one(h, &f, "before");
	if (commits) {
		live(h, &f, commits, argc > 5 ? atoi(argv[5]) : 10, &pos);
		log_one(h, &f, "after");
	}
	history_close(h);
	return 0;
}
