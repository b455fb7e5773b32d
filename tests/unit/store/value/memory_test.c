/*
 * Memory that runs out: readers are given an arena of every size up to the one
 * that suffices.  Each time they say so and nothing else, and a bigger one is
 * never worse.
 */
#include "store/value/json.h"
#include "store/value/number.h"
#include "store/value/plain.h"
#include "store/value/typed.h"

#include "store/value/fault.h"
#include "tests/unit/store/value/random_value.h"

enum { STEP = 16, MOST = 1 << 20 };

typedef int read_fn(struct arena *a, const struct buf *text, struct err *e);

static int
read_typed(struct arena *a, const struct buf *text, struct err *e)
{
	struct value v;

	return typed_read(a, text->data, text->len, &v, e);
}

static int
read_plain(struct arena *a, const struct buf *text, struct err *e)
{
	struct value v;

	return plain_read(a, text->data, text->len, &v, e);
}

static int
read_tree(struct arena *a, const struct buf *text, struct err *e)
{
	return json_read(a, text->data, text->len, 100, e) ? 0 : -1;
}

static int
read_tokens(struct arena *a, const struct buf *text, struct err *e)
{
	struct json_token t;
	struct json j;

	json_open(&j, a, text->data, text->len, e);
	do {
		if (json_next(&j, &t) < 0)
			return -1;
	} while (t.type != JSON_END);
	return 0;
}

/* How many sizes were too small. */
static int
starve(read_fn *read, const struct buf *text)
{
	struct arena a;
	struct err e;
	size_t max;
	int rc;

	for (max = 0; max < MOST; max += STEP) {
		arena_init(&a, max);
		memset(&e, 0, sizeof e);
		rc = read(&a, text, &e);
		arena_release(&a);
		if (rc == 0)
			return (int)(max / STEP);
		assert_int_equal(rc, -1);
		assert_int_equal(e.code, FAULT_LIMIT);
		assert_string_equal(e.text, "this needs more memory than one "
		    "operation may use");
		assert_true(e.line > 0);
	}
	fail_msg("%s: even %d bytes were too few", buf_str(text), MOST);
	return 0;
}

static void
readers(void **state)
{
	struct buf typed, plain;
	struct arena values;
	struct random r;
	int i, starved = 0;
	struct value v;

	(void)state;
	random_init(&r, 5);
	arena_init(&values, 16 << 20);
	buf_init(&typed, 16 << 20);
	buf_init(&plain, 16 << 20);
	for (i = 0; i < 200; i++) {
		arena_reset(&values);
		buf_reset(&typed);
		buf_reset(&plain);
		random_value(&r, &values, random_depth(&r), &v);
		assert_int_equal(typed_write(&typed, &v), 0);
		assert_int_equal(plain_write(&plain, &v), 0);
		starved += starve(read_typed, &typed);
		starved += starve(read_plain, &plain);
		starved += starve(read_tree, &typed);
		starved += starve(read_tokens, &plain);
	}
	printf("too small %d times\n", starved);
	assert_true(starved > 10000);
	buf_release(&typed);
	buf_release(&plain);
	arena_release(&values);
}

/* Each kind of allocation there is, whatever chance brought above. */
static void
each_kind(void **state)
{
	static const struct {
		read_fn *read;
		const char *text;
	} cases[] = {
	    {read_typed, "{\"N\":\"1.0\"}"},
	    {read_typed, "{\"B\":\"AAEC\"}"},
	    {read_typed, "{\"S\":\"\\n\"}"},
	    {read_typed, "{\"L\":[{\"S\":\"x\"}]}"},
	    {read_typed, "{\"M\":{\"a\":{\"S\":\"x\"}}}"},
	    {read_typed, "{\"SS\":[\"x\"]}"},
	    {read_typed, "{\"SS\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\","
	    "\"h\",\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\",\"q\","
	    "\"r\",\"s\",\"t\",\"u\",\"v\",\"w\",\"x\",\"y\",\"z\",\"0\","
	    "\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\"]}"},
	    {read_plain, "1.0"},
	    {read_plain, "{\"$binary\":\"AAEC\"}"},
	    {read_plain, "{\"$set\":[1]}"},
	    {read_plain, "[1,[2]]"},
	    {read_tree, "{\"a\":1,\"b\":[2]}"},
	};
	struct buf text;
	size_t i;

	(void)state;
	buf_init(&text, 4096);
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_reset(&text);
		buf_puts(&text, cases[i].text);
		assert_true(starve(cases[i].read, &text) > 0);
	}
	buf_release(&text);
}

static void
numbers(void **state)
{
	struct number n = {.sign = 1, .count = 1, .digits = {1}};
	struct value v;
	struct arena a;

	(void)state;
	arena_init(&a, 1);
	assert_int_equal(number_value(&n, &a, &v), -1);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(readers),
	    cmocka_unit_test(each_kind),
	    cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
