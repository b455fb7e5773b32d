/*
 * The journal: what is added and synced is there again, in order, after every
 * kind of end; what is damaged is refused or cut, never believed.
 */
#include "store/journal/journal.h"
#include "store/base/io.h"
#include "store/journal/segment.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SMALL = 4096 };	/* bytes of a segment in most tests */

/* --- a disk that fails: calls come here, which ask for no promise -------- */

static int way_error;	/* of sending bytes off; 0: it works */

int
sync_file_range(int fd, off64_t at, off64_t n, unsigned int flags)
{
	(void)fd;
	(void)at;
	(void)n;
	(void)flags;
	errno = way_error;
	return way_error ? -1 : 0;
}

/* --- a store of its own for each test ----------------------------------- */

struct world {
	char path[64];
	int dir_fd;
	struct journal *j;
	struct err e;
};

static struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	strcpy(w->path, "/tmp/bothy-journal-XXXXXX");
	assert_non_null(mkdtemp(w->path));
	w->dir_fd = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(w->dir_fd >= 0);
	return w;
}

static int
try_open(struct world *w, bool read_only)
{
	const struct journal_options o = {.segment_bytes = SMALL,
	    .begin = 1000, .read_only = read_only};

	return journal_open(w->dir_fd, &o, &w->j, &w->e);
}

static void
world_open(struct world *w)
{
	if (try_open(w, false) < 0)
		fail_msg("cannot open: %s", w->e.text);
}

static void
world_close(struct world *w)
{
	journal_close(w->j);
	w->j = NULL;
}

static void
world_again(struct world *w)
{
	world_close(w);
	world_open(w);
}

static void
world_free(struct world *w)
{
	journal_close(w->j);
	close(w->dir_fd);
	assert_int_equal(io_remove_tree(AT_FDCWD, w->path), 0);
	free(w);
}

/* A descriptor of a file in journal/, for the hand that damages it. */
static int
file_fd(const struct world *w, const char *name)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof path, "journal/%s", name);
	fd = openat(w->dir_fd, path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void
overwrite(const struct world *w, const char *name, off_t at, const char *bytes)
{
	int fd = file_fd(w, name);
	ssize_t n = (ssize_t)strlen(bytes);

	assert_int_equal(pwrite(fd, bytes, (size_t)n, at), n);
	close(fd);
}

static bool
exists(const struct world *w, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof path, "journal/%s", name);
	return faccessat(w->dir_fd, path, F_OK, 0) == 0;
}

/* --- lines: {"n":17,"x":"ccc..."} with n counting ----------------------- */

static size_t
compose(char *out, size_t room, int n)
{
	int len = snprintf(out, room, "{\"n\":%d,\"x\":\"", n), i;

	for (i = 0; i < n * 37 % 300; i++)
		out[len++] = (char)('a' + n % 26);
	len += snprintf(out + len, room - (size_t)len, "\"}");
	return (size_t)len;
}

static int
try_add(struct world *w, int n, uint64_t *next)
{
	char line[400];
	size_t len = compose(line, sizeof line, n);
	const struct iovec iov[] = {{line, 5}, {line + 5, len - 5}};

	return journal_add(w->j, iov, 2, next, &w->e);
}

static uint64_t
add(struct world *w, int n)
{
	uint64_t next;

	if (try_add(w, n, &next) < 0)
		fail_msg("cannot add: %s", w->e.text);
	return next;
}

static void
sync_now(struct world *w)
{
	if (journal_sync(w->j, &w->e) < 0)
		fail_msg("cannot sync: %s", w->e.text);
}

static uint64_t
put(struct world *w, int n)
{
	uint64_t next = add(w, n);

	sync_now(w);
	assert_true(journal_end(w->j) == next);
	return next;
}

struct expected {
	int n;			/* of the next line */
	uint64_t position;
	int stop_at;		/* give 7 after this many more, 0: never */
};

