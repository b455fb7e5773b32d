/*
 * Every system call of a commit and of upkeep made to fail, once and for ever:
 * the call says so, the old tip (or the new one, whole) is there after opening
 * anew, git finds nothing wrong, and the next commit goes well.
 */
#include "history_rig.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* --- the calls that fail ------------------------------------------------------------ */

static struct {
	bool armed, forever;
	unsigned left;			/* calls until one fails */
	unsigned failed;
	int error;
} fault;

static bool
fails(void)
{
	if (!fault.armed)
		return false;
	if (fault.left > 1) {
		fault.left--;
		return false;
	}
	if (fault.failed && !fault.forever)
		return false;
	fault.failed++;
	errno = fault.error;
	return true;
}

int
fsync(int fd)
{
	return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return fails() ? -1 :
	    (int)syscall(SYS_renameat, from_fd, from, to_fd, to);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return fails() ? -1 : syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	return fails() ? -1 : syscall(SYS_write, fd, p, n);
}

int
openat(int fd, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode = 0;

	if (flags & (O_CREAT | O_TMPFILE)) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return fails() ? -1 : (int)syscall(SYS_openat, fd, path, flags, mode);
}

static void
arm(unsigned call, bool forever)
{
	fault.armed = true;
	fault.forever = forever;
	fault.left = call;
	fault.failed = 0;
	fault.error = call % 2 ? EIO : ENOSPC;
}

static unsigned
disarm(void)
{
	fault.armed = false;
	return fault.failed;
}

/* --- what follows ---------------------------------------------------------------------- */

static void
commit_some(struct rig *r, unsigned n)
{
	while (n-- > 0) {
		rig_change(r, 6);
		assert_int_equal(rig_commit(r, NULL), 0);
		r->clock_ms += 20000;
	}
}

/* After a failed commit the old state is the tip, or the new one. */
static void
check_after_commit(struct rig *r)
{
	struct history_commit tip;

	rig_reopen(r);
	assert_int_equal(history_tip(r->h, &tip, &r->e), 1);
	assert_in_range(tip.position, r->states, r->states + 1);
	if (tip.position == r->states) {
		memcpy(r->now, r->state[r->states - 1], sizeof r->now);
	} else {
		memcpy(r->state[r->states], r->now, sizeof r->now);
		r->id[r->states++] = tip.id;
	}
	rig_check_state(r, &tip.id, r->now);
}

/* (A span that can't be written only means that its pack counts as foreign.) */
static void
commits_whole_or_not(void **state)
{
	unsigned call = 1, failed = 1, n = 0, borne = 0;
	struct rig r;

	(void)state;
	rig_begin(&r, 51);
	commit_some(&r, 5);
	while (failed) {
		int done;

		rig_change(&r, 6);
		arm(call, n % 2);
		done = rig_commit(&r, NULL);
		failed = disarm();
		assert_true(failed || !done);
		borne += failed && !done;
		if (done)
			check_after_commit(&r);
		if (n % 16 == 0)
			rig_fsck(&r);
		call += n++ % 2;
	}
	assert_true(n > 20);
	assert_in_range(borne, 1, 3);
	commit_some(&r, 5);
	rig_check_state(&r, &r.id[r.states - 1], r.now);
	rig_fsck(&r);
	rig_end(&r);
}

static int
check_commit(void *ctx, const struct history_commit *c)
{
	struct rig *r = ctx;

	if (c->position % 4 == 0 || c->position + 2 >= r->states)
		rig_check_state(r, &c->id, r->state[c->position - 1]);
	return 0;
}

static void
tidies_or_leaves_it(void **state)
{
	struct history_upkeep u = { 0 };
	unsigned call = 1, failed = 1, n = 0;
	struct history_commit tip;
	struct rig r;

	(void)state;
	rig_begin(&r, 52);
	while (failed) {
		commit_some(&r, 8);
		assert_int_equal(history_tag(r.h, "t", &r.id[r.states - 3],
		    &r.e), 0);
		r.clock_ms += 7200000;
		u.now_ms = r.clock_ms;
		arm(call, n % 2);
		while (history_tidy(r.h, &u, &r.e) > 0)
			continue;
		failed = disarm();
		rig_reopen(&r);
		assert_int_equal(history_list(r.h, check_commit, &r, &r.e),
		    0);
		assert_int_equal(history_resolve(r.h, "t", &tip, &r.e), 0);
		assert_int_equal(tip.position, r.states - 2);
		assert_int_equal(history_untag(r.h, "t", &r.e), 0);
		if (n % 16 == 0)
			rig_fsck(&r);
		while (history_tidy(r.h, &u, &r.e) > 0)
			continue;
		n++;
		call += 1 + n / 8;
	}
	assert_true(n > 10);
	assert_int_equal(history_list(r.h, check_commit, &r, &r.e), 0);
	rig_fsck(&r);
	rig_end(&r);
}

static bool
was_ever(const struct rig *r, unsigned doc)
{
	unsigned i;

	for (i = 0; i < r->states; i++)
		if (r->state[i][doc])
			return true;
	return false;
}

static void
erase(struct rig *r, unsigned doc)
{
	unsigned i;

	for (i = 0; i < r->states; i++)
		r->state[i][doc] = 0;
	r->now[doc] = 0;
}

static void
forgets_or_says_so(void **state)
{
	unsigned call = 1, doc;
	uint64_t states;
	struct rig r;

	(void)state;
	rig_begin(&r, 53);
	commit_some(&r, 30);
	for (doc = 0; doc < RIG_DOCUMENTS; doc++) {
		char path[100];
		const char *paths[1] = { path };
		struct history_paths p = { paths, 1 };

		if (!was_ever(&r, doc))
			continue;
		strcpy(path, rig_path(&r, doc));
		arm(call, call % 2);
		(void)history_forget(r.h, p, rig_quiet, &states, &r.e);
		if (!disarm())
			break;
		rig_reopen(&r);
		/* What failed is done again, and then it is done. */
		assert_int_equal(history_forget(r.h, p, rig_quiet, &states, &r.e), 0);
		erase(&r, doc);
		assert_int_equal(history_list(r.h, check_commit, &r, &r.e),
		    0);
		call++;
	}
	assert_in_range(call, 15, 50);
	rig_fsck(&r);
	rig_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commits_whole_or_not),
		cmocka_unit_test(tidies_or_leaves_it),
		cmocka_unit_test(forgets_or_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
