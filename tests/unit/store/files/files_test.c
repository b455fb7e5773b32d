/*
 * Documents as files: replaced whole under the eyes of readers, recycled or
 * not with the same result, edited ones kept, tables that grow and go.
 */
#include "files_rig.h"

#include "store/files/unsynced.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

/* A disk that fails: the store's calls come here, which ask for no promise. */
static bool way_fails;

int
sync_file_range(int fd, off64_t at, off64_t n, unsigned int flags)
{
	(void)fd;
	(void)at;
	(void)n;
	(void)flags;
	errno = EIO;
	return way_fails ? -1 : 0;
}

static void
put_replaced_removed(struct rig *r)
{
	struct files_table *t = rig_table(r, "users");
	struct path_name name = rig_name("alice");
	struct files_stat st, found;
	struct stat on_disk;
	struct err e;

	assert_document(t, "alice", NULL);
	assert_int_equal(rig_remove(t, "alice"), 0);
	assert_int_equal(files_write(t, 0, &name, "{\"v\":1}", 7, 0, &st, &e),
	    0);
	assert_string_equal(rig_text(r, "data/users/alice.json"), "{\"v\":1}");
	assert_int_equal(files_check(t, &name, &found), FILES_OURS);
	assert_memory_equal(&found, &st, sizeof st);
	rig_write(t, "alice", "{\"v\":\"longer\"}");
	assert_string_equal(
	    rig_text(r, "data/users/alice.json"), "{\"v\":\"longer\"}");
	rig_write(t, "alice", "{}");
	assert_document(t, "alice", "{}");
	assert_int_equal(fstatat(r->fd, "data/users/alice.json", &on_disk, 0),
	    0);
	assert_int_equal(on_disk.st_mode & 07777, 0600);
	assert_in_range(on_disk.st_mtime, time(NULL) - 5, time(NULL) + 1);
	assert_int_equal(fstatat(r->fd, "data/users", &on_disk, 0), 0);
	assert_int_equal(on_disk.st_mode & 07777, 0700);
	assert_int_equal(rig_remove(t, "alice"), 1);
	assert_document(t, "alice", NULL);
	assert_int_equal(rig_count(r, "data/users"), 0);

	/* From what was removed, a shorter and a longer one. */
	rig_write(t, "bob", "1");
	rig_write(t, "bob/../carol", "22222222222222222222222");
	assert_document(t, "bob", "1");
	assert_string_equal(rig_text(r, "data/users/bob%2F..%2Fcarol.json"),
	    "22222222222222222222222");
	assert_int_equal(files_write(t, 0, NULL, "{}", 2, 0, NULL, &e), 0);
	assert_string_equal(rig_text(r, "data/users/.table.json"), "{}");
	assert_int_equal(r->edits, 0);
}

static void
documents_are_files(void **state)
{
	struct files_status s;
	struct rig r;

	(void)state;
	rig_start(&r, NULL);
	put_replaced_removed(&r);
	files_status(r.files, &s);
	if (!s.exchange || !s.leases || !s.seals)
		print_message("SKIPPED in part: no %s here\n", !s.exchange ?
		    "exchange" : !s.leases ? "leases" : "exact times");
	else
		assert_true(s.recycled >= 3);
	rig_end(&r);
}

static void
without_exchange_it_is_the_same(void **state)
{
	struct files_status s;
	struct rig r;

	(void)state;
	rig_start(&r, NULL);
	r.options.plain = true;
	rig_again(&r);
	put_replaced_removed(&r);
	files_status(r.files, &s);
	assert_false(s.exchange || s.leases);
	assert_int_equal(s.recycled, 0);
	assert_int_equal(rig_count(&r, "spare"), 0);
	rig_end(&r);
}

/* --- readers -------------------------------------------------------------- */

enum { DOCUMENT = 3000, HELD = 8 };

