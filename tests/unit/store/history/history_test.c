/*
 * The history against a model: random commits, every state read back, logs,
 * blames, differences, names of commits; and git's own judgement of it.
 */
#include "history_rig.h"

#include "store/value/fault.h"

static void
fill(struct rig *r, unsigned commits)
{
	unsigned i;

	for (i = 0; i < commits; i++) {
		r->clock_ms += rig_random(r, 3000);
		rig_change(r, 12);
		if (rig_commit(r, NULL))
			err_print(&r->e, "commit");
		assert_int_equal(r->states, i + 1);
	}
}

static void
reads_every_state_back(void **state)
{
	struct history_commit tip;
	struct rig r;
	unsigned i;

	(void)state;
	rig_begin(&r, 4711);
	assert_int_equal(history_tip(r.h, &tip, &r.e), 0);
	fill(&r, 80);
	for (i = 0; i < r.states; i += 7)
		rig_check_state(&r, &r.id[i], r.state[i]);
	rig_reopen(&r);
	assert_int_equal(history_tip(r.h, &tip, &r.e), 1);
	assert_string_equal(tip.id.hex, r.id[r.states - 1].hex);
	assert_int_equal(tip.position, r.states);
	rig_check_state(&r, &tip.id, r.now);
	rig_fsck(&r);
	rig_end(&r);
}

/* As a crash leaves it that came when the file was made and not written. */
static void
makes_an_empty_head_anew(void **state)
{
	char path[100];
	struct rig r;

	(void)state;
	rig_begin(&r, 815);
	fill(&r, 2);
	snprintf(path, sizeof path, "%s/history.git/HEAD", r.dir);
	assert_int_equal(truncate(path, 0), 0);
	rig_reopen(&r);
	rig_check_state(&r, &r.id[1], r.now);
	rig_fsck(&r);
	rig_end(&r);
}

/* --- log and blame ---------------------------------------------------------------- */

struct expect {
	struct rig *r;
	unsigned doc;
	int at;				/* the state of the last version told */
};

/* The next state down, from `at`, that gave the document what it has. */
static int
born(const struct rig *r, unsigned doc, int at)
{
	unsigned now;

	if (at < 0)
		return -1;
	now = r->state[at][doc];
	while (at > 0 && r->state[at - 1][doc] == now)
		at--;
	return at > 0 || now ? at : -1;
}

static int
check_version(void *ctx, const struct history_version *v)
{
	struct expect *x = ctx;
	unsigned version;
	size_t n;

	x->at = born(x->r, x->doc, x->at - 1);
	assert_true(x->at >= 0);
	assert_string_equal(v->commit->id.hex, x->r->id[x->at].hex);
	assert_int_equal(v->commit->position, x->at + 1);
	version = x->r->state[x->at][x->doc];
	assert_int_equal(v->path != NULL, version != 0);
	if (version) {
		n = rig_bytes(x->r, x->doc, version);
		assert_int_equal(v->n, n);
		assert_memory_equal(v->bytes, x->r->bytes, n);
	}
	return 0;
}

static void
tells_all_versions(void **state)
{
	struct rig r;
	unsigned doc;

	(void)state;
	rig_begin(&r, 99);
	fill(&r, 120);
	for (doc = 0; doc < RIG_DOCUMENTS; doc++) {
		char path[100];
		const char *paths[2] = { "nowhere/at/all.json", path };
		struct history_paths p = { paths, 2 };
		struct expect x = { &r, doc, (int)r.states };

		strcpy(path, rig_path(&r, doc));
		assert_int_equal(history_log(r.h, p, check_version, &x, &r.e),
		    0);
		assert_true(x.at <= 0 || born(&r, doc, x.at - 1) < 0);
	}
	rig_end(&r);
}

struct seen {
	struct history_id id, text, version;
	unsigned told;
};

static int
note_blame(void *ctx, const char *name, size_t n,
    const struct history_commit *c)
{
	struct seen *s = ctx;

	s->told++;
	if (n == 2 && memcmp(name, "id", 2) == 0)
		s->id = c->id;
	else if (n == 4 && memcmp(name, "text", 4) == 0)
		s->text = c->id;
	else if (n == 7 && memcmp(name, "version", 7) == 0)
		s->version = c->id;
	else
		fail();
	return 0;
}

