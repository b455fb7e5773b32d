/*
 * Keys as bytes: their order, what they are made of, ranges, and what is
 * refused as a key.
 */
#include "store/table/key.h"
#include "store/value/fault.h"
#include "tests/unit/store/table/documents.h"

static struct arena arena;

static const char table_json[] =
    "{\"name\":\"abc\",\"id\":300,"
    "\"hash\":[{\"name\":\"h\",\"type\":\"S\"}],"
    "\"range\":[{\"name\":\"r\",\"type\":\"%s\"}],"
    "\"indexes\":[{\"name\":\"one\",\"id\":1,\"global\":true,"
    "\"hash\":[{\"name\":\"x\",\"type\":\"S\"}],"
    "\"range\":[{\"name\":\"y\",\"type\":\"N\"}]}]}";

static struct table *
table_of(const char *range_type)
{
	char json[1000];

	snprintf(json, sizeof json, table_json, range_type);
	return make_table(json);
}

static struct text
key_of(const struct table *t, const struct value *item)
{
	struct text key;
	struct err e = {0};

	if (key_item(&arena, t, item, &key, &e) < 0)
		fail_msg("%s", e.text);
	return key;
}

static int
sign(int n)
{
	return (n > 0) - (n < 0);
}

/* An item {h: "p", r: v} without JSON between. */
static struct value
item_of(struct member members[2], const struct value *v)
{
	members[0].name = (struct text){"h", 1};
	members[0].value = (struct value){.type = VALUE_S, .text = {"p", 1}};
	members[1].name = (struct text){"r", 1};
	members[1].value = *v;
	return (struct value){.type = VALUE_M, .count = 2, .members = members};
}

static int
compare_keys(const struct table *t, const struct value *a,
    const struct value *b)
{
	struct member of_a[2], of_b[2];
	struct value item_a = item_of(of_a, a), item_b = item_of(of_b, b);
	struct text key_a = key_of(t, &item_a), key_b = key_of(t, &item_b);

	return text_compare(&key_a, &key_b);
}

/* Few different bytes, those that are escaped among them. */
static size_t
random_bytes(char *out, size_t least, size_t spread)
{
	static const char bytes[] = {0, 1, 2, 'a', '\xff'};
	size_t n = least + draw((unsigned)spread), i;

	for (i = 0; i < n; i++)
		out[i] = bytes[draw(sizeof bytes)];
	return n;
}

/* A million pairs; in half of them both begin alike for about 500 bytes. */
static void
keys_of_bytes_are_ordered(void **state)
{
	static char one[1100], other[1100];
	struct table *t = table_of("B");
	struct value a = {.type = VALUE_B}, b = {.type = VALUE_B};
	size_t same = 0, i;

	(void)state;
	for (i = 0; i < 1000 * 1000; i++) {
		if (i % 1000 == 0)
			same = random_bytes(one, 490, 30);
		if (i % 2 == 0)
			memcpy(other, one, same);
		a.text = (struct text){one, random_bytes(
		    one + (i % 2 ? 0 : same), 1, 12) + (i % 2 ? 0 : same)};
		b.text = (struct text){other, random_bytes(
		    other + (i % 2 ? 0 : same), 1, 12) + (i % 2 ? 0 : same)};
		if (sign(compare_keys(t, &a, &b)) !=
		    sign(text_compare(&a.text, &b.text)))
			fail_msg("pair %zu", i);
		arena_reset(&arena);
	}
	table_free(t);
}

static void
random_number(char *out, struct value *v)
{
	struct value read;
	struct err e = {0};
	char json[100];
	int n = snprintf(json, sizeof json, "{\"N\":\"%s%u.%ue%d\"}",
	    draw(2) ? "-" : "", draw(20), draw(2) ? draw(1000) : 0,
	    (int)draw(12) - 6);

	assert_int_equal(typed_read(&arena, json, (size_t)n, &read, &e), 0);
	memcpy(out, read.text.p, read.text.n);
	*v = (struct value){.type = VALUE_N, .text = {out, read.text.n}};
}

static void
keys_of_numbers_are_ordered(void **state)
{
	struct table *t = table_of("N");
	char one[200], other[200];
	struct value a, b;
	size_t i;

	(void)state;
	for (i = 0; i < 100 * 1000; i++) {
		random_number(one, &a);
		random_number(other, &b);
		if (sign(compare_keys(t, &a, &b)) != sign(value_compare(&a,
		    &b)))
			fail_msg("pair %zu: %.*s and %.*s", i, (int)a.text.n,
			    a.text.p, (int)b.text.n, b.text.p);
		arena_reset(&arena);
	}
	table_free(t);
}