/* One digit, many times; its length says which. */
static size_t
document(unsigned i, char out[DOCUMENT])
{
	size_t n = 1000 + i % 10 * 200;

	memset(out, '0' + (int)(i % 10), n);
	return n;
}

static bool
is_document(const char *p, size_t n)
{
	char expected[DOCUMENT];

	return n >= 1000 && p[0] >= '0' && p[0] <= '9' &&
	    document((unsigned)(p[0] - '0'), expected) == n &&
	    memcmp(p, expected, n) == 0;
}

struct held {
	int fd;			/* -1: only the mapping is kept */
	char *map;
	size_t n;
	char first;
};

static bool
hold(int store_fd, bool keep_fd, struct held *h)
{
	char copy[DOCUMENT];
	struct stat st;

	h->fd = openat(store_fd, "data/t/doc.json", O_RDONLY | O_CLOEXEC);
	if (h->fd == -1 || fstat(h->fd, &st) == -1)
		return false;
	h->n = (size_t)st.st_size;
	if (read(h->fd, copy, sizeof copy) != st.st_size ||
	    !is_document(copy, h->n))
		return false;
	h->map = mmap(NULL, h->n, PROT_READ, MAP_SHARED, h->fd, 0);
	h->first = copy[0];
	if (!keep_fd)
		io_close(&h->fd);
	return h->map != MAP_FAILED;
}

/* What was opened is still the same, through descriptor and mapping. */
static bool
let_go(struct held *h)
{
	char copy[DOCUMENT];
	bool good = h->map[0] == h->first && is_document(h->map, h->n);

	if (h->fd != -1)
		good &= pread(h->fd, copy, sizeof copy, 0) == (ssize_t)h->n &&
		    copy[0] == h->first && is_document(copy, h->n);
	munmap(h->map, h->n);
	io_close(&h->fd);
	return good;
}

/* Ends with 0 if all was well until its end was asked for. */
static void
read_on(int store_fd, int asked_fd)
{
	struct held held[HELD];
	unsigned reads;
	char c;

	io_nonblock(asked_fd);
	memset(held, 0, sizeof held);
	for (reads = 0; reads < 100 || read(asked_fd, &c, 1) != 0; reads++) {
		struct held *h = &held[reads % HELD];

		if (h->map && !let_go(h))
			_exit(1);
		if (!hold(store_fd, reads % 2, h))
			_exit(2);
	}
	_exit(0);
}

static void
readers_see_whole_documents(void **state)
{
	struct files_status s;
	struct files_table *t;
	struct path_name name = rig_name("doc");
	char bytes[DOCUMENT];
	int ends[2], status;
	struct rig r;
	unsigned i;
	pid_t pid = -1;

	(void)state;
	rig_start(&r, NULL);
	t = rig_table(&r, "t");
	rig_write(t, "doc", "");
	for (i = 0; i < 10000; i++) {
		struct err e;

		if (files_write(t, 0, &name, bytes, document(i, bytes), 0,
		    NULL, &e) == -1)
			fail_msg("%s", e.text);
		if (i % 16 == 0)
			sched_yield();
		if (i > 0)
			continue;
		assert_return_code(pipe(ends), errno);
		pid = fork();
		if (pid == 0) {
			close(ends[1]);
			read_on(r.fd, ends[0]);
		}
		close(ends[0]);
	}
	close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	files_status(r.files, &s);
	print_message("%llu of 10000 recycled, %llu were in use\n",
	    (unsigned long long)s.recycled, (unsigned long long)s.in_use);
	assert_int_equal(s.edited, 0);
	rig_end(&r);
}

