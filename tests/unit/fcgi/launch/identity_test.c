/*
 * Uids are stable, distinct, and never those of other people.
 */
#include "confined.h"

#include "fcgi/launch/identity.h"

static char top[32], file[64];

static int
make_top(void **state)
{
	(void)state;
	snprintf(top, sizeof top, "/tmp/bothy-test-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(file, sizeof file, "%s/uids", top);
	return 0;
}

static int
remove_top(void **state)
{
	(void)state;
	return io_remove_tree(AT_FDCWD, top);
}

static uid_t
find(const char *site, const char *function)
{
	struct err e = {0};
	uid_t uid = 0;

	if (identity_find(file, site, function, &uid, &e) < 0)
		fail_msg("%s", e.text);
	assert_in_range(uid, IDENTITY_FIRST, IDENTITY_LAST);
	return uid;
}

static void
uids_stay_and_differ(void **state)
{
	uid_t a, b, c;
	struct stat st;

	(void)state;
	a = find("/srv/a", "hello");
	b = find("/srv/a", "hello2");
	c = find("/srv/b", "hello");
	assert_true(a != b && b != c && a != c);
	assert_int_equal(find("/srv/a", "hello"), a);
	assert_int_equal(find("/srv/b", "hello"), c);
	assert_int_equal(find("/srv/a", "hello2"), b);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* All of them, so that every probe collides in the end; then none is left. */
static void
the_range_runs_out_aloud(void **state)
{
	bool seen[IDENTITY_LAST - IDENTITY_FIRST + 1] = {false};
	struct err e = {0};
	char name[32];
	uid_t uid;
	int n = 0;

	(void)state;
	for (;;) {
		snprintf(name, sizeof name, "f%d", n);
		if (identity_find(file, "/srv/c", name, &uid, &e) < 0)
			break;
		assert_in_range(uid, IDENTITY_FIRST, IDENTITY_LAST);
		assert_false(seen[uid - IDENTITY_FIRST]);
		seen[uid - IDENTITY_FIRST] = true;
		n++;
	}
	assert_true(n > 800 && n <= IDENTITY_LAST - IDENTITY_FIRST + 1);
	assert_non_null(strstr(e.text, "taken"));
	assert_in_range(find("/srv/c", "f7"), IDENTITY_FIRST, IDENTITY_LAST);
}

/* A line that was cut off by a crash is neither believed nor joined. */
static void
a_cut_line_hurts_nobody(void **state)
{
	const char *text = "64200 /srv/d\thello\n64201 /srv/d\thel";
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	(void)state;
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	close(fd);
	assert_int_equal(find("/srv/d", "hello"), 64200);
	assert_int_not_equal(find("/srv/d", "hel"), 64200);
	assert_int_equal(find("/srv/d", "hel"), find("/srv/d", "hel"));
	assert_int_equal(find("/srv/d", "hello"), 64200);
}

static void
strange_names_and_files_are_refused(void **state)
{
	struct err e = {0};
	char longer[IDENTITY_NAME_MAX + 1], other[80];
	uid_t uid;

	(void)state;
	memset(longer, 'a', IDENTITY_NAME_MAX);
	longer[IDENTITY_NAME_MAX] = 0;
	assert_int_equal(identity_find(file, longer, "f", &uid, &e), -1);
	assert_int_equal(identity_find(file, "/a\n64100 b", "f", &uid, &e), -1);
	snprintf(other, sizeof other, "%s/link", top);
	assert_int_equal(symlink(file, other), 0);
	assert_int_equal(identity_find(other, "/a", "f", &uid, &e), -1);
	assert_int_equal(identity_own(other, IDENTITY_FIRST, &e), -1);
	assert_int_equal(identity_become(0, &e), -1);
}

static void
scratch_is_given_away(void **state)
{
	struct err e = {0};
	struct stat st;
	char path[64];

	(void)state;
	if (!identity_needed()) {
		print_message("    SKIPPED: not run as root\n");
		skip();
	}
	snprintf(path, sizeof path, "%s/scratch", top);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(identity_own(path, IDENTITY_LAST, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, IDENTITY_LAST);
	assert_int_equal(st.st_gid, IDENTITY_LAST);
	assert_int_equal(st.st_mode & 0777, 0700);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        uids_stay_and_differ, make_top, remove_top),
	    cmocka_unit_test_setup_teardown(
	        the_range_runs_out_aloud, make_top, remove_top),
	    cmocka_unit_test_setup_teardown(
	        a_cut_line_hurts_nobody, make_top, remove_top),
	    cmocka_unit_test_setup_teardown(
	        strange_names_and_files_are_refused, make_top, remove_top),
	    cmocka_unit_test_setup_teardown(
	        scratch_is_given_away, make_top, remove_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