static int
compare(void *ctx, const struct journal_line *l)
{
	struct expected *x = ctx;
	char line[400];
	size_t len = compose(line, sizeof line, x->n++);

	assert_true(l->position == x->position);
	assert_int_equal(l->len, len);
	assert_memory_equal(l->payload, line, len);
	x->position += JOURNAL_OVERHEAD + len;
	assert_true(l->next == x->position);
	return x->stop_at && --x->stop_at == 0 ? 7 : 0;
}

/* The journal from `position` on holds the lines from `n` to before `end`. */
static void
expect(struct world *w, uint64_t position, int n, int end)
{
	struct expected x = {.n = n, .position = position};
	uint64_t next;

	if (journal_read(w->j, position, compare, &x, &next, &w->e) < 0)
		fail_msg("cannot read: %s", w->e.text);
	assert_int_equal(x.n, end);
	assert_true(next == journal_end(w->j));
}

static void
expect_refused(struct world *w, const char *text)
{
	assert_int_equal(try_open(w, false), -1);
	assert_int_equal(w->e.code, EUCLEAN);
	if (!strstr(w->e.text, text))
		fail_msg("\"%s\" does not say \"%s\"", w->e.text, text);
	w->j = NULL;
}

/* --- the good days ------------------------------------------------------ */

static void
what_is_synced_is_read_again(void **state)
{
	struct world *w = world_new();
	int n;

	(void)state;
	world_open(w);
	assert_true(journal_end(w->j) == 1000);
	expect(w, 1000, 0, 0);
	for (n = 0; n < 100; n++) {
		put(w, n);
		if (n % 13 == 0)
			expect(w, 1000, 0, n + 1);
	}
	world_again(w);
	expect(w, 1000, 0, 100);
	put(w, 100);
	world_again(w);
	expect(w, 1000, 0, 101);
	world_free(w);
}

static void
a_batch_is_shown_when_it_is_synced(void **state)
{
	struct world *w = world_new();
	uint64_t middle;

	(void)state;
	world_open(w);
	put(w, 0);
	add(w, 1);
	middle = add(w, 2);
	add(w, 8);
	expect(w, 1000, 0, 1);
	journal_drop(w->j, middle);
	add(w, 3);
	sync_now(w);
	expect(w, 1000, 0, 4);
	add(w, 4);
	world_again(w);
	expect(w, 1000, 0, 4);
	world_free(w);
}

static void
what_is_sent_is_shown_when_it_is_synced(void **state)
{
	struct world *w = world_new();

	(void)state;
	world_open(w);
	put(w, 0);
	journal_send(w->j);	/* nothing */
	sync_now(w);
	add(w, 1);
	journal_send(w->j);
	expect(w, 1000, 0, 1);
	sync_now(w);
	expect(w, 1000, 0, 2);
	put(w, 2);
	world_again(w);
	expect(w, 1000, 0, 3);
	world_free(w);
}

