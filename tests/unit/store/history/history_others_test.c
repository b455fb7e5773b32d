/*
 * The history among others: readers in threads of their own, somebody's git in
 * the repository, branches that are pushed, and what a crash left behind.
 */
#include "history_rig.h"

#include "store/value/fault.h"

#include <pthread.h>
#include <sys/stat.h>

static void
fill(struct rig *r, unsigned commits)
{
	while (commits-- > 0) {
		rig_change(r, 8);
		assert_int_equal(rig_commit(r, NULL), 0);
		r->clock_ms += 20000;
	}
}

static void
tidy(struct rig *r, int64_t later_ms)
{
	struct history_upkeep u = { 0 };
	int did;

	r->clock_ms += later_ms;
	u.now_ms = r->clock_ms;
	while ((did = history_tidy(r->h, &u, &r->e)) > 0)
		continue;
	if (did)
		err_print(&r->e, "tidy");
	assert_int_equal(did, 0);
}

/* --- threads ------------------------------------------------------------------------- */

struct reader {
	pthread_t thread;
	struct history *h;
	int *stop;
	unsigned logs, gets, failed;
};

static int
note_version(void *ctx, const struct history_version *v)
{
	struct reader *x = ctx;

	if (v->path && (v->n < 50 ||
	    memcmp(v->bytes, "{\n  \"id\": ", 10) != 0))
		x->failed++;
	return 0;
}

/* A commit may be thinned between two calls; within one nothing goes. */
static void *
read_on(void *arg)
{
	struct reader *x = arg;
	const char *path = "flat/doc3.json";
	struct history_paths p = { &path, 1 };
	struct history_commit tip;
	struct err e;
	struct buf b;

	buf_init(&b, 4096);
	while (!__atomic_load_n(x->stop, __ATOMIC_ACQUIRE)) {
		if (history_log(x->h, p, note_version, x, &e)) {
			err_print(&e, "log");
			x->failed++;
		}
		x->logs++;
		if (history_tip(x->h, &tip, &e) <= 0)
			continue;
		buf_reset(&b);
		if (history_get(x->h, &tip.id, p, &b, &e) < 0 &&
		    e.code != FAULT_NOT_FOUND)
			x->failed++;
		x->gets++;
	}
	buf_release(&b);
	return NULL;
}

static void
readers_never_mind(void **state)
{
	enum { READERS = 2 };
	struct reader x[READERS];
	struct rig r;
	int stop = 0, i;

	(void)state;
	rig_begin(&r, 61);
	fill(&r, 20);
	for (i = 0; i < READERS; i++) {
		x[i] = (struct reader){ .h = r.h, .stop = &stop };
		assert_int_equal(pthread_create(&x[i].thread, NULL, read_on,
		    &x[i]), 0);
	}
	for (i = 0; i < 40; i++) {
		fill(&r, 10);
		tidy(&r, i % 5 ? 0 : 7200000);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < READERS; i++) {
		pthread_join(x[i].thread, NULL);
		assert_int_equal(x[i].failed, 0);
		assert_true(x[i].logs > 2 && x[i].gets > 2);
	}
	rig_check_state(&r, &r.id[r.states - 1], r.now);
	tidy(&r, 0);
	rig_fsck(&r);
	rig_end(&r);
}

/* --- git ------------------------------------------------------------------------------- */

static int
check_commit(void *ctx, const struct history_commit *c)
{
	struct rig *r = ctx;

	rig_check_state(r, &c->id, r->state[c->position - 1]);
	return 0;
}

/* Somebody collects garbage by hand: all packs are one, and no longer ours. */
static void
bears_gits_own_upkeep(void **state)
{
	struct history_commit c;
	struct history_id held;
	struct rig r;

	(void)state;
	rig_begin(&r, 62);
	fill(&r, 40);
	assert_int_equal(history_tag(r.h, "a", &r.id[7], &r.e), 0);
	tidy(&r, 3600000);
	if (rig_git(&r, "gc -q --prune=now") < 0) {
		rig_end(&r);
		return;
	}
	fill(&r, 5);
	assert_int_equal(history_hold(r.h, &r.id[r.states - 1], &held, &r.e),
	    0);
	assert_int_equal(history_release(r.h, &held, &r.e), 0);
	assert_int_equal(history_tag(r.h, "b", &r.id[r.states - 1], &r.e), 0);
	assert_int_equal(history_list(r.h, check_commit, &r, &r.e), 0);
	tidy(&r, 7200000);
	fill(&r, 5);
	rig_reopen(&r);
	tidy(&r, 7200000);
	assert_int_equal(history_list(r.h, check_commit, &r, &r.e), 0);
	assert_int_equal(history_resolve(r.h, "a", &c, &r.e), 0);
	rig_check_state(&r, &c.id, r.state[7]);
	assert_int_equal(history_untag(r.h, "a", &r.e), 0);
	assert_int_equal(history_resolve(r.h, "a", &c, &r.e), -1);
	assert_int_equal(rig_git(&r, "gc -q --prune=now"), 0);
	rig_reopen(&r);
	assert_int_equal(history_list(r.h, check_commit, &r, &r.e), 0);
	rig_fsck(&r);
	rig_end(&r);
}

/* --- pushes ----------------------------------------------------------------------------- */

