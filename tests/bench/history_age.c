/*
 * How long log and blame of one document take in a history that a million
 * seconds went into: a commit each of a clock that is turned by hand, with the
 * store's own upkeep between them, so that what is asked is what is left of
 * them after thinning.
 *
 *   history_age [SECONDS [DOCUMENTS [all]]]
 *
 * Without `all`, commits that upkeep would thin to one an hour are made one a
 * minute, and those that it would thin to one a minute one in ten seconds: what
 * is left is the same, and made in a twentieth of the time.
 *
 * Runs in a directory of its own below TMPDIR, best in memory: each commit is
 * synced five times.  Prints a line of figures; status 1 if log or blame take
 * a second of a processor or more.
 */
#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/history/history.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	CHANGED = 3,
	REPORT = 10000,
	TRIES = 5,
	LIMIT_MS = 1000,
	HOUR_S = 3600
};

struct age {
	struct history *h;
	unsigned documents, seed;
	bool all;
	uint64_t commit;
	unsigned left;			/* changes of the commit at hand */
	char path[64], text[256];
};

static unsigned
next_random(struct age *a)
{
	a->seed = a->seed * 1664525u + 1013904223u;
	return a->seed >> 8;
}

static void
set_path(struct age *a, unsigned document)
{
	snprintf(a->path, sizeof a->path, "notes/%02x/doc%u.json",
	    document * 2654435761u >> 24, document);
}

/* The first commit has all documents; each other one changes some. */
static int
next_change(void *ctx, struct history_change *c, struct err *e)
{
	struct age *a = ctx;
	unsigned document;

	(void)e;
	if (a->left == 0)
		return 0;
	a->left--;
	document = a->commit == 1 ? a->left
	    : a->left * (a->documents / CHANGED) +
	        next_random(a) % (a->documents / CHANGED);
	set_path(a, document);
	c->path = a->path;
	c->bytes = a->text;
	c->n = (size_t)snprintf(a->text, sizeof a->text, "{\n  \"at\": "
	    "%" PRIu64 ",\n  \"id\": \"doc%u\",\n  \"text\": \"what stays as "
	    "it was from one version to the next\"\n}\n", a->commit, document);
	return 1;
}

/* Seconds to the next commit, with so many to go. */
static uint64_t
step_s(const struct age *a, uint64_t left_s)
{
	if (a->all || left_s <= 2 * HOUR_S)
		return 1;
	return left_s <= 26 * HOUR_S ? 10 : 60;
}

static int
make_all(struct age *a, uint64_t seconds, int64_t now_ms)
{
	struct history_upkeep upkeep = {.now_ms = now_ms};
	struct history_meta m = {.position = 0};
	struct history_made made;
	uint64_t s = 0, step;
	struct err e;

	for (a->commit = 1; s < seconds; a->commit++, s += step) {
		step = step_s(a, seconds - s);
		m.position = a->commit;
		m.time_ms = upkeep.now_ms;
		a->left = a->commit == 1 ? a->documents : CHANGED;
		if (history_commit(a->h, next_change, a, &m, &made, &e) < 0 ||
		    history_tidy(a->h, &upkeep, &e) < 0) {
			err_print(&e, "history_age");
			return -1;
		}
		upkeep.now_ms += (int64_t)step * 1000;
		if (a->commit % REPORT == 0)
			fprintf(stderr, "%" PRIu64 " commits\n", a->commit);
	}
	a->commit--;
	return 0;
}

/* --- what is measured ---------------------------------------------------- */

static int
count_version(void *ctx, const struct history_version *v)
{
	(void)v;
	++*(unsigned *)ctx;
	return 0;
}

static int
count_attribute(void *ctx, const char *name, size_t n,
    const struct history_commit *c)
{
	(void)name;
	(void)n;
	(void)c;
	++*(unsigned *)ctx;
	return 0;
}

/* Of this thread's processor, so that neighbours don't count. */
static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1000000;
}

/* The slowest of some tries on some documents, in milliseconds. */
static double
measure(struct age *a, bool blame, unsigned *told)
{
	const char *const one[1] = {a->path};
	const struct history_paths p = {one, 1};
	double slowest_ms = 0, begin_ms, ms;
	struct err e;
	int i, rc;

	for (i = 0; i < TRIES; i++) {
		set_path(a, next_random(a) % a->documents);
		*told = 0;
		begin_ms = cpu_ms();
		rc = blame ? history_blame(a->h, p, count_attribute, told, &e)
		           : history_log(a->h, p, count_version, told, &e);
		ms = cpu_ms() - begin_ms;
		if (rc < 0) {
			err_print(&e, "history_age");
			return -1;
		}
		slowest_ms = ms > slowest_ms ? ms : slowest_ms;
	}
	return slowest_ms;
}

static int
report(struct age *a, uint64_t seconds, double made_s)
{
	struct history_stat st;
	unsigned versions, attributes;
	struct err e;
	double log_ms = measure(a, false, &versions);
	double blame_ms = measure(a, true, &attributes);

	if (log_ms < 0 || blame_ms < 0 || history_stat(a->h, &st, &e) < 0)
		return 1;
	printf("%" PRIu64 " seconds of one commit each (%" PRIu64 " were made, "
	    "in %.0f s) of %u documents: left are %" PRIu64 " commits in "
	    "%" PRIu64 " packs of %.1f MB; log %.1f ms (%u versions), blame "
	    "%.1f ms (%u attributes)\n", seconds, a->commit, made_s,
	    a->documents, st.commits, st.packs,
	    (double)st.bytes / (1 << 20), log_ms, versions, blame_ms,
	    attributes);
	return log_ms < LIMIT_MS && blame_ms < LIMIT_MS ? 0 : 1;
}

static int
run(const char *dir, uint64_t seconds, unsigned documents, bool all)
{
	struct age a = {.documents = documents, .seed = 4711, .all = all};
	int64_t begin_ms = clock_mono_ms();
	struct err e;
	int rc = 1;

	a.h = history_open(dir, false, &e);
	if (!a.h) {
		err_print(&e, "history_age");
		return 1;
	}
	if (make_all(&a, seconds, 1700000000000) == 0)
		rc = report(&a, seconds,
		    (double)(clock_mono_ms() - begin_ms) / 1000);
	history_close(a.h);
	return rc;
}

int
main(int argc, char **argv)
{
	uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	unsigned documents = argc > 2 ? (unsigned)atoi(argv[2]) : 10000;
	const char *tmp = getenv("TMPDIR");
	char dir[256];
	int rc;

	if (seconds < 1 || documents < CHANGED ||
	    (argc > 3 && strcmp(argv[3], "all") != 0)) {
		fputs("usage: history_age [SECONDS [DOCUMENTS [all]]]\n", stderr);
		return 2;
	}
	snprintf(dir, sizeof dir, "%s/history-age-XXXXXX", tmp ? tmp :
	    access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(dir)) {
		perror(dir);
		return 1;
	}
	rc = run(dir, seconds, documents, argc > 3);
	io_remove_tree(AT_FDCWD, dir);
	return rc;
}
