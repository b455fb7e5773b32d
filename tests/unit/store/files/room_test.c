/*
 * Room: what is held back, who may use it, and what a person is told.
 */
#include "store/files/room.h"
#include "store/value/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MB = 1 << 20 };

static void
the_reserve_is_for_deletes(void **state)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct room r;
	struct err e;

	(void)state;
	assert_return_code(fd, errno);
	room_init(&r, fd, "/srv/store");
	assert_int_equal(room_check(&r, 1000, 1, false, &e), 0);
	room_reserve(&r, r.free_bytes - MB, 0);
	assert_int_equal(room_check(&r, 2 * MB, 1, false, &e), -1);
	assert_int_equal(e.code, FAULT_NO_ROOM);
	assert_non_null(strstr(e.text, "no room at /srv/store: 4.0 MB are "
	    "needed and "));
	assert_non_null(strstr(e.text, "held back"));
	assert_int_equal(room_check(&r, 2 * MB, 1, true, &e), 0);
	room_reserve(&r, UINT64_MAX, 0);
	assert_int_equal(room_check(&r, 1, 1, false, &e), -1);
	assert_int_equal(room_check(&r, 1, 1, true, &e), 0);
	close(fd);
}

/* Between two looks at the disk, what was granted is gone. */
static void
grants_add_up(void **state)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned granted = 0;
	struct room r;
	struct err e;

	(void)state;
	assert_return_code(fd, errno);
	room_init(&r, fd, "/srv/store");
	assert_int_equal(room_check(&r, 0, 0, false, &e), 0);
	room_reserve(&r, r.free_bytes - 10 * MB, 0);
	r.looked_ms += 1000000;
	while (granted < 100 && room_check(&r, MB, 0, false, &e) == 0)
		granted++;
	assert_int_equal(granted, 5);
	r.free_inodes = 3;
	room_reserve(&r, 0, 1);
	assert_int_equal(room_check(&r, 10, 2, false, &e), 0);
	assert_int_equal(room_check(&r, 10, 1, false, &e), -1);
	assert_int_equal(e.code, FAULT_NO_ROOM);
	assert_non_null(strstr(e.text, "inodes for 1"));
	assert_int_equal(room_check(&r, 10, 1, true, &e), 0);
	close(fd);
}

/* A file system of 1 MB, filled and emptied. */
static void
a_small_disk_is_seen(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char where[128], block[4096] = "";
	struct room r;
	struct err e;
	int fd, file;

	(void)state;
	snprintf(where, sizeof where, "%s/room-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(where));
	if (mount("none", where, "tmpfs", 0, "size=1m,nr_inodes=10") == -1) {
		print_message("SKIPPED: can't mount a small file system: %s\n",
		    strerror(errno));
		rmdir(where);
		skip();
	}
	fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	room_init(&r, fd, where);
	assert_int_equal(room_check(&r, 1000, 1, false, &e), 0);
	room_forget(&r);
	assert_int_equal(room_check(&r, 1000, 100, false, &e), -1);
	assert_non_null(strstr(e.text, "100 new files"));
	file = openat(fd, "large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(file, block, sizeof block) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	room_forget(&r);
	assert_int_equal(room_check(&r, 1000, 1, false, &e), -1);
	assert_int_equal(e.code, FAULT_NO_ROOM);
	assert_non_null(strstr(e.text, "has 0 bytes free"));
	assert_int_equal(room_check(&r, 1000, 1, true, &e), -1);
	assert_int_equal(ftruncate(file, 0), 0);
	usleep((ROOM_LOOK_MS + 10) * 1000);
	assert_int_equal(room_check(&r, 1000, 1, false, &e), 0);
	close(file);
	close(fd);
	assert_int_equal(umount(where), 0);
	rmdir(where);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_reserve_is_for_deletes),
	    cmocka_unit_test(grants_add_up),
	    cmocka_unit_test(a_small_disk_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