/* A write that failed is never tried again. */
static void
what_could_not_be_sent_is_told_by_the_sync(void **state)
{
	struct world *w = world_new();
	struct rlimit was, none;

	(void)state;
	world_open(w);
	put(w, 0);
	add(w, 1);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	none = (struct rlimit){1, was.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	journal_send(w->j);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(journal_sync(w->j, &w->e), -1);
	assert_int_equal(w->e.code, FAULT_READ_ONLY);
	assert_int_equal(journal_sync(w->j, &w->e), -1);
	expect(w, 1000, 0, 1);
	world_free(w);
}

/* What the disk refused on its way there, no sync need tell of. */
static void
what_was_lost_on_its_way_is_told_by_the_sync(void **state)
{
	static const int MISSING[] = {ENOSYS, EPERM, EINVAL, EOPNOTSUPP};
	struct world *w = world_new();
	size_t i;
	int n = 0;

	(void)state;
	world_open(w);
	for (i = 0; i < sizeof MISSING / sizeof MISSING[0]; i++) {
		add(w, n++);
		way_error = MISSING[i];
		journal_send(w->j);
		way_error = 0;
		sync_now(w);
	}
	add(w, n);
	way_error = EIO;
	journal_send(w->j);
	way_error = 0;
	assert_int_equal(journal_sync(w->j, &w->e), -1);
	assert_int_equal(w->e.code, FAULT_READ_ONLY);
	expect(w, 1000, 0, n);
	world_free(w);
}

static void
a_reader_stops_and_goes_on(void **state)
{
	struct world *w = world_new();
	struct expected x = {.position = 1000, .stop_at = 3};
	uint64_t next = 1000;
	int n, r;

	(void)state;
	world_open(w);
	for (n = 0; n < 40; n++)
		put(w, n);
	do {
		x.stop_at = 3;
		r = journal_read(w->j, next, compare, &x, &next, &w->e);
	} while (r == 7);
	assert_int_equal(r, 0);
	assert_int_equal(x.n, 40);
	assert_int_equal(journal_read(w->j, 1001, compare, &x, NULL, &w->e),
	    -1);
	assert_int_equal(w->e.code, EINVAL);
	assert_int_equal(journal_read(w->j, next + 1, compare, &x, NULL,
	    &w->e), -1);
	assert_int_equal(w->e.code, EINVAL);
	assert_int_equal(journal_read(w->j, 999, compare, &x, NULL, &w->e),
	    -1);
	assert_int_equal(w->e.code, FAULT_TRIMMED);
	world_free(w);
}

static void
a_line_is_json(void **state)
{
	static const char want[] = "[\"00d6b47d\",\"00000003\","
	    "\"00000000000003e8\",\"00000000\",{ }]\n";
	struct world *w = world_new();
	struct iovec iov = {(char *)(uintptr_t)"{ }", 3};
	char line[sizeof want] = "";
	int fd;

	(void)state;
	world_open(w);
	assert_int_equal(journal_add(w->j, &iov, 1, NULL, &w->e), 0);
	sync_now(w);
	fd = file_fd(w, "00000001.jsonl");
	assert_int_equal(pread(fd, line, sizeof want - 1, 0), sizeof want - 1);
	assert_string_equal(line, want);
	close(fd);
	world_free(w);
}

static void
lines_have_limits(void **state)
{
	struct world *w = world_new();
	struct iovec iov = {(char *)(uintptr_t)"a\nb", 3};
	char *big = malloc(JOURNAL_LINE_MAX + 1);
	int n;

	(void)state;
	assert_non_null(big);
	memset(big, '1', JOURNAL_LINE_MAX + 1);
	world_open(w);
	assert_int_equal(journal_add(w->j, &iov, 1, NULL, &w->e), -1);
	assert_int_equal(w->e.code, EINVAL);
	assert_int_equal(journal_add(w->j, &iov, 0, NULL, &w->e), -1);
	assert_int_equal(w->e.code, EINVAL);
	iov = (struct iovec){big, JOURNAL_LINE_MAX + 1};
	assert_int_equal(journal_add(w->j, &iov, 1, NULL, &w->e), -1);
	assert_int_equal(w->e.code, FAULT_LIMIT);
	for (n = 0; try_add(w, n, NULL) == 0; n++)
		assert_true(n < 100);
	assert_int_equal(w->e.code, FAULT_BUSY);
	sync_now(w);
	assert_true(journal_end(w->j) - 1000 <= SMALL);
	expect(w, 1000, 0, n);
	iov.iov_len = 100000;
	assert_int_equal(journal_add(w->j, &iov, 1, NULL, &w->e), 0);
	sync_now(w);
	world_again(w);
	assert_true(journal_end(w->j) > 101000);
	free(big);
	world_free(w);
}

static void
nothing_is_made_in_a_store_that_is_only_read(void **state)
{
	struct world *w = world_new();
	struct mark m;

	(void)state;
	assert_int_equal(try_open(w, true), -1);
	assert_int_equal(w->e.code, ENOENT);
	assert_false(exists(w, ""));
	world_open(w);
	put(w, 0);
	world_close(w);
	assert_int_equal(try_open(w, true), 0);
	assert_null(journal_damage(w->j));
	expect(w, 1000, 0, 1);
	assert_int_equal(try_add(w, 1, NULL), -1);
	assert_int_equal(w->e.code, FAULT_READ_ONLY);
	journal_marks(w->j, &m);
	assert_int_equal(journal_set_marks(w->j, &m, &w->e), -1);
	assert_int_equal(journal_release(w->j, &w->e), -1);
	assert_int_equal(journal_prepare(w->j, &w->e), -1);
	world_free(w);
}

/* --- segments ----------------------------------------------------------- */

static void
segments_are_prepared_trimmed_and_released(void **state)
{
	struct world *w = world_new();
	uint64_t at[101] = {1000};
	struct mark m;
	struct journal_stat s;
	struct stat st;
	int n, fd;

	(void)state;
	world_open(w);
	assert_true(journal_wants_segment(w->j));
	assert_int_equal(journal_room(w->j), 0);
	for (n = 0; n < 100; n++) {
		if (journal_wants_segment(w->j))
			assert_int_equal(journal_prepare(w->j, &w->e), 0);
		assert_true(journal_room(w->j) >= SMALL);
		at[n + 1] = put(w, n);
	}
	fd = file_fd(w, "00000001.jsonl");
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, journal_boundary(w->j, 1000) - 1000);
	close(fd);
	journal_marks(w->j, &m);
	m.redo.position = at[100];
	m.feed.position = at[50];
	strcpy(m.commit, "0123456789abcdef");
	assert_int_equal(journal_set_marks(w->j, &m, &w->e), 0);
	assert_int_equal(journal_release(w->j, &w->e), 0);
	assert_true(journal_begin(w->j) == 1000);
	m.pitr = (struct mark_point){at[60], 1234567890123};
	assert_int_equal(journal_set_marks(w->j, &m, &w->e), 0);
	assert_int_equal(journal_release(w->j, &w->e), 0);
	assert_false(exists(w, "00000001.jsonl"));
	assert_true(journal_begin(w->j) > 1000);
	assert_true(journal_begin(w->j) <= at[50]);
	expect(w, at[50], 50, 100);
	journal_stat(w->j, &s);
	assert_true(s.begin == journal_begin(w->j) && s.end == at[100]);
	world_again(w);
	journal_marks(w->j, &m);
	assert_true(m.pitr.position == at[60]);
	assert_true(m.pitr.at_ms == 1234567890123);
	assert_string_equal(m.commit, "0123456789abcdef");
	expect(w, at[50], 50, 100);
	m.feed.position--;
	assert_int_equal(journal_set_marks(w->j, &m, &w->e), -1);
	m.feed.position = at[100] + 1;
	assert_int_equal(journal_set_marks(w->j, &m, &w->e), -1);
	assert_int_equal(w->e.code, EINVAL);
	world_free(w);
}

