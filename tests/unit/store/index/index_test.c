/*
 * The index: items, batches and snapshots, secondary indexes, expiry,
 * counters, files and notes, and a map that grows under those who read.
 */
#include "store/base/io.h"
#include "store/index/index.h"
#include "store/value/fault.h"
#include "tests/unit/store/table/documents.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static const char table_json[] =
    "{\"name\":\"abc\",\"id\":1,\"ttl\":\"ends\","
    "\"hash\":[{\"name\":\"h\",\"type\":\"S\"}],"
    "\"range\":[{\"name\":\"r\",\"type\":\"N\"}],"
    "\"indexes\":[{\"name\":\"byAuthor\",\"id\":1,\"global\":true,"
    "\"hash\":[{\"name\":\"who\",\"type\":\"S\"}],"
    "\"range\":[{\"name\":\"when\",\"type\":\"N\"}],"
    "\"projection\":\"ALL\"},"
    "{\"name\":\"local\",\"id\":2,\"projection\":\"KEYS_ONLY\","
    "\"hash\":[{\"name\":\"h\",\"type\":\"S\"}],"
    "\"range\":[{\"name\":\"who\",\"type\":\"S\"}]}]}";

static struct {
	char dir[32];
	struct index *index;
	struct table *table;
	struct index_view *batch, *view;
	struct arena arena;
	uint64_t position;
} t;

static struct err e;	/* what every call of a test is given */

