/*
 * fcgi/invoke/stats.c: counting by several copies, readers, histograms.
 */
#include "fcgi/invoke/stats.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];

static int
set_up(void **state)
{
	char run[96];

	(void)state;
	strcpy(directory, "/tmp/stats_test.XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(run, sizeof(run), "%s/run", directory);
	return mkdir(run, 0700);
}

static int
tear_down(void **state)
{
	(void)state;
	return io_remove_tree(AT_FDCWD, directory);
}

static void
file_name(char *name, size_t size)
{
	snprintf(name, size, "%s/run/stats", directory);
}

static void
test_buckets(void **state)
{
	uint64_t us;
	unsigned b;

	(void)state;
	for (b = 0; b < STATS_BUCKETS; b++) {
		assert_int_equal(stats_bucket(stats_bucket_top_us(b)), b);
		if (b + 1 < STATS_BUCKETS)
			assert_int_equal(
			    stats_bucket(stats_bucket_top_us(b) + 1), b + 1);
	}
	for (us = 8; us < 1000000000; us = us * 9 / 8 + 1)
		assert_true(
		    stats_bucket_top_us(stats_bucket(us)) - us <= us / 8);
	assert_int_equal(stats_bucket(UINT64_MAX), STATS_BUCKETS - 1);
}

static void
test_counts(void **state)
{
	struct stats_sample x = {.outcome = 1, .status = 404,
	    .duration_us = 1000, .wait_us = 10, .bytes_in = 3,
	    .bytes_out = 5, .cpu_us = 7, .peak_kb = 100};
	struct stats_view v;
	struct stats *s, *reader;
	struct err e;
	unsigned slot, other, copies;

	(void)state;
	assert_null(stats_open_read(directory, &e));
	assert_int_equal(e.code, ENOENT);
	s = stats_open(directory, &e);
	assert_non_null(s);
	slot = stats_slot(s, "hello");
	other = stats_slot(s, "other-one");
	assert_int_not_equal(slot, other);
	assert_int_equal(stats_slot(s, "hello"), slot);
	reader = stats_open_read(directory, &e);
	assert_non_null(reader);
	assert_true(stats_since_ms(reader) > 1700000000000);
	assert_int_equal(stats_used(reader), 3);

	stats_begin(s);
	stats_begin(s);
	assert_int_equal(stats_in_flight(reader, &copies), 2);
	assert_int_equal(copies, 1);
	stats_end(s, slot, &x);
	x.outcome = 99;
	x.status = 0;
	x.duration_us = 9000;
	x.peak_kb = 50;
	stats_end(s, slot, &x);
	assert_int_equal(stats_in_flight(reader, &copies), 0);

	assert_int_equal(stats_read(reader, slot, &v), 0);
	assert_string_equal(v.name, "hello");
	assert_int_equal(v.requests, 2);
	assert_int_equal(v.outcomes[1], 1);
	assert_int_equal(v.outcomes[STATS_OUTCOMES - 1], 1);
	assert_int_equal(v.classes[4], 1);
	assert_int_equal(v.classes[0], 1);
	assert_int_equal(v.duration_us, 10000);
	assert_int_equal(v.wait_us, 20);
	assert_int_equal(v.bytes_in, 6);
	assert_int_equal(v.bytes_out, 10);
	assert_int_equal(v.cpu_us, 14);
	assert_int_equal(v.peak_kb, 100);
	assert_int_equal(v.buckets[stats_bucket(1000)], 1);
	assert_int_equal(v.buckets[stats_bucket(9000)], 1);
	assert_int_equal(stats_read(reader, STATS_TOTAL, &v), 0);
	assert_string_equal(v.name, "");
	assert_int_equal(v.requests, 2);
	assert_int_equal(stats_read(reader, other, &v), 0);
	assert_int_equal(v.requests, 0);
	assert_int_equal(stats_read(reader, STATS_OTHER, &v), 0);
	assert_string_equal(v.name, "other");
	assert_int_equal(stats_read(reader, 3, &v), -1);
	assert_int_equal(stats_read(reader, STATS_OTHER + 1, &v), -1);
	stats_close(reader);
	stats_close(s);
	/* It is all there for the next copy. */
	s = stats_open(directory, &e);
	assert_int_equal(stats_slot(s, "hello"), slot);
	assert_int_equal(stats_read(s, slot, &v), 0);
	assert_int_equal(v.requests, 2);
	/* A request of no function counts once. */
	stats_begin(s);
	stats_end(s, STATS_TOTAL, &x);
	assert_int_equal(stats_read(s, STATS_TOTAL, &v), 0);
	assert_int_equal(v.requests, 3);
	stats_close(s);
}

static void
test_null(void **state)
{
	const struct stats_sample x = {.status = 200};

	(void)state;
	stats_begin(NULL);
	stats_end(NULL, 1, &x);
	assert_int_equal(stats_slot(NULL, "a"), STATS_OTHER);
	stats_close(NULL);
}

static void
test_full(void **state)
{
	char name[STATS_NAME_SIZE + 1];
	struct stats_view v;
	struct stats *s;
	struct err e;
	unsigned i;

	(void)state;
	s = stats_open(directory, &e);
	assert_non_null(s);
	for (i = 0; i < STATS_FUNCTIONS; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		assert_int_equal(stats_slot(s, name), i + 1);
	}
	assert_int_equal(stats_slot(s, "one-more"), STATS_OTHER);
	assert_int_equal(stats_slot(s, "f7"), 8);
	assert_int_equal(stats_used(s), STATS_OTHER);
	assert_int_equal(stats_read(s, STATS_OTHER, &v), 0);
	assert_string_equal(v.name, "other");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(stats_slot(s, name), STATS_OTHER);
	stats_close(s);
}

/* Another copy, in a process of its own, that begins `n` and ends `n`. */
static pid_t
start_copy(int n, bool dies)
{
	const struct stats_sample x = {.status = 200, .duration_us = 50};
	struct stats *s;
	struct err e;
	pid_t pid = fork();
	unsigned slot;
	int i;

	if (pid != 0)
		return pid;
	s = stats_open(directory, &e);
	if (!s)
		_exit(1);
	slot = stats_slot(s, "shared");
	for (i = 0; i < n; i++) {
		stats_begin(s);
		if (!dies)
			stats_end(s, slot, &x);
	}
	if (dies)
		pause();
	_exit(0);
}

static void
test_copies(void **state)
{
	enum { COPIES = 6, EACH = 5000 };
	pid_t pids[COPIES];
	struct stats_view v;
	struct stats *s;
	struct err e;
	int i, status;

	(void)state;
	for (i = 0; i < COPIES; i++)
		pids[i] = start_copy(EACH, false);
	for (i = 0; i < COPIES; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	s = stats_open(directory, &e);
	assert_int_equal(stats_used(s), 2);
	assert_int_equal(stats_read(s, 1, &v), 0);
	assert_int_equal(v.requests, COPIES * EACH);
	assert_int_equal(v.buckets[stats_bucket(50)], COPIES * EACH);
	stats_close(s);
}

static void
test_dead_copy(void **state)
{
	struct stats *s;
	struct err e;
	unsigned copies = 0;
	uint64_t in_flight = 0;
	pid_t pid;
	int i;

	(void)state;
	s = stats_open(directory, &e);
	pid = start_copy(3, true);
	for (i = 0; i < 500 && in_flight < 3; i++) {
		in_flight = stats_in_flight(s, &copies);
		usleep(10000);
	}
	assert_int_equal(in_flight, 3);
	assert_int_equal(copies, 2);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(stats_in_flight(s, &copies), 0);
	assert_int_equal(copies, 1);
	stats_close(s);
}

static void
test_other_version(void **state)
{
	char name[96];
	struct stats *s;
	struct err e;
	int fd;

	(void)state;
	file_name(name, sizeof(name));
	fd = open(name, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(io_write_all(fd, "older", 5), 0);
	close(fd);
	assert_null(stats_open_read(directory, &e));
	assert_int_equal(e.code, EINVAL);
	s = stats_open(directory, &e);
	assert_non_null(s);
	assert_int_equal(stats_used(s), 1);
	stats_close(s);
	s = stats_open_read(directory, &e);
	assert_non_null(s);
	stats_close(s);
	/* Of the right size, but with something else in it. */
	fd = open(name, O_WRONLY);
	assert_int_equal(io_write_all(fd, "xxxxxxxx", 8), 0);
	close(fd);
	assert_null(stats_open_read(directory, &e));
	s = stats_open(directory, &e);
	assert_non_null(s);
	stats_close(s);
}

static void
test_unusable(void **state)
{
	char name[96];
	struct err e;

	(void)state;
	assert_null(stats_open("/nonexistent", &e));
	file_name(name, sizeof(name));
	assert_int_equal(symlink("/etc/passwd", name), 0);
	assert_null(stats_open(directory, &e));
	assert_null(stats_open_read(directory, &e));
}

static void
test_percentiles(void **state)
{
	struct stats_view v;
	unsigned i;

	(void)state;
	memset(&v, 0, sizeof(v));
	assert_int_equal(stats_percentile_us(&v, 50), 0);
	/* 1 to 1000 us, once each. */
	for (i = 1; i <= 1000; i++)
		v.buckets[stats_bucket(i)]++;
	assert_in_range(stats_percentile_us(&v, 50), 500, 563);
	assert_in_range(stats_percentile_us(&v, 99), 990, 1114);
	assert_in_range(stats_percentile_us(&v, 100), 1000, 1125);
	assert_int_equal(stats_percentile_us(&v, 0), 1);
	memset(&v, 0, sizeof(v));
	v.buckets[3] = 99;
	v.buckets[200] = 1;
	assert_int_equal(stats_percentile_us(&v, 99), 3);
	assert_int_equal(
	    stats_percentile_us(&v, 99.5), stats_bucket_top_us(200));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_buckets),
	    cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
	    cmocka_unit_test(test_null),
	    cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_copies, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_dead_copy, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
	        test_other_version, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_unusable, set_up, tear_down),
	    cmocka_unit_test(test_percentiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