static int
note_delta(void *ctx, const struct history_delta *d, struct err *e)
{
	(void)e;
	if (strcmp(d->path, "flat/large.json") == 0)
		assert_non_null(d->unfit);
	else {
		assert_string_equal(d->path, "flat/new.json");
		assert_null(d->unfit);
		assert_memory_equal(d->new_bytes, "{}\n", d->new_n);
	}
	assert_null(d->old_bytes);
	++*(unsigned *)ctx;
	return 0;
}

static void
read_id(struct rig *r, struct history_id *id)
{
	char path[100];
	FILE *f;

	snprintf(path, sizeof path, "%s/clone/tip", r->dir);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(id->hex, sizeof id->hex, f));
	fclose(f);
}

/* Hooks that take everything stand for the program that judges it. */
static void
takes_what_is_pushed(void **state)
{
	static const char HOOKS[] = "config receive.procReceiveRefs none && "
	    "rm -f hooks/*-receive";
	static const char PUSH[] = "clone -q . ../clone 2>/dev/null && cd"
	    " ../clone && echo '{}' >flat/new.json && head -c 5000 /dev/zero"
	    " >flat/large.json && git add -A && git -c"
	    " user.name=x -c user.email=x@y commit -qm edited && git merge -q"
	    " -s ours HEAD~3 && git push -q origin HEAD:refs/heads/import/mine"
	    " 2>&1 && git rev-parse HEAD >tip";
	struct history_side from = { { "" }, "" }, to = { { "" }, "" };
	struct history_commit base;
	struct history_stat stat;
	unsigned told = 0;
	struct rig r;

	(void)state;
	rig_begin(&r, 63);
	fill(&r, 10);
	assert_int_equal(history_hooks(r.h, "/opt/it's/bothy", &r.e), 0);
	assert_int_equal(history_hooks(r.h, "/opt/it's/bothy", &r.e), 0);
	if (rig_git(&r, HOOKS) < 0 || rig_git(&r, PUSH) < 0) {
		rig_end(&r);
		return;
	}
	read_id(&r, &to.commit);
	assert_int_equal(history_pushed(r.h, &to.commit, &base, &r.e), 0);
	assert_int_equal(base.position, 10);
	from.commit = base.id;
	assert_int_equal(history_diff_pushed(r.h, &from, &to, 4096, note_delta,
	    &told, &r.e), 0);
	assert_int_equal(told, 2);
	assert_int_equal(history_stat(r.h, &stat, &r.e), 0);
	assert_int_equal(stat.foreign_packs, 1);
	/* Of a commit of ours nothing goes. */
	assert_int_equal(history_pushed_done(r.h, &base.id, &r.e), 0);
	assert_int_equal(history_stat(r.h, &stat, &r.e), 0);
	assert_int_equal(stat.foreign_packs, 1);
	assert_int_equal(rig_git(&r, "update-ref -d refs/heads/import/mine"),
	    0);
	assert_int_equal(history_pushed_done(r.h, &to.commit, &r.e), 0);
	assert_int_equal(history_stat(r.h, &stat, &r.e), 0);
	assert_int_equal(stat.foreign_packs, 0);
	assert_int_equal(history_pushed(r.h, &to.commit, &base, &r.e), -1);
	assert_int_equal(r.e.code, FAULT_NOT_FOUND);
	fill(&r, 3);
	tidy(&r, 7200000);
	assert_int_equal(history_list(r.h, check_commit, &r, &r.e), 0);
	rig_fsck(&r);
	rig_end(&r);
}

/* --- what a crash left ------------------------------------------------------------------- */

static void
clears_what_a_crash_left(void **state)
{
	static const char *const LEFT[] = { "refs/heads/main.lock",
		"refs/tags/x.lock", "objects/pack/tmp_bothy_1.pack.tmp",
		"objects/pack/tmp_bothy_1.idx.tmp", "objects/pack/pack-1.span",
		"objects/pack/pack-2.span", "objects/pack/pack-2.pack" };
	char path[200];
	struct rig r;
	size_t i;

	(void)state;
	rig_begin(&r, 64);
	fill(&r, 3);
	for (i = 0; i < sizeof LEFT / sizeof *LEFT; i++) {
		snprintf(path, sizeof path, "%s/history.git/%s", r.dir,
		    LEFT[i]);
		assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)),
		    0);
	}
	rig_reopen(&r);
	for (i = 0; i < sizeof LEFT / sizeof *LEFT; i++) {
		snprintf(path, sizeof path, "%s/history.git/%s", r.dir,
		    LEFT[i]);
		assert_int_not_equal(access(path, F_OK), 0);
	}
	fill(&r, 3);
	rig_fsck(&r);
	/* A repository that was only begun is made whole. */
	history_close(r.h);
	snprintf(path, sizeof path, "%s/history.git", r.dir);
	assert_int_equal(io_remove_tree(AT_FDCWD, path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	r.h = history_open(r.dir, false, &r.e);
	assert_non_null(r.h);
	memset(r.now, 0, sizeof r.now);
	r.states = 0;
	fill(&r, 3);
	rig_fsck(&r);
	rig_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_never_mind),
		cmocka_unit_test(bears_gits_own_upkeep),
		cmocka_unit_test(takes_what_is_pushed),
		cmocka_unit_test(clears_what_a_crash_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
