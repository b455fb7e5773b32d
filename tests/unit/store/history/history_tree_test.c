/*
 * Trees as bytes: order, lookup, broken ones; and deltas between them, applied
 * again by a reader of their own.
 */
#include "store/history/pack_delta.h"
#include "store/history/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- trees ------------------------------------------------------------------------- */

static void
orders_as_git_does(void **state)
{
	static const struct {
		const char *a, *b;
		bool a_dir, b_dir;
		int sign;
	} CASE[] = {
		{ "a", "b", false, false, -1 },
		{ "a", "a", false, false, 0 },
		{ "a", "a", true, true, 0 },
		{ "a", "a", false, true, -1 },
		{ "a", "a.json", true, false, 1 },	/* '/' is behind '.' */
		{ "a", "a.json", false, false, -1 },
		{ "a", "a0", true, false, -1 },		/* and before '0' */
		{ "a-b", "a", true, true, -1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof CASE / sizeof *CASE; i++) {
		int c = tree_compare(CASE[i].a, strlen(CASE[i].a),
		    CASE[i].a_dir, CASE[i].b, strlen(CASE[i].b),
		    CASE[i].b_dir);
		int d = tree_compare(CASE[i].b, strlen(CASE[i].b),
		    CASE[i].b_dir, CASE[i].a, strlen(CASE[i].a),
		    CASE[i].a_dir);

		assert_int_equal((c > 0) - (c < 0), CASE[i].sign);
		assert_int_equal((d > 0) - (d < 0), -CASE[i].sign);
	}
}

/* Every cut of a tree is either at an entry's end or no tree. */
static void
refuses_what_is_cut(void **state)
{
	unsigned char id[TREE_ID_SIZE] = { 0, 1, 2 };
	struct tree_entry entry;
	struct buf b;
	size_t cut, ends = 0;

	(void)state;
	buf_init(&b, 1000);
	tree_add(&b, "ab", 2, false, id);
	tree_add(&b, "c", 1, true, id);
	assert_int_equal(tree_find(b.data, b.len, "c", 1, &entry), 1);
	assert_true(entry.dir);
	assert_memory_equal(entry.id, id, sizeof id);
	assert_int_equal(tree_find(b.data, b.len, "b", 1, &entry), 0);
	for (cut = 0; cut <= b.len; cut++) {
		int r = tree_find(b.data, cut, "none", 4, &entry);

		assert_true(r == 0 || r == -1);
		ends += r == 0;
	}
	assert_int_equal(ends, 3);
	b.data[0] = '9';
	assert_int_equal(tree_find(b.data, b.len, "c", 1, &entry), -1);
	buf_release(&b);
}

/* --- deltas ------------------------------------------------------------------------- */

static size_t
read_size(const unsigned char **p)
{
	size_t n = 0;
	unsigned shift = 0;

	do {
		n |= (size_t)(**p & 127) << shift;
		shift += 7;
	} while (*(*p)++ & 128);
	return n;
}

static void
apply(const struct buf *from, const struct buf *delta, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)delta->data;
	const unsigned char *end = p + delta->len;
	size_t size;

	assert_int_equal(read_size(&p), from->len);
	size = read_size(&p);
	while (p < end) {
		unsigned op = *p++, i;
		size_t offset = 0, n = 0;

		if (op < 128) {
			assert_true(op > 0);
			buf_add(out, p, op);
			p += op;
			continue;
		}
		for (i = 0; i < 4; i++)
			if (op & 1u << i)
				offset |= (size_t)*p++ << 8 * i;
		for (i = 0; i < 3; i++)
			if (op & 16u << i)
				n |= (size_t)*p++ << 8 * i;
		n = n ? n : 65536;
		assert_true(offset + n <= from->len);
		buf_add(out, from->data + offset, n);
	}
	assert_int_equal(out->len, size);
	assert_true(buf_ok(out));
}

static void
make_tree(struct buf *b, unsigned seed, unsigned entries, unsigned changed)
{
	unsigned i, j;

	for (i = 0; i < entries; i++) {
		unsigned char id[TREE_ID_SIZE];
		char name[30];

		seed = seed * 1664525u + 1013904223u;
		if (seed >> 16 & 1 && changed > 3 && i % 17 == 0)
			continue;
		for (j = 0; j < sizeof id; j++)
			id[j] = (unsigned char)(i * 7 + j * 13 +
			    (i % 10 < changed ? seed >> 24 : 0));
		snprintf(name, sizeof name, "%06u", i);
		tree_add(b, name, strlen(name), i % 3 == 0, id);
	}
}

static void
tells_trees_apart(void **state)
{
	struct buf from, to, delta, out;
	unsigned i, worth = 0;

	(void)state;
	buf_init(&from, 1 << 24);
	buf_init(&to, 1 << 24);
	buf_init(&delta, 1 << 24);
	buf_init(&out, 1 << 24);
	for (i = 0; i < 60; i++) {
		buf_reset(&from);
		buf_reset(&to);
		buf_reset(&delta);
		buf_reset(&out);
		make_tree(&from, i, i * 41, i % 6);
		make_tree(&to, i + 1000, i * 41 + i % 3, i % 6);
		if (pack_delta_trees(from.data, from.len, to.data, to.len,
		    &delta))
			continue;
		worth++;
		assert_true(delta.len < to.len);
		apply(&from, &delta, &out);
		assert_int_equal(out.len, to.len);
		assert_memory_equal(out.data, to.data, to.len);
	}
	assert_true(worth > 30);
	buf_release(&from);
	buf_release(&to);
	buf_release(&delta);
	buf_release(&out);
}

static void
tells_texts_apart(void **state)
{
	static const char *const TEXT[] = { "", "x",
		"a text that is long enough to be told by its other version",
		"a text that was long enough to be told by its other version",
		"a text that is long enough to be told by its other version!",
		"!a text that is long enough to be told by its other version",
		"a text that is long enough to be told by its, by its version" };
	enum { TEXTS = sizeof TEXT / sizeof *TEXT };
	struct buf from, delta, out;
	size_t i, j;
	unsigned worth = 0;

	(void)state;
	buf_init(&from, 1000);
	buf_init(&delta, 1000);
	buf_init(&out, 1000);
	for (i = 0; i < TEXTS; i++)
		for (j = 0; j < TEXTS; j++) {
			buf_reset(&from);
			buf_reset(&delta);
			buf_reset(&out);
			buf_puts(&from, TEXT[i]);
			if (pack_delta_bytes(TEXT[i], strlen(TEXT[i]),
			    TEXT[j], strlen(TEXT[j]), &delta))
				continue;
			worth++;
			apply(&from, &delta, &out);
			assert_string_equal(buf_str(&out), TEXT[j]);
		}
	assert_true(worth > 10);
	buf_release(&from);
	buf_release(&delta);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_as_git_does),
		cmocka_unit_test(refuses_what_is_cut),
		cmocka_unit_test(tells_trees_apart),
		cmocka_unit_test(tells_texts_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