#define OK(call) \
	do { \
		if ((call) < 0) \
			fail_msg("%s: %s", #call, e.text); \
	} while (0)

static void
open_index(const struct index_options *o)
{

	t.index = index_open(t.dir, o, &e);
	if (!t.index)
		fail_msg("%s", e.text);
	t.view = index_view_new(t.index, &e);
	assert_non_null(t.view);
}

static void
close_index(void)
{
	index_view_free(t.view);
	index_close(t.index);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(t.dir, "/tmp/bothy-index-XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	arena_init(&t.arena, 256 << 20);
	t.table = make_table(table_json);
	t.position = 0;
	open_index(NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	close_index();
	table_free(t.table);
	arena_release(&t.arena);
	return io_remove_tree(AT_FDCWD, t.dir);
}

static void
begin(void)
{

	t.batch = index_begin(t.index, 1 << 20, &e);
	if (!t.batch)
		fail_msg("%s", e.text);
}

static void
commit(void)
{

	if (index_commit(t.batch, ++t.position, &e) < 0)
		fail_msg("%s", e.text);
}

static struct text
key_of(const struct value *item)
{
	struct text key = {NULL, 0};

	OK(key_item(&t.arena, t.table, item, &key, &e));
	return key;
}

/* The item under a key, as value; false if there is none. */
static bool
get(struct index_view *v, const struct text *key, struct value *out)
{
	struct index_record record;
	int r = index_get(v, key, &record, &e);

	assert_true(r >= 0);
	if (r > 0) {
		OK(typed_read_item(&t.arena, arena_copy(&t.arena,
		    record.item.p, record.item.n), record.item.n, out, &e));
		assert_int_equal(record.size, value_item_size(out));
	}
	return r > 0;
}

static void
put(const struct value *item)
{
	struct text key = key_of(item), bytes;
	struct value old;
	bool there = get(t.batch, &key, &old);
	struct buf b;

	buf_init(&b, 1 << 20);
	assert_int_equal(typed_write_item(&b, item), 0);
	bytes = (struct text){buf_str(&b), b.len};
	if (index_put(t.batch, t.table, &key, there ? &old : NULL, item,
	    &bytes, 77, &e) < 0)
		fail_msg("%s", e.text);
	buf_release(&b);
}

/* {h, r, who, when, ends}; "" and negative leave an attribute out. */
static struct value
document(const char *h, int r, const char *who, int when, int ends)
{
	char more[200];
	int n = 0;

	more[0] = '\0';
	if (*who)
		n += sprintf(more + n, ",\"who\":{\"S\":\"%s\"}", who);
	if (when >= 0)
		n += sprintf(more + n, ",\"when\":{\"N\":\"%d\"}", when);
	if (ends >= 0)
		n += sprintf(more + n, ",\"ends\":{\"N\":\"%d\"}", ends);
	return make_item(&t.arena,
	    "{\"h\":{\"S\":\"%s\"},\"r\":{\"N\":\"%d\"}%s}", h, r, more);
}

static void
put_document(const char *h, int r, const char *who, int when, int ends)
{
	struct value item = document(h, r, who, when, ends);

	put(&item);
}

static void
delete(const char *h, int r)
{
	struct value item = document(h, r, "", -1, -1), old;
	struct text key = key_of(&item);
	bool there = get(t.batch, &key, &old);

	assert_int_equal(index_delete(t.batch, t.table, &key,
	    there ? &old : NULL, &e), there);
}

static bool
is_there(struct index_view *v, const char *h, int r)
{
	struct value item = document(h, r, "", -1, -1), found;
	struct text key = key_of(&item);

	return get(v, &key, &found);
}

/* What a range reads, as "h/r h/r ..."; `max` at most, -1 for all. */
static const char *
read_range(const struct table_index *ix, const struct key_range *r,
    bool backward, int max)
{
	static char text[65536];
	struct index_cursor *c;
	struct index_entry entry;
	struct text key, h, num;
	struct value item;
	int n = 0, got = 0;

	text[0] = '\0';
	OK(index_read_begin(t.view, &e));
	c = index_cursor_open(t.view, ix, r, backward, &e);
	assert_non_null(c);
	while (max-- != 0 && (got = index_cursor_next(c, &entry, &e)) > 0) {
		OK(typed_read_item(&t.arena, entry.record.item.p,
		    entry.record.item.n, &item, &e));
		key = key_of(&item);
		assert_int_equal(text_compare(&key, &entry.base), 0);
		h = value_member(&item, "h", 1)->text;
		num = value_member(&item, "r", 1)->text;
		n += snprintf(text + n, sizeof text - (size_t)n, "%s%.*s/%.*s",
		    n ? " " : "", (int)h.n, h.p, (int)num.n, num.p);
	}
	assert_true(got >= 0);
	index_cursor_close(c);
	index_read_end(t.view);
	return text;
}

static struct key_range
partition(const struct table_index *ix, const char *hash)
{
	struct value v = {.type = VALUE_S, .text = {hash, strlen(hash)}};
	struct key_range r;

	OK(key_range_hash(&t.arena, t.table, ix, &v, &r, &e));
	return r;
}

static void
assert_counts(uint32_t index_id, uint64_t items, uint64_t bytes)
{
	struct index_counts counts;

	OK(index_read_begin(t.view, &e));
	OK(index_counts(t.view, t.table->id, index_id, &counts, &e));
	index_read_end(t.view);
	assert_int_equal(counts.items, items);
	assert_int_equal(counts.bytes, bytes);
}

/* --- batches and snapshots ------------------------------------------------ */

static void
a_batch_is_seen_once_committed(void **state)
{
	uint64_t position;

	(void)state;
	begin();
	put_document("a", 1, "", -1, -1);
	assert_true(is_there(t.batch, "a", 1));
	OK(index_read_begin(t.view, &e));
	assert_false(is_there(t.view, "a", 1));
	commit();
	assert_false(is_there(t.view, "a", 1));
	OK(index_position(t.view, &position, &e));
	assert_int_equal(position, 0);
	index_read_end(t.view);
	OK(index_read_begin(t.view, &e));
	assert_true(is_there(t.view, "a", 1));
	OK(index_position(t.view, &position, &e));
	assert_int_equal(position, 1);
	index_read_end(t.view);
}

static void
an_aborted_batch_leaves_nothing(void **state)
{
	struct value item;

	(void)state;
	begin();
	put_document("a", 1, "x", 5, 100);
	commit();
	begin();
	put_document("a", 1, "longer name", 6, 200);
	put_document("b", 1, "x", 6, 200);
	index_abort(t.batch);
	OK(index_read_begin(t.view, &e));
	assert_false(is_there(t.view, "b", 1));
	index_read_end(t.view);
	item = document("a", 1, "x", 5, 100);
	assert_counts(0, 1, value_item_size(&item));
	assert_counts(1, 1, value_item_size(&item));
}

static void
it_is_there_after_closing(void **state)
{
	struct index_options o = {.read_only = true};

	(void)state;
	begin();
	put_document("a", 1, "x", 5, -1);
	commit();
	OK(index_sync(t.index, &e));
	close_index();
	open_index(NULL);
	OK(index_read_begin(t.view, &e));
	assert_true(is_there(t.view, "a", 1));
	index_read_end(t.view);
	close_index();
	open_index(&o);
	OK(index_read_begin(t.view, &e));
	assert_true(is_there(t.view, "a", 1));
	index_read_end(t.view);
	assert_null(index_begin(t.index, 0, &e));
	assert_int_equal(e.code, FAULT_READ_ONLY);
}

static void
what_is_no_index_is_refused(void **state)
{
	char path[64];
	int fd;

	(void)state;
	close_index();
	snprintf(path, sizeof path, "%s/data.mdb", t.dir);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(io_write_all(fd, table_json, sizeof table_json), 0);
	close(fd);
	assert_null(index_open(t.dir, NULL, &e));
	assert_int_equal(e.code, EUCLEAN);
	OK(index_wipe(t.dir, &e));
	assert_int_equal(access(path, F_OK), -1);
	OK(index_wipe(t.dir, &e));
	OK(index_wipe("/nonexistent/index", &e));
	open_index(NULL);
}

/* --- items ---------------------------------------------------------------- */

static void
counters_follow(void **state)
{
	struct value one = document("a", 1, "me", 5, -1);
	struct value two = document("a", 2, "", -1, -1);
	struct value more = document("a", 2, "you", -1, -1);

	(void)state;
	begin();
	put(&one);
	put(&two);
	commit();
	assert_counts(0, 2, value_item_size(&one) + value_item_size(&two));
	assert_counts(1, 1, value_item_size(&one));
	assert_counts(2, 1, value_item_size(&one) - 4 - 2);
	begin();
	delete("a", 1);
	delete("a", 7);
	put(&more);
	commit();
	assert_counts(0, 1, value_item_size(&more));
	assert_counts(1, 0, 0);
	assert_counts(2, 1, value_item_size(&more));
	begin();
	delete("a", 2);
	commit();
	assert_counts(0, 0, 0);
	assert_counts(2, 0, 0);
}

/* Keys as long as they may be, of bytes that are longest when escaped. */
static size_t
long_members(struct member m[3], int i)
{
	static const char writers[] = "twenty writers at the table";
	static char hash[2048], range[1024];

	memset(hash, 1, sizeof hash);
	memset(range, 1, sizeof range);
	m[0] = (struct member){{"h", 1}, {.type = VALUE_S,
	    .text = {hash, sizeof hash}}};
	m[1] = (struct member){{"r", 1}, {.type = VALUE_S,
	    .text = {range, sizeof range - 19 + (size_t)i}}};
	m[2] = (struct member){{"who", 3}, {.type = VALUE_S,
	    .text = {&writers[i], 3}}};
	return 3;
}

static void
the_longest_keys_work(void **state)
{
	struct table *old = t.table;
	struct member m[3];
	struct value item = {.type = VALUE_M, .members = m}, found;
	uint64_t bytes = 0;
	struct text key;
	int i;

	(void)state;
	t.table = make_table("{\"name\":\"abc\",\"id\":1,"
	    "\"hash\":[{\"name\":\"h\",\"type\":\"S\"}],"
	    "\"range\":[{\"name\":\"r\",\"type\":\"S\"}],"
	    "\"indexes\":[{\"name\":\"one\",\"id\":1,\"global\":true,"
	    "\"hash\":[{\"name\":\"r\",\"type\":\"S\"}],"
	    "\"range\":[{\"name\":\"who\",\"type\":\"S\"}]}]}");
	begin();
	for (i = 0; i < 20; i++) {
		item.count = long_members(m, i);
		OK(key_check_item(t.table, &item, &e));
		put(&item);
		bytes += value_item_size(&item);
	}
	commit();
	assert_counts(0, 20, bytes);
	assert_counts(1, 20, bytes);
	begin();
	for (i = 0; i < 20; i++) {
		item.count = long_members(m, i);
		key = key_of(&item);
		assert_true(get(t.batch, &key, &found));
		assert_true(value_equal(&item, &found));
		assert_int_equal(index_delete(t.batch, t.table, &key, &found,
		    &e), 1);
	}
	commit();
	assert_counts(1, 0, 0);
	table_free(t.table);
	t.table = old;
}

/* --- ranges --------------------------------------------------------------- */

static void
a_partition_is_read_in_order(void **state)
{
	static const int numbers[] = {10, -3, 200, 0, 7};
	struct key_range r = partition(NULL, "a");
	size_t i;

	(void)state;
	begin();
	for (i = 0; i < 5; i++) {
		put_document("a", numbers[i], "", -1, -1);
		put_document("b", numbers[i], "", -1, -1);
	}
	commit();
	assert_string_equal(read_range(NULL, &r, false, -1),
	    "a/-3 a/0 a/7 a/10 a/200");
	assert_string_equal(read_range(NULL, &r, true, -1),
	    "a/200 a/10 a/7 a/0 a/-3");
	assert_string_equal(read_range(NULL, &r, true, 2), "a/200 a/10");
	r = partition(NULL, "c");
	assert_string_equal(read_range(NULL, &r, false, -1), "");
	assert_string_equal(read_range(NULL, &r, true, -1), "");
}

static void
reading_goes_on_where_an_item_was(void **state)
{
	struct value item = document("a", 7, "", -1, -1);
	struct key_range forth = partition(NULL, "a"), back = forth;
	struct text key = key_of(&item);
	int i;

	(void)state;
	begin();
	for (i = 5; i < 10; i++)
		put_document("a", i, "", -1, -1);
	commit();
	OK(key_range_after(&t.arena, &forth, &key, false, &e));
	OK(key_range_after(&t.arena, &back, &key, true, &e));
	assert_string_equal(read_range(NULL, &forth, false, -1), "a/8 a/9");
	assert_string_equal(read_range(NULL, &back, true, -1), "a/6 a/5");
	begin();
	delete("a", 7);
	commit();
	assert_string_equal(read_range(NULL, &forth, false, -1), "a/8 a/9");
	assert_string_equal(read_range(NULL, &back, true, -1), "a/6 a/5");
}

static void
segments_make_the_scan(void **state)
{
	static char parts[65536];
	struct key_range r;
	char h[20];
	size_t n = 0;
	unsigned s;
	int i;

	(void)state;
	begin();
	for (i = 0; i < 1000; i++) {
		snprintf(h, sizeof h, "h%d", i);
		put_document(h, i, "", -1, -1);
	}
	commit();
	for (s = 0; s < 7; s++) {
		OK(key_range_scan(&t.arena, t.table, NULL, s, 7, &r, &e));
		n += (size_t)sprintf(parts + n, "%s%s", n ? " " : "",
		    read_range(NULL, &r, false, -1));
	}
	OK(key_range_scan(&t.arena, t.table, NULL, 0, 1, &r, &e));
	assert_string_equal(read_range(NULL, &r, false, -1), parts);
	assert_int_equal(n, 1000 * 3 + 2 * (10 + 90 * 2 + 900 * 3) - 1);
}

static void
a_secondary_index_follows(void **state)
{
	const struct table_index *ix = &t.table->indexes[0];
	struct key_range r = partition(ix, "me");

	(void)state;
	begin();
	put_document("a", 1, "me", 30, -1);
	put_document("b", 2, "me", 10, -1);
	put_document("c", 3, "me", 20, -1);
	put_document("d", 4, "you", 20, -1);
	put_document("e", 5, "me", -1, -1);
	commit();
	assert_string_equal(read_range(ix, &r, false, -1), "b/2 c/3 a/1");
	assert_string_equal(read_range(ix, &r, true, -1), "a/1 c/3 b/2");
	begin();
	put_document("a", 1, "me", 5, -1);
	put_document("c", 3, "you", 20, -1);
	put_document("e", 5, "me", 7, -1);
	delete("b", 2);
	commit();
	assert_string_equal(read_range(ix, &r, false, -1), "a/1 e/5");
	r = partition(ix, "you");
	assert_string_equal(read_range(ix, &r, false, 3), "c/3 d/4");
	r = partition(&t.table->indexes[1], "c");
	assert_string_equal(read_range(&t.table->indexes[1], &r, false, -1),
	    "c/3");
}

/* A thousand random changes; then the index says what its items say. */
static void
an_index_agrees_with_its_items(void **state)
{
	static const char *const names[] = {"", "ann", "bob", "cy"};
	struct index_counts want[3] = {0}, have;
	struct key_range r;
	struct index_cursor *c;
	struct index_entry entry;
	struct value item;
	char h[8];
	size_t i;

	(void)state;
	for (i = 0; i < 4000; i++) {
		if (i % 50 == 0)
			begin();
		snprintf(h, sizeof h, "%u", draw(12));
		if (draw(3))
			put_document(h, (int)draw(12), names[draw(4)],
			    (int)draw(6) - 1, -1);
		else
			delete(h, (int)draw(12));
		if (i % 50 == 49)
			commit();
	}
	OK(index_read_begin(t.view, &e));
	OK(key_range_scan(&t.arena, t.table, NULL, 0, 1, &r, &e));
	c = index_cursor_open(t.view, NULL, &r, false, &e);
	while (index_cursor_next(c, &entry, &e) > 0) {
		OK(typed_read_item(&t.arena, entry.record.item.p,
		    entry.record.item.n, &item, &e));
		want[0].items++;
		want[0].bytes += entry.record.size;
		if (!value_member(&item, "who", 3))
			continue;
		want[2].items++;
		want[2].bytes += 2 + value_member(&item, "h", 1)->text.n +
		    value_size(value_member(&item, "r", 1)) + 3 +
		    value_member(&item, "who", 3)->text.n;
		if (!value_member(&item, "when", 4))
			continue;
		want[1].items++;
		want[1].bytes += entry.record.size;
	}
	index_cursor_close(c);
	for (i = 0; i < 3; i++) {
		OK(index_counts(t.view, 1, (uint32_t)i, &have, &e));
		assert_int_equal(have.items, want[i].items);
		assert_int_equal(have.bytes, want[i].bytes);
		assert_true(have.items > 10);
		if (i == 0)
			continue;
		OK(key_range_scan(&t.arena, t.table, &t.table->indexes[i - 1],
		    0, 1, &r, &e));
		c = index_cursor_open(t.view, &t.table->indexes[i - 1], &r,
		    draw(2), &e);
		while (index_cursor_next(c, &entry, &e) > 0)
			have.items--;
		assert_int_equal(have.items, 0);
		index_cursor_close(c);
	}
	index_read_end(t.view);
}

/* --- filling and dropping ------------------------------------------------- */

static void
an_index_is_filled_while_items_change(void **state)
{
	struct table *whole = t.table, *bare = table_copy(whole);
	const struct table_index *ix = &whole->indexes[0];
	struct value item = document("a", 1, "me", 3, 50);
	struct text key = key_of(&item);
	struct key_range r = partition(ix, "me");

	(void)state;
	bare->nindexes = 0;
	t.table = bare;
	begin();
	put(&item);
	put_document("b", 1, "me", 4, -1);
	put_document("c", 1, "me", 1, -1);
	commit();
	assert_string_equal(read_range(ix, &r, false, -1), "");
	whole->indexes[0].filling = true;
	t.table = whole;
	begin();
	put_document("b", 1, "me", 2, -1);
	put_document("c", 1, "me", 1, 7);
	delete("c", 1);
	OK(index_fill(t.batch, whole, ix, &key, &item, &e));
	OK(index_fill(t.batch, whole, ix, &key, &item, &e));
	commit();
	assert_string_equal(read_range(ix, &r, false, -1), "b/1 a/1");
	assert_counts(1, 2, 2 * value_item_size(&item) - 4 - 2);
	bare->nindexes = whole->nindexes;
	table_free(bare);
}

static void
a_table_is_dropped_in_pieces(void **state)
{
	struct table *other = make_table("{\"name\":\"abd\",\"id\":2,"
	    "\"hash\":[{\"name\":\"h\",\"type\":\"S\"}],"
	    "\"range\":[{\"name\":\"r\",\"type\":\"N\"}]}"), *first = t.table;
	struct index_file file = {1, 2, 3, 4};
	struct value item = document("h1", 1, "", -1, -1);
	struct text key = key_of(&item);
	struct key_range r;
	uint64_t bytes = 0;
	bool left = true;
	int i, pieces;

	(void)state;
	begin();
	for (i = 0; i < 1000; i++) {
		item = document("h1", i, "me", i, -1);
		bytes += value_item_size(&item);
		put(&item);
	}
	OK(index_file_put(t.batch, &key, &file, &e));
	t.table = other;
	put_document("h1", 1, "", -1, -1);
	t.table = first;
	commit();
	for (i = 2; i >= 0; i -= 2) {
		left = true;
		for (pieces = 0; left; pieces++) {
			begin();
			OK(index_drop(t.batch, 1, (uint32_t)i, 300, &left,
			    &e));
			commit();
			assert_counts(0, left || i ? 1000 : 0,
			    left || i ? bytes : 0);
		}
		assert_int_equal(pieces, i ? 4 : 7);
		assert_counts(2, 0, 0);
	}
	assert_counts(1, 0, 0);
	OK(index_read_begin(t.view, &e));
	assert_int_equal(index_file_get(t.view, &key, &file, &e), 0);
	index_read_end(t.view);
	t.table = other;
	OK(key_range_scan(&t.arena, other, NULL, 0, 1, &r, &e));
	assert_string_equal(read_range(NULL, &r, false, -1), "h1/1");
	t.table = first;
	table_free(other);
}

/* --- expiry, files, notes ------------------------------------------------- */

static void
assert_due(int64_t now_s, const char *want)
{
	struct index_due due[3];
	char text[200] = "";
	size_t count, i;

	OK(index_read_begin(t.view, &e));
	OK(index_due(t.view, now_s, &t.arena, due, 3, &count, &e));
	index_read_end(t.view);
	for (i = 0; i < count; i++) {
		assert_int_equal(due[i].table_id, 1);
		sprintf(text + strlen(text), "%s%lld", i ? " " : "",
		    (long long)due[i].expires_s);
	}
	assert_string_equal(text, want);
}

static void
what_expires_is_known_by_time(void **state)
{
	struct index_due due;
	size_t count;

	(void)state;
	begin();
	put_document("a", 1, "", -1, 1000);
	put_document("a", 2, "", -1, 500);
	put_document("a", 3, "", -1, 2000);
	put_document("a", 4, "", -1, -1);
	commit();
	assert_due(499, "");
	assert_due(500, "500");
	assert_due(1500, "500 1000");
	assert_due(100000, "500 1000 2000");
	assert_due(INT64_C(5) * 365 * 24 * 3600 + 600, "1000 2000");
	begin();
	put_document("a", 1, "", -1, 3000);
	put_document("a", 2, "", -1, -1);
	delete("a", 3);
	commit();
	assert_due(100000, "3000");
	OK(index_read_begin(t.view, &e));
	OK(index_due(t.view, 9000, &t.arena, &due, 1, &count, &e));
	index_read_end(t.view);
	begin();
	OK(index_unexpire(t.batch, &due, &e));
	commit();
	assert_due(100000, "");
}

static void
times_of_expiry_are_read(void **state)
{
	static const struct {
		const char *value;
		int found;
		int64_t s;
	} cases[] = {
		{"{\"N\":\"1700000000\"}", 1, 1700000000},
		{"{\"N\":\"1.7E9\"}", 1, 1700000000},
		{"{\"N\":\"12.75\"}", 1, 12},
		{"{\"N\":\"0.75\"}", 1, 0},
		{"{\"N\":\"0\"}", 1, 0},
		{"{\"N\":\"-5\"}", 1, -5},
		{"{\"N\":\"1E17\"}", 1, 100000000000000000},
		{"{\"N\":\"1E18\"}", 0, 0},
		{"{\"S\":\"1700000000\"}", 0, 0},
	};
	struct value item;
	int64_t s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		item = make_item(&t.arena, "{\"ends\":%s}", cases[i].value);
		s = 0;
		assert_int_equal(index_expiry("ends", &item, &s),
		    cases[i].found);
		assert_int_equal(s, cases[i].s);
		assert_int_equal(index_expiry("end", &item, &s), 0);
	}
}

static int
join(void *arg, const struct text *name, const struct text *note,
    struct err *unused)
{
	char *text = arg;

	(void)unused;
	sprintf(text + strlen(text), "%.*s=%.*s ", (int)name->n, name->p,
	    (int)note->n, note->p);
	return name->p[name->n - 1] == '9' ? 9 : 0;
}

static void
notes_and_files_are_kept(void **state)
{
	static const char *const names[] = {"t/2", "t/1", "u", "t", "s/9"};
	struct index_file file = {5, 400, -1700000000000000000, 12}, found;
	struct text key = {"key", 3}, name, note, none = {"", 0};
	char text[100] = "";
	size_t i;

	(void)state;
	begin();
	for (i = 0; i < 5; i++) {
		name = (struct text){names[i], strlen(names[i])};
		note = i ? name : none;
		OK(index_note_put(t.batch, &name, &note, &e));
	}
	name = (struct text){"u", 1};
	OK(index_note_delete(t.batch, &name, &e));
	OK(index_note_delete(t.batch, &name, &e));
	OK(index_file_put(t.batch, &key, &file, &e));
	commit();
	OK(index_read_begin(t.view, &e));
	assert_int_equal(index_note_get(t.view, &name, &note, &e), 0);
	name = (struct text){"t/1", 3};
	assert_int_equal(index_note_get(t.view, &name, &note, &e), 1);
	assert_int_equal(text_compare(&name, &note), 0);
	name = (struct text){"t/", 2};
	assert_int_equal(index_note_each(t.view, &name, join, text, &e), 0);
	assert_string_equal(text, "t/1=t/1 t/2= ");
	name = (struct text){"s", 1};
	assert_int_equal(index_note_each(t.view, &name, join, text, &e), 9);
	assert_int_equal(index_file_get(t.view, &key, &found, &e), 1);
	assert_memory_equal(&found, &file, sizeof file);
	key.n--;
	assert_int_equal(index_file_get(t.view, &key, &found, &e), 0);
	index_read_end(t.view);
}

/* --- the map -------------------------------------------------------------- */

struct reading {
	pthread_t thread;
	_Atomic bool stop;
	_Atomic size_t reads;
};

/* Items are put in pairs: a snapshot has both, or neither. */
static void *
read_pairs(void *arg)
{
	struct reading *r = arg;
	struct err mine;
	struct index_view *v = index_view_new(t.index, &mine);
	struct index_counts counts;

	while (!r->stop) {
		if (index_read_begin(v, &mine) < 0 ||
		    index_counts(v, 1, 0, &counts, &mine) < 0 ||
		    counts.items % 2)
			break;
		index_read_end(v);
		r->reads++;
	}
	index_view_free(v);
	return r->stop ? NULL : r;
}

static void
the_map_grows_under_those_who_read(void **state)
{
	struct index_options o = {.map_bytes = 1};
	struct reading readings[3] = {0};
	struct index_room before, after;
	void *failed;
	size_t i, room = 1 << 20;
	int n = 0;

	(void)state;
	close_index();
	open_index(&o);
	OK(index_room(t.index, &before, &e));
	for (i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&readings[i].thread, NULL,
		    read_pairs, &readings[i]), 0);
	for (i = 0; i < 3; i++)
		while (readings[i].reads == 0)	/* or our time is up */
			usleep(200);
	for (i = 0; i < 40; i++) {
		t.batch = index_begin(t.index, room += room / 4, &e);
		assert_non_null(t.batch);
		put_document("a", n++, "", -1, -1);
		put_document("b", n++, "", -1, -1);
		commit();
		usleep(200);
	}
	for (i = 0; i < 3; i++) {
		readings[i].stop = true;
		assert_int_equal(pthread_join(readings[i].thread, &failed), 0);
		assert_null(failed);
	}
	OK(index_room(t.index, &after, &e));
	assert_true(after.map_bytes > 100 * before.map_bytes);
	assert_true(after.used_bytes < after.length_bytes);
	assert_true(after.length_bytes <= after.map_bytes);
	assert_true(after.free_bytes > 0);
}

/* A batch that puts more than it said fails, and does when begun again. */
static void
a_full_map_grows_for_the_next_batch(void **state)
{
	static char big[300000];
	struct index_options o = {.map_bytes = 1};
	struct text name, note = {big, sizeof big};
	int tries = 0, i, r;
	char text[20];

	(void)state;
	close_index();
	open_index(&o);
	do {
		t.batch = index_begin(t.index, 0, &e);
		assert_non_null(t.batch);
		for (i = r = 0; i < 1000 && r == 0; i++) {
			snprintf(text, sizeof text, "%d", i);
			name = (struct text){text, strlen(text)};
			r = index_note_put(t.batch, &name, &note, &e);
		}
		if (r < 0) {
			assert_int_equal(e.code, FAULT_BUSY);
			index_abort(t.batch);
		}
		assert_in_range(++tries, 1, 8);
	} while (r < 0);
	commit();
	assert_in_range(tries, 2, 8);
}

static off_t
file_bytes(void)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof path, "%s/data.mdb", t.dir);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* A map of many gigabytes, and a file that anyone may copy. */
static void
the_file_is_not_as_long_as_the_map(void **state)
{
	static char big[300000];
	struct text name, note = {big, sizeof big};
	struct index_room room;
	char text[20];
	int i;

	(void)state;
	OK(index_room(t.index, &room, &e));
	assert_true(room.map_bytes >= (size_t)1 << 30);
	assert_in_range(file_bytes(), 1 << 20, 128 << 20);
	t.batch = index_begin(t.index, 0, &e);
	assert_non_null(t.batch);
	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "%d", i);
		name = (struct text){text, strlen(text)};
		OK(index_note_put(t.batch, &name, &note, &e));
	}
	commit();
	assert_in_range(file_bytes(), 280 << 20, 1500 << 20);
	close_index();
	assert_in_range(file_bytes(), 280 << 20, 340 << 20);
	open_index(NULL);
	OK(index_room(t.index, &room, &e));
	assert_in_range(room.used_bytes, 280 << 20, 340 << 20);
	assert_in_range(file_bytes(), 280 << 20, 500 << 20);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_batch_is_seen_once_committed),
		TEST(an_aborted_batch_leaves_nothing),
		TEST(it_is_there_after_closing),
		TEST(what_is_no_index_is_refused),
		TEST(counters_follow),
		TEST(the_longest_keys_work),
		TEST(a_partition_is_read_in_order),
		TEST(reading_goes_on_where_an_item_was),
		TEST(segments_make_the_scan),
		TEST(a_secondary_index_follows),
		TEST(an_index_agrees_with_its_items),
		TEST(an_index_is_filled_while_items_change),
		TEST(a_table_is_dropped_in_pieces),
		TEST(what_expires_is_known_by_time),
		TEST(times_of_expiry_are_read),
		TEST(notes_and_files_are_kept),
		TEST(the_map_grows_under_those_who_read),
		TEST(a_full_map_grows_for_the_next_batch),
		TEST(the_file_is_not_as_long_as_the_map),
	};

	print_message("seed %016llx\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