/* A mapping without a descriptor, and a second name, keep a file, too. */
static void
what_is_held_is_not_recycled(void **state)
{
	struct files_table *t;
	struct rig r;
	struct held h;

	(void)state;
	rig_start(&r, NULL);
	t = rig_table(&r, "t");
	rig_write(t, "doc", "first");
	h.fd = openat(r.fd, "data/t/doc.json", O_RDONLY | O_CLOEXEC);
	h.map = mmap(NULL, 5, PROT_READ, MAP_SHARED, h.fd, 0);
	close(h.fd);
	assert_ptr_not_equal(h.map, MAP_FAILED);
	rig_write(t, "doc", "second");
	rig_write(t, "doc", "third!");
	rig_write(t, "doc", "fourth");
	assert_memory_equal(h.map, "first", 5);
	munmap(h.map, 5);

	assert_int_equal(linkat(r.fd, "data/t/doc.json", r.fd, "linked", 0), 0);
	rig_write(t, "doc", "fifth");
	rig_write(t, "doc", "sixth");
	rig_write(t, "doc", "seventh");
	assert_string_equal(rig_text(&r, "linked"), "fourth");
	assert_int_equal(r.edits, 0);
	rig_end(&r);
}

/* Who opens a spare that is being written must not end the writer. */
static void
a_broken_lease_ends_nobody(void **state)
{
	struct files_table *t;
	struct rig r;
	pid_t pid;
	int i, status;

	(void)state;
	rig_start(&r, NULL);
	t = rig_table(&r, "t");
	rig_write(t, "doc", "x");
	rig_write(t, "doc", "y");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			int dir_fd = openat(r.fd, "spare", O_RDONLY);
			DIR *dir = fdopendir(dir_fd);
			const struct dirent *entry;

			while ((entry = readdir(dir)) != NULL)
				close(openat(dir_fd, entry->d_name, O_RDONLY));
			closedir(dir);
		}
	}
	for (i = 0; i < 3000; i++)
		rig_write(t, "doc", i % 2 ? "odd" : "even");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_document(t, "doc", "odd");
	rig_end(&r);
}

/* --- edits ------------------------------------------------------------------ */