/* Down to the state from which on a document was there, with this text. */
static int
since(const struct rig *r, unsigned doc, bool text)
{
	int at = (int)r->states - 1;
	unsigned now = r->state[at][doc];

	while (at > 0 && r->state[at - 1][doc] &&
	    (!text || r->state[at - 1][doc] / 3 == now / 3))
		at--;
	return at;
}

static void
blames_each_attribute(void **state)
{
	struct rig r;
	unsigned doc, there = 0;

	(void)state;
	rig_begin(&r, 5);
	fill(&r, 60);
	for (doc = 0; doc < RIG_DOCUMENTS; doc++) {
		const char *path = rig_path(&r, doc);
		struct history_paths p = { &path, 1 };
		struct seen s = { 0 };
		int found = history_blame(r.h, p, note_blame, &s, &r.e);

		assert_int_equal(found, r.now[doc] != 0);
		if (!found)
			continue;
		there++;
		assert_int_equal(s.told, 3);
		assert_string_equal(s.id.hex,
		    r.id[since(&r, doc, false)].hex);
		assert_string_equal(s.text.hex,
		    r.id[since(&r, doc, true)].hex);
		assert_string_equal(s.version.hex,
		    r.id[born(&r, doc, (int)r.states - 1)].hex);
	}
	assert_true(there > 10);
	rig_end(&r);
}

/* --- differences ------------------------------------------------------------------ */

struct deltas {
	struct rig *r;
	const unsigned *from, *to;
	const char *prefix;
	bool told[RIG_DOCUMENTS];
};

static int
check_delta(void *ctx, const struct history_delta *d, struct err *e)
{
	struct deltas *x = ctx;
	const char *doc_at = strstr(d->path, "doc");
	unsigned doc;
	char whole[200];
	size_t n;

	(void)e;
	assert_non_null(doc_at);
	doc = (unsigned)atoi(doc_at + 3);
	assert_false(x->told[doc]);
	x->told[doc] = true;
	snprintf(whole, sizeof whole, "%s%s", x->prefix, d->path);
	assert_string_equal(whole, rig_path(x->r, doc));
	assert_int_equal(d->old_bytes != NULL, x->from && x->from[doc]);
	assert_int_equal(d->new_bytes != NULL, x->to[doc] != 0);
	if (d->new_bytes) {
		n = rig_bytes(x->r, doc, x->to[doc]);
		assert_int_equal(d->new_n, n);
		assert_memory_equal(d->new_bytes, x->r->bytes, n);
	}
	if (d->old_bytes) {
		n = rig_bytes(x->r, doc, x->from[doc]);
		assert_int_equal(d->old_n, n);
		assert_memory_equal(d->old_bytes, x->r->bytes, n);
	}
	return 0;
}

static void
check_diff(struct rig *r, int from, int to, const char *table)
{
	struct history_side a = { { "" }, table }, b = { r->id[to], table };
	struct deltas x = { r, from < 0 ? NULL : r->state[from],
		r->state[to], "", { false } };
	char prefix[50] = "";
	unsigned doc;

	if (from >= 0)
		a.commit = r->id[from];
	if (*table)
		snprintf(prefix, sizeof prefix, "%s/", table);
	x.prefix = prefix;
	assert_int_equal(history_diff(r->h, &a, &b, check_delta, &x, &r->e), 0);
	for (doc = 0; doc < RIG_DOCUMENTS; doc++) {
		bool differs = (x.from ? x.from[doc] : 0) != x.to[doc];
		bool inside = strncmp(rig_path(r, doc), prefix,
		    strlen(prefix)) == 0;

		assert_int_equal(x.told[doc], differs && inside);
	}
}

static void
tells_what_differs(void **state)
{
	static const char *const TABLE[] = { "", "flat", "one", "two" };
	struct rig r;
	int i;

	(void)state;
	rig_begin(&r, 17);
	fill(&r, 60);
	for (i = 0; i < 80; i++)
		check_diff(&r, (int)rig_random(&r, r.states + 1) - 1,
		    (int)rig_random(&r, r.states), TABLE[i % 4]);
	rig_end(&r);
}