/* Lines go where zeros are, as soon as a segment has them. */
static void
raw_space_is_left(void **state)
{
	struct world *w = world_new();
	uint64_t begin;
	int n;

	(void)state;
	world_open(w);
	put(w, 0);
	assert_int_equal(journal_prepare(w->j, &w->e), 0);
	for (n = 1; !journal_wants_segment(w->j); n++)
		put(w, n);
	assert_true(journal_boundary(w->j, 1000) == journal_end(w->j));
	assert_int_equal(journal_prepare(w->j, &w->e), 0);
	assert_false(journal_wants_segment(w->j));
	begin = journal_end(w->j);
	put(w, n++);
	assert_true(journal_boundary(w->j, 1000) == begin);
	put(w, n++);
	assert_true(journal_boundary(w->j, begin) == journal_end(w->j));
	world_again(w);
	expect(w, 1000, 0, n);
	world_free(w);
}

static void
move_all_marks(struct world *w)
{
	struct mark m;

	journal_marks(w->j, &m);
	m.redo.position = m.feed.position = m.pitr.position =
	    journal_end(w->j);
	if (journal_set_marks(w->j, &m, &w->e) < 0 ||
	    journal_release(w->j, &w->e) < 0)
		fail_msg("cannot move the marks: %s", w->e.text);
}