static void
edit(const struct rig *r, const char *path, const char *text)
{
	int fd = openat(r->fd, path,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_return_code(fd, errno);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
edited_files_are_kept(void **state)
{
	struct path_name name = rig_name("a");
	struct files_table *t;
	struct rig r;
	int round;

	(void)state;
	rig_start(&r, NULL);
	for (round = 0; round < 2; round++) {
		r.options.plain = round == 1;
		rig_again(&r);
		t = rig_table(&r, "t");
		r.edits = 0;
		rig_write(t, "a", "written");
		edit(&r, "data/t/a.json", "by hand");
		assert_int_equal(files_check(t, &name, NULL), FILES_EDITED);
		rig_write(t, "a", "again");
		assert_int_equal(r.edits, 1);
		assert_string_equal(rig_text(&r, r.saved), "by hand");
		assert_document(t, "a", "again");
		rig_write(t, "a", "once more");
		assert_int_equal(r.edits, 1);
		assert_string_equal(rig_text(&r, r.saved), "by hand");

		edit(&r, "data/t/a.json", "before it goes");
		assert_int_equal(rig_remove(t, "a"), 1);
		assert_int_equal(r.edits, 2);
		assert_string_equal(rig_text(&r, r.saved), "before it goes");
		assert_document(t, "a", NULL);

		/* Made by hand where none was; just what is to be written. */
		edit(&r, "data/t/a.json", "made");
		rig_write(t, "a", "over it");
		assert_int_equal(r.edits, 3);
		edit(&r, "data/t/a.json", "equal");
		rig_write(t, "a", "equal");
		assert_int_equal(r.edits, 3);
	}
	rig_end(&r);
}

/* A copy takes its place, with the same times, as rsync would do it. */
static void
copy_with_times(const struct rig *r, const char *path)
{
	struct timespec times[2];
	struct stat st;
	const char *text = rig_text(r, path);

	assert_int_equal(fstatat(r->fd, path, &st, 0), 0);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	edit(r, "copy", text);
	assert_int_equal(utimensat(r->fd, "copy", times, 0), 0);
	assert_int_equal(renameat(r->fd, "copy", r->fd, path), 0);
}

/* Another document's file is no less strange than an edited one. */
static void
what_is_put_there_is_kept(void **state)
{
	struct files_table *t;
	struct rig r;

	(void)state;
	rig_start(&r, NULL);
	t = rig_table(&r, "t");
	rig_write(t, "a", "of a");
	rig_write(t, "b", "of b");
	assert_int_equal(
	    renameat(r.fd, "data/t/b.json", r.fd, "data/t/a.json"), 0);
	rig_write(t, "a", "new");
	assert_int_equal(r.edits, 1);
	assert_string_equal(rig_text(&r, r.saved), "of b");
	copy_with_times(&r, "data/t/a.json");
	rig_write(t, "a", "new");
	assert_int_equal(r.edits, 1);
	copy_with_times(&r, "data/t/a.json");
	rig_write(t, "a", "newer");
	assert_int_equal(r.edits, 2);
	assert_int_equal(unlinkat(r.fd, "data/t/a.json", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", r.fd, "data/t/a.json"), 0);
	rig_write(t, "a", "newer");
	assert_int_equal(r.edits, 3);
	assert_document(t, "a", "newer");
	assert_int_equal(unlinkat(r.fd, "data/t/a.json", 0), 0);
	assert_int_equal(mkdirat(r.fd, "data/t/a.json", 0700), 0);
	edit(&r, "data/t/a.json/inside", "deep");
	rig_write(t, "a", "newest");
	assert_int_equal(r.edits, 4);
	assert_document(t, "a", "newest");
	strcat(r.saved, "/inside");
	assert_string_equal(rig_text(&r, r.saved), "deep");
	rig_end(&r);
}

static void
redo_and_seal_take_what_is_there(void **state)
{
	struct path_name name = rig_name("a");
	enum files_state found;
	struct files_table *t;
	struct files_stat st;
	struct buf b;
	struct err e;
	struct rig r;

	(void)state;
	rig_start(&r, NULL);
	t = rig_table(&r, "t");
	rig_write(t, "a", "written");
	edit(&r, "data/t/a.json", "half a docu");
	assert_int_equal(files_write(t, 0, &name, "redone", 6, FILES_REDO,
	    NULL, &e), 0);
	rig_write(t, "a", "on");
	rig_write(t, "a", "and on");
	edit(&r, "data/t/a.json", "adopted");
	buf_init(&b, 100);
	assert_int_equal(files_read(t, &name, &b, &st, &found, &e), 1);
	assert_int_equal(found, FILES_EDITED);
	assert_int_equal(files_seal(t, &name, &st, &e), 0);
	assert_int_equal(files_check(t, &name, NULL), FILES_OURS);
	assert_int_equal(files_seal(t, &name, &st, &e), -1);
	assert_int_equal(e.code, EAGAIN);
	rig_write(t, "a", "on again");
	assert_int_equal(r.edits, 0);
	assert_int_equal(rig_count(&r, "conflicts"), 0);
	buf_release(&b);
	rig_end(&r);
}

/* --- many ---------------------------------------------------------------------- */

static void
numbered(unsigned i, char key[24])
{
	snprintf(key, 24, "document %u", i);
}

static void
write_many(struct files_table *t, unsigned from, unsigned to)
{
	char key[24];
	unsigned i;

	for (i = from; i < to; i++) {
		numbered(i, key);
		rig_write(t, key, key);
	}
}

static void
assert_many(struct files_table *t, unsigned from, unsigned to)
{
	char key[24];
	unsigned i;

	for (i = from; i < to; i++) {
		numbered(i, key);
		assert_document(t, key, key);
	}
}

/* All moves that there are. */
static void
grow(struct rig *r, unsigned at_a_time)
{
	struct err e;
	int moved;

	do {
		moved = files_grow(r->files, 1, at_a_time, &e);
		if (moved == -1)
			fail_msg("%s", e.text);
	} while (moved > 0);
}

static unsigned
growing(struct rig *r)
{
	struct files_status s;

	files_status(r->files, &s);
	return s.growing;
}

static void
tables_grow(void **state)
{
	struct files_table *t;
	struct path_name name;
	struct err e;
	struct rig r;

	(void)state;
	rig_start(&r, NULL);
	r.options.flat_max = 100;
	r.options.one_max = 1000;
	rig_again(&r);
	t = rig_table(&r, "t");
	write_many(t, 0, 100);
	grow(&r, 16);
	assert_int_equal(rig_count(&r, "data/t"), 100);
	assert_int_equal(growing(&r), 0);
	write_many(t, 100, 150);
	edit(&r, "data/t/README", "no document");
	grow(&r, 16);
	assert_int_equal(growing(&r), 1);
	assert_string_equal(rig_text(&r, "data/t/.fanout"), "1 moving\n");
	assert_int_equal(files_sync(r.files, &e), 0);
	assert_int_equal(growing(&r), 0);
	assert_string_equal(rig_text(&r, "data/t/.fanout"), "1\n");
	name = rig_name("document 7");
	assert_int_equal(files_check(t, &name, NULL), FILES_OURS);
	assert_string_equal(rig_text(&r, "data/t/README"), "no document");
	assert_many(t, 0, 150);

	write_many(t, 150, 1200);
	assert_true(files_grow(r.files, 1, 16, &e) > 0);
	assert_many(t, 0, 1200);
	rig_again(&r);
	assert_ptr_equal(rig_table(&r, "t"),
	    files_table(r.files, "t", 1200, &e));
	t = files_table(r.files, "t", 7, &e);
	assert_int_equal(growing(&r), 1);
	assert_many(t, 0, 1200);
	grow(&r, 64);
	assert_int_equal(files_sync(r.files, &e), 0);
	assert_string_equal(rig_text(&r, "data/t/.fanout"), "2\n");
	assert_many(t, 0, 1200);
	assert_int_equal(r.edits, 0);
	rig_end(&r);
}

/* While they move, documents are written, removed and edited. */
static void
growing_tables_go_on(void **state)
{
	char key[24], path[PATH_MAX_BYTES + 5];
	struct files_table *t;
	struct path_name name;
	struct rig r;
	struct err e;
	unsigned i;

	(void)state;
	rig_start(&r, NULL);
	r.options.flat_max = 500;
	rig_again(&r);
	t = rig_table(&r, "t");
	write_many(t, 0, 600);
	edit(&r, "data/t/document%20599.json", "by hand");
	assert_true(files_grow(r.files, 1, 200, &e) > 0);
	for (i = 0; i < 600; i += 3) {
		numbered(i, key);
		rig_write(t, key, "new");
		numbered(i + 1, key);
		assert_int_equal(rig_remove(t, key), 1);
		assert_int_equal(rig_remove(t, key), 0);
	}
	/* A crash between a write and its end leaves the old one, too. */
	edit(&r, "data/t/document%200.json", "stale");
	assert_document(t, "document 0", "new");
	grow(&r, 50);
	for (i = 0; i < 600; i++) {
		numbered(i, key);
		if (i % 3 == 0)
			assert_document(t, key, "new");
		else if (i % 3 == 1)
			assert_document(t, key, NULL);
		else if (i != 599)
			assert_document(t, key, key);
	}
	assert_int_equal(r.edits, 1);
	assert_string_equal(rig_text(&r, r.saved), "stale");
	assert_document(t, "document 599", "by hand");
	name = rig_name("document 599");
	assert_int_equal(files_check(t, &name, NULL), FILES_EDITED);
	assert_int_equal(files_sync(r.files, &e), 0);
	files_path(t, &name, path);
	assert_string_equal(rig_text(&r, path), "by hand");
	rig_end(&r);
}

/* Killed anywhere while it moves, nothing is lost. */
static void
a_move_may_be_killed(void **state)
{
	unsigned round, moved = 0, wait_us = 1000;
	struct files_table *t;
	struct rig r;
	struct err e;
	int status;
	pid_t pid;

	(void)state;
	rig_start(&r, NULL);
	write_many(rig_table(&r, "t"), 0, 3000);
	r.options.flat_max = 1;
	r.options.one_max = 2;
	for (round = 0; round < 100 && moved == 0; round++) {
		files_close(r.files);
		pid = fork();
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			rig_open(&r);
			if (!files_table(r.files, "t", 3000, &e))
				_exit(1);
			while (files_grow(r.files, 0, 16, &e) > 0)
				;
			_exit(files_sync(r.files, &e) == 0 ? 0 : 2);
		}
		usleep(wait_us);
		wait_us += wait_us / 10;
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		moved = WIFEXITED(status) && WEXITSTATUS(status) == 0;
		rig_open(&r);
		t = rig_table(&r, "t");
		if (round % 5 == 0 || moved)
			assert_many(t, 0, 3000);
	}
	print_message("%u rounds\n", round);
	assert_true(moved && round > 1);
	assert_string_equal(rig_text(&r, "data/t/.fanout"), "2\n");
	assert_int_equal(rig_count(&r, "data/t"), 256);
	rig_end(&r);
}

/* Without .fanout, documents are found wherever they lie. */
static void
a_lost_level_is_found(void **state)
{
	struct files_table *t;
	struct rig r;
	struct err e;

	(void)state;
	rig_start(&r, NULL);
	r.options.flat_max = 10;
	rig_again(&r);
	write_many(rig_table(&r, "t"), 0, 50);
	grow(&r, 16);
	assert_int_equal(files_sync(r.files, &e), 0);
	edit(&r, "data/t/.fanout", "7 heaven\n");
	rig_again(&r);
	t = rig_table(&r, "t");
	assert_many(t, 0, 50);
	write_many(t, 50, 60);
	grow(&r, 16);
	assert_int_equal(files_sync(r.files, &e), 0);
	assert_many(t, 0, 60);
	rig_end(&r);
}

static void
dropped_tables_go(void **state)
{
	struct files_table *t;
	struct rig r;
	struct err e;

	(void)state;
	rig_start(&r, NULL);
	r.options.flat_max = 10;
	rig_again(&r);
	t = rig_table(&r, "t");
	write_many(t, 0, 300);
	grow(&r, 16);
	assert_int_equal(files_drop(t, &e), 0);
	assert_int_equal(rig_count(&r, "data/t"), -1);
	assert_document(t, "document 1", NULL);
	rig_write(t, "document 1", "of the next");
	assert_string_equal(
	    rig_text(&r, "data/t/document%201.json"), "of the next");
	assert_int_equal(rig_count(&r, "spare"), 1);
	assert_int_equal(files_grow(r.files, 0, 50, &e), 50);
	rig_again(&r);
	assert_int_equal(rig_count(&r, "spare"), 1);
	grow(&r, 50);
	assert_int_equal(rig_count(&r, "spare"), 0);
	assert_int_equal(files_drop(rig_table(&r, "other"), &e), 0);
	assert_document(rig_table(&r, "t"), "document 1", "of the next");
	rig_end(&r);
}

static void
spares_are_few_and_forgotten(void **state)
{
	struct files_table *t;
	struct rig r;
	struct err e;
	char *large = calloc(1, 200000);
	unsigned i;
	char key[24];

	(void)state;
	assert_non_null(large);
	memset(large, 'x', 199999);
	rig_start(&r, NULL);
	t = rig_table(&r, "t");
	write_many(t, 0, 300);
	for (i = 0; i < 300; i++) {
		numbered(i, key);
		rig_remove(t, key);
	}
	assert_in_range(rig_count(&r, "spare"), 0, 64);
	rig_write(t, "large", large);
	assert_int_equal(files_forget(r.files, &e), 0);
	assert_int_equal(rig_count(&r, "spare"), 0);
	rig_remove(t, "large");
	assert_int_equal(rig_count(&r, "spare"), 0);
	edit(&r, "spare/left", "by a run that was killed");
	rig_again(&r);
	assert_int_equal(rig_count(&r, "spare"), 0);
	free(large);
	rig_end(&r);
}

/* How many files a sync took one by one; 0: the whole file system. */
static uint64_t
synced(struct rig *r)
{
	struct files_status before, after;
	struct err e;

	files_status(r->files, &before);
	assert_int_equal(files_sync(r->files, &e), 0);
	files_status(r->files, &after);
	return after.synced - before.synced;
}

static void
few_are_synced_one_by_one(void **state)
{
	struct files_table *t;
	struct rig r;
	struct err e;
	unsigned i;

	(void)state;
	rig_start(&r, NULL);
	t = rig_table(&r, "t");
	write_many(t, 0, 3);
	assert_int_equal(synced(&r), 0);	/* who knows what was before */
	assert_int_equal(synced(&r), 0);
	rig_write(t, "one", "1");
	rig_write(t, "two", "2");
	rig_write(t, "two", "3");
	assert_int_equal(synced(&r), 2);
	assert_int_equal(synced(&r), 0);
	rig_remove(t, "one");
	rig_write(t, "two", "4");
	rig_remove(t, "two");
	assert_int_equal(synced(&r), 2);

	write_many(t, 0, UNSYNCED_MAX);
	assert_int_equal(synced(&r), UNSYNCED_MAX);
	for (i = 0; i < 2; i++) {
		write_many(t, 0, UNSYNCED_MAX + 1);
		assert_int_equal(synced(&r), 0);
	}
	rig_write(rig_table(&r, "new"), "in a new directory", "1");
	assert_int_equal(synced(&r), 0);
	rig_write(t, "two", "5");
	edit(&r, "data/t/two.json", "by hand");
	rig_write(t, "two", "6");		/* it is put aside */
	assert_int_equal(synced(&r), 0);
	rig_write(t, "two", "7");
	assert_int_equal(unlinkat(r.fd, "data/t/two.json", 0), 0);
	assert_int_equal(mkdirat(r.fd, "data/t/two.json", 0700), 0);
	assert_int_equal(synced(&r), 0);
	rig_write(t, "three", "8");
	assert_int_equal(files_drop(t, &e), 0);
	assert_int_equal(synced(&r), 0);
	rig_end(&r);
}

/* What the disk refused on its way there, no fsync need tell of. */
static void
what_was_lost_on_its_way_is_told(void **state)
{
	struct rig r;
	struct err e;

	(void)state;
	rig_start(&r, NULL);
	assert_int_equal(synced(&r), 0);
	rig_write(rig_table(&r, "t"), "a", "1");
	assert_int_equal(synced(&r), 0);
	rig_write(rig_table(&r, "t"), "a", "2");
	way_fails = true;
	assert_int_equal(files_sync(r.files, &e), -1);
	way_fails = false;
	assert_int_equal(e.code, EIO);
	rig_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(documents_are_files),
	    cmocka_unit_test(without_exchange_it_is_the_same),
	    cmocka_unit_test(readers_see_whole_documents),
	    cmocka_unit_test(what_is_held_is_not_recycled),
	    cmocka_unit_test(a_broken_lease_ends_nobody),
	    cmocka_unit_test(edited_files_are_kept),
	    cmocka_unit_test(what_is_put_there_is_kept),
	    cmocka_unit_test(redo_and_seal_take_what_is_there),
	    cmocka_unit_test(tables_grow),
	    cmocka_unit_test(growing_tables_go_on),
	    cmocka_unit_test(a_move_may_be_killed),
	    cmocka_unit_test(a_lost_level_is_found),
	    cmocka_unit_test(dropped_tables_go),
	    cmocka_unit_test(spares_are_few_and_forgotten),
	    cmocka_unit_test(few_are_synced_one_by_one),
	    cmocka_unit_test(what_was_lost_on_its_way_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
