/*
 * Maps without a limit to the length of keys, held against a sorted list:
 * keys that begin alike for just under and over what one level holds.
 */
#include "store/base/io.h"
#include "store/index/index_tree.h"
#include "tests/unit/store/table/documents.h"

#include <fcntl.h>
#include <unistd.h>

enum { KEYS = 20000 };

static struct {
	char dir[32];
	MDB_env *env;
	MDB_dbi dbi, more;
	struct index_tree tree;
	uint64_t next_id;
	struct text keys[KEYS];		/* sorted, each once */
	bool there[KEYS];
	size_t count;
} t;

static int
by_key(const void *a, const void *b)
{
	return text_compare(a, b);
}

/* A common beginning of one of few lengths, and a short rest. */
static struct text
random_key(void)
{
	static const size_t lengths[] = {0, 1, 500, 509, 510, 511, 1000, 1010,
	    1012, 1013, 1014, 1020, 1514, 1515, 2000, 4990};
	size_t n = lengths[draw(sizeof lengths / sizeof *lengths)];
	size_t rest = 1 + draw(6), i;
	char *p = malloc(n + rest);

	assert_non_null(p);
	memset(p, 'k', n);
	for (i = 0; i < rest; i++)
		p[n + i] = "\0\1k\xff"[draw(4)];
	return (struct text){p, n + rest};
}

