/*
 * Values: names of types and faults, order, equality, sizes, depth, members,
 * and putting in order.
 */
#include "store/value/value.h"

#include "store/value/fault.h"
#include "store/value/typed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static struct value
parse(const char *text)
{
	struct value v;
	struct err e;

	if (typed_read(&arena, text, strlen(text), &v, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	return v;
}

static int
setup(void **state)
{
	(void)state;
	arena_init(&arena, 16 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static void
names(void **state)
{
	int fault;
	unsigned t;

	(void)state;
	for (t = 0; t < VALUE_TYPES; t++)
		assert_int_equal(value_type_parse(value_type_name(
		    (enum value_type)t), strlen(value_type_name(
		    (enum value_type)t))), t);
	assert_int_equal(value_type_parse("", 0), VALUE_TYPES);
	assert_int_equal(value_type_parse("s", 1), VALUE_TYPES);
	assert_int_equal(value_type_parse("SSS", 3), VALUE_TYPES);
	for (fault = FAULT_FIRST; fault < FAULT_END; fault++)
		assert_int_equal(fault_parse(fault_name(fault)), fault);
	assert_string_equal(fault_name(FAULT_CONDITION),
	    "ConditionalCheckFailedException");
	assert_string_equal(fault_name(ENOENT), "InternalServerError");
	assert_string_equal(fault_name(FAULT_END), "InternalServerError");
	assert_int_equal(fault_parse("NoSuchException"), 0);
}

static int
sign(int c)
{
	return (c > 0) - (c < 0);
}

/* Each list ascends. */
static void
order(void **state)
{
	static const char *const ascending[][8] = {
	    {"{\"S\":\"\"}", "{\"S\":\"\\u0000\"}", "{\"S\":\"A\"}",
	    "{\"S\":\"a\"}", "{\"S\":\"aa\"}", "{\"S\":\"b\"}",
	    "{\"S\":\"\xc3\xa9\"}", "{\"S\":\"\xf0\x9f\x98\x80\"}"},
	    {"{\"N\":\"-100\"}", "{\"N\":\"-9.5\"}", "{\"N\":\"-9\"}",
	    "{\"N\":\"0\"}", "{\"N\":\"0.001\"}", "{\"N\":\"9\"}",
	    "{\"N\":\"10\"}", "{\"N\":\"1e30\"}"},
	    {"{\"B\":\"\"}", "{\"B\":\"AA==\"}", "{\"B\":\"AAA=\"}",
	    "{\"B\":\"AQ==\"}", "{\"B\":\"fw==\"}", "{\"B\":\"gA==\"}",
	    "{\"B\":\"/w==\"}", "{\"B\":\"/wA=\"}"}};
	struct value a, b;
	int list, i, k;

	(void)state;
	for (list = 0; list < 3; list++)
		for (i = 0; i < 8; i++)
			for (k = 0; k < 8; k++) {
				a = parse(ascending[list][i]);
				b = parse(ascending[list][k]);
				assert_int_equal(sign(value_compare(&a, &b)),
				    sign(i - k));
				assert_int_equal(value_equal(&a, &b), i == k);
			}
}

/* Those of a row are one value, and none of another row. */
static void
equality(void **state)
{
	static const char *const rows[][3] = {
	    {"{\"S\":\"1\"}", "{\"S\":\"\\u0031\"}", NULL},
	    {"{\"N\":\"1\"}", "{\"N\":\"1.0\"}", "{\"N\":\"10e-1\"}"},
	    {"{\"B\":\"MQ==\"}", NULL, NULL},
	    {"{\"BOOL\":true}", NULL, NULL},
	    {"{\"BOOL\":false}", NULL, NULL},
	    {"{\"NULL\":true}", NULL, NULL},
	    {"{\"L\":[]}", NULL, NULL},
	    {"{\"M\":{}}", NULL, NULL},
	    {"{\"L\":[{\"S\":\"a\"},{\"S\":\"b\"}]}", NULL, NULL},
	    {"{\"L\":[{\"S\":\"b\"},{\"S\":\"a\"}]}", NULL, NULL},
	    {"{\"L\":[{\"S\":\"a\"}]}", NULL, NULL},
	    {"{\"SS\":[\"a\",\"b\"]}", "{\"SS\":[\"b\",\"a\"]}", NULL},
	    {"{\"SS\":[\"a\"]}", NULL, NULL},
	    {"{\"SS\":[\"1\",\"2\"]}", NULL, NULL},
	    {"{\"NS\":[\"1\",\"2\"]}", "{\"NS\":[\"2.0\",\"1\"]}",
	    "{\"NS\":[\"1e0\",\"2\"]}"},
	    {"{\"BS\":[\"MQ==\",\"Mg==\"]}", NULL, NULL},
	    {"{\"M\":{\"a\":{\"N\":\"1\"},\"b\":{\"N\":\"2\"}}}",
	    "{\"M\":{\"b\":{\"N\":\"2.0\"},\"a\":{\"N\":\"1\"}}}", NULL},
	    {"{\"M\":{\"a\":{\"N\":\"1\"},\"c\":{\"N\":\"2\"}}}", NULL, NULL},
	    {"{\"M\":{\"a\":{\"N\":\"1\"}}}", NULL, NULL},
	    {"{\"M\":{\"a\":{\"N\":\"2\"},\"b\":{\"N\":\"2\"}}}", NULL, NULL},
	};
	const int count = sizeof rows / sizeof *rows;
	struct value a, b;
	int i, k, x, y;

	(void)state;
	for (i = 0; i < count; i++)
		for (k = 0; k < count; k++)
			for (x = 0; x < 3 && rows[i][x]; x++)
				for (y = 0; y < 3 && rows[k][y]; y++) {
					a = parse(rows[i][x]);
					b = parse(rows[k][y]);
					assert_int_equal(value_equal(&a, &b),
					    i == k);
				}
}

static void
sizes(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		unsigned depth;
	} cases[] = {
	    {"{\"S\":\"\"}", 0, 0},
	    {"{\"S\":\"abc\"}", 3, 0},
	    {"{\"S\":\"\xe2\x82\xac\"}", 3, 0},
	    {"{\"N\":\"0\"}", 1, 0},
	    {"{\"N\":\"7\"}", 2, 0},
	    {"{\"N\":\"12\"}", 2, 0},
	    {"{\"N\":\"1.2\"}", 3, 0},
	    {"{\"N\":\"120\"}", 3, 0},
	    {"{\"N\":\"1200\"}", 2, 0},
	    {"{\"N\":\"0.12\"}", 2, 0},
	    {"{\"N\":\"0.012\"}", 3, 0},
	    {"{\"N\":\"123\"}", 3, 0},
	    {"{\"N\":\"-123\"}", 4, 0},
	    {"{\"N\":\"1000000\"}", 2, 0},
	    {"{\"N\":\"0.00001\"}", 2, 0},
	    {"{\"N\":\"100.01\"}", 4, 0},
	    {"{\"N\":\"-12345678901234567890123456789012345678\"}", 21, 0},
	    {"{\"B\":\"AAEC\"}", 3, 0},
	    {"{\"BOOL\":true}", 1, 0},
	    {"{\"NULL\":true}", 1, 0},
	    {"{\"SS\":[\"a\",\"bcd\"]}", 4, 0},
	    {"{\"NS\":[\"1\",\"-100\"]}", 5, 0},
	    {"{\"BS\":[\"AAEC\",\"\"]}", 3, 0},
	    {"{\"L\":[]}", 3, 1},
	    {"{\"M\":{}}", 3, 1},
	    {"{\"L\":[{\"S\":\"ab\"},{\"BOOL\":true}]}", 8, 1},
	    {"{\"M\":{\"ab\":{\"S\":\"cde\"}}}", 9, 1},
	    {"{\"M\":{\"a\":{\"L\":[{\"M\":{}}]},\"b\":{\"N\":\"1\"}}}", 16, 3},
	};
	struct value v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		v = parse(cases[i].text);
		if (value_size(&v) != cases[i].size)
			fail_msg("%s: %zu", cases[i].text, value_size(&v));
		assert_int_equal(value_depth(&v), cases[i].depth);
	}
	v = parse("{\"M\":{\"id\":{\"S\":\"abc\"},\"n\":{\"N\":\"12345\"},"
	    "\"flag\":{\"BOOL\":true},\"l\":{\"L\":[{\"S\":\"xy\"}]}}}");
	assert_int_equal(value_item_size(&v), 5 + 5 + 5 + 7);
}

static void
members(void **state)
{
	static const char *const names[] = {"", "A", "a", "aa", "ab", "b"};
	struct value v = parse("{\"M\":{\"b\":{\"S\":\"b\"},\"\":{\"S\":\"\"},"
	    "\"ab\":{\"S\":\"ab\"},\"A\":{\"S\":\"A\"},\"aa\":{\"S\":\"aa\"},"
	    "\"a\":{\"S\":\"a\"}}}");
	struct value none = {.type = VALUE_M}, text = parse("{\"S\":\"a\"}");
	const struct value *found;
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		found = value_member(&v, names[i], strlen(names[i]));
		assert_non_null(found);
		assert_int_equal(found->text.n, strlen(names[i]));
		assert_memory_equal(found->text.p, names[i], found->text.n);
	}
	assert_null(value_member(&v, "c", 1));
	assert_null(value_member(&v, "B", 1));
	assert_null(value_member(&v, "abc", 3));
	assert_null(value_member(&none, "a", 1));
	assert_null(value_member(&text, "a", 1));
	assert_null(value_member(NULL, "a", 1));
}

static void
sorting(void **state)
{
	struct text texts[] = {{"b", 1}, {"", 0}, {"a", 1}, {"ab", 2}};
	struct text numbers[] = {{"10", 2}, {"9", 1}, {"-1", 2}, {"9", 1}};
	struct value set = {.type = VALUE_SS, .count = 4, .texts = texts};
	struct value number_set = {.type = VALUE_NS, .count = 4,
	    .texts = numbers};
	struct member of[] = {{.name = {"x", 1}}, {.name = {"a", 1}},
	    {.name = {"x", 1}}};
	struct value map = {.type = VALUE_M, .count = 3, .members = of};
	struct text twice = {NULL, 0};

	(void)state;
	assert_int_equal(value_sort_set(&set, &twice), 0);
	assert_int_equal(texts[0].n, 0);
	assert_memory_equal(texts[2].p, "ab", 2);
	assert_null(twice.p);
	assert_int_equal(value_sort_set(&number_set, &twice), -1);
	assert_memory_equal(twice.p, "9", 1);
	assert_int_equal(value_sort_map(&map, &twice), -1);
	assert_memory_equal(twice.p, "x", 1);
	map.count = 2;
	assert_int_equal(value_sort_map(&map, &twice), 0);
	assert_memory_equal(of[0].name.p, "a", 1);
	map.count = 0;
	assert_int_equal(value_sort_map(&map, &twice), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(order),
	    cmocka_unit_test(equality),
	    cmocka_unit_test(sizes),
	    cmocka_unit_test(members),
	    cmocka_unit_test(sorting),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
