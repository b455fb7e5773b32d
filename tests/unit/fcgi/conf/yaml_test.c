/*
 * YAML -> tree: places, kinds, aliases, merge keys, and files that were made
 * to hurt: these must be refused, in little time and memory.
 */
#include "tests/unit/fcgi/conf/site.h"

#include "fcgi/conf/node.h"
#include "fcgi/conf/yaml.h"
#include "store/base/clock.h"

struct text {
	struct zone *zone;
	struct errlist errors;
	struct node *root;
};

static void
read_bytes(struct text *t, const char *bytes, size_t n)
{
	t->zone = zone_new(64 * 1024 * 1024);
	assert_non_null(t->zone);
	errlist_init(&t->errors);
	t->root = yaml_read(t->zone, "f", bytes, n, &t->errors);
	assert_true((t->root == NULL) == (t->errors.count > 0));
}

static void
release(struct text *t)
{
	zone_free(t->zone);
	errlist_release(&t->errors);
}

static void
assert_refused(const char *bytes, size_t n, const char *part)
{
	struct text t;

	read_bytes(&t, bytes, n);
	assert_null(t.root);
	if (!strstr(t.errors.items[0].text, part))
		fail_msg("no \"%s\" in: %s", part, t.errors.items[0].text);
	release(&t);
}

static void
tree_knows_kinds_and_places(void **state)
{
	static const char yaml[] =
	    "# a comment\n"
	    "a: 1\n"
	    "list:\n"
	    "  - x\n"
	    "  - 'y'\n"
	    "map: {k: v, \"q\": \"\\u00e9\"}\n"
	    "null1: ~\n"
	    "null2:\n"
	    "text: |\n"
	    "  two\n"
	    "  lines\n";
	const struct node *n;
	struct text t;

	(void)state;
	read_bytes(&t, yaml, strlen(yaml));
	assert_non_null(t.root);
	assert_int_equal(t.root->type, NODE_MAP);
	assert_int_equal(t.root->count, 6);
	n = node_get(t.root, "a");
	assert_string_equal(n->text, "1");
	assert_int_equal(n->line, 2);
	assert_int_equal(n->col, 4);
	assert_true(n->plain);
	n = node_get(t.root, "list");
	assert_int_equal(n->type, NODE_LIST);
	assert_int_equal(n->count, 2);
	assert_string_equal(n->items[1]->text, "y");
	assert_false(n->items[1]->plain);
	assert_int_equal(n->items[1]->line, 5);
	n = node_get(t.root, "map");
	assert_string_equal(node_get(n, "q")->text, "\xc3\xa9");
	assert_null(node_get(n, ""));
	assert_null(node_get(n, "kk"));
	assert_true(node_null(node_get(t.root, "null1")));
	assert_true(node_null(node_get(t.root, "null2")));
	assert_string_equal(node_get(t.root, "text")->text, "two\nlines\n");
	assert_int_equal(node_index(t.root, "lists", 4), 1);
	assert_int_equal(node_index(t.root, "lis", 3), -1);
	release(&t);
}

static void
quotes_decide_what_null_is(void **state)
{
	static const char yaml[] = "[null, 'null', '', ~, \"~\", nulls]";
	static const bool is_null[] = {true, false, false, true, false, false};
	struct text t;
	size_t i;

	(void)state;
	read_bytes(&t, yaml, strlen(yaml));
	assert_int_equal(t.root->count, 6);
	for (i = 0; i < 6; i++)
		assert_int_equal(node_null(t.root->items[i]), is_null[i]);
	release(&t);
}

static void
aliases_are_shared_and_weighed(void **state)
{
	static const char yaml[] = "a: &x [1, 2]\nb: *x\nc: [*x, *x]\n";
	struct text t;

	(void)state;
	read_bytes(&t, yaml, strlen(yaml));
	assert_ptr_equal(node_get(t.root, "a"), node_get(t.root, "b"));
	assert_int_equal(node_get(t.root, "a")->weight, 3);
	assert_int_equal(node_get(t.root, "c")->weight, 7);
	assert_int_equal(t.root->weight, 14);
	release(&t);
}

