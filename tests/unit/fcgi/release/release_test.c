/*
 * Releases on disk: what is live, what waits for its ref, what is removed.
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

static const char OLD[] = "1111111111111111111111111111111111111111";
static const char NEW[] = "2222222222222222222222222222222222222222";
static const char MAIN[] = "refs/heads/main";

/* A site with its directories and a repository of nothing but refs. */
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

static void
put(const char *path, const char *text)
{
	struct err e;

	assert_int_equal(
	    io_replace_file(path, text, strlen(text), 0600, &e), 0);
}

static void
put_ref(const struct world *w, const char *commit)
{
	char path[PATH_MAX], text[64];

	where(path, "%s/%s", w->site.repository, MAIN);
	snprintf(text, sizeof text, "%s\n", commit);
	put(path, text);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	char path[PATH_MAX];
	struct err e;

	assert_non_null(w);
	snprintf(w->top, sizeof w->top, "/tmp/release_test.XXXXXX");
	assert_non_null(mkdtemp(w->top));
	where(w->site.dir, "%s/shop", w->top);
	where(w->site.repository, "%s/shop.git", w->top);
	strcpy(w->site.branch, "main");
	w->site.keep = 2;
	w->site.build_s = 60;
	w->site.build_mb = 64;
	where(path, "%s/releases", w->site.dir);
	assert_int_equal(io_mkdirs(path, 0711, &e), 0);
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
make(const struct world *w, uint32_t number)
{
	struct release r = {.number = number, .time_ms = 1000};
	char path[PATH_MAX];
	struct err e;

	where(path, "%s/releases/%u/tree", w->site.dir, number);
	assert_int_equal(io_mkdirs(path, 0755, &e), 0);
	*strrchr(path, '/') = '\0';
	snprintf(r.commit, sizeof r.commit, "%s", NEW);
	strcpy(r.author, "Ann <ann@example.org>");
	assert_int_equal(release_write(&r, path, &e), 0);
}

/* The releases that are there, as "1 2 3". */
static const char *
list(const struct world *w, char *out)
{
	uint32_t *numbers;
	struct err e;
	size_t n, i;

	assert_int_equal(release_list(w->site.dir, &numbers, &n, &e), 0);
	out[0] = '\0';
	for (i = 0; i < n; i++)
		sprintf(out + strlen(out), "%s%u", i ? " " : "", numbers[i]);
	free(numbers);
	return out;
}

static void
prepare(const struct world *w, uint32_t number, pid_t pid, uint64_t started)
{
	struct prepared p = {.number = number, .pid = pid, .started = started};
	struct err e;

	snprintf(p.ref, sizeof p.ref, "%s", MAIN);
	snprintf(p.old, sizeof p.old, "%s", OLD);
	snprintf(p.commit, sizeof p.commit, "%s", NEW);
	assert_int_equal(prepared_write(&p, w->site.dir, &e), 0);
}

static enum settled
settle(const struct world *w)
{
	struct prepared p;
	struct err e;

	return release_settle(&w->site, &p, &e);
}

static int64_t
live(const struct world *w)
{
	struct err e;

	return release_live(w->site.dir, &e);
}

static void
test_a_site_is_read_as_it_was_written(void **state)
{
	const struct world *w = *state;
	struct release_site s;
	char path[PATH_MAX];
	struct err e;

	assert_true(release_is_site(w->site.dir));
	assert_false(release_is_site(w->top));
	assert_int_equal(release_site_read(&s, w->site.dir, &e), 0);
	assert_string_equal(s.repository, w->site.repository);
	assert_string_equal(s.branch, "main");
	assert_int_equal(s.keep, 2);
	assert_int_equal(s.build_s, 60);
	assert_int_equal(s.build_mb, 64);
	assert_string_equal(s.http, "");
	strcpy(s.http, "/deploy.git");
	assert_int_equal(release_site_write(&s, &e), 0);
	assert_int_equal(release_site_read(&s, w->site.dir, &e), 0);
	assert_string_equal(s.http, "/deploy.git");
	where(path, "%s/bothy.json", w->site.dir);
	put(path, "{\"repository\": \"relative\", \"branch\": \"main\"}");
	assert_int_equal(release_site_read(&s, w->site.dir, &e), -1);
	assert_int_equal(e.code, EINVAL);
	assert_int_equal(release_site_read(&s, w->top, &e), -1);
	assert_int_equal(e.code, ENOENT);
}

static void
test_paths_that_take_pushes(void **state)
{
	static const char *const good[] = {"", "/x", "/a/b.git", "/_x-1"};
	static const char *const bad[] = {"x", "/", "/x/", "//x", "/a//b",
	    "/..", "/a/../b", "/.git", "/a b", "/a?b", "/a%2f"};
	char longest[RELEASE_HTTP_SIZE + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(release_http_valid(good[i]));
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(release_http_valid(bad[i]));
	memset(longest, 'x', sizeof longest);
	longest[0] = '/';
	longest[RELEASE_HTTP_SIZE] = '\0';
	assert_false(release_http_valid(longest));
	longest[RELEASE_HTTP_SIZE - 1] = '\0';
	assert_true(release_http_valid(longest));
}

static void
test_a_release_goes_live_by_its_link(void **state)
{
	const struct world *w = *state;
	char path[PATH_MAX], text[64];
	time_t since;
	struct release r;
	struct err e;

	assert_int_equal(live(w), 0);
	make(w, 9);
	make(w, 10);
	assert_string_equal(list(w, text), "9 10");
	assert_int_equal(release_switch(w->site.dir, 9, &e), 0);
	assert_int_equal(live(w), 9);
	assert_int_equal(release_switch(w->site.dir, 10, &e), 0);
	assert_int_equal(live(w), 10);
	assert_int_equal(release_left(w->site.dir, &since), 9);
	assert_int_equal(release_switch(w->site.dir, 10, &e), 0);
	assert_int_equal(release_left(w->site.dir, &since), 9);
	assert_int_equal(release_switch(w->site.dir, 11, &e), -1);
	assert_int_equal(live(w), 10);
	assert_int_equal(release_read(w->site.dir, 10, &r, &e), 0);
	assert_string_equal(r.commit, NEW);
	assert_string_equal(r.author, "Ann <ann@example.org>");
	assert_int_equal(r.time_ms, 1000);
	where(path, "%s/live", w->site.dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc", path), 0);
	assert_int_equal(live(w), -1);
}

static void
test_a_ref_is_found_loose_and_packed(void **state)
{
	const struct world *w = *state;
	char commit[RELEASE_COMMIT_SIZE], path[PATH_MAX];
	struct err e;

	assert_int_equal(release_ref(w->site.repository, MAIN, commit, &e), 0);
	where(path, "%s/packed-refs", w->site.repository);
	put(path, "# pack-refs with: peeled fully-peeled sorted\n"
		  "3333333333333333333333333333333333333333 refs/heads/main2\n"
		  "1111111111111111111111111111111111111111 refs/heads/main\n"
		  "^4444444444444444444444444444444444444444\n");
	assert_int_equal(release_ref(w->site.repository, MAIN, commit, &e), 1);
	assert_string_equal(commit, OLD);
	put_ref(w, NEW);
	assert_int_equal(release_ref(w->site.repository, MAIN, commit, &e), 1);
	assert_string_equal(commit, NEW);
	put_ref(w, "nonsense");
	assert_int_equal(release_ref(w->site.repository, MAIN, commit, &e), -1);
}

static void
test_what_waits_goes_live_with_its_ref_alone(void **state)
{
	const struct world *w = *state;
	char text[64];

	make(w, 1);
	put_ref(w, OLD);
	assert_int_equal(settle(w), SETTLE_NOTHING);
	/* What started us is the git that will move the ref, or not. */
	prepare(w, 1, getppid(), prepared_started(getppid()));
	assert_int_equal(settle(w), SETTLE_PENDING);
	assert_int_equal(live(w), 0);
	put_ref(w, NEW);
	assert_int_equal(settle(w), SETTLE_LIVE);
	assert_int_equal(live(w), 1);
	assert_int_equal(settle(w), SETTLE_NOTHING);
	assert_string_equal(list(w, text), "1");
}

static void
test_only_gits_own_hook_settles_while_it_runs(void **state)
{
	const struct world *w = *state;

	make(w, 1);
	put_ref(w, NEW);
	prepare(w, 1, getpid(), prepared_started(getpid()));
	assert_int_equal(settle(w), SETTLE_PENDING);
	assert_int_equal(live(w), 0);
}

static void
test_locks_of_a_git_that_has_ended_go(void **state)
{
	const struct world *w = *state;
	char head[PATH_MAX], ref[PATH_MAX], other[PATH_MAX];

	where(head, "%s/HEAD.lock", w->site.repository);
	where(ref, "%s/refs/heads/main.lock", w->site.repository);
	where(other, "%s/refs/heads/other.lock", w->site.repository);
	make(w, 1);
	put_ref(w, OLD);
	put(head, "");
	put(ref, NEW);
	put(other, NEW);
	prepare(w, 1, getppid(), prepared_started(getppid()));
	assert_int_equal(settle(w), SETTLE_PENDING);
	assert_int_equal(access(ref, F_OK), 0);
	prepare(w, 1, getppid(), prepared_started(getppid()) - 1);
	assert_int_equal(settle(w), SETTLE_DROPPED);
	assert_int_equal(access(ref, F_OK), -1);
	assert_int_equal(access(other, F_OK), 0);
	/* HEAD is another branch's here. */
	assert_int_equal(access(head, F_OK), 0);
	where(other, "%s/HEAD", w->site.repository);
	put(other, "ref: refs/heads/main\n");
	make(w, 1);
	prepare(w, 1, 0, 0);
	assert_int_equal(settle(w), SETTLE_DROPPED);
	assert_int_equal(access(head, F_OK), -1);
}

static void
test_what_git_refused_is_removed(void **state)
{
	const struct world *w = *state;
	char text[64];

	make(w, 1);
	put_ref(w, OLD);
	/* Another process has the number of the one that was. */
	prepare(w, 1, getpid(), prepared_started(getpid()) - 1);
	assert_int_equal(settle(w), SETTLE_DROPPED);
	assert_string_equal(list(w, text), "");
	assert_int_equal(live(w), 0);
	assert_int_equal(settle(w), SETTLE_NOTHING);
}

static void
test_a_gateway_does_what_a_killed_push_left(void **state)
{
	const struct world *w = *state;
	struct err e;
	int lock_fd;

	assert_int_equal(release_reconcile(w->site.dir, &e), 0);
	assert_int_equal(release_reconcile(w->top, &e), 0);
	make(w, 1);
	put_ref(w, NEW);
	prepare(w, 1, 0, 0);
	lock_fd = release_lock(w->site.dir, true, &e);
	assert_true(lock_fd >= 0);
	assert_int_equal(release_reconcile(w->site.dir, &e), 0);
	assert_int_equal(live(w), 0); /* left to who has the lock */
	io_close(&lock_fd);
	assert_int_equal(release_reconcile(w->site.dir, &e), 0);
	assert_int_equal(live(w), 1);
}

static void
test_old_releases_go_but_for_those_that_run(void **state)
{
	const struct world *w = *state;
	char path[PATH_MAX], text[64];
	struct err e;
	uint32_t i;
	int fd;

	for (i = 1; i <= 6; i++)
		make(w, i);
	assert_int_equal(release_switch(w->site.dir, 2, &e), 0);
	where(path, "%s/releases/3/tree", w->site.dir);
	fd = release_hold(path);
	assert_true(fd >= 0);
	assert_int_equal(release_trim(&w->site), 2);
	assert_string_equal(list(w, text), "2 3 5 6");
	io_close(&fd);
	assert_int_equal(release_trim(&w->site), 1);
	assert_string_equal(list(w, text), "2 5 6");
	/* A gateway may have read the link just before it was switched. */
	assert_int_equal(release_switch(w->site.dir, 6, &e), 0);
	assert_int_equal(release_trim(&w->site), 0);
	assert_string_equal(list(w, text), "2 5 6");
	where(path, "%s/deploy/before", w->site.dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(release_trim(&w->site), 1);
	assert_string_equal(list(w, text), "5 6");
	assert_int_equal(release_hold("/nowhere"), -1);
}

static void
test_a_file_of_two_names_takes_its_room_once(void **state)
{
	const struct world *w = *state;
	char path[PATH_MAX], other[PATH_MAX];
	static char bytes[256 * 1024];
	uint64_t before, one, two;
	struct err e;

	before = release_disk_bytes(w->site.dir);
	memset(bytes, 'x', sizeof bytes);
	where(path, "%s/a", w->site.dir);
	where(other, "%s/b", w->site.dir);
	assert_int_equal(
	    io_replace_file(path, bytes, sizeof bytes, 0600, &e), 0);
	one = release_disk_bytes(w->site.dir);
	assert_true(one >= before + sizeof bytes);
	assert_int_equal(link(path, other), 0);
	two = release_disk_bytes(w->site.dir);
	assert_true(two < one + sizeof bytes);
	assert_int_equal(release_disk_bytes("/nowhere"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_a_site_is_read_as_it_was_written),
	    cmocka_unit_test(test_paths_that_take_pushes),
	    T(test_a_release_goes_live_by_its_link),
	    T(test_a_ref_is_found_loose_and_packed),
	    T(test_what_waits_goes_live_with_its_ref_alone),
	    T(test_only_gits_own_hook_settles_while_it_runs),
	    T(test_locks_of_a_git_that_has_ended_go),
	    T(test_what_git_refused_is_removed),
	    T(test_a_gateway_does_what_a_killed_push_left),
	    T(test_old_releases_go_but_for_those_that_run),
	    T(test_a_file_of_two_names_takes_its_room_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
