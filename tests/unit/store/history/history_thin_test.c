/*
 * Upkeep of the history against the model: whatever is merged and thinned,
 * each commit that stays has its state, and the schedule says which stay.
 */
#include "history_rig.h"

#include "store/value/fault.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

#define DAY ((int64_t)24 * HOUR)

static int
tidy(struct rig *r, const struct history_upkeep *more)
{
	struct history_upkeep u = { 0 };
	int did, steps = 0;

	if (more)
		u = *more;
	u.now_ms = r->clock_ms;
	while ((did = history_tidy(r->h, &u, &r->e)) > 0)
		assert_true(++steps < 100);
	if (did)
		err_print(&r->e, "tidy");
	return did;
}

/* Commits every `step_ms` for `n` times, with upkeep between. */
static void
live(struct rig *r, unsigned n, int64_t step_ms,
    const struct history_upkeep *more)
{
	while (n-- > 0) {
		rig_change(r, 4);
		assert_int_equal(rig_commit(r, NULL), 0);
		r->clock_ms += step_ms;
		assert_int_equal(tidy(r, more), 0);
	}
}

struct check {
	struct rig *r;
	unsigned n, last;
	bool kept[RIG_STATES];
};

static int
check_commit(void *ctx, const struct history_commit *c)
{
	struct check *x = ctx;
	unsigned at = (unsigned)c->position - 1;

	assert_true(at < x->last);
	x->last = at;
	x->n++;
	x->kept[at] = true;
	assert_int_equal(c->time_ms, x->r->time_ms[at]);
	if (x->n % 5 == 1)
		rig_check_state(x->r, &c->id, x->r->state[at]);
	return 0;
}

static unsigned
check_commits(struct rig *r, struct check *x)
{
	struct history_commit tip;

	memset(x, 0, sizeof *x);
	x->r = r;
	x->last = RIG_STATES;
	assert_int_equal(history_list(r->h, check_commit, x, &r->e), 0);
	assert_int_equal(history_tip(r->h, &tip, &r->e), 1);
	assert_int_equal(tip.position, r->states);
	rig_check_state(r, &tip.id, r->now);
	return x->n;
}

static uint64_t
packs(struct rig *r)
{
	struct history_stat s;

	assert_int_equal(history_stat(r->h, &s, &r->e), 0);
	return s.packs;
}

static void
merges_packs(void **state)
{
	struct history_upkeep all = { .keep_all = true };
	struct check x;
	struct rig r;

	(void)state;
	rig_begin(&r, 21);
	live(&r, 300, 2 * SECOND, &all);
	assert_true(packs(&r) < 40);
	assert_int_equal(check_commits(&r, &x), 300);
	rig_fsck(&r);
	rig_reopen(&r);
	assert_int_equal(check_commits(&r, &x), 300);
	rig_end(&r);
}

static void
keeps_a_commit_a_minute_beyond_an_hour(void **state)
{
	struct check x;
	struct rig r;
	unsigned i, kept = 0;

	(void)state;
	rig_begin(&r, 22);
	live(&r, 700, 15 * SECOND, NULL);
	check_commits(&r, &x);
	/* All of the last hour; beyond two hours only one a minute. */
	for (i = 0; i < r.states; i++) {
		int64_t age = r.clock_ms - r.time_ms[i];

		if (age < HOUR)
			assert_true(x.kept[i]);
		if (age > 2 * HOUR)
			kept += x.kept[i];
	}
	assert_in_range(kept, 50, 62);
	assert_true(packs(&r) < 40);
	rig_fsck(&r);
	rig_end(&r);
}

/* The last state of each step is there; the others of old steps aren't. */
static void
check_steps(const struct rig *r, const struct check *x, int64_t step,
    int64_t from_age, int64_t to_age)
{
	unsigned i;

	for (i = 0; i + 1 < r->states; i++) {
		int64_t age = r->clock_ms - r->time_ms[i];
		bool last = r->time_ms[i] / step != r->time_ms[i + 1] / step;

		if (age < from_age || age > to_age)
			continue;
		if (last)
			assert_true(x->kept[i]);
	}
}

static void
keeps_hours_and_days(void **state)
{
	struct check x;
	struct rig r;
	struct history_upkeep u = { .minutes_ms = 8 * HOUR,
		.hours_ms = 4 * DAY };
	unsigned i, old = 0;

	(void)state;
	rig_begin(&r, 23);
	live(&r, 900, (int64_t)27 * MINUTE, &u);
	check_commits(&r, &x);
	check_steps(&r, &x, HOUR, 0, 4 * DAY);
	check_steps(&r, &x, DAY, 0, 400 * DAY);
	for (i = 0; i < r.states; i++)
		if (r.clock_ms - r.time_ms[i] > 8 * DAY)
			old += x.kept[i];
	assert_in_range(old, 8, 11);
	assert_true(packs(&r) < 60);
	rig_fsck(&r);
	rig_end(&r);
}

static int
note_subject(void *ctx, const struct history_commit *c)
{
	strcpy(ctx, c->subject);
	return 1;
}

