/*
 * fcgi/gateway/spool.c: bodies of every size and shape of reader.
 */
#include "fcgi/gateway/spool.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* A reader of `size` bytes in pieces; it may break off at its end. */
struct reader {
	size_t size, at, piece;
	bool breaks;
};

static char directory[64];
static int scratch_fd;
static struct spool spool;

static int
set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/spool_test.XXXXXX");
	assert_non_null(mkdtemp(directory));
	scratch_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(scratch_fd >= 0);
	spool_init(&spool, scratch_fd);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	spool_release(&spool);
	close(scratch_fd);
	return rmdir(directory);	/* so nothing was left in it */
}

static char
byte_at(size_t i)
{
	return (char)(i * 31 + i / 251);
}

static ssize_t
read_some(void *ctx, void *p, size_t n)
{
	struct reader *r = ctx;
	char *to = p;
	size_t i;

	if (r->at == r->size)
		return r->breaks ? -1 : 0;
	if (n > r->piece)
		n = r->piece;
	if (n > r->size - r->at)
		n = r->size - r->at;
	for (i = 0; i < n; i++)
		to[i] = byte_at(r->at++);
	return (ssize_t)n;
}

static int
run(struct reader *r, int64_t length, uint64_t max, int *fd, uint64_t *bytes)
{
	const struct spool_source from = {.read = read_some, .ctx = r};

	return spool_body(&spool, &from, length, max, fd, bytes);
}

/* The descriptor has those bytes, is at 0, and can't be changed. */
static void
assert_body(int fd, uint64_t bytes, size_t size)
{
	char *got = malloc(size + 1);
	size_t i;

	assert_non_null(got);
	assert_int_equal(bytes, size);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_int_equal(io_read_all(fd, got, size), 0);
	assert_int_equal(io_read(fd, got + size, 1), 0);
	for (i = 0; i < size; i++)
		if (got[i] != byte_at(i))
			fail_msg("byte %zu of %zu", i, size);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	free(got);
}

static void
test_sizes(void **state)
{
	static const size_t sizes[] = {1, 100, SPOOL_MEMORY - 1, SPOOL_MEMORY,
	    SPOOL_MEMORY + 1, 3 * SPOOL_MEMORY, 300000};
	static const size_t pieces[] = {1000, 65536, 1000000};
	uint64_t bytes;
	size_t i, k;
	int fd, known;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (k = 0; k < 3; k++)
			for (known = 0; known < 2; known++) {
				struct reader r = {
				    .size = sizes[i], .piece = pieces[k]};

				assert_int_equal(run(&r,
				    known ? (int64_t)sizes[i] : -1, 1 << 20,
				    &fd, &bytes), 0);
				assert_body(fd, bytes, sizes[i]);
				close(fd);
			}
}

static void
test_empty(void **state)
{
	struct reader r = {.size = 0, .piece = 1};
	struct reader full = {.size = 5, .piece = 1};
	uint64_t bytes;
	int fd;

	(void)state;
	assert_int_equal(run(&r, -1, 10, &fd, &bytes), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(bytes, 0);
	/* No more is read than was announced. */
	assert_int_equal(run(&full, 0, 10, &fd, &bytes), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(full.at, 0);
	assert_int_equal(run(&full, 3, 10, &fd, &bytes), 0);
	assert_body(fd, bytes, 3);
	assert_int_equal(full.at, 3);
	close(fd);
}

static void
test_limit(void **state)
{
	struct reader announced = {.size = 11, .piece = 100};
	struct reader chunked = {.size = 11, .piece = 100};
	struct reader fits = {.size = 10, .piece = 100};
	struct reader large = {.size = 200000, .piece = 65536};
	struct reader much = {.size = 200000, .piece = 65536};
	uint64_t bytes;
	int fd;

	(void)state;
	assert_int_equal(run(&announced, 11, 10, &fd, &bytes), 413);
	assert_int_equal(announced.at, 0);
	assert_int_equal(run(&chunked, -1, 10, &fd, &bytes), 413);
	assert_int_equal(fd, -1);
	assert_int_equal(run(&fits, -1, 10, &fd, &bytes), 0);
	close(fd);
	assert_int_equal(run(&large, -1, 199999, &fd, &bytes), 413);
	assert_int_equal(fd, -1);
	assert_non_null(spool.reason);
	assert_int_equal(run(&much, -1, 200000, &fd, &bytes), 0);
	close(fd);
}

static void
test_broken_off(void **state)
{
	static const size_t sizes[] = {0, 5, 100000};
	uint64_t bytes;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct reader breaks = {
		    .size = sizes[i], .piece = 999, .breaks = true};
		struct reader ends = {.size = sizes[i], .piece = 999};

		assert_int_equal(run(&breaks, -1, 1 << 20, &fd, &bytes), 400);
		assert_int_equal(fd, -1);
		assert_int_equal(run(&ends, (int64_t)sizes[i] + 1, 1 << 20,
		    &fd, &bytes), 400);
		assert_int_equal(fd, -1);
	}
}

/* Without a directory, or in one that is gone, bodies stay in memory. */
static void
test_no_scratch(void **state)
{
	struct reader r = {.size = 200000, .piece = 65536};
	struct reader again = {.size = 200000, .piece = 65536};
	char gone[] = "/tmp/spool_gone.XXXXXX";
	struct spool kept = spool;
	uint64_t bytes;
	int fd;

	(void)state;
	spool.scratch_fd = -1;
	assert_int_equal(run(&r, -1, 1 << 20, &fd, &bytes), 0);
	assert_body(fd, bytes, 200000);
	close(fd);
	assert_non_null(mkdtemp(gone));
	spool.scratch_fd = open(gone, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(rmdir(gone), 0);
	assert_int_equal(run(&again, -1, 1 << 20, &fd, &bytes), 0);
	assert_body(fd, bytes, 200000);
	close(fd);
	close(spool.scratch_fd);
	spool.scratch_fd = kept.scratch_fd;
}

/* No descriptor leaks, whatever the end. */
static void
test_descriptors(void **state)
{
	int before = dup(0), after;

	(void)state;
	close(before);
	test_sizes(NULL);
	test_limit(NULL);
	test_broken_off(NULL);
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_limit),
	    cmocka_unit_test(test_broken_off),
	    cmocka_unit_test(test_no_scratch),
	    cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
