/*
 * Whatever lies in journal/ is refused or recovered, and what was recovered
 * is read, written on and recovered again.  The first byte says what the rest
 * is: 'r' a segment, 'c' a segment whose checksums are made right first, 'm'
 * the file of the marks beside a sound segment.
 */
#include "store/journal/journal.h"

#include "store/base/io.h"
#include "store/journal/segment.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

static char store[64];
static int store_fd = -1;

static void
remove_store(void)
{
	(void)io_remove_tree(AT_FDCWD, store);
}

static void
need(bool all_is_well)
{
	if (!all_is_well)
		abort();
}

/* An empty store, the same directory each time. */
static int
fresh_journal(void)
{
	if (store_fd < 0) {
		(void)snprintf(store, sizeof store, "%s/bothy-fuzz-XXXXXX",
		    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		need(mkdtemp(store) != NULL);
		need(atexit(remove_store) == 0);
		store_fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	need(io_remove_tree(store_fd, "journal") == 0);
	need(mkdirat(store_fd, "journal", 0700) == 0);
	return openat(store_fd, "journal", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
put_file(int dir_fd, const char *name, const void *p, size_t n)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	need(fd >= 0 && io_write_all(fd, p, n) == 0);
	(void)close(fd);
}

static void
put_sound_segment(int dir_fd)
{
	struct iovec iov = {(char *)(uintptr_t)"{}", 2};
	struct buf b;

	buf_init(&b, 1000);
	need(segment_add(&b, 0, 0, &iov, 1) == 0);
	need(segment_add(&b, b.len, 0, &iov, 1) == 0);
	put_file(dir_fd, "00000001.jsonl", b.data, b.len);
	buf_release(&b);
}

/* Gives every line that could be one the checksum that it should have. */
static void
mend(char *p, size_t n)
{
	char length[9] = "", crc[9];
	size_t at, bytes;

	for (at = 0; at + JOURNAL_OVERHEAD < n; at++) {
		if (p[at] != '[' || p[at + 12] != '"')
			continue;
		memcpy(length, p + at + 13, 8);
		bytes = strtoul(length, NULL, 16) + JOURNAL_OVERHEAD;
		if (bytes > n - at)
			continue;
		(void)snprintf(crc, sizeof crc, "%08lx", crc32_z(0,
		    (unsigned char *)p + at + 13, bytes - 13));
		memcpy(p + at + 2, crc, 8);
	}
}

static void
put_segment(int dir_fd, const uint8_t *input, size_t n, bool mended)
{
	struct mark_file f;
	struct mark m = {0};
	struct err e;
	char *copy = malloc(n + 1);

	need(copy != NULL);
	memcpy(copy, input, n);
	if (mended)
		mend(copy, n);
	put_file(dir_fd, "00000001.jsonl", copy, n);
	free(copy);
	need(mark_create(&f, dir_fd, &m, &e) == 0);
	mark_close(&f);
}

static int
see(void *ctx, const struct journal_line *l)
{
	uint64_t *at = ctx;

	need(l->position >= *at && l->next == l->position + l->len +
	    JOURNAL_OVERHEAD);
	*at = l->next;
	return 0;
}

static int
open_journal(struct journal **j, bool read_only)
{
	struct journal_options o = {.segment_bytes = 4096,
	    .read_only = read_only};
	struct err e = {0};
	int r = journal_open(store_fd, &o, j, &e);

	need(r == 0 || e.text[0]);
	return r;
}

static int
read_all(struct journal *j)
{
	uint64_t at = journal_begin(j);
	struct err e;

	return journal_read(j, at, see, &at, NULL, &e);
}

static void
write_on(struct journal *j)
{
	struct iovec iov = {(char *)(uintptr_t)"1", 1};
	uint64_t next = 0;
	struct err e;

	need(read_all(j) == 0);
	need(journal_add(j, &iov, 1, &next, &e) == 0);
	need(journal_sync(j, &e) == 0 && journal_end(j) == next);
	journal_close(j);
	need(open_journal(&j, false) == 0);
	need(journal_end(j) == next && read_all(j) == 0);
	journal_close(j);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	struct journal *j;
	int dir_fd;

	if (n == 0)
		return 0;
	dir_fd = fresh_journal();
	if (input[0] == 'm') {
		put_file(dir_fd, "mark", input + 1, n - 1);
		put_sound_segment(dir_fd);
	} else {
		put_segment(dir_fd, input + 1, n - 1, input[0] == 'c');
	}
	if (open_journal(&j, true) == 0) {
		(void)read_all(j);
		journal_close(j);
	}
	if (open_journal(&j, false) == 0)
		write_on(j);
	(void)close(dir_fd);
	return 0;
}
