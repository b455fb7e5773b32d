/*
 * The index in memory: read ahead in pages, and as far as it is used; its map
 * is told to be read at random.
 */
#include "store/base/io.h"
#include "store/index/index.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOTES = 150, NOTE_BYTES = 300000, PIECE = 16 << 20, DEADLINE_S = 60 };

static char dir[32];
static struct err e;

static struct index *
open_index(void)
{
	struct index *ix = index_open(dir, NULL, &e);

	if (!ix)
		fail_msg("%s", e.text);
	return ix;
}

static int
open_data(int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "%s/data.mdb", dir);
	fd = open(path, flags | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* 45 MB of notes, on the disk and not in memory. */
static void
fill(void)
{
	static char big[NOTE_BYTES];
	struct text note = {big, sizeof big};
	struct index *ix = open_index();
	struct index_view *batch =
	    index_begin(ix, (size_t)NOTES * NOTE_BYTES, &e);
	char name[20];
	int i, fd;

	assert_non_null(batch);
	for (i = 0; i < NOTES; i++) {
		snprintf(name, sizeof name, "%d", i);
		assert_int_equal(
		    index_note_put(
			batch, &(struct text){name, strlen(name)}, &note, &e),
		    0);
	}
	assert_int_equal(index_commit(batch, 1, &e), 0);
	assert_int_equal(index_sync(ix, &e), 0);
	index_close(ix);
	fd = open_data(O_RDONLY);
	assert_int_equal(fsync(fd), 0);
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	close(fd);
}

static size_t
missing_pages(size_t bytes)
{
	static unsigned char in[1 << 20];
	size_t n = (bytes + 4095) / 4096, i, missing = 0;
	int fd = open_data(O_RDONLY);
	void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(map, MAP_FAILED);
	assert_in_range(n, 1, sizeof in);
	assert_int_equal(mincore(map, bytes, in), 0);
	for (i = 0; i < n; i++)
		missing += !(in[i] & 1);
	munmap(map, bytes);
	close(fd);
	return missing;
}

/* What is read ahead is on its way, and comes. */
static void
wait_until_there(size_t bytes)
{
	static const struct timespec PAUSE = {0, 10000000};
	int i;

	for (i = 0; missing_pages(bytes) && i < DEADLINE_S * 100; i++)
		nanosleep(&PAUSE, NULL);
	assert_int_equal(missing_pages(bytes), 0);
}

static void
it_is_read_ahead_in_pieces(void **state)
{
	struct index_room room;
	struct index *ix;
	size_t pieces = 1;

	(void)state;
	fill();
	ix = open_index();
	assert_int_equal(index_room(ix, &room, &e), 0);
	if (room.length_bytes == room.used_bytes) {
		print_message("SKIPPED: no blocks can be promised here\n");
		assert_false(index_warm(ix));
		index_close(ix);
		return;
	}
	assert_int_not_equal(missing_pages(room.used_bytes), 0);
	while (index_warm(ix))
		pieces++;
	assert_int_equal(pieces, (room.used_bytes + PIECE - 1) / PIECE);
	assert_false(index_warm(ix));
	wait_until_there(room.used_bytes);
	index_close(ix);
}

/* True if the map of the index has that flag, as proc(5) names it. */
static bool
map_has(const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512];
	bool ours = false, has = false;

	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		if (strchr(line, '/'))
			ours = strstr(line, "/data.mdb") != NULL;
		if (ours && strncmp(line, "VmFlags:", 8) == 0)
			has = has || strstr(line, flag);
	}
	fclose(f);
	return has;
}

static void
no_page_brings_others(void **state)
{
	struct index *ix = open_index();
	struct index_room room;

	(void)state;
	assert_int_equal(index_room(ix, &room, &e), 0);
	assert_true(map_has(" sh "));
	assert_int_equal(map_has(" rr "), room.length_bytes != room.used_bytes);
	index_close(ix);
}

static int
make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/bothy-index-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int
remove_dir(void **state)
{
	(void)state;
	return io_remove_tree(AT_FDCWD, dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		it_is_read_ahead_in_pieces, make_dir, remove_dir),
	    cmocka_unit_test_setup_teardown(
		no_page_brings_others, make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
