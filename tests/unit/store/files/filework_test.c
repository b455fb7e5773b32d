/*
 * The file threads: the newest image wins, in order per document; who waits is
 * told; what fails is tried again; the position is never ahead of the files.
 */
#include "files_rig.h"

#include "store/files/filework.h"
#include "store/base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mount.h>

enum { SECOND = 1000 };

/* A store with file threads, whose work can be held up. */
struct work {
	struct rig r;
	struct filework *w;
	struct filework_options options;
	pthread_mutex_t gate;		/* held: no document is rendered */
	_Atomic unsigned entered, rendered, written, removed;
};

static int
render(void *arg, const char *table, const void *p, size_t n, struct buf *out,
    struct err *e)
{
	struct work *k = arg;

	assert_non_null(table);
	k->entered++;
	pthread_mutex_lock(&k->gate);
	pthread_mutex_unlock(&k->gate);
	k->rendered++;
	buf_puts(out, "<");
	buf_add(out, p, n);
	if (buf_puts(out, ">") == 0)
		return 0;
	return err_set(e, ENOMEM, "no memory");
}

static void
written(void *arg, const struct filework_done *d)
{
	struct work *k = arg;

	if (d->removed)
		k->removed++;
	else
		k->written++;
}

static void
work_on(struct work *k)
{
	struct err e;

	k->options.render = render;
	k->options.written = written;
	k->options.arg = k;
	k->w = filework_new(k->r.files, &k->options, &e);
	if (!k->w)
		fail_msg("%s", e.text);
}

static void
work_start(struct work *k, const char *where)
{
	*k = (struct work){.w = NULL};
	pthread_mutex_init(&k->gate, NULL);
	rig_start(&k->r, where);
	work_on(k);
}

static void
work_end(struct work *k)
{
	filework_free(k->w);
	rig_end(&k->r);
	pthread_mutex_destroy(&k->gate);
}

static void
put_with(struct work *k, const char *table, const char *key,
    uint64_t position, const char *text, struct filework_ticket *ticket)
{
	struct path_key name = {.hash = {VALUE_S, {key, key ? strlen(key) : 0}}};
	struct err e;

	if (filework_put(k->w, table, key ? &name : NULL, position, text,
	    text ? strlen(text) : 0, 0, ticket, &e) == -1)
		fail_msg("%s", e.text);
}

static void
put(struct work *k, const char *key, uint64_t position, const char *text)
{
	put_with(k, "t", key, position, text, NULL);
}

static struct filework_status
status(struct work *k)
{
	struct filework_status s;

	filework_status(k->w, &s);
	return s;
}

static void
wait_for_applied(struct work *k, uint64_t position)
{
	filework_reach(k->w, position);
	assert_true(filework_wait(k->w, position, 20 * SECOND));
	assert_int_equal(filework_applied(k->w), position);
}

static void
images_become_files(void **state)
{
	struct work k;

	(void)state;
	work_start(&k, NULL);
	put_with(&k, "t", NULL, 0, "{\"table\":1}", NULL);
	put(&k, "a", 10, "1");
	put(&k, "b", 20, "2");
	wait_for_applied(&k, 30);
	assert_document(rig_table(&k.r, "t"), "a", "<1>");
	assert_document(rig_table(&k.r, "t"), "b", "<2>");
	assert_string_equal(rig_text(&k.r, "data/t/.table.json"),
	    "{\"table\":1}");
	put(&k, "a", 30, NULL);
	put(&k, "never there", 40, NULL);
	wait_for_applied(&k, 50);
	assert_document(rig_table(&k.r, "t"), "a", NULL);
	assert_int_equal(k.written, 3);
	assert_int_equal(k.removed, 2);
	assert_int_equal(status(&k).documents, 0);
	assert_int_equal(status(&k).bytes, 0);
	work_end(&k);
}

/* Both threads are held up within a document; the rest waits. */
static void
hold_up(struct work *k)
{
	unsigned entered = k->entered;

	pthread_mutex_lock(&k->gate);
	put(k, "gate 1", 1, "x");
	put(k, "gate 2", 1, "x");
	filework_reach(k->w, 2);
	while (k->entered != entered + 2)
		sched_yield();
}

