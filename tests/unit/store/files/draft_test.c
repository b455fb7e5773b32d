/*
 * Drafts: files that are made ahead of the document's turn, seen by nobody
 * until it comes, and gone if it doesn't.
 */
#include "files_rig.h"

#include "store/files/filework.h"
#include "store/files/spare.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static void
draft(struct files_table *t, const char *key, const char *text)
{
	struct path_name name = rig_name(key);

	assert_true(files_draft(t, 0, &name, text, strlen(text)));
}

static void
write_drafted(struct files_table *t, const char *key, const char *text)
{
	struct path_name name = rig_name(key);
	struct files_stat st;
	struct err e;

	if (files_write(t, 0, &name, text, strlen(text), FILES_DRAFTED, &st,
	    &e) == -1)
		fail_msg("%s", e.text);
	assert_int_equal(st.size, strlen(text));
	assert_int_equal(files_check(t, &name, NULL), FILES_OURS);
}

/* --- of files ----------------------------------------------------------------- */

static void
nobody_sees_a_draft(void **state)
{
	struct files_table *t;
	struct rig r;

	(void)state;
	rig_start(&r, NULL);
	t = rig_table(&r, "t");
	draft(t, "a", "first");
	assert_document(t, "a", NULL);
	assert_int_equal(rig_count(&r, "spare"), 1);
	write_drafted(t, "a", "first");
	assert_document(t, "a", "first");
	assert_int_equal(rig_count(&r, "spare"), 0);

	draft(t, "a", "second");
	assert_document(t, "a", "first");
	write_drafted(t, "a", "second");
	assert_document(t, "a", "second");
	assert_int_equal(r.edits, 0);
	rig_end(&r);
}

static void
a_draft_that_is_not_wanted_goes(void **state)
{
	struct files_table *t;
	struct rig r;

	(void)state;
	rig_start(&r, NULL);
	t = rig_table(&r, "t");
	rig_write(t, "a", "first");
	draft(t, "a", "never");
	files_undraft(r.files, 0);
	assert_int_equal(rig_count(&r, "spare"), 0);
	assert_document(t, "a", "first");
	rig_write(t, "a", "second");
	assert_document(t, "a", "second");
	rig_end(&r);
}