static void
a_key_is_laid_out_as_told(void **state)
{
	struct table *t = table_of("B");
	struct value item = make_item(&arena,
	    "{\"h\":{\"S\":\"p\"},\"r\":{\"B\":\"AAEC\"}}");
	struct text key = key_of(t, &item);
	static const char head[] = "\xf9\x01\x2c";

	(void)state;
	assert_int_equal(key.n, 3 + 1 + 8 + 2 + 6);
	assert_memory_equal(key.p, head, 3);
	assert_memory_equal(key.p + 3, "\0", 1);
	assert_memory_equal(key.p + 12, "p\0\1\1\1\2\2\0", 8);
	assert_int_equal(key_table_id(&key), 300);
	assert_int_equal(key_head(&key), 4);
	table_free(t);
}

static void
table_ids_keep_their_order(void **state)
{
	static const uint64_t ids[] = {1, 0xf7, 0xf8, 0xff, 0x100, 0xffff,
	    0x10000, UINT64_C(0xffffffff), UINT64_C(0x100000000),
	    UINT64_MAX >> 8};
	struct table *t = table_of("B");
	struct value item = make_item(&arena,
	    "{\"h\":{\"S\":\"p\"},\"r\":{\"B\":\"AAEC\"}}");
	struct text key, last = {"", 0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof ids / sizeof *ids; i++) {
		t->id = ids[i];
		key = key_of(t, &item);
		assert_true(text_compare(&last, &key) < 0);
		assert_true(key_table_id(&key) == ids[i]);
		last = key;
	}
	table_free(t);
}

static void
an_entry_names_its_item(void **state)
{
	struct table *t = table_of("S");
	struct value item = make_item(&arena, "{\"h\":{\"S\":\"p\"},"
	    "\"r\":{\"S\":\"q\"},\"x\":{\"S\":\"z\"},\"y\":{\"N\":\"3\"}}");
	struct value bare = make_item(&arena, "{\"h\":{\"S\":\"p\"},"
	    "\"r\":{\"S\":\"q\"},\"x\":{\"S\":\"z\"}}");
	struct text base = key_of(t, &item), entry, again;
	char room[200];
	struct err e;

	(void)state;
	assert_int_equal(key_entry(&arena, t, t->indexes, &item, &base,
	    &entry, &e), 1);
	assert_in_range(entry.n, base.n, sizeof room);
	again = key_base(&entry, entry.n - (base.n - key_head(&base)), room);
	assert_int_equal(text_compare(&again, &base), 0);
	assert_int_equal(key_entry(&arena, t, t->indexes, &bare, &base,
	    &entry, &e), 0);
	assert_true(key_entry_same(t->indexes, &item, &item));
	assert_false(key_entry_same(t->indexes, &item, &bare));
	assert_true(key_entry_same(t->indexes, &bare, &bare));
	table_free(t);
}

/* --- ranges --------------------------------------------------------------- */

static const struct {
	enum key_op op;
	const char *v0, *v1, *in, *out;		/* in, out: words */
} sorts[] = {
	{KEY_EQ, "b", NULL, "b", "a ba bb c"},
	{KEY_LT, "b", NULL, "a az", "b ba c"},
	{KEY_LE, "b", NULL, "a az b", "ba c"},
	{KEY_GT, "b", NULL, "ba c", "a b"},
	{KEY_GE, "b", NULL, "b ba c", "a az"},
	{KEY_BETWEEN, "b", "ca", "b bz c ca", "a az caa cb d"},
	{KEY_BEGINS, "b", NULL, "b ba bz", "a az c"},
};

static struct value
string(const char *s)
{
	return (struct value){.type = VALUE_S, .text = {s, strlen(s)}};
}

static void
assert_words(const struct table *t, const struct key_range *r,
    const char *words, bool in)
{
	struct value item;
	struct text key;
	char word[16];
	int n;

	for (; sscanf(words, "%15s%n", word, &n) == 1; words += n) {
		item = make_item(&arena,
		    "{\"h\":{\"S\":\"p\"},\"r\":{\"S\":\"%s\"}}", word);
		key = key_of(t, &item);
		if (key_range_has(r, &key) != in)
			fail_msg("%s is %sin the range", word,
			    in ? "not " : "");
	}
}