static void
the_newest_image_wins(void **state)
{
	struct files_table *t;
	char text[16];
	struct work k;
	unsigned i;

	(void)state;
	work_start(&k, NULL);
	t = rig_table(&k.r, "t");
	hold_up(&k);
	for (i = 0; i < 100; i++) {
		snprintf(text, sizeof text, "%u", i);
		put(&k, "a", 10 + i, text);
		put(&k, "b", 10 + i, i % 2 ? NULL : text);
		put(&k, "gate 1", 10 + i, text);
	}
	filework_reach(k.w, 200);
	assert_int_equal(status(&k).documents, 5);
	assert_int_equal(status(&k).replaced, 3 * 99);
	assert_int_equal(filework_applied(k.w), 1);
	assert_false(filework_wait(k.w, 200, 10));
	pthread_mutex_unlock(&k.gate);
	assert_true(filework_drain(k.w, 20 * SECOND));
	assert_int_equal(filework_applied(k.w), 200);
	assert_document(t, "a", "<99>");
	assert_document(t, "b", NULL);
	assert_document(t, "gate 1", "<99>");
	assert_int_equal(k.rendered, 4);
	work_end(&k);
}

/* --- tickets --------------------------------------------------------------- */

struct waiter {
	struct filework_ticket ticket;
	_Atomic int told;	/* -1: not yet; else the error */
	_Atomic unsigned times;
};

static void
done(struct filework_ticket *t, int error)
{
	struct waiter *w = t->arg;

	w->times++;
	w->told = error;
}

static void
wait_init(struct waiter *w)
{
	w->told = -1;
	w->times = 0;
	filework_ticket_init(&w->ticket, done, w);
}

static bool
is_told(struct waiter *w, int timeout_ms)
{
	int64_t until = clock_mono_ms() + timeout_ms;

	while (w->told == -1 && clock_mono_ms() < until)
		usleep(200);
	return w->told != -1;
}

static void
who_waits_is_told(void **state)
{
	struct waiter none, one, both;
	struct work k;

	(void)state;
	work_start(&k, NULL);
	wait_init(&none);
	filework_ticket_close(k.w, &none.ticket);
	assert_int_equal(none.told, 0);

	hold_up(&k);
	wait_init(&one);
	wait_init(&both);
	put_with(&k, "t", "a", 10, "1", &both.ticket);
	put_with(&k, "t", "b", 10, "1", &both.ticket);
	filework_ticket_close(k.w, &both.ticket);
	put_with(&k, "t", "a", 20, "2", &one.ticket);
	filework_ticket_close(k.w, &one.ticket);
	put(&k, "a", 30, "3");
	filework_reach(k.w, 40);
	assert_false(is_told(&one, 20));
	pthread_mutex_unlock(&k.gate);
	assert_true(is_told(&one, 20 * SECOND));
	assert_true(is_told(&both, 20 * SECOND));
	assert_int_equal(one.told, 0);
	assert_int_equal(both.told, 0);
	assert_document(rig_table(&k.r, "t"), "a", "<3>");
	assert_document(rig_table(&k.r, "t"), "b", "<1>");
	assert_true(filework_drain(k.w, 20 * SECOND));
	assert_int_equal(one.times + both.times + none.times, 3);
	work_end(&k);
}

/* Behind many, yet soon. */
static void
who_waits_goes_first(void **state)
{
	struct waiter one;
	char key[32];
	struct work k;
	unsigned i;

	(void)state;
	work_start(&k, NULL);
	hold_up(&k);
	for (i = 0; i < 5000; i++) {
		snprintf(key, sizeof key, "other %u", i);
		put(&k, key, 10 + i, "x");
	}
	wait_init(&one);
	put_with(&k, "t", "mine", 6000, "x", &one.ticket);
	filework_ticket_close(k.w, &one.ticket);
	filework_reach(k.w, 7000);
	pthread_mutex_unlock(&k.gate);
	assert_true(is_told(&one, 20 * SECOND));
	assert_true(filework_drain(k.w, 0) || k.rendered < 5000);
	assert_true(filework_drain(k.w, 60 * SECOND));
	work_end(&k);
}

static void
the_end_is_told(void **state)
{
	struct waiter one;
	struct work k;

	(void)state;
	work_start(&k, NULL);
	hold_up(&k);
	wait_init(&one);
	put_with(&k, "t", "a", 10, "1", &one.ticket);
	filework_ticket_close(k.w, &one.ticket);
	put_with(&k, "t", NULL, 20, NULL, NULL);
	put_with(&k, "t", "b", 30, "1", NULL);
	pthread_mutex_unlock(&k.gate);
	work_end(&k);
	assert_int_equal(one.times, 1);
	assert_true(one.told == 0 || one.told == ECANCELED);
}

/* --- room and tables --------------------------------------------------------- */