/* What fails leaves the old document, and no draft. */
static void
a_draft_without_a_place_goes(void **state)
{
	struct path_name name = rig_name("a");
	struct files_table *t;
	struct rig r;
	struct err e;
	int fd;

	(void)state;
	rig_start(&r, NULL);
	t = rig_table(&r, "t");
	fd = openat(r.fd, "data/t", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_return_code(fd, errno);
	close(fd);
	draft(t, "a", "text");
	assert_int_equal(
	    files_write(t, 0, &name, "text", 4, FILES_DRAFTED, NULL, &e), -1);
	assert_int_equal(e.code, ENOTDIR);
	assert_int_equal(rig_count(&r, "spare"), 0);
	rig_end(&r);
}

/* Also what was edited while the draft was there. */
static void
an_edit_is_kept(void **state)
{
	struct files_table *t;
	struct rig r;
	int fd;

	(void)state;
	rig_start(&r, NULL);
	t = rig_table(&r, "t");
	rig_write(t, "a", "first");
	draft(t, "a", "second");
	fd = openat(r.fd, "data/t/a.json", O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_return_code(fd, errno);
	assert_int_equal(write(fd, "by hand", 7), 7);
	close(fd);
	write_drafted(t, "a", "second");
	assert_document(t, "a", "second");
	assert_int_equal(r.edits, 1);
	assert_string_equal(rig_text(&r, r.saved), "by hand");
	rig_end(&r);
}

static uint64_t
recycled(struct rig *r)
{
	struct files_status s;

	files_status(r->files, &s);
	return s.recycled;
}

static bool
can_recycle(struct rig *r)
{
	struct files_status s;

	files_status(r->files, &s);
	if (!s.exchange || !s.leases || !s.seals)
		print_message("SKIPPED: no file is used twice here\n");
	return s.exchange && s.leases && s.seals;
}

static void
a_spare_that_has_rested_is_used(void **state)
{
	static const struct timespec LONGER = {
	    0, (SPARE_REST_MS + 1) * 1000000L};
	struct files_table *t;
	struct rig r;

	(void)state;
	rig_start(&r, NULL);
	if (can_recycle(&r)) {
		t = rig_table(&r, "t");
		rig_write(t, "a", "first");
		rig_write(t, "a", "a longer second");
		nanosleep(&LONGER, NULL);
		draft(t, "b", "short");
		write_drafted(t, "b", "short");
		assert_int_equal(recycled(&r), 1);
		assert_document(t, "b", "short");
	}
	rig_end(&r);
}

/* However young they are, there are never more than so many. */
static void
spares_are_not_hoarded(void **state)
{
	struct files_table *t;
	char text[16];
	struct rig r;
	int i;

	(void)state;
	rig_start(&r, NULL);
	t = rig_table(&r, "t");
	for (i = 0; i < 3 * SPARES_MAX; i++) {
		snprintf(text, sizeof text, "%d", i);
		draft(t, "a", text);
		write_drafted(t, "a", text);
		assert_document(t, "a", text);
		assert_in_range(rig_count(&r, "spare"), 0, SPARES_MAX);
	}
	if (can_recycle(&r))
		assert_true(recycled(&r) >= SPARES_MAX);
	rig_end(&r);
}

/* --- of the file threads' work ------------------------------------------------- */

enum { MINE = 2 }; /* the caller's number among three */

struct work {
	struct rig r;
	struct filework *w;
	pthread_mutex_t gate;	   /* held: "held" is not rendered */
	_Atomic unsigned rendered; /* others */
};

struct waiter {
	struct filework_ticket ticket;
	atomic_bool told;
};

static int
render(void *arg, const char *table, const void *p, size_t n, struct buf *out,
    struct err *e)
{
	struct work *k = arg;

	(void)table;
	if (n == 4 && memcmp(p, "held", 4) == 0) {
		pthread_mutex_lock(&k->gate);
		pthread_mutex_unlock(&k->gate);
	} else {
		k->rendered++;
	}
	return buf_add(out, p, n) == 0 ? 0 : err_set(e, ENOMEM, "no memory");
}

static void
told(struct filework_ticket *t, int error)
{
	struct waiter *one = t->arg;

	assert_int_equal(error, 0);
	one->told = true;
}

static void
work_start(struct work *k)
{
	struct filework_options o = {.render = render, .arg = k};
	struct err e;

	*k = (struct work){.w = NULL};
	pthread_mutex_init(&k->gate, NULL);
	rig_start(&k->r, NULL);
	k->r.options.threads = MINE + 1;
	rig_again(&k->r);
	k->w = filework_new(k->r.files, &o, &e);
	if (!k->w)
		fail_msg("%s", e.text);
}

static void
work_end(struct work *k)
{
	filework_free(k->w);
	rig_end(&k->r);
	pthread_mutex_destroy(&k->gate);
}

static void
draft_at(struct work *k, const char *key, uint64_t position, const char *text)
{
	struct path_key name = {.hash = {VALUE_S, {key, strlen(key)}}};

	filework_draft(k->w, MINE, "t", &name, position, text, strlen(text));
}

/* Puts it as the writer does for who waits; then it lies there. */
static void
put_and_wait(
    struct work *k, const char *key, uint64_t position, const char *text)
{
	struct path_key name = {.hash = {VALUE_S, {key, strlen(key)}}};
	struct waiter one = {.told = false};
	struct err e;

	filework_ticket_init(&one.ticket, told, &one);
	if (filework_put(k->w, "t", &name, position, text, strlen(text), 0,
		&one.ticket, &e) == -1)
		fail_msg("%s", e.text);
	filework_do_only(k->w, MINE);
	filework_undraft(k->w);
	filework_ticket_close(k->w, &one.ticket);
	filework_reach(k->w, position + 1);
	assert_true(filework_wait(k->w, position + 1, 20000));
	while (!one.told)
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	assert_document(rig_table(&k->r, "t"), key, text);
}

static void
a_draft_becomes_its_document(void **state)
{
	struct work k;

	(void)state;
	work_start(&k);
	draft_at(&k, "a", 10, "first");
	assert_document(rig_table(&k.r, "t"), "a", NULL);
	assert_int_equal(k.rendered, 1);
	put_and_wait(&k, "a", 10, "first");
	draft_at(&k, "a", 20, "second");
	assert_document(rig_table(&k.r, "t"), "a", "first");
	put_and_wait(&k, "a", 20, "second");
	work_end(&k);
}

/* A sync that failed, and another image that comes instead. */
static void
a_draft_becomes_no_other_document(void **state)
{
	struct work k;

	(void)state;
	work_start(&k);
	draft_at(&k, "a", 10, "never");
	filework_undraft(k.w);
	assert_int_equal(rig_count(&k.r, "spare"), 0);
	draft_at(&k, "a", 10, "never");
	put_and_wait(&k, "b", 20, "another");
	assert_document(rig_table(&k.r, "t"), "a", NULL);
	assert_int_equal(rig_count(&k.r, "spare"), 0);
	draft_at(&k, "a", 30, "left when the store closes");
	work_end(&k);
}

/* With another job there it may be long until this one's turn. */
static void
there_is_no_draft_beside_others(void **state)
{
	struct path_key name = {.hash = {VALUE_S, {"a", 1}}};
	struct work k;
	struct err e;

	(void)state;
	work_start(&k);
	pthread_mutex_lock(&k.gate);
	assert_int_equal(
	    filework_put(k.w, "t", &name, 10, "held", 4, 0, NULL, &e), 0);
	draft_at(&k, "b", 20, "2");
	assert_int_equal(k.rendered, 0);
	pthread_mutex_unlock(&k.gate);
	put_and_wait(&k, "b", 20, "2");
	assert_document(rig_table(&k.r, "t"), "a", "held");
	work_end(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_sees_a_draft),
	    cmocka_unit_test(a_draft_that_is_not_wanted_goes),
	    cmocka_unit_test(a_draft_without_a_place_goes),
	    cmocka_unit_test(an_edit_is_kept),
	    cmocka_unit_test(a_spare_that_has_rested_is_used),
	    cmocka_unit_test(spares_are_not_hoarded),
	    cmocka_unit_test(a_draft_becomes_its_document),
	    cmocka_unit_test(a_draft_becomes_no_other_document),
	    cmocka_unit_test(there_is_no_draft_beside_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