static void
what_is_settled_is_not_written_again(void **state)
{
	struct world *w = world_new();
	struct stat before, after;
	int fd;

	(void)state;
	world_open(w);
	put(w, 0);
	fd = file_fd(w, "00000001.jsonl");
	assert_int_equal(fstat(fd, &before), 0);
	close(fd);
	move_all_marks(w);
	world_again(w);
	fd = file_fd(w, "00000001.jsonl");
	assert_int_equal(fstat(fd, &after), 0);
	close(fd);
	assert_true(before.st_ino == after.st_ino);
	put(w, 1);
	expect(w, 1000, 0, 2);
	world_free(w);
}

static void
positions_go_on_when_all_lines_are_gone(void **state)
{
	struct world *w = world_new();
	uint64_t end;

	(void)state;
	world_open(w);
	end = put(w, 0);
	move_all_marks(w);
	world_close(w);
	assert_int_equal(unlinkat(w->dir_fd, "journal/00000001.jsonl", 0), 0);
	world_open(w);
	assert_true(journal_end(w->j) == end);
	put(w, 1);
	world_again(w);
	expect(w, end, 1, 2);
	world_free(w);
}

/* --- damage ------------------------------------------------------------- */

/* Three lines in three batches, then two in one; `at` gets their bytes. */
static void
five_lines(struct world *w, off_t at[6])
{
	int n;

	at[0] = 0;
	world_open(w);
	for (n = 0; n < 3; n++)
		at[n + 1] = (off_t)(put(w, n) - 1000);
	for (; n < 5; n++)
		at[n + 1] = (off_t)(add(w, n) - 1000);
	sync_now(w);
	world_close(w);
}

static void
a_torn_batch_is_cut(void **state)
{
	struct world *w = world_new();
	off_t at[6];
	int fd;

	(void)state;
	five_lines(w, at);
	overwrite(w, "00000001.jsonl", at[3] + 20, "zzzz");
	world_open(w);
	expect(w, 1000, 0, 3);
	put(w, 3);
	expect(w, 1000, 0, 4);
	world_again(w);
	expect(w, 1000, 0, 4);
	world_close(w);
	fd = file_fd(w, "00000001.jsonl");
	assert_int_equal(ftruncate(fd, at[3] + 10), 0);
	close(fd);
	world_open(w);
	expect(w, 1000, 0, 3);
	world_free(w);
}

static void
what_was_cut_never_comes_back(void **state)
{
	struct world *w = world_new();
	off_t at[6];
	struct mark m;

	(void)state;
	five_lines(w, at);
	world_open(w);
	journal_marks(w->j, &m);
	m.redo.position = 1000 + (uint64_t)at[3];
	assert_int_equal(journal_set_marks(w->j, &m, &w->e), 0);
	world_close(w);
	overwrite(w, "00000001.jsonl", at[3] + 20, "zzzz");
	world_open(w);
	expect(w, 1000, 0, 3);
	put(w, 3);
	world_again(w);
	expect(w, 1000, 0, 4);
	world_free(w);
}

static void
damage_below_what_was_synced_is_refused(void **state)
{
	struct world *w = world_new();
	off_t at[6];

	(void)state;
	five_lines(w, at);
	overwrite(w, "00000001.jsonl", at[1] + 60, "z");
	expect_refused(w, "journal/00000001.jsonl is damaged at byte 69");
	expect_refused(w, "read-only");
	assert_int_equal(try_open(w, true), 0);
	assert_non_null(journal_damage(w->j));
	expect(w, 1000, 0, 1);
	world_free(w);
}