static void
ranges_hold_what_they_should(void **state)
{
	struct table *t = table_of("S");
	struct value p = string("p"), other = string("q"), v[2];
	struct key_range r;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof sorts / sizeof *sorts; i++) {
		v[0] = string(sorts[i].v0);
		v[1] = string(sorts[i].v1 ? sorts[i].v1 : "");
		assert_int_equal(key_range_hash(&arena, t, NULL, &p, &r, &e),
		    0);
		assert_int_equal(key_range_sort(&arena, &r, sorts[i].op, v,
		    &e), 0);
		assert_words(t, &r, sorts[i].in, true);
		assert_words(t, &r, sorts[i].out, false);
	}
	assert_int_equal(key_range_hash(&arena, t, NULL, &other, &r, &e), 0);
	assert_words(t, &r, "a b c", false);
	table_free(t);
}

static void
ranges_go_on_behind_a_key(void **state)
{
	struct table *t = table_of("S");
	struct value p = string("p"), item = make_item(&arena,
	    "{\"h\":{\"S\":\"p\"},\"r\":{\"S\":\"b\"}}");
	struct text key = key_of(t, &item);
	struct key_range r;
	struct err e;

	(void)state;
	assert_int_equal(key_range_hash(&arena, t, NULL, &p, &r, &e), 0);
	assert_int_equal(key_range_after(&arena, &r, &key, false, &e), 0);
	assert_words(t, &r, "ba c", true);
	assert_words(t, &r, "a b", false);
	assert_int_equal(key_range_hash(&arena, t, NULL, &p, &r, &e), 0);
	assert_int_equal(key_range_after(&arena, &r, &key, true, &e), 0);
	assert_words(t, &r, "a az", true);
	assert_words(t, &r, "b ba", false);
	table_free(t);
}

static void
segments_part_a_scan(void **state)
{
	static const unsigned counts[] = {1, 2, 3, 7, 1000, 1000000};
	struct table *t = table_of("S");
	struct key_range r;
	struct arena ranges;
	struct value item;
	struct text key;
	struct err e;
	unsigned i, s, in;

	(void)state;
	arena_init(&ranges, 65536);
	for (i = 0; i < sizeof counts / sizeof *counts; i++) {
		item = make_item(&arena, "{\"h\":{\"S\":\"p%u\"},"
		    "\"r\":{\"S\":\"b\"}}", i);
		key = key_of(t, &item);
		for (in = s = 0; s < counts[i]; s++) {
			arena_reset(&ranges);
			assert_int_equal(key_range_scan(&ranges, t, NULL, s,
			    counts[i], &r, &e), 0);
			in += key_range_has(&r, &key);
		}
		assert_int_equal(in, 1);
	}
	arena_release(&ranges);
	assert_int_equal(key_range_scan(&arena, t, NULL, 2, 2, &r, &e), -1);
	assert_int_equal(key_range_scan(&arena, t, NULL, 0, 0, &r, &e), -1);
	table_free(t);
}

/* --- what is refused ------------------------------------------------------ */

static const struct {
	const char *item, *why;
} bad_items[] = {
	{"{\"r\":{\"S\":\"q\"}}", "Missing the key h in the item"},
	{"{\"h\":{\"N\":\"1\"},\"r\":{\"S\":\"q\"}}",
	    "Type mismatch for key h expected: S actual: N"},
	{"{\"h\":{\"S\":\"\"},\"r\":{\"S\":\"q\"}}",
	    "cannot contain an empty string value. Key: h"},
	{"{\"h\":{\"S\":\"p\"},\"r\":{\"S\":\"q\"},\"y\":{\"S\":\"1\"}}",
	    "Type mismatch for Index Key y Expected: N Actual: S IndexName: "
	    "one"},
	{"{\"h\":{\"S\":\"p\"},\"r\":{\"S\":\"q\"},\"x\":{\"S\":\"\"}}",
	    "IndexName: one, IndexKey: x"},
}, bad_keys[] = {
	{"{\"h\":{\"S\":\"p\"}}", "does not match the schema"},
	{"{\"h\":{\"S\":\"p\"},\"r\":{\"N\":\"1\"}}",
	    "does not match the schema"},
	{"{\"h\":{\"S\":\"p\"},\"r\":{\"S\":\"q\"},\"z\":{\"S\":\"q\"}}",
	    "does not match the schema"},
	{"{\"h\":{\"S\":\"p\"},\"r\":{\"S\":\"\"}}",
	    "cannot contain an empty string value. Key: r"},
};

