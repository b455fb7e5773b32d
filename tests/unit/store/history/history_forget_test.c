/*
 * Erasure: after it no state has the document, no object holds its text or its
 * name, and nothing else has changed.
 */
#include "history_rig.h"

#include "store/value/fault.h"

enum { ERASED_A = 7, ERASED_B = 30 };

static void
fill(struct rig *r, unsigned commits)
{
	struct history_upkeep u = { 0 };

	while (commits-- > 0) {
		rig_change(r, 8);
		assert_int_equal(rig_commit(r, NULL), 0);
		r->clock_ms += 20000;
		u.now_ms = r->clock_ms;
		assert_true(history_tidy(r->h, &u, &r->e) >= 0);
	}
}

static int
check_commit(void *ctx, const struct history_commit *c)
{
	struct rig *r = ctx;
	unsigned state[RIG_DOCUMENTS];

	memcpy(state, r->state[c->position - 1], sizeof state);
	state[ERASED_A] = state[ERASED_B] = 0;
	rig_check_state(r, &c->id, state);
	return 0;
}

static int
check_tag(void *ctx, const char *name, const struct history_commit *c)
{
	assert_string_equal(name, "monday");
	assert_int_equal(c->position, 40);
	return check_commit(ctx, c);
}

static void
erases_from_all_states(void **state)
{
	char a[100], b[100];
	const char *paths[2] = { a, b };
	struct history_paths p = { paths, 2 };
	uint64_t states;
	struct rig r;

	(void)state;
	rig_begin(&r, 31);
	fill(&r, 40);
	assert_int_equal(history_tag(r.h, "monday", &r.id[39], &r.e), 0);
	r.clock_ms += 7200000;
	fill(&r, 250);
	strcpy(a, rig_path(&r, ERASED_A));
	strcpy(b, rig_path(&r, ERASED_B));
	assert_true(rig_git(&r, "cat-file --batch --batch-all-objects |"
	    " grep -aq 'secret7-'") <= 0);
	assert_true(rig_git(&r, "cat-file --batch --batch-all-objects |"
	    " grep -aq 'doc30.json'") <= 0);
	assert_int_equal(history_forget(r.h, p, rig_quiet, &states, &r.e), 0);
	assert_true(states > 20);
	assert_int_equal(history_list(r.h, check_commit, &r, &r.e), 0);
	assert_int_equal(history_tags(r.h, check_tag, &r, &r.e), 0);
	assert_int_not_equal(rig_git(&r, "cat-file --batch"
	    " --batch-all-objects | grep -aE '(secret|doc)(7|30)[-.\"]'"), 0);
	rig_fsck(&r);
	/* Once more: there is nothing to do. */
	assert_int_equal(history_forget(r.h, p, rig_quiet, &states, &r.e), 0);
	assert_int_equal(states, 0);
	r.now[ERASED_A] = r.now[ERASED_B] = 0;
	fill(&r, 100);
	rig_check_state(&r, &r.id[r.states - 1], r.now);
	rig_reopen(&r);
	rig_fsck(&r);
	rig_end(&r);
}

/* --- one commit of two documents ---------------------------------------------------- */

static int
next_twin(void *ctx, struct history_change *c, struct err *e)
{
	static const char *const PATH[] = { "t/a.json", "t2/a.json" };
	int *at = ctx;

	(void)e;
	if (*at == 2)
		return 0;
	c->path = PATH[(*at)++];
	c->bytes = "{}\n";
	c->n = 3;
	return 1;
}

static int
is_there(struct rig *r, const char *path)
{
	struct history_commit tip;
	struct buf b;
	int found;

	buf_init(&b, 4096);
	assert_int_equal(history_tip(r->h, &tip, &r->e), 1);
	found = history_get(r->h, &tip.id, (struct history_paths){ &path, 1 },
	    &b, &r->e);
	buf_release(&b);
	return found;
}

static void
spares_the_same_bytes_elsewhere(void **state)
{
	struct history_meta m = { 1, 0, NULL, false };
	const char *path = "t/a.json";
	struct history_paths p = { &path, 1 };
	struct history_made made;
	uint64_t states;
	struct rig r;
	int at = 0;

	(void)state;
	rig_begin(&r, 32);
	assert_int_equal(history_forget(r.h, p, rig_quiet, &states, &r.e), 0);
	assert_int_equal(history_commit(r.h, next_twin, &at, &m, &made, &r.e),
	    0);
	assert_int_equal(history_forget(r.h, p, rig_quiet, &states, &r.e), 0);
	assert_int_equal(states, 1);
	assert_int_equal(is_there(&r, "t/a.json"), 0);
	assert_int_equal(is_there(&r, "t2/a.json"), 1);
	rig_fsck(&r);
	rig_end(&r);
}

