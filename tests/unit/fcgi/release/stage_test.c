/*
 * Stages on disk: named, made, listed, left with their ref, removed.
 */
#include "fcgi/release/hold.h"
#include "fcgi/release/release.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char COMMIT[] = "1111111111111111111111111111111111111111";
static const char NONE[] = "0000000000000000000000000000000000000000";

struct world {
	char top[64];
	struct release_site site;
};

static void where(char *out, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* snprintf into PATH_MAX bytes. */
static void
where(char *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	assert_true(vsnprintf(out, PATH_MAX, fmt, ap) < PATH_MAX);
	va_end(ap);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	char path[PATH_MAX];
	struct err e;

	assert_non_null(w);
	snprintf(w->top, sizeof w->top, "/tmp/stage_test.XXXXXX");
	assert_non_null(mkdtemp(w->top));
	where(w->site.dir, "%s/shop", w->top);
	where(w->site.repository, "%s/shop.git", w->top);
	strcpy(w->site.branch, "main");
	strcpy(w->site.http, "/deploy.git");
	w->site.keep = 2;
	w->site.build_s = 60;
	w->site.build_mb = 64;
	where(path, "%s/deploy", w->site.dir);
	assert_int_equal(io_mkdirs(path, 0711, &e), 0);
	where(path, "%s/refs/heads", w->site.repository);
	assert_int_equal(io_mkdirs(path, 0711, &e), 0);
	assert_int_equal(release_site_write(&w->site, &e), 0);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	io_remove_tree(AT_FDCWD, w->top);
	free(w);
	return 0;
}

static void
put_ref(const struct world *w, const char *branch)
{
	char path[PATH_MAX], text[64];
	struct err e;

	where(path, "%s/refs/heads/%s", w->site.repository, branch);
	snprintf(text, sizeof text, "%s\n", COMMIT);
	assert_int_equal(
	    io_replace_file(path, text, strlen(text), 0600, &e), 0);
}

static void
test_a_name_is_harmless(void **state)
{
	char name[RELEASE_STAGE_SIZE], longest[RELEASE_STAGE_SIZE + 1];
	struct err e;

	(void)state;
	assert_int_equal(release_stage_name("review/4.2_x", name, &e), 0);
	assert_string_equal(name, "review-4-2_x");
	assert_int_equal(release_stage_name("", name, &e), -1);
	assert_int_equal(release_stage_name("../x", name, &e), -1);
	assert_int_equal(release_stage_name("-x", name, &e), -1);
	memset(longest, 'a', sizeof longest);
	longest[RELEASE_STAGE_SIZE] = '\0';
	assert_int_equal(release_stage_name(longest, name, &e), -1);
	longest[RELEASE_STAGE_SIZE - 1] = '\0';
	assert_int_equal(release_stage_name(longest, name, &e), 0);
	assert_string_equal(name, longest);
}

static void
test_one_is_a_site_of_its_own(void **state)
{
	const struct world *w = *state;
	struct release_site s, read, other;
	char dir[PATH_MAX];
	struct err e;

	assert_int_equal(release_stage_make(&w->site, "a/b", &s, &e), 0);
	where(dir, "%s/stages/a-b", w->site.dir);
	assert_string_equal(s.dir, dir);
	assert_true(release_is_site(dir));
	assert_int_equal(release_site_read(&read, dir, &e), 0);
	assert_string_equal(read.branch, "a/b");
	assert_string_equal(read.stage, "a-b");
	assert_string_equal(read.repository, w->site.repository);
	assert_string_equal(read.http, "");
	assert_int_equal(read.keep, 2);
	assert_int_equal(release_stage_make(&w->site, "a/b", &s, &e), 0);
	assert_int_equal(release_stage_make(&w->site, "a-b", &other, &e), -1);
	assert_int_equal(e.code, EEXIST);
	assert_int_equal(release_stage_make(&w->site, "A/b", &other, &e), -1);
	assert_int_equal(e.code, EEXIST);
	assert_int_equal(release_stage_state(w->site.dir, "a-b"), STAGE_THERE);
	assert_int_equal(release_stage_state(w->site.dir, "b"), STAGE_NONE);
}

static void
test_there_are_not_too_many(void **state)
{
	const struct world *w = *state;
	struct stage_list *all = malloc(sizeof *all);
	struct release_site s;
	char branch[16];
	struct err e;
	int i;

	assert_non_null(all);
	assert_int_equal(release_stages(w->site.dir, false, all, &e), 0);
	assert_int_equal(all->n, 0);
	for (i = 0; i < RELEASE_STAGES_MAX; i++) {
		snprintf(branch, sizeof branch, "s%02d", i);
		assert_int_equal(
		    release_stage_make(&w->site, branch, &s, &e), 0);
	}
	assert_int_equal(release_stage_make(&w->site, "more", &s, &e), -1);
	assert_int_equal(e.code, EDQUOT);
	assert_int_equal(release_stage_make(&w->site, "s07", &s, &e), 0);
	assert_int_equal(release_stages(w->site.dir, false, all, &e), 0);
	assert_int_equal(all->n, RELEASE_STAGES_MAX);
	assert_string_equal(all->names[0], "s00");
	assert_string_equal(all->names[49], "s49");
	free(all);
}

static void
prepare_drop(const struct release_site *s)
{
	struct prepared p = {.number = 0, .pid = 1, .started = 1};
	struct err e;

	strcpy(p.ref, "refs/heads/feature");
	memcpy(p.old, COMMIT, sizeof COMMIT);
	memcpy(p.commit, NONE, sizeof NONE);
	assert_int_equal(prepared_write(&p, s->dir, &e), 0);
}

static void
test_it_leaves_with_its_ref_alone(void **state)
{
	const struct world *w = *state;
	struct stage_list *all = malloc(sizeof *all);
	struct release_site s;
	struct prepared p;
	char path[PATH_MAX];
	struct err e;

	assert_non_null(all);
	assert_int_equal(release_stage_make(&w->site, "feature", &s, &e), 0);
	put_ref(w, "feature");
	prepare_drop(&s);
	assert_int_equal(release_settle(&s, &p, &e), SETTLE_DROPPED);
	assert_true(release_is_site(s.dir));
	prepare_drop(&s);
	where(path, "%s/refs/heads/feature", w->site.repository);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(release_settle(&s, &p, &e), SETTLE_LEFT);
	assert_false(release_is_site(s.dir));
	assert_int_equal(
	    release_stage_state(w->site.dir, "feature"), STAGE_LEAVES);
	assert_int_equal(release_stages(w->site.dir, true, all, &e), 0);
	assert_int_equal(all->n, 1);
	assert_int_equal(release_stages(w->site.dir, false, all, &e), 0);
	assert_int_equal(all->n, 0);
	free(all);
}

static void
test_it_is_removed_when_nobody_holds_it(void **state)
{
	const struct world *w = *state;
	struct release_site s;
	char tree[PATH_MAX];
	struct err e;
	int fd;

	assert_int_equal(release_stage_make(&w->site, "feature", &s, &e), 0);
	assert_false(release_stage_runs(w->site.dir, "feature"));
	where(tree, "%s/releases/1/tree", s.dir);
	assert_int_equal(io_mkdirs(tree, 0755, &e), 0);
	fd = release_hold(tree);
	assert_true(fd >= 0);
	assert_true(release_stage_runs(w->site.dir, "feature"));
	close(fd);
	assert_false(release_stage_runs(w->site.dir, "feature"));
	assert_int_equal(release_stage_leave(&s, &e), 0);
	assert_int_equal(release_stage_remove(w->site.dir, "feature", &e), 0);
	assert_int_equal(access(s.dir, F_OK), -1);
	assert_int_equal(
	    release_stage_state(w->site.dir, "feature"), STAGE_NONE);
	/* Again, as after a kill. */
	where(tree, "%s/stages/.gone/releases", w->site.dir);
	assert_int_equal(io_mkdirs(tree, 0755, &e), 0);
	release_stages_clear(w->site.dir);
	assert_int_equal(access(tree, F_OK), -1);
	assert_int_equal(release_stage_remove(w->site.dir, "feature", &e), 0);
}

/* Who waited for the lock of a stage that went has not the lock of a new one.
 */
static void
test_a_lock_is_of_what_is_there(void **state)
{
	const struct world *w = *state;
	struct release_site s;
	struct err e;
	int one, two;

	assert_int_equal(release_stage_make(&w->site, "feature", &s, &e), 0);
	one = release_lock(s.dir, false, &e);
	assert_true(one >= 0);
	assert_int_equal(release_lock(s.dir, false, &e), -1);
	assert_int_equal(e.code, EWOULDBLOCK);
	assert_int_equal(release_stage_leave(&s, &e), 0);
	assert_int_equal(release_stage_remove(w->site.dir, "feature", &e), 0);
	assert_int_equal(release_lock(s.dir, false, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(release_stage_make(&w->site, "feature", &s, &e), 0);
	two = release_lock(s.dir, false, &e);
	assert_true(two >= 0);
	close(one);
	close(two);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    cmocka_unit_test(test_a_name_is_harmless),
	    T(test_one_is_a_site_of_its_own),
	    T(test_there_are_not_too_many),
	    T(test_it_leaves_with_its_ref_alone),
	    T(test_it_is_removed_when_nobody_holds_it),
	    T(test_a_lock_is_of_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
