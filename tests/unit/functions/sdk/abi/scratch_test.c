/*
 * Scratch directories: one that nobody touched is used again as it is, any
 * other is emptied, whatever a request made of it.
 */
#include "functions/sdk/scratch.h"

#include "store/base/io.h"

#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SLOTS = 4, PAST_GRAIN_US = 45000 };

struct place {
	char root[64];
	struct scratch scratch;
};

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	struct err e;

	strcpy(p->root, "/tmp/bothy-scratch-XXXXXX");
	assert_non_null(mkdtemp(p->root));
	assert_int_equal(scratch_open(&p->scratch, p->root, SLOTS, &e), 0);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;
	size_t i;

	for (i = 0; i < SLOTS; i++)
		free(p->scratch.slots[i].variables);
	io_close(&p->scratch.root_fd);
	free(p->scratch.root);
	assert_int_equal(io_remove_tree(AT_FDCWD, p->root), 0);
	free(p);
	return 0;
}

static const char *
path_of(struct place *p, size_t i)
{
	return scratch_variables(&p->scratch, i) + strlen("HOME=");
}

static ino_t
inode(struct place *p, size_t i)
{
	struct stat st;

	assert_int_equal(stat(path_of(p, i), &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	return st.st_ino;
}

static void
write_in(struct place *p, size_t i, const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s/%s", path_of(p, i), name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static bool
is_there(struct place *p, size_t i, const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", path_of(p, i), name);
	return lstat(path, &st) == 0;
}

static void
use(struct place *p, size_t i)
{
	scratch_taken(&p->scratch, i);
	scratch_dirty(&p->scratch, i);
}

static void
variables_name_the_directory(void **state)
{
	struct place *p = *state;
	char home[128], tmpdir[128];
	const char *both;

	assert_int_equal(scratch_ready(&p->scratch, 2), 0);
	snprintf(home, sizeof home, "HOME=%s/2", p->root);
	snprintf(tmpdir, sizeof tmpdir, "TMPDIR=%s/2", p->root);
	both = scratch_variables(&p->scratch, 2);
	assert_string_equal(both, home);
	assert_string_equal(both + strlen(both) + 1, tmpdir);
	inode(p, 2);
}

static void
what_is_left_is_removed(void **state)
{
	struct place *p = *state;
	char path[256];

	assert_int_equal(scratch_ready(&p->scratch, 0), 0);
	usleep(PAST_GRAIN_US);
	use(p, 0);
	write_in(p, 0, "secret");
	snprintf(path, sizeof path, "%s/dir", path_of(p, 0));
	assert_int_equal(mkdir(path, 0700), 0);
	write_in(p, 0, "dir/deep");
	assert_int_equal(scratch_ready(&p->scratch, 0), 0);
	assert_false(is_there(p, 0, "secret"));
	assert_false(is_there(p, 0, "dir"));
	inode(p, 0);
}

/* Within a tick of its making, the change time says what it said before. */
static void
what_is_left_within_one_tick_is_removed(void **state)
{
	struct place *p = *state;
	struct stat st;

	assert_int_equal(scratch_ready(&p->scratch, 1), 0);
	use(p, 1);
	write_in(p, 1, "left");
	assert_int_equal(stat(path_of(p, 1), &st), 0);
	p->scratch.slots[1].changed = st.st_ctim;
	assert_int_equal(scratch_ready(&p->scratch, 1), 0);
	assert_false(is_there(p, 1, "left"));
}

static void
untouched_is_used_again(void **state)
{
	struct place *p = *state;
	ino_t first;

	assert_int_equal(scratch_ready(&p->scratch, 0), 0);
	first = inode(p, 0);
	usleep(PAST_GRAIN_US);
	use(p, 0);
	assert_int_equal(scratch_ready(&p->scratch, 0), 0);
	assert_true(first == inode(p, 0));
	assert_false(p->scratch.slots[0].dirty);
}

static void
mode_is_put_back(void **state)
{
	struct place *p = *state;

	assert_int_equal(scratch_ready(&p->scratch, 0), 0);
	use(p, 0);
	assert_int_equal(chmod(path_of(p, 0), 0777), 0);
	assert_int_equal(scratch_ready(&p->scratch, 0), 0);
	inode(p, 0);
	use(p, 0);
	assert_int_equal(chmod(path_of(p, 0), 0), 0);
	assert_int_equal(scratch_ready(&p->scratch, 0), 0);
	inode(p, 0);
}

/* As root nothing is forbidden, so this then only shows that it goes. */
static void
unwritable_trees_go(void **state)
{
	struct place *p = *state;
	char path[256];

	assert_int_equal(scratch_ready(&p->scratch, 0), 0);
	use(p, 0);
	snprintf(path, sizeof path, "%s/a", path_of(p, 0));
	assert_int_equal(mkdir(path, 0700), 0);
	write_in(p, 0, "a/file");
	snprintf(path, sizeof path, "%s/a/b", path_of(p, 0));
	assert_int_equal(mkdir(path, 0), 0);
	snprintf(path, sizeof path, "%s/a", path_of(p, 0));
	assert_int_equal(chmod(path, 0500), 0);
	assert_int_equal(scratch_ready(&p->scratch, 0), 0);
	assert_false(is_there(p, 0, "a"));
}

static void
replaced_directory_is_made_anew(void **state)
{
	struct place *p = *state;
	char target[128];

	assert_int_equal(scratch_ready(&p->scratch, 0), 0);
	assert_int_equal(scratch_ready(&p->scratch, 1), 0);
	write_in(p, 1, "other");
	use(p, 0);
	snprintf(target, sizeof target, "%s", path_of(p, 1));
	assert_int_equal(rmdir(path_of(p, 0)), 0);
	assert_int_equal(symlink(target, path_of(p, 0)), 0);
	assert_int_equal(scratch_ready(&p->scratch, 0), 0);
	assert_false(is_there(p, 0, "other"));
	assert_true(is_there(p, 1, "other"));
	inode(p, 0);
}

/* Deeper than descriptors reach: moved aside, the slot goes on. */
static void
what_cannot_be_removed_is_moved_aside(void **state)
{
	enum { DEPTH = 300, FILES = 24 };
	struct place *p = *state;
	struct rlimit usual, few;
	char cwd[4096], left[128];
	glob_t aside;
	int i;

	assert_non_null(getcwd(cwd, sizeof cwd));
	assert_int_equal(scratch_ready(&p->scratch, 0), 0);
	use(p, 0);
	assert_int_equal(chdir(path_of(p, 0)), 0);
	for (i = 0; i < DEPTH; i++) {
		assert_int_equal(mkdir("d", 0700), 0);
		assert_int_equal(chdir("d"), 0);
	}
	assert_int_equal(chdir(cwd), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	few = usual;
	few.rlim_cur = FILES;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(scratch_ready(&p->scratch, 0), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	assert_false(is_there(p, 0, "d"));
	inode(p, 0);
	snprintf(left, sizeof left, "%s/left-*", p->scratch.root);
	assert_int_equal(glob(left, 0, NULL, &aside), 0);
	globfree(&aside);
}

static void
relative_root_is_refused(void **state)
{
	struct scratch s;
	struct err e;

	(void)state;
	assert_int_equal(scratch_open(&s, "here", 1, &e), -1);
	assert_int_equal(scratch_open(&s, NULL, 1, &e), -1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(variables_name_the_directory),
	    T(what_is_left_is_removed),
	    T(what_is_left_within_one_tick_is_removed),
	    T(untouched_is_used_again),
	    T(mode_is_put_back),
	    T(unwritable_trees_go),
	    T(replaced_directory_is_made_anew),
	    T(what_cannot_be_removed_is_moved_aside),
	    cmocka_unit_test(relative_root_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
