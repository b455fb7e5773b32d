/*
 * The scan: all that lies below data/ is told for what it is, and no document
 * is left out while others are written and moved.
 */
#include "files_rig.h"

#include "store/base/map.h"
#include "store/files/files_scan.h"
#include "store/table/table.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

struct told {
	enum files_kind kind;
	enum files_state state;
	char table[TABLE_NAME_MAX + 1];
	char key[256];
	char text[64];
	int error;
	unsigned times;
};

/* What was told, by path, or documents by table and key. */
struct listing {
	pthread_mutex_t lock;
	struct map map;
	bool by_key;
	_Atomic uint64_t progress;
	unsigned end_after;
};

static int
list(void *arg, const struct files_found *found, struct err *e)
{
	struct listing *l = arg;
	struct told *t, *old;
	char name[1100];

	(void)e;
	t = calloc(1, sizeof *t);
	assert_non_null(t);
	t->kind = found->kind;
	t->state = found->state;
	t->error = found->error;
	t->times = 1;
	snprintf(t->table, sizeof t->table, "%s",
	    found->table ? found->table : "");
	if (found->key)
		snprintf(t->key, sizeof t->key, "%.*s",
		    (int)found->key->hash.text.n, found->key->hash.text.p);
	if (found->p)
		snprintf(t->text, sizeof t->text, "%.*s", (int)found->n,
		    found->p);
	snprintf(name, sizeof name, "%s%s",
	    l->by_key && found->kind == FILES_DOCUMENT ? "key " : found->path,
	    l->by_key && found->kind == FILES_DOCUMENT ? t->key : "");
	pthread_mutex_lock(&l->lock);
	old = map_get(&l->map, name);
	if (old)
		t->times += old->times;
	free(old);
	assert_int_equal(map_set(&l->map, name, strlen(name), t, NULL), 0);
	pthread_mutex_unlock(&l->lock);
	return l->end_after && l->map.count >= l->end_after ? 7 : 0;
}

static void
progress(void *arg, uint64_t documents)
{
	struct listing *l = arg;

	l->progress = documents;
}

static int
scan(struct rig *r, const char *table, bool read, struct listing *l)
{
	struct files_scan_options o = {
	    .table = table,
	    .threads = 2,
	    .read = read,
	    .each = list,
	    .progress = progress,
	    .arg = l,
	};
	struct err e = {.code = 0};
	int result;

	pthread_mutex_init(&l->lock, NULL);
	map_init(&l->map);
	result = files_scan(r->files, &o, &e);
	if (result == -1)
		fail_msg("%s", e.text);
	return result;
}

static void
forget(struct listing *l)
{
	size_t i;

	for (i = 0; i < l->map.count; i++)
		free(l->map.entries[i].value);
	map_release(&l->map);
	pthread_mutex_destroy(&l->lock);
}

static const struct told *
told(const struct listing *l, const char *path)
{
	const struct told *t = map_get(&l->map, path);

	if (!t)
		fail_msg("%s is not told", path);
	return t;
}

