/*
 * Names of documents: what they look like, that keys come back from them, and
 * that no two keys share one.
 */
#include "store/files/path.h"
#include "store/value/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S(s) {VALUE_S, {(s), sizeof(s) - 1}}
#define N(s) {VALUE_N, {(s), sizeof(s) - 1}}
#define B(s) {VALUE_B, {(s), sizeof(s) - 1}}

static const struct {
	struct path_key key;
	const char *name;
} NAMES[] = {
    {{.hash = S("alice")}, "alice.json"},
    {{.hash = S("Alice_1")}, "Alice_1.json"},
    {{.hash = S("USER#42")}, "USER#42.json"},
    {{.hash = S("a.b-c@d+e,f=g")}, "a.b-c@d+e,f=g.json"},
    {{.hash = S("a/b")}, "a%2Fb.json"},
    {{.hash = S("a\0b")}, "a%00b.json"},
    {{.hash = S("a b\n\x7f")}, "a%20b%0A%7F.json"},
    {{.hash = S("100%")}, "100%25.json"},
    {{.hash = S("Z\xc3\xbcrich")}, "Z%C3%BCrich.json"},
    {{.hash = S("a:b*c?d\"e<f>g|h\\i")},
	"a%3Ab%2Ac%3Fd%22e%3Cf%3Eg%7Ch%5Ci.json"},
    {{.hash = S("")}, "%0.json"},
    {{.hash = S(".")}, "%2E.json"},
    {{.hash = S("..")}, "%2E..json"},
    {{.hash = S(".git")}, "%2Egit.json"},
    {{.hash = S("git~1")}, "git%7E1.json"},
    {{.hash = S("-rf")}, "%2Drf.json"},
    {{.hash = S("#x")}, "%23x.json"},
    {{.hash = S("=1")}, "%3D1.json"},
    {{.hash = S("con")}, "%63on.json"},
    {{.hash = S("COM1.txt")}, "%43OM1.txt.json"},
    {{.hash = S("con1")}, "con1.json"},
    {{.hash = S("1")}, "1.json"},
    {{.hash = N("1")}, "=1.json"},
    {{.hash = N("-0.5")}, "=-0.5.json"},
    {{.hash = B("\x00\xff")}, "=x00ff.json"},
    {{.hash = B("")}, "=x.json"},
    {{.hash = S("room"), .range = N("1700000000"), .ranged = true},
	"room~=1700000000.json"},
    {{.hash = S("a"), .range = S("b"), .ranged = true}, "a~b.json"},
    {{.hash = S("a~b")}, "a%7Eb.json"},
    {{.hash = S("a"), .range = S(""), .ranged = true}, "a~%0.json"},
};

static void
assert_same_part(const struct path_part *a, const struct path_part *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->text.n, b->text.n);
	if (a->text.n)
		assert_memory_equal(a->text.p, b->text.p, a->text.n);
}

static void
assert_same_key(const struct path_key *a, const struct path_key *b)
{
	assert_same_part(&a->hash, &b->hash);
	assert_int_equal(a->ranged, b->ranged);
	if (a->ranged)
		assert_same_part(&a->range, &b->range);
}

static void
names_are_readable(void **state)
{
	struct path_name name, again;
	struct path_key key;
	struct arena a;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
		assert_int_equal(path_name(&NAMES[i].key, &name), 0);
		assert_string_equal(name.text, NAMES[i].name);
		assert_false(name.cut);
		assert_int_equal(path_decode(name.text, &a, &again, &key),
		    PATH_WHOLE);
		assert_same_key(&key, &NAMES[i].key);
		assert_string_equal(again.hash, name.hash);
	}
	arena_release(&a);
}

/* A key that has two names would be two documents. */
static void
other_names_are_foreign(void **state)
{
	static const char *const FOREIGN[] = {
	    "", ".json", "a", "a.JSON", "a.json~", ".a.json", "-a.json",
	    "%61.json", "a%2fb.json", "a%2", "a%2.json", "%.json", "a%0.json",
	    "a~b~c.json", "~a.json", "a~.json", "=01.json", "=1.0.json",
	    "=.json", "=x0.json", "=x0F.json", "=1e5.json", "con.json",
	    "a b.json", "Z\xc3\xbcrich.json", "%-.json", "a/b.json",
	};
	struct path_name name;
	struct path_key key;
	struct arena a;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < sizeof FOREIGN / sizeof *FOREIGN; i++)
		if (path_decode(FOREIGN[i], &a, &name, &key) != PATH_FOREIGN)
			fail_msg("%s is taken for a document", FOREIGN[i]);
	arena_release(&a);
}

