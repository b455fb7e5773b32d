/*
 * When an index is trusted, and on what file systems a store may lie.
 */
#include "store/base/io.h"
#include "store/index/index.h"
#include "store/index/stamp.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[32], stamp[64], data[64];
static struct err e;

static void
write_file(const char *path, const char *text)
{
	assert_int_equal(io_replace_file(path, text, strlen(text), 0600, &e),
	    0);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/bothy-stamp-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(stamp, sizeof stamp, "%s/stamp", dir);
	snprintf(data, sizeof data, "%s/data.mdb", dir);
	write_file(data, "data");
	e = (struct err){0};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return io_remove_tree(AT_FDCWD, dir);
}

/* The stamp with the value of one field changed. */
static void
change(const char *field, const char *value)
{
	char text[1000] = "", *at, *end;
	struct buf b;

	buf_init(&b, 1000);
	assert_int_equal(io_read_file(AT_FDCWD, stamp, &b, &e), 0);
	strcpy(text, buf_str(&b));
	at = strstr(text, field);
	assert_non_null(at);
	at += strlen(field) + 1;
	end = strchr(at, '\n');
	buf_reset(&b);
	buf_printf(&b, "%.*s%s%s", (int)(at - text), text, value, end);
	write_file(stamp, buf_str(&b));
	buf_release(&b);
}

static bool
knows_mounts(void)
{
	struct buf b;
	bool knows;

	buf_init(&b, 1000);
	assert_int_equal(stamp_write(dir, STAMP_OPEN, &e), 0);
	assert_int_equal(io_read_file(AT_FDCWD, stamp, &b, &e), 0);
	knows = !strstr(buf_str(&b), "mount unknown");
	buf_release(&b);
	return knows;
}

static void
an_index_that_is_clean_is_trusted(void **state)
{
	(void)state;
	assert_false(stamp_trusted(dir, &e));
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(stamp_write(dir, STAMP_CLEAN, &e), 0);
	assert_true(stamp_trusted(dir, &e));
	change("boot", "another");
	change("mount", "12");
	assert_true(stamp_trusted(dir, &e));
	unlink(data);
	assert_false(stamp_trusted(dir, &e));
	assert_int_equal(stamp_write(dir, STAMP_CLEAN, &e), -1);
}

static void
one_left_open_is_trusted_where_nothing_changed(void **state)
{
	static const char *const fields[] = {"boot", "mount", "inode"};
	bool knows = knows_mounts();
	size_t i;

	(void)state;
	assert_int_equal(stamp_trusted(dir, &e), knows);
	for (i = 0; i < 3; i++) {
		assert_int_equal(stamp_write(dir, STAMP_OPEN, &e), 0);
		change(fields[i], "7");
		assert_false(stamp_trusted(dir, &e));
		if (knows)
			assert_non_null(strstr(e.text, fields[i]));
	}
	assert_int_equal(stamp_write(dir, STAMP_OPEN, &e), 0);
	change("mount", "unknown");
	assert_false(stamp_trusted(dir, &e));
	write_file(data, "another file of the name");
	assert_int_equal(stamp_write(dir, STAMP_OPEN, &e), 0);
	write_file(data, "and another");
	assert_false(stamp_trusted(dir, &e));
}

static void
what_is_no_stamp_is_not_trusted(void **state)
{
	static const char *const texts[] = {
		"", "bothy-index 1\n", "bothy-index 2\nboot a\nmount 1\n"
		"inode 2\nstate clean\n", "bothy-index 1\nboot a\nmount 1\n"
		"inode 2\nstate clean\nmore\n", "bothy-index 1\nboot a\n"
		"mount 1\ninode 2\nstate shut\n"
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		write_file(stamp, texts[i]);
		assert_false(stamp_trusted(dir, &e));
	}
	write_file(stamp, "bothy-index 1\nboot a\nmount 1\ninode 2\n"
	    "state clean\n");
	assert_true(stamp_trusted(dir, &e));
}

static void
a_wiped_index_is_not_trusted(void **state)
{
	(void)state;
	assert_int_equal(stamp_write(dir, STAMP_CLEAN, &e), 0);
	assert_int_equal(index_wipe(dir, &e), 0);
	assert_int_equal(access(stamp, F_OK), -1);
	write_file(data, "a new one");
	assert_false(stamp_trusted(dir, &e));
}

static void
some_file_systems_are_refused(void **state)
{
	(void)state;
	assert_int_equal(stamp_check_magic("/s", 0xef53, &e), 0);
	assert_int_equal(stamp_check_magic("/s", 0x58465342, &e), 0);
	assert_int_equal(stamp_check_magic("/s", 0x6969, &e), -1);
	assert_string_equal(e.text, "/s is on NFS, whose locks and syncs "
	    "can't be relied on: use a local disk");
	assert_int_equal(stamp_check_magic("/s", 0x65735546, &e), -1);
	assert_int_equal(stamp_check_magic("/s", 0x794c7630, &e), -1);
	assert_int_equal(stamp_check_magic("/s", 0x01021994, &e), -1);
	assert_string_equal(e.text, "/s is on tmpfs: nothing there outlives "
	    "a restart");
	assert_int_equal(stamp_check_place("/nonexistent", &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(stamp_check_place("/dev/shm", &e), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_index_that_is_clean_is_trusted),
		TEST(one_left_open_is_trusted_where_nothing_changed),
		TEST(what_is_no_stamp_is_not_trusted),
		TEST(a_wiped_index_is_not_trusted),
		TEST(some_file_systems_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