static void
make_file(const struct rig *r, const char *path, const char *text)
{
	int fd = openat(r->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);

	assert_return_code(fd, errno);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
all_is_told_for_what_it_is(void **state)
{
	static const char *const FOREIGN[] = {
	    "data/stray", "data/.hidden", "data/t/README", "data/t/ab",
	    "data/t/.x.json", "data/t/cd/a.json", "data/t/link.json",
	    "data/t/dir.json",
	};
	char long_key[400];
	struct listing l = {.by_key = false};
	const struct told *d;
	struct path_name name;
	struct rig r;
	struct err e;
	size_t i;
	int fd;

	(void)state;
	rig_start(&r, NULL);
	memset(long_key, 'k', sizeof long_key - 1);
	long_key[sizeof long_key - 1] = '\0';
	rig_write(rig_table(&r, "t"), "a", "text of a");
	rig_write(rig_table(&r, "t"), "edited", "x");
	rig_write(rig_table(&r, "t"), long_key, "long");
	rig_write(rig_table(&r, ".git"), "b", "text of b");
	assert_int_equal(files_write(rig_table(&r, "t"), 0, NULL, "{}", 2, 0,
	    NULL, &e), 0);
	make_file(&r, "data/t/edited.json", "by hand");
	make_file(&r, "data/stray", "");
	make_file(&r, "data/.hidden", "");
	make_file(&r, "data/t/README", "");
	make_file(&r, "data/t/ab", "");
	make_file(&r, "data/t/.x.json", "");
	assert_int_equal(mkdirat(r.fd, "data/t/cd", 0700), 0);
	make_file(&r, "data/t/cd/a.json", "");
	assert_int_equal(mkdirat(r.fd, "data/t/dir.json", 0700), 0);
	assert_int_equal(symlinkat("a.json", r.fd, "data/t/link.json"), 0);
	fd = openat(r.fd, "data/t/large.json", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(ftruncate(fd, 100 << 20), 0);
	close(fd);
	assert_int_equal(scan(&r, NULL, true, &l), 0);
	for (i = 0; i < sizeof FOREIGN / sizeof *FOREIGN; i++)
		assert_int_equal(told(&l, FOREIGN[i])->kind, FILES_FOREIGN);
	d = told(&l, "data/t/a.json");
	assert_int_equal(d->kind, FILES_DOCUMENT);
	assert_int_equal(d->state, FILES_OURS);
	assert_string_equal(d->table, "t");
	assert_string_equal(d->key, "a");
	assert_string_equal(d->text, "text of a");
	d = told(&l, "data/t/edited.json");
	assert_int_equal(d->state, FILES_EDITED);
	assert_string_equal(d->text, "by hand");
	d = told(&l, "data/%2Egit/b.json");
	assert_string_equal(d->table, ".git");
	assert_string_equal(told(&l, "data/t/.table.json")->text, "{}");
	d = told(&l, "data/t/large.json");
	assert_int_equal(d->kind, FILES_UNREADABLE);
	assert_int_equal(d->error, EFBIG);
	assert_int_equal(l.map.count, sizeof FOREIGN / sizeof *FOREIGN + 6);
	name = rig_name(long_key);
	forget(&l);

	assert_int_equal(scan(&r, ".git", false, &l), 0);
	assert_int_equal(l.map.count, 3);	/* and what is foreign */
	assert_string_equal(told(&l, "data/%2Egit/b.json")->text, "");
	forget(&l);
	l.end_after = 2;
	assert_int_equal(scan(&r, NULL, true, &l), 7);
	forget(&l);
	assert_true(name.cut);
	rig_end(&r);
}

/* The directory of a table with a long name says it in its file only. */
static void
long_tables_are_found(void **state)
{
	struct listing l = {.by_key = true};
	struct table table = {
	    .id = 1,
	    .key = {.hash = {{"id", VALUE_S}}, .nhash = 1},
	};
	struct buf b;
	struct rig r;
	struct err e;

	(void)state;
	rig_start(&r, NULL);
	memset(table.name, 'x', TABLE_NAME_MAX);
	table.name[0] = '.';
	buf_init(&b, 1 << 20);
	assert_int_equal(table_write(&table, &b), 0);
	rig_write(rig_table(&r, table.name), "a", "text");
	assert_int_equal(files_write(rig_table(&r, table.name), 0, NULL,
	    b.data, b.len, 0, NULL, &e), 0);
	rig_again(&r);
	assert_int_equal(scan(&r, NULL, true, &l), 0);
	assert_int_equal(l.map.count, 2);
	assert_string_equal(told(&l, "key a")->table, table.name);
	assert_int_equal(told(&l, "key a")->state, FILES_OURS);
	forget(&l);
	buf_release(&b);
	rig_end(&r);
}

/* --- while others are at work ---------------------------------------------- */

enum { DOCUMENTS = 6000 };

struct busy {
	struct rig *r;
	_Atomic bool stop;
};

static void *
write_and_move(void *arg)
{
	struct busy *b = arg;
	struct files_table *t = rig_table(b->r, "t");
	struct err e;
	unsigned i = 0;

	while (!b->stop) {
		char key[24];

		snprintf(key, sizeof key, "%u", i++ % DOCUMENTS);
		rig_write(t, key, "again");
		if (i % 8 == 0 && files_grow(b->r->files, 0, 16, &e) == -1)
			fail_msg("%s", e.text);
		if (i % 2000 == 0)
			files_sync(b->r->files, &e);
	}
	return NULL;
}

static void
none_is_left_out(void **state)
{
	struct files_options steps[] = {
	    {.threads = 2, .flat_max = 1, .one_max = DOCUMENTS * 2},
	    {.threads = 2, .flat_max = 1, .one_max = 2},
	};
	struct rig r;
	struct err e;
	unsigned step, round, i;
	char key[24];

	(void)state;
	rig_start(&r, NULL);
	r.options.flat_max = DOCUMENTS;
	rig_again(&r);
	for (i = 0; i < DOCUMENTS; i++) {
		snprintf(key, sizeof key, "%u", i);
		rig_write(rig_table(&r, "t"), key, "text");
	}
	for (step = 0; step < 2; step++) {
		struct busy busy = {.r = &r};
		pthread_t thread;

		r.options = steps[step];
		rig_again(&r);
		files_table(r.files, "t", DOCUMENTS, &e);
		assert_int_equal(
		    pthread_create(&thread, NULL, write_and_move, &busy), 0);
		for (round = 0; round < 4; round++) {
			struct listing l = {.by_key = true};

			assert_int_equal(scan(&r, "t", true, &l), 0);
			for (i = 0; i < DOCUMENTS; i++) {
				snprintf(key, sizeof key, "key %u", i);
				assert_int_equal(told(&l, key)->state,
				    FILES_OURS);
			}
			assert_true(l.progress > 0);
			forget(&l);
		}
		busy.stop = true;
		pthread_join(thread, NULL);
		while (files_grow(r.files, 0, 1000, &e) > 0)
			;
		assert_int_equal(files_sync(r.files, &e), 0);
	}
	assert_int_equal(r.edits, 0);
	rig_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_is_told_for_what_it_is),
	    cmocka_unit_test(long_tables_are_found),
	    cmocka_unit_test(none_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
