/*
 * Any value survives both kinds of JSON exactly, and one text stands for one
 * value: a million random ones (200,000 under a sanitizer).
 */
#include "store/value/plain.h"
#include "store/value/typed.h"

#include "tests/unit/store/value/random_value.h"

struct trip {
	struct arena values, reads;
	struct buf typed, plain, again;
	struct random random;
	size_t bytes;		/* of typed JSON in all */
	unsigned deepest;
};

static void
begin(struct trip *t, uint64_t seed)
{
	arena_init(&t->values, 64 << 20);
	arena_init(&t->reads, 64 << 20);
	buf_init(&t->typed, 64 << 20);
	buf_init(&t->plain, 64 << 20);
	buf_init(&t->again, 64 << 20);
	random_init(&t->random, seed);
	t->bytes = 0;
	t->deepest = 0;
}

static void
end(struct trip *t)
{
	printf("%zu bytes of typed JSON in all\n", t->bytes);
	arena_release(&t->values);
	arena_release(&t->reads);
	buf_release(&t->typed);
	buf_release(&t->plain);
	buf_release(&t->again);
}

static void
next(struct trip *t)
{
	t->bytes += t->typed.len;
	arena_reset(&t->values);
	arena_reset(&t->reads);
	buf_reset(&t->typed);
	buf_reset(&t->plain);
	buf_reset(&t->again);
}

static void
assert_same(const struct value *a, const struct value *b,
    const struct buf *text)
{
	if (!value_equal(a, b))
		fail_msg("read otherwise than written: %s", buf_str(text));
}

static void
assert_text(const struct buf *a, const struct buf *b)
{
	if (a->len != b->len || memcmp(buf_str(a), buf_str(b), a->len) != 0)
		fail_msg("written as\n%s\nand then as\n%s", buf_str(a),
		    buf_str(b));
}

static void
typed_trip(struct trip *t, const struct value *v)
{
	struct value back;
	struct err e;

	assert_int_equal(typed_write(&t->typed, v), 0);
	if (typed_read(&t->reads, t->typed.data, t->typed.len, &back, &e) < 0)
		fail_msg("%s: %s", e.text, buf_str(&t->typed));
	assert_same(v, &back, &t->typed);
	assert_int_equal(typed_write(&t->again, &back), 0);
	assert_text(&t->typed, &t->again);
}

static void
plain_trip(struct trip *t, const struct value *v, bool line)
{
	struct value back;
	struct err e;

	buf_reset(&t->again);
	assert_int_equal((line ? plain_write_line : plain_write)(&t->plain, v),
	    0);
	if (plain_read(&t->reads, t->plain.data, t->plain.len, &back, &e) < 0)
		fail_msg("%d:%d: %s: %s", e.line, e.col, e.text,
		    buf_str(&t->plain));
	assert_same(v, &back, &t->plain);
	assert_int_equal((line ? plain_write_line : plain_write)(&t->again,
	    &back), 0);
	assert_text(&t->plain, &t->again);
}

static void
values(void **state)
{
	struct value v;
	struct trip t;
	int i;

	(void)state;
	begin(&t, 2);
	for (i = 0; i < RANDOM_ROUNDS; i++) {
		next(&t);
		random_value(&t.random, &t.values, random_depth(&t.random), &v);
		typed_trip(&t, &v);
		plain_trip(&t, &v, i % 2);
		if (value_depth(&v) > t.deepest)
			t.deepest = value_depth(&v);
	}
	assert_int_equal(t.deepest, VALUE_DEPTH_MAX - 1);
	assert_true(t.bytes / RANDOM_ROUNDS > 100);
	end(&t);
}

/* Items, and what an item is in both. */
static void
items(void **state)
{
	struct value item, back, plain;
	struct trip t;
	struct err e;
	int i;

	(void)state;
	begin(&t, 3);
	for (i = 0; i < RANDOM_ROUNDS / 10; i++) {
		next(&t);
		random_map(&t.random, &t.values, random_depth(&t.random),
		    &item);
		assert_int_equal(typed_write_item(&t.typed, &item), 0);
		assert_int_equal(typed_read_item(&t.reads, t.typed.data,
		    t.typed.len, &back, &e), 0);
		assert_int_equal(plain_write(&t.plain, &item), 0);
		assert_int_equal(plain_read_item(&t.reads, t.plain.data,
		    t.plain.len, &plain, &e), 0);
		assert_same(&item, &back, &t.typed);
		assert_same(&item, &plain, &t.plain);
	}
	end(&t);
}

/* What differs is written differently: nothing is equal by chance. */
static void
unequal(void **state)
{
	struct value a, b;
	struct trip t;
	int i;

	(void)state;
	begin(&t, 4);
	for (i = 0; i < RANDOM_ROUNDS / 10; i++) {
		next(&t);
		t.random.left = 3;
		random_value(&t.random, &t.values, 1, &a);
		random_value(&t.random, &t.values, 1, &b);
		typed_write(&t.typed, &a);
		typed_write(&t.again, &b);
		plain_write(&t.plain, &a);
		assert_int_equal(value_equal(&a, &b),
		    strcmp(buf_str(&t.typed), buf_str(&t.again)) == 0);
		buf_reset(&t.again);
		plain_write(&t.again, &b);
		assert_int_equal(value_equal(&a, &b),
		    strcmp(buf_str(&t.plain), buf_str(&t.again)) == 0);
	}
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values),
	    cmocka_unit_test(items),
	    cmocka_unit_test(unequal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