static int
count_delta(void *ctx, const struct history_delta *d, struct err *e)
{
	(void)e;
	assert_string_equal(d->path, "");
	++*(int *)ctx;
	return 0;
}

static void
tells_of_one_document(void **state)
{
	struct history_side a, b;
	struct rig r;
	int told = 0;

	(void)state;
	rig_begin(&r, 18);
	r.changes = 1;
	r.change[0] = 3;
	r.now[3] = 1;
	assert_int_equal(rig_commit(&r, NULL), 0);
	r.now[3] = 2;
	assert_int_equal(rig_commit(&r, NULL), 0);
	a.commit = r.id[0];
	b.commit = r.id[1];
	a.path = b.path = "flat/doc3.json";
	assert_int_equal(history_diff(r.h, &a, &b, count_delta, &told, &r.e),
	    0);
	assert_int_equal(told, 1);
	a.commit.hex[0] = '\0';
	assert_int_equal(history_diff(r.h, &a, &b, count_delta, &told, &r.e),
	    0);
	assert_int_equal(told, 2);
	rig_end(&r);
}

/* --- names of commits -------------------------------------------------------------- */

static void
expect_commit(struct rig *r, const char *name, unsigned at)
{
	struct history_commit c;

	if (history_resolve(r->h, name, &c, &r->e))
		err_print(&r->e, name);
	assert_string_equal(c.id.hex, r->id[at].hex);
}

static int
count_tag(void *ctx, const char *name, const struct history_commit *c)
{
	assert_string_equal(name, "monday");
	assert_int_equal(c->position, 4);
	++*(int *)ctx;
	return 0;
}

static void
finds_commits_by_name(void **state)
{
	struct history_commit c;
	struct rig r;
	int tags = 0;

	(void)state;
	rig_begin(&r, 3);
	r.clock_ms = 1795341600000;	/* 2026-11-22T10:00:00Z */
	while (r.states < 10) {
		rig_change(&r, 3);
		assert_int_equal(rig_commit(&r, NULL), 0);
		r.clock_ms += 10000;
	}
	expect_commit(&r, "", 9);
	expect_commit(&r, "2026-11-22T10:00:00Z", 0);
	expect_commit(&r, "2026-11-22T10:00:29.999Z", 2);
	expect_commit(&r, "2026-11-22T10:00:30Z", 3);
	expect_commit(&r, "@7", 6);
	expect_commit(&r, "@700", 9);
	expect_commit(&r, r.id[5].hex, 5);
	r.id[0].hex[12] = '\0';
	assert_int_equal(history_resolve(r.h, r.id[0].hex, &c, &r.e), 0);
	assert_int_equal(c.position, 1);
	assert_int_equal(history_tag(r.h, "monday", &r.id[3], &r.e), 0);
	expect_commit(&r, "monday", 3);
	assert_int_equal(history_tag(r.h, "monday", &r.id[4], &r.e), -1);
	assert_int_equal(r.e.code, FAULT_IN_USE);
	assert_int_equal(history_tags(r.h, count_tag, &tags, &r.e), 0);
	assert_int_equal(tags, 1);
	rig_reopen(&r);
	assert_int_equal(history_untag(r.h, "monday", &r.e), 0);
	assert_int_equal(history_untag(r.h, "monday", &r.e), -1);
	assert_int_equal(r.e.code, FAULT_NOT_FOUND);
	rig_end(&r);
}