static void
merge_keys_fill_what_is_not_written(void **state)
{
	static const char yaml[] =
	    "base: &b {x: 1, y: 2}\n"
	    "more: &m {y: 3, z: 4}\n"
	    "one: {<<: *b, x: own}\n"
	    "two: {<<: [*m, *b], '<<': quoted}\n";
	const struct node *n;
	struct text t;

	(void)state;
	read_bytes(&t, yaml, strlen(yaml));
	assert_non_null(t.root);
	n = node_get(t.root, "one");
	assert_int_equal(n->count, 2);
	assert_string_equal(node_get(n, "x")->text, "own");
	assert_string_equal(node_get(n, "y")->text, "2");
	n = node_get(t.root, "two");
	assert_int_equal(n->count, 4);
	assert_string_equal(node_get(n, "x")->text, "1");
	assert_string_equal(node_get(n, "y")->text, "3");
	assert_string_equal(node_get(n, "z")->text, "4");
	assert_string_equal(node_get(n, "<<")->text, "quoted");
	release(&t);
}

static void
large_maps_are_searched_fast_and_checked_for_doubles(void **state)
{
	struct buf b;
	struct text t;
	char key[32];
	int i;

	(void)state;
	buf_init(&b, 4 * 1024 * 1024);
	for (i = 0; i < 20000; i++)
		buf_printf(&b, "k%d: %d\n", (i * 7919) % 20000, i);
	read_bytes(&t, buf_str(&b), b.len);
	assert_non_null(t.root);
	assert_int_equal(t.root->count, 20000);
	for (i = 0; i < 20000; i++) {
		snprintf(key, sizeof key, "k%d", i);
		assert_non_null(node_get(t.root, key));
	}
	release(&t);
	buf_puts(&b, "k77: again\n");
	assert_refused(buf_str(&b), b.len, "'k77' is here twice");
	buf_release(&b);
}

/* --- made to hurt --------------------------------------------------------- */

/* `n` times `open`, `n` times `close`. */
static void
nest(struct buf *b, const char *open, const char *close, int n)
{
	int i;

	buf_init(b, 16 * 1024 * 1024);
	for (i = 0; i < n; i++)
		buf_puts(b, open);
	for (i = 0; i < n; i++)
		buf_puts(b, close);
}

static void
deep_nesting_is_refused(void **state)
{
	static const struct {
		const char *open, *close;
	} ways[] = {{"[", "]"}, {"{a: ", "}"}, {"- ", ""}, {"[[{a: ", "}]]"}};
	struct buf b;
	size_t i;
	int j;

	(void)state;
	for (i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		nest(&b, ways[i].open, ways[i].close, 10000);
		assert_refused(buf_str(&b), b.len, "nested more than 64 deep");
		buf_release(&b);
	}
	buf_init(&b, 64 * 1024 * 1024);
	for (i = 0; i < 2000; i++) {
		for (j = 0; j < (int)i; j++)
			buf_putc(&b, ' ');
		buf_puts(&b, "a:\n");
	}
	assert_refused(buf_str(&b), b.len, "nested more than 64 deep");
	buf_release(&b);
}

static void
laughs_are_refused(void **state)
{
	struct buf b;
	int i, j;

	(void)state;
	buf_init(&b, 1024 * 1024);
	buf_puts(&b, "l0: &l0 [lol]\n");
	for (i = 1; i < 100; i++) {
		buf_printf(&b, "l%d: &l%d [", i, i);
		for (j = 0; j < 10; j++)
			buf_printf(&b, "%s*l%d", j ? ", " : "", i - 1);
		buf_puts(&b, "]\n");
	}
	assert_refused(buf_str(&b), b.len, "more than 100000 nodes");
	buf_reset(&b);
	buf_puts(&b, "m0: &m0 {k: v}\n");
	for (i = 1; i < 5000; i++)
		buf_printf(&b, "m%d: &m%d {<<: *m%d, k%d: v}\n", i, i, i - 1,
		    i);
	assert_refused(buf_str(&b), b.len, "more than 100000 nodes");
	buf_release(&b);
}