static void
the_backlog_is_bounded(void **state)
{
	char large[2000];
	struct work k;

	(void)state;
	work_start(&k, NULL);
	filework_free(k.w);
	k.options.max_documents = 4;
	k.options.max_bytes = 6000;
	work_on(&k);
	hold_up(&k);
	assert_true(filework_wait_room(k.w, 0));
	put(&k, "a", 10, "x");
	put(&k, "b", 20, "x");
	assert_false(filework_wait_room(k.w, 0));
	assert_false(filework_wait_room(k.w, 20));
	pthread_mutex_unlock(&k.gate);
	filework_reach(k.w, 30);
	assert_true(filework_wait_room(k.w, -1));
	assert_true(filework_drain(k.w, 20 * SECOND));

	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = '\0';
	hold_up(&k);
	put(&k, "a", 40, large);
	assert_true(filework_wait_room(k.w, 0));
	put(&k, "a", 50, large);
	assert_true(filework_wait_room(k.w, 0));
	pthread_mutex_unlock(&k.gate);
	assert_true(filework_drain(k.w, 20 * SECOND));
	assert_int_equal(status(&k).bytes, 0);
	work_end(&k);
}

/* Dropped and made again, while documents of both are on their way. */
static void
dropped_tables_stay_dropped(void **state)
{
	struct files_table *t;
	struct waiter before, after;
	struct work k;
	unsigned i;

	(void)state;
	work_start(&k, NULL);
	t = rig_table(&k.r, "t");
	for (i = 0; i < 30; i++) {
		hold_up(&k);
		wait_init(&before);
		wait_init(&after);
		put_with(&k, "t", "old", 10, "1", &before.ticket);
		filework_ticket_close(k.w, &before.ticket);
		put(&k, "gate 1", 10, "again");
		put_with(&k, "t", NULL, 20, NULL, NULL);
		put_with(&k, "t", "between", 30, "1", NULL);
		put_with(&k, "t", NULL, 40, NULL, NULL);
		put_with(&k, "t", "new", 50, "1", &after.ticket);
		filework_ticket_close(k.w, &after.ticket);
		put(&k, "gate 2", 60, "new");
		put_with(&k, "u", "other", 70, "1", NULL);
		filework_reach(k.w, 80);
		if (i % 2)
			usleep(1000);
		pthread_mutex_unlock(&k.gate);
		assert_true(filework_drain(k.w, 20 * SECOND));
		assert_int_equal(filework_applied(k.w), 80);
		assert_document(t, "old", NULL);
		assert_document(t, "between", NULL);
		assert_document(t, "gate 1", NULL);
		assert_document(t, "new", "<1>");
		assert_document(t, "gate 2", "<new>");
		assert_document(rig_table(&k.r, "u"), "other", "<1>");
		assert_true(is_told(&before, 20 * SECOND));
		assert_true(is_told(&after, 20 * SECOND));
		assert_int_equal(before.told + after.told, 0);
		assert_int_equal(status(&k).bytes, 0);
	}
	work_end(&k);
}

/* --- failures ------------------------------------------------------------------ */

/* A name where the table's directory should be. */
static void
what_fails_is_tried_again(void **state)
{
	struct waiter one;
	struct work k;
	int fd;

	(void)state;
	work_start(&k, NULL);
	fd = openat(k.r.fd, "data/t", O_WRONLY | O_CREAT, 0600);
	assert_return_code(fd, errno);
	close(fd);
	wait_init(&one);
	put_with(&k, "t", "a", 10, "1", &one.ticket);
	filework_ticket_close(k.w, &one.ticket);
	put_with(&k, "u", "b", 20, "2", NULL);
	filework_reach(k.w, 30);
	assert_true(is_told(&one, 20 * SECOND));
	assert_int_equal(one.told, ENOTDIR);
	assert_false(filework_drain(k.w, 20));
	assert_document(rig_table(&k.r, "u"), "b", "<2>");
	assert_int_equal(filework_applied(k.w), 10);
	assert_true(status(&k).failures > 0);
	put(&k, "a", 30, "3");
	filework_reach(k.w, 40);
	assert_int_equal(unlinkat(k.r.fd, "data/t", 0), 0);
	assert_true(filework_drain(k.w, 20 * SECOND));
	assert_int_equal(filework_applied(k.w), 40);
	assert_document(rig_table(&k.r, "t"), "a", "<3>");
	assert_int_equal(one.times, 1);
	assert_int_equal(status(&k).error, 0);
	work_end(&k);
}