static void
refuses_names_that_mislead(void **state)
{
	static const char *const NOT_TAGS[] = { "", "cafe", "@5", "-x", ".x",
		"a b", "a/b", "a..b", "x.lock", "2026-11-22T10:00:00Z",
		"\303\244" };
	static const char *const NOT_THERE[] = { "monday", "0123456789", "@0",
		"1999-01-01T00:00:00Z", "a b", "../../etc/passwd" };
	struct history_commit c;
	struct rig r;
	size_t i;

	(void)state;
	rig_begin(&r, 4);
	assert_int_equal(history_resolve(r.h, "", &c, &r.e), -1);
	assert_int_equal(r.e.code, FAULT_NOT_FOUND);
	fill(&r, 2);
	for (i = 0; i < sizeof NOT_TAGS / sizeof *NOT_TAGS; i++) {
		assert_int_equal(history_tag(r.h, NOT_TAGS[i], &r.id[0], &r.e),
		    -1);
		assert_int_equal(r.e.code, FAULT_VALIDATION);
	}
	for (i = 0; i < sizeof NOT_THERE / sizeof *NOT_THERE; i++) {
		assert_int_equal(history_resolve(r.h, NOT_THERE[i], &c, &r.e),
		    -1);
		assert_int_equal(r.e.code, FAULT_NOT_FOUND);
	}
	rig_end(&r);
}

/* --- what may be committed ---------------------------------------------------------- */

struct given {
	const struct history_change *c;
	size_t n;
};

static int
next_given(void *ctx, struct history_change *c, struct err *e)
{
	struct given *g = ctx;

	(void)e;
	if (!g->n)
		return 0;
	g->n--;
	*c = *g->c++;
	return 1;
}

static int
commit_given(struct rig *r, const struct history_change *c, size_t n,
    uint64_t position, bool whole, struct history_made *made)
{
	struct history_meta m = { position, r->clock_ms, NULL, whole };
	struct given g = { c, n };

	return history_commit(r->h, next_given, &g, &m, made, &r->e);
}

static void
refuses_bad_changes(void **state)
{
	static const char *const BAD[] = { "", "/a", "a//b", "a/./b", "../a",
		"a/..", ".git/config", "a/.GIT", "a/git~1", "a/",
		"1/2/3/4/5/6/7/8/9" };
	const struct history_change twice[] = { { "a/b", "1", 1 },
		{ "a/c", "1", 1 }, { "a/b", "2", 1 } };
	struct history_change c = { NULL, "x", 1 };
	struct history_made made;
	struct rig r;
	size_t i;

	(void)state;
	rig_begin(&r, 6);
	for (i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		c.path = BAD[i];
		assert_int_equal(commit_given(&r, &c, 1, 1, false, &made), -1);
		assert_int_equal(r.e.code, FAULT_VALIDATION);
	}
	assert_int_equal(commit_given(&r, twice, 3, 1, false, &made), -1);
	assert_non_null(strstr(r.e.text, "a/b"));
	assert_int_equal(commit_given(&r, twice, 2, 0, false, &made), -1);
	assert_int_equal(commit_given(&r, twice, 2, 9, false, &made), 0);
	assert_int_equal(commit_given(&r, twice, 2, 8, false, &made), -1);
	rig_fsck(&r);
	rig_end(&r);
}

static void
hears_twice_that_one_is_gone(void **state)
{
	const struct history_change first[] = { { "a/b", "1", 1 },
		{ "a/c", "1", 1 }, { "b/x", "1", 1 } };
	const struct history_change gone[] = { { "a/b", NULL, 0 },
		{ "b/", NULL, 0 }, { "a/b", NULL, 0 }, { "a/d", NULL, 0 },
		{ "b/", NULL, 0 }, { "a/b", NULL, 0 } };
	const struct history_change both[] = { { "a/c", NULL, 0 },
		{ "a/c", "2", 1 } };
	struct history_made made;
	struct rig r;

	(void)state;
	rig_begin(&r, 11);
	assert_int_equal(commit_given(&r, first, 3, 1, false, &made), 0);
	assert_int_equal(commit_given(&r, gone, 6, 2, false, &made), 0);
	assert_int_equal(made.changes, 2);
	assert_int_equal(commit_given(&r, both, 2, 3, false, &made), -1);
	rig_fsck(&r);
	rig_end(&r);
}