static void
waits_for_what_is_held(void **state)
{
	const char *path = "flat/doc0.json";
	struct history_paths p = { &path, 1 };
	struct history_id held;
	uint64_t states;
	struct rig r;

	(void)state;
	rig_begin(&r, 33);
	fill(&r, 20);
	assert_int_equal(history_hold(r.h, &r.id[5], &held, &r.e), 0);
	assert_int_equal(history_forget(r.h, p, rig_quiet, &states, &r.e), -1);
	assert_int_equal(r.e.code, FAULT_BUSY);
	assert_int_equal(history_release(r.h, &held, &r.e), 0);
	assert_int_equal(history_forget(r.h, p, rig_quiet, &states, &r.e), 0);
	rig_end(&r);
}

/* --- entries go as they lie ------------------------------------------------------------ */

struct told {
	uint64_t times, done, all;
};

static void
tell(void *ctx, uint64_t done, uint64_t all)
{
	struct told *t = ctx;

	assert_true(done > t->done);
	t->times++;
	t->done = done;
	t->all = all;
}

static int
next_of_many(void *ctx, struct history_change *c, struct err *e)
{
	static char path[32], bytes[2000];
	unsigned *at = ctx;
	size_t n = 0;

	(void)e;
	if (*at == 2500)
		return 0;
	snprintf(path, sizeof path, "many/%04u.json", *at);
	while (n < 600)
		n += (size_t)snprintf(bytes + n, sizeof bytes - n,
		    "\"%u times %u is it\", ", *at, (unsigned)n % 50);
	c->path = path;
	c->bytes = bytes;
	c->n = n;
	++*at;
	return 1;
}

/*
 * git is told to deflate nothing: that the packs stay as large shows that what
 * is left was neither inflated nor deflated.
 */
static void
copies_what_is_left(void **state)
{
	struct history_meta m = { 1, 0, NULL, false };
	const char *path = "many/0007.json";
	struct history_paths p = { &path, 1 };
	struct told told = {0, 0, 0};
	struct history_progress progress = {tell, &told};
	struct history_stat large, after;
	struct history_made made;
	uint64_t states;
	unsigned at = 0;
	struct rig r;

	(void)state;
	rig_begin(&r, 34);
	assert_int_equal(history_commit(r.h, next_of_many, &at, &m, &made,
	    &r.e), 0);
	if (rig_git(&r, "-c pack.compression=0 repack -qadfF --depth=0"
	    " --window=0 2>/dev/null") < 0) {
		rig_end(&r);
		skip();
	}
	rig_reopen(&r);
	assert_int_equal(history_stat(r.h, &large, &r.e), 0);
	assert_true(large.bytes > made.bytes * 2);
	assert_int_equal(history_forget(r.h, p, progress, &states, &r.e), 0);
	assert_int_equal(history_stat(r.h, &after, &r.e), 0);
	assert_true(after.bytes > large.bytes * 19 / 20);
	assert_int_equal(told.times, 2);
	assert_true(told.all >= 2502 && told.done <= told.all);
	assert_int_equal(is_there(&r, "many/0007.json"), 0);
	assert_int_equal(is_there(&r, "many/0008.json"), 1);
	rig_fsck(&r);
	rig_end(&r);
}

/* As in a pack of over 2 GB: an offset of 8 bytes, in a table of its own. */
static void
reads_indexes_with_long_offsets(void **state)
{
	struct history_meta m = { 1, 0, NULL, false };
	const char *path = "many/0007.json";
	struct history_paths p = { &path, 1 };
	struct history_made made;
	uint64_t states;
	unsigned at = 0;
	struct rig r;

	(void)state;
	rig_begin(&r, 35);
	assert_int_equal(history_commit(r.h, next_of_many, &at, &m, &made,
	    &r.e), 0);
	if (rig_git(&r, "repack -qad && for p in objects/pack/*.pack; do"
	    " git index-pack --index-version=2,0x100 -o long.idx $p >long.txt"
	    " && mv -f long.idx ${p%.pack}.idx || exit 1; done") < 0) {
		rig_end(&r);
		skip();
	}
	rig_reopen(&r);
	if (history_forget(r.h, p, rig_quiet, &states, &r.e))
		fail_msg("%s", r.e.text);
	assert_int_equal(states, 1);
	assert_int_equal(is_there(&r, path), 0);
	assert_int_equal(is_there(&r, "many/0008.json"), 1);
	rig_fsck(&r);
	rig_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(erases_from_all_states),
		cmocka_unit_test(spares_the_same_bytes_elsewhere),
		cmocka_unit_test(waits_for_what_is_held),
		cmocka_unit_test(copies_what_is_left),
		cmocka_unit_test(reads_indexes_with_long_offsets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