static void
damage_below_a_mark_is_refused(void **state)
{
	struct world *w = world_new();
	off_t at[6];

	(void)state;
	five_lines(w, at);
	world_open(w);
	move_all_marks(w);
	world_close(w);
	overwrite(w, "00000001.jsonl", at[4] + 60, "z");
	expect_refused(w, "when it was marked");
	world_free(w);
}

/* Damages each field of the second of five lines' head, and its end. */
static void
every_field_is_checked(void **state)
{
	static const struct {
		off_t at;
		const char *bytes;
	} hits[] = {{0, "{"}, {1, "'"}, {2, "ffffffff"}, {2, "FFFFFFFF"},
	    {10, "'"}, {13, "00000000"}, {13, "ffffffff"}, {13, "7fffffff"},
	    {13, "0000000g"}, {21, "x"}, {24, "1"}, {39, "0"}, {43, "ffffffff"},
	    {43, "00000001"}, {51, "x"}, {52, "x"}, {53, "x"}};
	struct world *w;
	off_t at[6];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof hits / sizeof *hits; i++) {
		w = world_new();
		five_lines(w, at);
		overwrite(w, "00000001.jsonl", at[1] + hits[i].at,
		    hits[i].bytes);
		expect_refused(w, "damaged at byte 69");
		world_free(w);
	}
	w = world_new();
	five_lines(w, at);
	overwrite(w, "00000001.jsonl", at[2] - 1, " ");
	expect_refused(w, "damaged at byte 69");
	world_free(w);
}

static void
a_lost_segment_is_refused(void **state)
{
	struct world *w = world_new();
	uint64_t third;
	int n;

	(void)state;
	world_open(w);
	for (n = 0; n < 100; n++)
		put(w, n);
	third = journal_boundary(w->j, journal_boundary(w->j, 1000));
	world_close(w);
	assert_int_equal(renameat(w->dir_fd, "journal/00000002.jsonl",
	    w->dir_fd, "kept"), 0);
	expect_refused(w, "journal/00000002.jsonl");
	assert_int_equal(try_open(w, true), 0);
	assert_true(journal_begin(w->j) == third);
	world_close(w);
	assert_int_equal(renameat(w->dir_fd, "kept", w->dir_fd,
	    "journal/00000002.jsonl"), 0);
	world_open(w);
	expect(w, 1000, 0, 100);
	world_close(w);
	overwrite(w, "00000003.jsonl", 0, "zz");
	expect_refused(w, "journal/00000003.jsonl");
	world_free(w);
}

static void
a_lost_mark_is_refused(void **state)
{
	struct world *w = world_new();

	(void)state;
	world_open(w);
	put(w, 0);
	world_close(w);
	overwrite(w, "mark", 0, "{\"crc\":\"zzzzzzzz");
	expect_refused(w, "journal/mark");
	assert_int_equal(unlinkat(w->dir_fd, "journal/mark", 0), 0);
	expect_refused(w, "journal/mark is missing");
	assert_int_equal(try_open(w, true), 0);
	assert_non_null(journal_damage(w->j));
	expect(w, 1000, 0, 1);
	world_free(w);
}

static void
a_torn_mark_leaves_the_one_before(void **state)
{
	struct world *w = world_new();
	uint64_t first;
	struct mark m;

	(void)state;
	world_open(w);
	first = put(w, 0);
	move_all_marks(w);		/* sequence 3: the second slot */
	put(w, 1);
	move_all_marks(w);		/* sequence 4: the first one */
	world_close(w);
	overwrite(w, "mark", 100, "zzzz");
	world_open(w);
	journal_marks(w->j, &m);
	assert_true(m.redo.position == first);
	expect(w, first, 1, 2);
	world_free(w);
}

static void
marks_without_their_segments_are_refused(void **state)
{
	struct world *w = world_new();
	struct mark m;

	(void)state;
	world_open(w);
	put(w, 0);
	journal_marks(w->j, &m);
	m.redo.position = journal_end(w->j);
	assert_int_equal(journal_set_marks(w->j, &m, &w->e), 0);
	world_close(w);
	assert_int_equal(unlinkat(w->dir_fd, "journal/00000001.jsonl", 0), 0);
	expect_refused(w, "missing");
	world_free(w);
}