static int
setup(void **state)
{
	size_t i, k;

	(void)state;
	strcpy(t.dir, "/tmp/bothy-tree-XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	assert_int_equal(mdb_env_create(&t.env), 0);
	mdb_env_set_maxdbs(t.env, 2);
	mdb_env_set_mapsize(t.env, 512 << 20);
	assert_int_equal(mdb_env_open(t.env, t.dir, MDB_NOSYNC, 0600), 0);
	t.next_id = 0xfe;
	for (i = 0; i < KEYS; i++)
		t.keys[i] = random_key();
	qsort(t.keys, KEYS, sizeof *t.keys, by_key);
	t.count = 0;
	for (i = 0; i < KEYS; i = k) {
		for (k = i + 1; k < KEYS && by_key(&t.keys[i], &t.keys[k]) == 0;
		    k++)
			free((void *)(uintptr_t)t.keys[k].p);
		t.keys[t.count++] = t.keys[i];
	}
	memset(t.there, 0, sizeof t.there);
	t.tree.next_id = &t.next_id;
	assert_int_equal(mdb_txn_begin(t.env, NULL, 0, &t.tree.txn), 0);
	assert_int_equal(mdb_dbi_open(t.tree.txn, "a", MDB_CREATE,
	    &t.tree.dbi), 0);
	assert_int_equal(mdb_dbi_open(t.tree.txn, "b", MDB_CREATE,
	    &t.tree.more), 0);
	return 0;
}

static int
teardown(void **state)
{
	size_t i;

	(void)state;
	mdb_txn_abort(t.tree.txn);
	mdb_env_close(t.env);
	for (i = 0; i < t.count; i++)
		free((void *)(uintptr_t)t.keys[i].p);
	return io_remove_tree(AT_FDCWD, t.dir);
}

static void
put(size_t i)
{
	MDB_val value = {sizeof i, &i};

	assert_int_equal(index_tree_put(&t.tree, &t.keys[i], &value), 0);
	t.there[i] = true;
}

static void
delete(size_t i)
{
	assert_int_equal(index_tree_delete(&t.tree, &t.keys[i]),
	    t.there[i] ? 0 : MDB_NOTFOUND);
	t.there[i] = false;
}

static void
put_some(unsigned of_ten)
{
	size_t i;

	for (i = 0; i < 3 * t.count; i++)
		if (draw(10) < of_ten)
			put(draw((unsigned)t.count));
}

/* What is found is the key `i`, or nothing if i is no index of one. */
static void
assert_found(int rc, size_t i, const struct text *found, const MDB_val *value)
{
	if (i >= t.count) {
		assert_int_equal(rc, MDB_NOTFOUND);
		return;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(text_compare(found, &t.keys[i]), 0);
	assert_int_equal(value->mv_size, sizeof i);
	assert_memory_equal(value->mv_data, &i, sizeof i);
}

static size_t
next_there(size_t i)
{
	while (i < t.count && !t.there[i])
		i++;
	return i;
}

static size_t
last_there(size_t i)
{
	while (i-- > 0)
		if (t.there[i])
			return i;
	return SIZE_MAX;
}

static void
assert_all_ordered(void)
{
	struct index_walk walk;
	struct text found;
	MDB_val value;
	size_t i;
	int rc;

	assert_int_equal(index_walk_open(&walk, &t.tree), 0);
	rc = t.count ? index_walk_seek(&walk, &t.keys[0], &found, &value) :
	    MDB_NOTFOUND;
	for (i = next_there(0);; i = next_there(i + 1)) {
		assert_found(rc, i, &found, &value);
		if (rc)
			break;
		rc = index_walk_next(&walk, &found, &value);
	}
	rc = index_walk_before(&walk, &(struct text){"\xff\xff\xff\xff\xff"
	    "\xff\xff", 7}, &found, &value);
	for (i = last_there(t.count);; i = last_there(i)) {
		assert_found(rc, i, &found, &value);
		if (rc)
			break;
		rc = index_walk_previous(&walk, &found, &value);
	}
	index_walk_close(&walk);
}

static void
what_was_put_is_found(void **state)
{
	MDB_val value;
	size_t i;

	(void)state;
	put_some(5);
	for (i = 0; i < t.count; i++)
		assert_found(index_tree_get(&t.tree, &t.keys[i], &value),
		    t.there[i] ? i : SIZE_MAX, &t.keys[i], &value);
}

static void
keys_come_in_order_both_ways(void **state)
{
	size_t i;

	(void)state;
	assert_all_ordered();
	put_some(5);
	assert_all_ordered();
	for (i = 0; i < 2 * t.count; i++)
		delete(draw((unsigned)t.count));
	assert_all_ordered();
	put_some(2);
	assert_all_ordered();
}

/* From any key, there or not, to its neighbours, and on from there. */
static void
a_walk_begins_anywhere(void **state)
{
	struct index_walk walk;
	struct text found;
	MDB_val value;
	size_t i, k, at;
	int rc;

	(void)state;
	put_some(2);
	assert_int_equal(index_walk_open(&walk, &t.tree), 0);
	for (k = 0; k < 2 * t.count; k++) {
		i = draw((unsigned)t.count);
		at = next_there(i);
		rc = index_walk_seek(&walk, &t.keys[i], &found, &value);
		assert_found(rc, at, &found, &value);
		if (rc == 0 && draw(2))
			assert_found(index_walk_previous(&walk, &found,
			    &value), last_there(at), &found, &value);
		at = last_there(i);
		rc = index_walk_before(&walk, &t.keys[i], &found, &value);
		assert_found(rc, at, &found, &value);
		if (rc == 0)
			assert_found(index_walk_next(&walk, &found, &value),
			    next_there(at + 1), &found, &value);
	}
	index_walk_close(&walk);
}

static void
nothing_is_left_of_what_was_deleted(void **state)
{
	MDB_stat stat;
	size_t i;

	(void)state;
	put_some(9);
	assert_int_equal(mdb_stat(t.tree.txn, t.tree.more, &stat), 0);
	assert_true(stat.ms_entries > 0);
	for (i = 0; i < t.count; i++)
		delete(i);
	assert_all_ordered();
	mdb_stat(t.tree.txn, t.tree.more, &stat);
	assert_int_equal(stat.ms_entries, 0);
	mdb_stat(t.tree.txn, t.tree.dbi, &stat);
	assert_int_equal(stat.ms_entries, 0);
}

static void
a_key_that_is_too_long_is_refused(void **state)
{
	static char bytes[INDEX_KEY_MAX + 1];
	struct text key = {bytes, sizeof bytes}, found;
	struct index_walk walk;
	MDB_val value = {1, bytes};

	(void)state;
	assert_int_equal(index_tree_put(&t.tree, &key, &value),
	    MDB_BAD_VALSIZE);
	assert_int_equal(index_tree_delete(&t.tree, &key), MDB_NOTFOUND);
	key.n--;
	assert_int_equal(index_tree_put(&t.tree, &key, &value), 0);
	assert_int_equal(index_walk_open(&walk, &t.tree), 0);
	assert_int_equal(index_walk_seek(&walk, &key, &found, &value), 0);
	assert_int_equal(found.n, INDEX_KEY_MAX);
	index_walk_close(&walk);
	assert_int_equal(index_tree_delete(&t.tree, &key), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_put_is_found),
		TEST(keys_come_in_order_both_ways),
		TEST(a_walk_begins_anywhere),
		TEST(nothing_is_left_of_what_was_deleted),
		TEST(a_key_that_is_too_long_is_refused),
	};

	print_message("seed %016llx\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
