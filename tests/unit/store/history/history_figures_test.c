/*
 * Figures: what a day added is known again after a start, whatever became of
 * the packs since; how far the history reaches, and that it was begun anew.
 */
#include "history_rig.h"

#include "store/base/clock.h"

enum { HOUR_MS = 3600 * 1000, LONG_AGO_H = 30, JUST_NOW_H = 2 };

static struct history_stat
stat_of(struct rig *r)
{
	struct history_stat s;

	assert_int_equal(history_stat(r->h, &s, &r->e), 0);
	return s;
}

/* A commit of so many documents, so many hours ago. */
static void
commit_at(struct rig *r, unsigned first, unsigned n, int hours)
{
	r->clock_ms = clock_wall_ms() - (int64_t)hours * HOUR_MS;
	for (r->changes = 0; r->changes < n; r->changes++) {
		r->change[r->changes] = first + (unsigned)r->changes;
		r->now[r->change[r->changes]] = ++r->version;
	}
	assert_int_equal(rig_commit(r, NULL), 0);
}

static void
remembers_a_day_across_starts(void **state)
{
	struct rig r;
	uint64_t before, fresh;
	int i;

	(void)state;
	rig_begin(&r, 71);
	commit_at(&r, 0, 40, LONG_AGO_H);
	before = stat_of(&r).bytes;
	commit_at(&r, 40, 10, JUST_NOW_H);
	fresh = stat_of(&r).bytes - before;
	for (i = 0; i < 3; i++) {
		rig_reopen(&r);
		assert_int_equal(stat_of(&r).day_bytes, fresh);
	}
	/* And goes on from there. */
	before = stat_of(&r).bytes;
	commit_at(&r, 50, 5, 0);
	fresh += stat_of(&r).bytes - before;
	assert_int_equal(stat_of(&r).day_bytes, fresh);
	rig_end(&r);
}

/* What an erasure wrote anew is not of this day. */
static void
an_erasure_is_no_days_work(void **state)
{
	const char *path = "flat/doc0.json";
	struct history_paths p = { &path, 1 };
	struct history_stat s;
	uint64_t states;
	struct rig r;
	unsigned i;

	(void)state;
	rig_begin(&r, 72);
	for (i = 0; i < 9; i++)
		commit_at(&r, i * 6, 6, LONG_AGO_H);
	commit_at(&r, 54, 6, JUST_NOW_H);
	assert_int_equal(history_forget(r.h, p, rig_quiet, &states, &r.e), 0);
	rig_reopen(&r);
	s = stat_of(&r);
	/* A tenth of the positions. */
	assert_in_range(s.day_bytes, s.bytes / 20, s.bytes / 10);
	rig_end(&r);
}

static void
tells_how_far_it_reaches(void **state)
{
	struct rig r;

	(void)state;
	rig_begin(&r, 73);
	assert_int_equal(stat_of(&r).since_ms, 0);
	commit_at(&r, 0, 1, LONG_AGO_H);
	commit_at(&r, 1, 1, JUST_NOW_H);
	assert_int_equal(stat_of(&r).since_ms, r.time_ms[0]);
	rig_reopen(&r);
	assert_int_equal(stat_of(&r).since_ms, r.time_ms[0]);
	assert_int_equal(stat_of(&r).anew_ms, 0);
	assert_int_equal(history_begun_anew(r.h, 1234567890123, &r.e), 0);
	rig_reopen(&r);
	assert_int_equal(stat_of(&r).anew_ms, 1234567890123);
	rig_fsck(&r);
	rig_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembers_a_day_across_starts),
		cmocka_unit_test(an_erasure_is_no_days_work),
		cmocka_unit_test(tells_how_far_it_reaches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
