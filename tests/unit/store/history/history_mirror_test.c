/*
 * Mirrors: pushed to as a difference, forced after thinning and erasure, given
 * up when they hang; and a store made from one.  The test is the child, too.
 */
#include "history_rig.h"

#include "store/base/clock.h"
#include "store/value/fault.h"

#include <errno.h>
#include <sys/stat.h>

static char self[512];

/* libgit2 1.5 leaks a match that fails, when it looks for url.*.insteadOf. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libpcre2\n";
}

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
push(struct rig *r, const char *url)
{
	if (history_push(r->h, self, url, 20000, -1, &r->e)) {
		err_print(&r->e, "push");
		fail();
	}
}

/* A clone of the mirror has each of our commits with its state. */
struct clone {
	struct rig *r;
	struct history *h;
	unsigned commits, tags;
};

static int
check_commit(void *ctx, const struct history_commit *c)
{
	struct clone *x = ctx;
	struct history *ours = x->r->h;

	x->commits++;
	x->r->h = x->h;
	rig_check_state(x->r, &c->id, x->r->state[c->position - 1]);
	x->r->h = ours;
	return 0;
}

static int
count_tag(void *ctx, const char *name, const struct history_commit *c)
{
	struct clone *x = ctx;

	(void)c;
	assert_string_equal(name, "monday");
	x->tags++;
	return 0;
}

static void
check_clone(struct rig *r, const char *url, unsigned commits, unsigned tags)
{
	struct clone x = { r, NULL, 0, 0 };
	struct history_commit tip, ours;
	char dir[100];

	snprintf(dir, sizeof dir, "%s/copy", r->dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	if (history_clone_from(dir, url, NULL, NULL, &tip, &r->e))
		err_print(&r->e, "clone");
	assert_int_equal(history_tip(r->h, &ours, &r->e), 1);
	assert_string_equal(tip.id.hex, ours.id.hex);
	assert_int_equal(tip.position, ours.position);
	x.h = history_open(dir, false, &r->e);
	assert_non_null(x.h);
	assert_int_equal(history_list(x.h, check_commit, &x, &r->e), 0);
	assert_int_equal(history_tags(x.h, count_tag, &x, &r->e), 0);
	assert_int_equal(x.commits, commits);
	assert_int_equal(x.tags, tags);
	history_close(x.h);
	assert_int_equal(history_clone_from(dir, url, NULL, NULL, &tip, &r->e),
	    -1);
	assert_int_equal(r->e.code, FAULT_IN_USE);
	io_remove_tree(AT_FDCWD, dir);
}

/* Who clones one that we made gets what was pushed. */
static void
check_head(const char *bare)
{
	char path[200], head[64] = "";
	FILE *f;

	snprintf(path, sizeof path, "%s/HEAD", bare);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(head, sizeof head, f));
	assert_string_equal(head, "ref: refs/heads/main\n");
	fclose(f);
}

static void
mirrors_what_is_here(void **state)
{
	struct history_upkeep u = { 0 };
	struct history_stat stat;
	const char *path = "flat/doc9.json";
	char url[200], bare[128];
	uint64_t states;
	struct rig r;
	unsigned i;

	(void)state;
	rig_begin(&r, 41);
	snprintf(bare, sizeof bare, "%s/mirror.git", r.dir);
	snprintf(url, sizeof url, "file://%s", bare);
	fill(&r, 5);
	push(&r, bare);
	check_clone(&r, url, 5, 0);
	check_head(bare);
	fill(&r, 10);
	assert_int_equal(history_tag(r.h, "monday", &r.id[8], &r.e), 0);
	push(&r, url);
	check_clone(&r, bare, 15, 1);
	/* Thinned: the mirror follows, though main is no successor. */
	r.clock_ms += 7200000;
	u.now_ms = r.clock_ms;
	while (history_tidy(r.h, &u, &r.e) > 0)
		continue;
	assert_int_equal(history_untag(r.h, "monday", &r.e), 0);
	assert_int_equal(history_stat(r.h, &stat, &r.e), 0);
	assert_true(stat.commits < 12);
	push(&r, url);
	check_clone(&r, url, (unsigned)stat.commits, 0);
	/* Erased. */
	assert_int_equal(history_forget(r.h,
	    (struct history_paths){ &path, 1 }, rig_quiet, &states, &r.e), 0);
	for (i = 0; i < r.states; i++)
		r.state[i][9] = 0;
	push(&r, url);
	check_clone(&r, url, (unsigned)stat.commits, 0);
	rig_end(&r);
}

/* A store made from a mirror lives on, and is thinned. */
static void
goes_on_from_a_mirror(void **state)
{
	struct history_upkeep u = { 0 };
	struct history_commit tip;
	char url[128], dir[128];
	struct rig r;

	(void)state;
	rig_begin(&r, 42);
	snprintf(url, sizeof url, "%s/mirror.git", r.dir);
	snprintf(dir, sizeof dir, "%s/second", r.dir);
	fill(&r, 30);
	push(&r, url);
	history_close(r.h);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(history_clone_from(dir, url, NULL, NULL, &tip, &r.e),
	    0);
	assert_int_equal(tip.position, 30);
	r.h = history_open(dir, false, &r.e);
	assert_non_null(r.h);
	fill(&r, 30);
	r.clock_ms += 7200000;
	u.now_ms = r.clock_ms;
	while (history_tidy(r.h, &u, &r.e) > 0)
		continue;
	fill(&r, 5);
	rig_check_state(&r, &r.id[r.states - 1], r.now);
	assert_int_equal(history_resolve(r.h, "@29", &tip, &r.e), 0);
	rig_check_state(&r, &tip.id, r.state[tip.position - 1]);
	rig_end(&r);
}

static void
gives_up_what_fails_or_hangs(void **state)
{
	struct history_commit tip;
	char hang[128], file[400];
	int64_t start;
	struct rig r;

	(void)state;
	rig_begin(&r, 43);
	fill(&r, 2);
	assert_int_equal(history_push(r.h, self, "/nowhere/at/all.git", 9000, -1,
	    &r.e), -1);
	assert_non_null(strstr(r.e.text, "/nowhere/at/all.git"));
	assert_int_equal(history_push(r.h, "/no/such/program", "/x", 9000, -1,
	    &r.e), -1);
	/* A helper that never ends. */
	snprintf(hang, sizeof hang, "%s/hang", r.dir);
	snprintf(file, sizeof file, "printf '#!/bin/sh\\nexec sleep 60\\n'"
	    " >%s && chmod 700 %s", hang, hang);
	assert_int_equal(system(file), 0);
	start = clock_mono_ms();
	assert_int_equal(history_push(r.h, hang, "/x", 300, -1, &r.e), -1);
	assert_int_equal(r.e.code, ETIMEDOUT);
	assert_true(clock_mono_ms() - start < 50000);
	/* A repository that is no store's, and none at all. */
	assert_int_equal(history_clone_from(r.dir, "/nowhere.git", NULL, NULL,
	    &tip, &r.e), -1);
	assert_int_equal(mkdir(strcat(hang, ".d"), 0700), 0);
	assert_int_equal(history_clone_from(hang, "/nowhere.git", NULL, NULL,
	    &tip, &r.e), -1);
	assert_int_equal(rmdir(hang), 0);
	rig_end(&r);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mirrors_what_is_here),
		cmocka_unit_test(goes_on_from_a_mirror),
		cmocka_unit_test(gives_up_what_fails_or_hangs),
	};

	if (argc > 1 && strcmp(argv[1], "history-push") == 0)
		return history_push_main(argc, argv);
	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