static void
bad_keys_are_refused(void **state)
{
	struct table *t = table_of("S");
	struct value item;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad_items / sizeof *bad_items; i++) {
		item = make_item(&arena, "%s", bad_items[i].item);
		assert_int_equal(key_check_item(t, &item, &e), -1);
		assert_int_equal(e.code, FAULT_VALIDATION);
		if (!strstr(e.text, bad_items[i].why))
			fail_msg("%s: %s", bad_items[i].item, e.text);
	}
	for (i = 0; i < sizeof bad_keys / sizeof *bad_keys; i++) {
		item = make_item(&arena, "%s", bad_keys[i].item);
		assert_int_equal(key_check(t, &item, &e), -1);
		if (!strstr(e.text, bad_keys[i].why))
			fail_msg("%s: %s", bad_keys[i].item, e.text);
	}
	table_free(t);
}

static void
long_keys_are_refused(void **state)
{
	static char hash[2100], range[1100];
	struct table *t = table_of("S");
	struct value item;
	struct err e;
	int i;

	(void)state;
	memset(hash, 'h', 2049);
	memset(range, 'r', 1025);
	for (i = 0; i < 4; i++) {
		hash[i & 1 ? 2049 : 2048] = '\0';
		range[i & 2 ? 1025 : 1024] = '\0';
		item = make_item(&arena, "{\"h\":{\"S\":\"%s\"},"
		    "\"r\":{\"S\":\"%s\"}}", hash, range);
		hash[2048] = 'h';
		range[1024] = 'r';
		assert_int_equal(key_check_item(t, &item, &e), i ? -1 : 0);
		assert_int_equal(key_check(t, &item, &e), i ? -1 : 0);
	}
	table_free(t);
}

/* An item may have been there before the index that it doesn't fit. */
static void
long_keys_have_no_entry(void **state)
{
	static char x[2100];
	struct table *t = table_of("S");
	struct text base, entry;
	struct value item;
	struct err e;
	int n;

	(void)state;
	for (n = 2048; n <= 2049; n++) {
		memset(x, 'x', (size_t)n);
		item = make_item(&arena, "{\"h\":{\"S\":\"p\"},"
		    "\"r\":{\"S\":\"q\"},\"x\":{\"S\":\"%s\"},"
		    "\"y\":{\"N\":\"3\"}}", x);
		base = key_of(t, &item);
		assert_int_equal(key_entry(&arena, t, t->indexes, &item,
		    &base, &entry, &e), n == 2048);
		assert_int_equal(key_check_own(t, &item, &e), 0);
		assert_int_equal(key_check_item(t, &item, &e),
		    n == 2048 ? 0 : -1);
	}
	table_free(t);
}

static void
a_key_is_taken_out_of_an_item(void **state)
{
	struct table *t = table_of("S");
	struct value item = make_item(&arena, "{\"h\":{\"S\":\"p\"},"
	    "\"r\":{\"S\":\"q\"},\"a\":{\"S\":\"\"},\"x\":{\"S\":\"z\"},"
	    "\"y\":{\"N\":\"3\"}}"), key;
	struct err e;
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(key_members(&arena, t, NULL, &item, &key, &e), 0);
	typed_write_item(&b, &key);
	assert_string_equal(buf_str(&b),
	    "{\"h\":{\"S\":\"p\"},\"r\":{\"S\":\"q\"}}");
	assert_int_equal(key_check(t, &key, &e), 0);
	buf_reset(&b);
	assert_int_equal(key_members(&arena, t, t->indexes, &item, &key, &e),
	    0);
	typed_write_item(&b, &key);
	assert_string_equal(buf_str(&b), "{\"h\":{\"S\":\"p\"},\"r\":{\"S\":"
	    "\"q\"},\"x\":{\"S\":\"z\"},\"y\":{\"N\":\"3\"}}");
	buf_release(&b);
	table_free(t);
}

static int
setup(void **state)
{
	(void)state;
	arena_init(&arena, 64 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_of_bytes_are_ordered),
		TEST(keys_of_numbers_are_ordered),
		TEST(a_key_is_laid_out_as_told),
		TEST(table_ids_keep_their_order),
		TEST(an_entry_names_its_item),
		TEST(ranges_hold_what_they_should),
		TEST(ranges_go_on_behind_a_key),
		TEST(segments_part_a_scan),
		TEST(bad_keys_are_refused),
		TEST(long_keys_are_refused),
		TEST(long_keys_have_no_entry),
		TEST(a_key_is_taken_out_of_an_item),
	};

	print_message("seed %016llx\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