static void
clears_and_replaces(void **state)
{
	const struct history_change first[] = { { "t/aa/x", "1", 1 },
		{ "t/y", "2", 1 }, { "t2/z", "3", 1 }, { "t-/z", "3", 1 } };
	const struct history_change clear[] = { { "t/new", "4", 1 },
		{ "t/", NULL, 0 }, { "none/", NULL, 0 } };
	const char *y = "t/y", *new = "t/new", *z = "t2/z";
	struct history_made made, again;
	struct history_commit tip;
	struct rig r;
	struct buf b;

	(void)state;
	rig_begin(&r, 7);
	buf_init(&b, 100);
	assert_int_equal(commit_given(&r, first, 4, 1, false, &made), 0);
	assert_int_equal(made.changes, 4);
	assert_int_equal(commit_given(&r, clear, 3, 2, false, &made), 0);
	assert_int_equal(history_tip(r.h, &tip, &r.e), 1);
	assert_string_equal(tip.subject, "t: cleared, 1 written");
#define GET(p) history_get(r.h, &made.id, (struct history_paths){ &(p), 1 }, \
	&b, &r.e)
	assert_int_equal(GET(y), 0);
	assert_int_equal(GET(new), 1);
	assert_int_equal(GET(z), 1);
	/* Nothing new: nothing is made. */
	assert_int_equal(commit_given(&r, clear, 1, 2, false, &again), 0);
	assert_string_equal(again.id.hex, made.id.hex);
	/* The changes are all there is. */
	assert_int_equal(commit_given(&r, first, 2, 3, true, &made), 0);
	assert_int_equal(GET(y), 1);
	assert_int_equal(GET(new), 0);
	assert_int_equal(GET(z), 0);
	assert_int_equal(commit_given(&r, NULL, 0, 4, true, &made), 0);
	assert_int_equal(GET(y), 0);
#undef GET
	rig_fsck(&r);
	buf_release(&b);
	rig_end(&r);
}

static int
fails_midway(void *ctx, struct history_change *c, struct err *e)
{
	int *left = ctx;

	if (!--*left)
		return err_set(e, 5, "the index failed");
	c->path = "t/x";
	c->bytes = "1";
	c->n = 1;
	return 1;
}

static void
leaves_nothing_of_what_failed(void **state)
{
	struct history_meta m = { 5, 0, "note", false };
	struct history_made made;
	struct history_stat stat;
	struct history_commit c;
	struct rig r;
	int left = 2;

	(void)state;
	rig_begin(&r, 8);
	assert_int_equal(history_commit(r.h, fails_midway, &left, &m, &made,
	    &r.e), -1);
	assert_string_equal(r.e.text, "the index failed");
	assert_int_equal(history_tip(r.h, &c, &r.e), 0);
	assert_int_equal(history_stat(r.h, &stat, &r.e), 0);
	assert_int_equal(stat.packs, 0);
	assert_int_not_equal(rig_git(&r, "count-objects -v | grep -v ': 0$'"),
	    0);
	rig_end(&r);
}

static void
reads_only(void **state)
{
	struct history_made made;
	struct history *h;
	struct rig r;

	(void)state;
	rig_begin(&r, 9);
	fill(&r, 3);
	h = r.h;
	r.h = history_open(r.dir, true, &r.e);
	assert_non_null(r.h);
	rig_check_state(&r, &r.id[1], r.state[1]);
	assert_int_equal(commit_given(&r, NULL, 0, 9, false, &made), -1);
	assert_int_equal(r.e.code, FAULT_READ_ONLY);
	assert_int_equal(history_tag(r.h, "x", &r.id[1], &r.e), -1);
	history_close(r.h);
	r.h = h;
	rig_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_state_back),
		cmocka_unit_test(makes_an_empty_head_anew),
		cmocka_unit_test(tells_all_versions),
		cmocka_unit_test(blames_each_attribute),
		cmocka_unit_test(tells_what_differs),
		cmocka_unit_test(tells_of_one_document),
		cmocka_unit_test(finds_commits_by_name),
		cmocka_unit_test(refuses_names_that_mislead),
		cmocka_unit_test(refuses_bad_changes),
		cmocka_unit_test(hears_twice_that_one_is_gone),
		cmocka_unit_test(clears_and_replaces),
		cmocka_unit_test(leaves_nothing_of_what_failed),
		cmocka_unit_test(reads_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