/* --- threads ------------------------------------------------------------ */

enum { THREAD_LINES = 2000 };

struct helper {
	struct world *w;
	_Atomic bool done;
};

static void *
prepare_and_release(void *arg)
{
	struct helper *h = arg;
	struct mark m;
	struct err e;

	while (!h->done) {
		if (journal_wants_segment(h->w->j))
			assert_int_equal(journal_prepare(h->w->j, &e), 0);
		journal_marks(h->w->j, &m);
		m.redo.position = journal_end(h->w->j);
		m.feed.position = m.pitr.position = journal_boundary(h->w->j,
		    m.feed.position);
		if (m.feed.position > m.redo.position)
			m.feed.position = m.pitr.position = m.redo.position;
		assert_int_equal(journal_set_marks(h->w->j, &m, &e), 0);
		assert_int_equal(journal_release(h->w->j, &e), 0);
		usleep(2000);
	}
	return NULL;
}

static void *
follow(void *arg)
{
	struct helper *h = arg;
	struct expected x = {.position = 1000};
	uint64_t next = 1000;
	struct err e;
	int r;

	while (x.n < THREAD_LINES) {
		r = journal_read(h->w->j, next, compare, &x, &next, &e);
		if (r < 0 && e.code == FAULT_TRIMMED)
			return NULL;
		assert_int_equal(r, 0);
	}
	return NULL;
}

static void
readers_and_helpers_go_beside_the_writer(void **state)
{
	struct world *w = world_new();
	struct helper h = {.w = w};
	pthread_t helper, reader;
	int n;

	(void)state;
	world_open(w);
	assert_int_equal(pthread_create(&helper, NULL, prepare_and_release,
	    &h), 0);
	assert_int_equal(pthread_create(&reader, NULL, follow, &h), 0);
	for (n = 0; n < THREAD_LINES; n++) {
		add(w, n);
		if (n % 7 == 6 || n == THREAD_LINES - 1)
			sync_now(w);
	}
	assert_int_equal(pthread_join(reader, NULL), 0);
	h.done = true;
	assert_int_equal(pthread_join(helper, NULL), 0);
	world_again(w);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_synced_is_read_again),
	    cmocka_unit_test(a_batch_is_shown_when_it_is_synced),
	    cmocka_unit_test(what_is_sent_is_shown_when_it_is_synced),
	    cmocka_unit_test(what_could_not_be_sent_is_told_by_the_sync),
	    cmocka_unit_test(what_was_lost_on_its_way_is_told_by_the_sync),
	    cmocka_unit_test(a_reader_stops_and_goes_on),
	    cmocka_unit_test(a_line_is_json),
	    cmocka_unit_test(lines_have_limits),
	    cmocka_unit_test(nothing_is_made_in_a_store_that_is_only_read),
	    cmocka_unit_test(segments_are_prepared_trimmed_and_released),
	    cmocka_unit_test(raw_space_is_left),
	    cmocka_unit_test(what_is_settled_is_not_written_again),
	    cmocka_unit_test(positions_go_on_when_all_lines_are_gone),
	    cmocka_unit_test(a_torn_batch_is_cut),
	    cmocka_unit_test(what_was_cut_never_comes_back),
	    cmocka_unit_test(damage_below_what_was_synced_is_refused),
	    cmocka_unit_test(damage_below_a_mark_is_refused),
	    cmocka_unit_test(every_field_is_checked),
	    cmocka_unit_test(a_lost_segment_is_refused),
	    cmocka_unit_test(a_lost_mark_is_refused),
	    cmocka_unit_test(a_torn_mark_leaves_the_one_before),
	    cmocka_unit_test(marks_without_their_segments_are_refused),
	    cmocka_unit_test(readers_and_helpers_go_beside_the_writer),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