static void
long_names_are_cut(void **state)
{
	char one[2048], other[2048];
	struct path_key key = {.hash = {VALUE_S, {one, 250}}};
	struct path_name a, b, again;
	struct path_key unused;
	struct arena arena;

	(void)state;
	arena_init(&arena, 1 << 20);
	memset(one, 'x', sizeof one);
	memcpy(other, one, sizeof other);
	assert_int_equal(path_name(&key, &a), 0);
	assert_false(a.cut);
	assert_int_equal(strlen(a.text), PATH_NAME_MAX);
	key.hash.text.n = 251;
	assert_int_equal(path_name(&key, &a), 0);
	assert_true(a.cut);
	assert_int_equal(strlen(a.text), PATH_CUT + 2 + 64 + 5);
	assert_int_equal(
	    path_decode(a.text, &arena, &again, &unused), PATH_IS_CUT);
	assert_string_equal(again.hash, a.hash);
	assert_string_equal(again.text, a.text);

	key.hash.text = (struct text){one, 2048};
	assert_int_equal(path_name(&key, &a), 0);
	other[2047] = 'y';
	key.hash.text.p = other;
	assert_int_equal(path_name(&key, &b), 0);
	assert_string_not_equal(a.text, b.text);

	/* 179 bytes and a %XX that would reach beyond the cut. */
	one[179] = ' ';
	key.hash.text.p = one;
	assert_int_equal(path_name(&key, &a), 0);
	assert_memory_equal(a.text + 179, "%-", 2);
	assert_int_equal(
	    path_decode(a.text, &arena, &again, &unused), PATH_IS_CUT);
	a.text[179 + 2] = 'g';
	assert_int_equal(
	    path_decode(a.text, &arena, &again, &unused), PATH_FOREIGN);
	arena_release(&arena);
}

static void
tables_have_directories(void **state)
{
	static const char *const TABLES[][2] = {
	    {"messages", "messages"}, {"a.b-c_d", "a.b-c_d"},
	    {".git", "%2Egit"}, {".GIT", "%2EGIT"}, {"...", "%2E.%2E"},
	    {"-x-", "%2Dx-"}, {"nul", "%6Eul"}, {"x..", "x.%2E"},
	};
	char dir[PATH_NAME_MAX + 1], table[TABLE_NAME_MAX + 1];
	char name[TABLE_NAME_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof TABLES / sizeof *TABLES; i++) {
		assert_int_equal(path_table(TABLES[i][0], dir), 0);
		assert_string_equal(dir, TABLES[i][1]);
		assert_int_equal(path_table_decode(dir, table), PATH_WHOLE);
		assert_string_equal(table, TABLES[i][0]);
	}
	assert_int_equal(path_table_decode(".git", table), PATH_FOREIGN);
	assert_int_equal(path_table_decode("..", table), PATH_FOREIGN);
	assert_int_equal(path_table_decode("", table), PATH_FOREIGN);
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_int_equal(path_table(name, dir), 0);
	assert_string_equal(name, dir);
	name[0] = '.';
	assert_int_equal(path_table(name, dir), 0);
	assert_int_equal(path_table_decode(dir, table), PATH_IS_CUT);
}

static void
levels_follow_the_hash(void **state)
{
	struct path_key key = {.hash = S("alice")};
	struct path_name name;
	char path[PATH_MAX_BYTES], expected[PATH_MAX_BYTES];
	size_t n;

	(void)state;
	assert_int_equal(path_name(&key, &name), 0);
	path_write(path, "users", 0, &name);
	assert_string_equal(path, "users/alice.json");
	path_write(path, "users", 1, &name);
	snprintf(expected, sizeof expected, "users/%.2s/alice.json",
	    name.hash);
	assert_string_equal(path, expected);
	n = path_write(path, "users", 2, &name);
	assert_int_equal(n, strlen(path));
	snprintf(expected, sizeof expected, "users/%.2s/%.2s/alice.json",
	    name.hash, name.hash + 2);
	assert_string_equal(path, expected);
}

/* xorshift: the same keys in each run. */
static uint32_t
next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed >> 32);
}

static void
random_part(uint64_t *seed, char *bytes, char *number, struct path_part *part)
{
	size_t n = 1 + next_random(seed) % 90, i;

	part->type = (enum value_type)(next_random(seed) % 3);
	part->text = (struct text){bytes, n};
	if (part->type == VALUE_N) {
		struct number v;
		struct err e;

		n = (size_t)snprintf(number, 32, "%dE%d",
		    (int)next_random(seed), (int)(next_random(seed) % 60) - 30);
		assert_int_equal(number_read(&v, number, n, &e), 0);
		part->text = (struct text){bytes, number_write(&v, bytes)};
		return;
	}
	for (i = 0; i < n; i++)
		bytes[i] = (char)(next_random(seed) % 3 ?
		    ' ' + next_random(seed) % 95 : next_random(seed) % 256);
}

static void
any_key_comes_back(void **state)
{
	uint64_t seed = 20261122;
	char bytes[2][256], number[32];
	struct path_key key, back;
	struct path_name name, again;
	struct arena a;
	size_t i, cut = 0;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	arena_init(&a, 1 << 20);
	for (i = 0; i < 50000; i++) {
		key.ranged = next_random(&seed) % 2;
		random_part(&seed, bytes[0], number, &key.hash);
		random_part(&seed, bytes[1], number, &key.range);
		assert_int_equal(path_name(&key, &name), 0);
		assert_true(strlen(name.text) <= PATH_NAME_MAX);
		assert_null(strchr(name.text, '/'));
		assert_true(name.text[0] != '.' && name.text[0] != '-');
		arena_reset(&a);
		if (name.cut) {
			cut++;
			assert_int_equal(path_decode(name.text, &a, &again,
			    &back), PATH_IS_CUT);
			continue;
		}
		assert_int_equal(path_decode(name.text, &a, &again, &back),
		    PATH_WHOLE);
		assert_same_key(&back, &key);
	}
	assert_in_range(cut, 100, 40000);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_readable),
	    cmocka_unit_test(other_names_are_foreign),
	    cmocka_unit_test(long_names_are_cut),
	    cmocka_unit_test(tables_have_directories),
	    cmocka_unit_test(levels_follow_the_hash),
	    cmocka_unit_test(any_key_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