/* A small file system of its own; what is too much waits, deletes go on. */
static void
a_full_disk_is_waited_for(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char where[128], key[32], *large;
	struct filework_status s;
	struct work k;
	unsigned i;

	(void)state;
	snprintf(where, sizeof where, "%s/files-full-XXXXXX",
	    tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(where));
	if (mount("none", where, "tmpfs", 0, "size=1m,mode=700") == -1) {
		print_message("SKIPPED: can't mount a small file system: %s\n",
		    strerror(errno));
		rmdir(where);
		skip();
	}
	large = malloc(60001);
	assert_non_null(large);
	memset(large, 'x', 60000);
	large[60000] = '\0';
	work_start(&k, where);
	for (i = 0; i < 40; i++) {
		snprintf(key, sizeof key, "document %u", i);
		put(&k, key, 10 * i, large);
	}
	filework_reach(k.w, 400);
	while (status(&k).failures < 40)
		usleep(1000);
	s = status(&k);
	assert_int_equal(s.error, ENOSPC);
	assert_non_null(strstr(s.text, "No space"));
	assert_in_range(s.documents, 20, 30);
	assert_true(s.applied < 400);
	for (i = 0; i < 40; i += 2) {
		snprintf(key, sizeof key, "document %u", i);
		put(&k, key, 400 + i, NULL);
	}
	for (i = 1; i < 40; i += 2) {
		snprintf(key, sizeof key, "document %u", i);
		put(&k, key, 500 + i, "small");
	}
	wait_for_applied(&k, 600);
	for (i = 1; i < 40; i += 2) {
		snprintf(key, sizeof key, "document %u", i);
		assert_document(rig_table(&k.r, "t"), key, "<small>");
	}
	assert_int_equal(rig_count(&k.r, "data/t"), 20);
	work_end(&k);
	free(large);
	assert_int_equal(umount(where), 0);
	rmdir(where);
}

/* --- all at once ------------------------------------------------------------------ */

enum { KEYS = 200, TABLES = 3 };

/* What was put last is what lies there, through drops and growth. */
static void
a_storm_ends_in_order(void **state)
{
	static char last[TABLES][KEYS][16];
	uint64_t seed = 20261122, position = 0;
	unsigned i, n = getenv("FILES_STORM") ?
	    (unsigned)atoi(getenv("FILES_STORM")) : 20000;
	struct waiter waiter;
	struct err e;
	struct work k;

	(void)state;
	memset(last, 0, sizeof last);
	work_start(&k, NULL);
	filework_free(k.w);
	k.r.options.flat_max = 20;
	k.r.options.one_max = 100;
	rig_again(&k.r);
	k.options.max_documents = 50;
	work_on(&k);
	for (i = 0; i < n; i++) {
		char table[8], key[16], *text;
		unsigned t, j;

		seed = seed * 6364136223846793005U + 1442695040888963407U;
		t = (unsigned)(seed >> 40) % TABLES;
		j = (unsigned)(seed >> 50) % KEYS;
		snprintf(table, sizeof table, "t%u", t);
		snprintf(key, sizeof key, "key %u", j);
		text = last[t][j];
		if ((seed >> 33) % 2000 == 0) {
			memset(last[t], 0, sizeof last[t]);
			put_with(&k, table, NULL, position, NULL, NULL);
		} else if ((seed >> 33) % 5 == 0) {
			text[0] = '\0';
			put_with(&k, table, key, position, NULL, NULL);
		} else {
			snprintf(text, sizeof last[t][j], "%u", i);
			wait_init(&waiter);
			put_with(&k, table, key, position, text,
			    i % 64 ? NULL : &waiter.ticket);
		}
		position += 10;
		filework_reach(k.w, position);
		if (i % 64 == 0) {
			filework_ticket_close(k.w, &waiter.ticket);
			assert_true(is_told(&waiter, 20 * SECOND));
		}
		if (i % 1000 == 0)
			assert_int_equal(files_sync(k.r.files, &e), 0);
		if (i % 3000 == 0)
			assert_int_equal(files_forget(k.r.files, &e), 0);
		assert_true(filework_wait_room(k.w, 20 * SECOND));
	}
	assert_true(filework_drain(k.w, 20 * SECOND));
	assert_int_equal(filework_applied(k.w), position);
	for (i = 0; i < TABLES * KEYS; i++) {
		char table[8], key[16], text[20];
		const char *expected = last[i / KEYS][i % KEYS];

		snprintf(table, sizeof table, "t%u", i / KEYS);
		snprintf(key, sizeof key, "key %u", i % KEYS);
		snprintf(text, sizeof text, "<%s>", expected);
		assert_document(rig_table(&k.r, table), key,
		    *expected ? text : NULL);
	}
	assert_int_equal(k.r.edits, 0);
	work_end(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(images_become_files),
	    cmocka_unit_test(the_newest_image_wins),
	    cmocka_unit_test(who_waits_is_told),
	    cmocka_unit_test(who_waits_goes_first),
	    cmocka_unit_test(the_end_is_told),
	    cmocka_unit_test(the_backlog_is_bounded),
	    cmocka_unit_test(dropped_tables_stay_dropped),
	    cmocka_unit_test(what_fails_is_tried_again),
	    cmocka_unit_test(a_full_disk_is_waited_for),
	    cmocka_unit_test(a_storm_ends_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
