/*
 * Files in one step, trees made and removed, and a hash of known bytes.
 */
#include "store/base/hash.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/bothy-io-XXXXXX";

static const char *
in_dir(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void
replaces_whole(void **state)
{
	struct stat st;
	struct buf b;
	struct err e;

	(void)state;
	assert_int_equal(io_replace_file(in_dir("f"), "old", 3, 0600, &e), 0);
	assert_int_equal(io_replace_file(in_dir("f"), "newer", 5, 0640, &e),
	    0);
	assert_int_equal(stat(in_dir("f"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	buf_init(&b, 100);
	assert_int_equal(io_read_file(AT_FDCWD, in_dir("f"), &b, &e), 0);
	assert_string_equal(buf_str(&b), "newer");
	buf_release(&b);
	assert_int_equal(
	    io_replace_file(in_dir("none/f"), "x", 1, 0600, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_non_null(strstr(e.text, "none/f"));
}

static void
reads_within_limits(void **state)
{
	struct buf b;
	struct err e;

	(void)state;
	io_replace_file(in_dir("g"), "12345", 5, 0600, &e);
	buf_init(&b, 5);
	assert_int_equal(io_read_file(AT_FDCWD, in_dir("g"), &b, &e), 0);
	buf_release(&b);
	buf_init(&b, 4);
	assert_int_equal(io_read_file(AT_FDCWD, in_dir("g"), &b, &e), -1);
	assert_int_equal(e.code, EFBIG);
	assert_int_equal(io_read_file(AT_FDCWD, dir, &b, &e), -1);
	assert_int_equal(io_read_file(AT_FDCWD, in_dir("no"), &b, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	assert_int_equal(io_read_file(AT_FDCWD, in_dir("fifo"), &b, &e), -1);
	buf_release(&b);
}

static void
makes_and_removes_trees(void **state)
{
	struct stat st;
	struct err e;

	(void)state;
	assert_int_equal(io_mkdirs(in_dir("a/b/c"), 0700, &e), 0);
	assert_int_equal(io_mkdirs(in_dir("a/b/c"), 0700, &e), 0);
	io_replace_file(in_dir("kept"), "x", 1, 0600, &e);
	assert_int_equal(symlink(in_dir("kept"), in_dir("a")), -1);
	assert_int_equal(symlink("../kept", in_dir("a/link")), 0);
	io_replace_file(in_dir("a/b/c/file"), "x", 1, 0600, &e);
	assert_int_equal(io_remove_tree(AT_FDCWD, in_dir("a")), 0);
	assert_int_equal(stat(in_dir("a"), &st), -1);
	assert_int_equal(stat(in_dir("kept"), &st), 0);
	assert_int_equal(io_remove_tree(AT_FDCWD, in_dir("a")), 0);
	io_replace_file(in_dir("file"), "x", 1, 0600, &e);
	assert_int_equal(io_mkdirs(in_dir("file/x"), 0700, &e), -1);
}

/* Deeper than descriptors reach, and with the names that are moved to. */
static void
removes_deep_trees(void **state)
{
	enum { DEPTH = 300, FILES = 64 };
	struct rlimit usual, few;
	struct stat st;
	struct err e;
	char cwd[PATH_MAX];
	int i;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof cwd));
	assert_int_equal(io_mkdirs(in_dir("d/deep-0/full"), 0700, &e), 0);
	assert_int_equal(io_mkdirs(in_dir("d/deep-1"), 0700, &e), 0);
	io_replace_file(in_dir("d/deep-2"), "x", 1, 0600, &e);
	assert_int_equal(chdir(in_dir("d")), 0);
	for (i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdir("d", 0700), 0);
		assert_int_equal(chdir("d"), 0);
		io_replace_file("file", "x", 1, 0600, &e);
		assert_int_equal(chmod("..", 0500), 0);
	}
	assert_int_equal(chdir(cwd), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	few = usual;
	few.rlim_cur = FILES;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(io_remove_tree(AT_FDCWD, in_dir("d")), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	assert_int_equal(stat(in_dir("d"), &st), -1);
}

static void
whole_reads_say_when_it_is_less(void **state)
{
	char b[8];
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(io_write_all(p[1], "1234", 4), 0);
	assert_int_equal(io_read_all(p[0], b, 4), 0);
	assert_int_equal(io_write_all(p[1], "12", 2), 0);
	close(p[1]);
	assert_int_equal(io_read_all(p[0], b, 4), -1);
	assert_int_equal(errno, EPIPE);
	close(p[0]);
}

static void
raises_descriptors(void **state)
{
	int fd = open("/dev/null", O_RDONLY), high;

	(void)state;
	high = io_raise_fd(fd, 100);
	assert_true(high >= 100);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(fcntl(high, F_GETFD), FD_CLOEXEC);
	assert_int_equal(io_raise_fd(high, 50), high);
	io_close(&high);
	assert_int_equal(high, -1);
	io_close(&high);
}

static void
hashes(void **state)
{
	struct hash *h = hash_new();
	char hex[HASH_HEX_SIZE];

	(void)state;
	assert_non_null(h);
	hash_add(h, "a", 1);
	hash_add(h, "bc", 2);
	hash_take_hex(h, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
	                         "b00361a396177a9cb410ff61f20015ad");
}

static int
set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	return io_remove_tree(AT_FDCWD, dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(replaces_whole),
	    cmocka_unit_test(reads_within_limits),
	    cmocka_unit_test(makes_and_removes_trees),
	    cmocka_unit_test(removes_deep_trees),
	    cmocka_unit_test(whole_reads_say_when_it_is_less),
	    cmocka_unit_test(raises_descriptors),
	    cmocka_unit_test(hashes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