static void
keeps_tags_and_their_states(void **state)
{
	static const unsigned AT[] = { 3, 50, 51, 52, 200 };
	struct history_commit c;
	char name[20], subject[200];
	struct check x;
	struct rig r;
	size_t i;

	(void)state;
	rig_begin(&r, 24);
	for (i = 0; i < 5; i++) {
		live(&r, AT[i] - r.states, 10 * SECOND, NULL);
		snprintf(name, sizeof name, "backup%zu", i);
		rig_change(&r, 3);
		assert_int_equal(rig_commit(&r, name), 0);
		assert_int_equal(history_tag(r.h, name, &r.id[r.states - 1],
		    &r.e), 0);
	}
	r.clock_ms += 3 * DAY;
	live(&r, 5, DAY, NULL);
	assert_true(check_commits(&r, &x) < 30);
	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "backup%zu", i);
		assert_int_equal(history_resolve(r.h, name, &c, &r.e), 0);
		assert_int_equal(c.position, AT[i] + 1);
		assert_string_equal(c.subject, name);
		rig_check_state(&r, &c.id, r.state[AT[i]]);
		assert_true(x.kept[AT[i]]);
	}
	assert_int_equal(history_list(r.h, note_subject, subject, &r.e), 0);
	assert_non_null(strstr(subject, "written"));
	rig_fsck(&r);
	rig_end(&r);
}

static int
check_thinned(void *ctx, const struct history_version *v)
{
	struct check *x = ctx;
	unsigned at = (unsigned)v->commit->position - 1, doc = x->n;

	assert_true(x->kept[at]);
	assert_int_equal(v->path != NULL, x->r->state[at][doc] != 0);
	if (v->path) {
		rig_bytes(x->r, doc, x->r->state[at][doc]);
		assert_memory_equal(v->bytes, x->r->bytes, v->n);
	}
	return 0;
}

static void
logs_what_is_left(void **state)
{
	struct check x;
	struct rig r;
	unsigned doc;

	(void)state;
	rig_begin(&r, 25);
	live(&r, 300, 30 * MINUTE, NULL);
	check_commits(&r, &x);
	for (doc = 0; doc < RIG_DOCUMENTS; doc++) {
		char path[100];
		const char *paths[1] = { path };

		strcpy(path, rig_path(&r, doc));
		x.n = doc;
		assert_int_equal(history_log(r.h,
		    (struct history_paths){ paths, 1 }, check_thinned, &x,
		    &r.e), 0);
	}
	rig_end(&r);
}

static void
waits_for_what_is_held(void **state)
{
	struct history_id held, again;
	struct check x;
	struct rig r;

	(void)state;
	rig_begin(&r, 26);
	live(&r, 100, 10 * SECOND, NULL);
	assert_int_equal(history_hold(r.h, &r.id[42], &held, &r.e), 0);
	assert_int_equal(history_hold(r.h, &r.id[42], &again, &r.e), 0);
	assert_string_not_equal(held.hex, again.hex);
	assert_int_equal(history_release(r.h, &again, &r.e), 0);
	r.clock_ms += 3 * DAY;
	assert_int_equal(tidy(&r, NULL), 0);
	assert_int_equal(check_commits(&r, &x), 100);
	rig_reopen(&r);
	rig_check_state(&r, &held, r.state[42]);
	assert_int_equal(history_release(r.h, &held, &r.e), 0);
	r.clock_ms += HOUR;
	assert_int_equal(tidy(&r, NULL), 0);
	assert_true(check_commits(&r, &x) < 10);
	rig_fsck(&r);
	rig_end(&r);
}

/* What is superseded stays for a while, and then goes. */
static void
lingers_for_mirrors(void **state)
{
	struct history_upkeep u = { .linger_ms = 10 * MINUTE };
	struct check x;
	struct rig r;
	struct buf b;
	const char *path = "flat/doc0.json";

	(void)state;
	rig_begin(&r, 27);
	buf_init(&b, 4096);
	live(&r, 15, SECOND, &u);
	r.clock_ms += 3 * DAY;
	assert_int_equal(tidy(&r, &u), 0);
	assert_true(check_commits(&r, &x) < 3);
	assert_true(packs(&r) > 15);
	assert_true(history_get(r.h, &r.id[3],
	    (struct history_paths){ &path, 1 }, &b, &r.e) >= 0);
	r.clock_ms += 11 * MINUTE;
	assert_int_equal(tidy(&r, &u), 0);
	assert_in_range(packs(&r), 1, 3);
	assert_int_equal(history_get(r.h, &r.id[3],
	    (struct history_paths){ &path, 1 }, &b, &r.e), -1);
	assert_int_equal(r.e.code, FAULT_NOT_FOUND);
	check_commits(&r, &x);
	buf_release(&b);
	rig_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merges_packs),
		cmocka_unit_test(keeps_a_commit_a_minute_beyond_an_hour),
		cmocka_unit_test(keeps_hours_and_days),
		cmocka_unit_test(keeps_tags_and_their_states),
		cmocka_unit_test(logs_what_is_left),
		cmocka_unit_test(waits_for_what_is_held),
		cmocka_unit_test(lingers_for_mirrors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