static void
limits_of_size(void **state)
{
	struct buf b;
	struct text t;
	int i;

	(void)state;
	buf_init(&b, 4 * 1024 * 1024);
	buf_puts(&b, "a: ");
	for (i = 0; i < YAML_MAX_SCALAR; i++)
		buf_putc(&b, 'x');
	read_bytes(&t, buf_str(&b), b.len);
	assert_non_null(t.root);
	release(&t);
	buf_putc(&b, 'x');
	assert_refused(buf_str(&b), b.len, "more than 65536 bytes");
	buf_reset(&b);
	for (i = 0; i < YAML_MAX_WEIGHT + 1; i++)
		buf_puts(&b, "- x\n");
	assert_refused(buf_str(&b), b.len, "more than 100000 nodes");
	buf_reset(&b);
	for (i = 0; i < 300000; i++)
		buf_puts(&b, "[{");
	assert_refused(buf_str(&b), b.len, "nested");
	buf_release(&b);
}

static void
bytes_that_are_no_text_are_refused(void **state)
{
	static const char bom16[] = "\xff\xfe" "a\0:\0 \0b\0";
	static const char bom[] = "\xef\xbb\xbf" "a: b\n";
	struct text t;

	(void)state;
	assert_refused("a: \xc0\x80\n", 6, "byte 0xc0 is not UTF-8");
	assert_refused("a: \xed\xa0\x80\n", 7, "not UTF-8");
	assert_refused("a: b\0c\n", 7, "NUL");
	assert_refused("a: b\x01\n", 6, "control characters");
	assert_refused(bom16, sizeof bom16 - 1, "not UTF-8");
	assert_refused("", 0, "the file is empty");
	read_bytes(&t, bom, sizeof bom - 1);
	assert_non_null(t.root);
	assert_non_null(node_get(t.root, "a"));
	release(&t);
}

/* Little memory is an error like any other. */
static void
small_zones_end_in_an_error(void **state)
{
	struct errlist errors;
	struct zone *a;
	struct buf b;
	size_t max;
	int i;

	(void)state;
	buf_init(&b, 1024 * 1024);
	for (i = 0; i < 3000; i++)
		buf_printf(&b, "k%d: {a: [1, 2], b: &a%d x, c: *a%d}\n", i, i,
		    i);
	for (max = 0; max < 1024 * 1024; max += 64 * 1024) {
		a = zone_new(max);
		errlist_init(&errors);
		assert_null(yaml_read(a, "f", buf_str(&b), b.len, &errors));
		assert_int_equal(errors.count, 1);
		assert_non_null(strstr(errors.items[0].text, "memory"));
		errlist_release(&errors);
		zone_free(a);
	}
	buf_release(&b);
}

/* xorshift: the same bytes every time. */
static uint32_t
next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static void
random_bytes_never_hurt(void **state)
{
	static const char parts[] = "a:b,[]{}&*-?|>'\"#%@!\n\t  <<$~0";
	char bytes[200];
	uint32_t x = 2463534242u;
	struct text t;
	size_t n, i;
	int round;

	(void)state;
	for (round = 0; round < 20000; round++) {
		n = next_random(&x) % sizeof bytes;
		for (i = 0; i < n; i++)
			bytes[i] = round % 4 ?
			    parts[next_random(&x) % (sizeof parts - 1)] :
			    (char)next_random(&x);
		read_bytes(&t, bytes, n);
		release(&t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree_knows_kinds_and_places),
		cmocka_unit_test(quotes_decide_what_null_is),
		cmocka_unit_test(aliases_are_shared_and_weighed),
		cmocka_unit_test(merge_keys_fill_what_is_not_written),
		cmocka_unit_test(
		    large_maps_are_searched_fast_and_checked_for_doubles),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(laughs_are_refused),
		cmocka_unit_test(limits_of_size),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(small_zones_end_in_an_error),
		cmocka_unit_test(random_bytes_never_hurt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
