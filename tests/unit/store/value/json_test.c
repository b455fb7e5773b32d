/*
 * JSON: every file of ../shared/vectors/json (one is skipped aloud where that
 * isn't there), tokens, what strings decode to, places of errors, trees.
 */
#include "store/value/json.h"

#include "store/value/fault.h"
#include "store/value/plain.h"
#include "tests/unit/store/value/cases.h"

#include <dirent.h>

#define VECTORS "../shared/vectors/json"

/* --- the vectors ---------------------------------------------------------- */

static struct verdict {
	char name[128];
	bool json, plain;
	bool seen;
} verdicts[64];
static size_t nverdicts;

static void
take_verdict(char **fields)
{
	struct verdict *v = &verdicts[nverdicts++];

	assert_true(nverdicts <= sizeof verdicts / sizeof *verdicts);
	snprintf(v->name, sizeof v->name, "%s", fields[0]);
	v->json = *fields[1] == 'y';
	v->plain = *fields[2] == 'y';
}

static struct verdict
verdict_on(const char *name)
{
	const bool yes = *name == 'y';
	size_t i;

	for (i = 0; i < nverdicts; i++)
		if (strcmp(verdicts[i].name, name) == 0) {
			verdicts[i].seen = true;
			return verdicts[i];
		}
	if (*name == 'i')
		fail_msg("%s has no verdict", name);
	return (struct verdict){.json = yes, .plain = yes};
}

/* All tokens, with strings decoded or only checked. */
static int
read_tokens(const char *p, size_t n, bool skipping, struct err *e)
{
	struct json_token t;
	struct arena a;
	struct json j;
	int rc;

	arena_init(&a, 16 << 20);
	json_open(&j, &a, p, n, e);
	j.skipping = skipping;
	do {
		rc = json_next(&j, &t);
	} while (rc == 0 && t.type != JSON_END);
	arena_release(&a);
	return rc;
}

static int
read_plain(const char *p, size_t n, struct err *e)
{
	struct value v;
	struct arena a;
	int rc;

	arena_init(&a, 16 << 20);
	rc = plain_read(&a, p, n, &v, e);
	arena_release(&a);
	return rc;
}

static void
check_vector(int dir_fd, const char *name)
{
	struct verdict v = verdict_on(name);
	struct err e;
	struct buf b;
	char *exact;

	buf_init(&b, 16 << 20);
	if (io_read_file(dir_fd, name, &b, &e) < 0)
		fail_msg("%s", e.text);
	/* In a block of its own size, so that a byte too far is seen. */
	exact = malloc(b.len + 1);
	assert_non_null(exact);
	memmove(exact + 1, buf_str(&b), b.len);
	if ((read_tokens(exact + 1, b.len, false, &e) == 0) != v.json ||
	    (read_tokens(exact + 1, b.len, true, &e) == 0) != v.json)
		fail_msg("%s as JSON: %s", name, e.text);
	if ((read_plain(exact + 1, b.len, &e) == 0) != v.plain)
		fail_msg("%s as a value: %s", name, e.text);
	free(exact);
	buf_release(&b);
}

static void
vectors(void **state)
{
	const struct dirent *entry;
	int n = 0;
	size_t i;
	DIR *d;

	(void)state;
	d = opendir(VECTORS);
	if (!d) {
		print_message("SKIPPED: there is no %s\n", VECTORS);
		skip();
	}
	assert_true(cases_run("vectors.cases", take_verdict) > 30);
	while ((entry = readdir(d))) {
		if (*entry->d_name == '.')
			continue;
		check_vector(dirfd(d), entry->d_name);
		n++;
	}
	closedir(d);
	for (i = 0; i < nverdicts; i++)
		if (!verdicts[i].seen)
			fail_msg("%s is not there", verdicts[i].name);
	assert_true(n >= 318);
}

/* --- tokens --------------------------------------------------------------- */

struct tokens {
	struct arena arena;
	struct json json;
	struct err err;
};

static void
begin(struct tokens *s, const char *text)
{
	arena_init(&s->arena, 1 << 20);
	json_open(&s->json, &s->arena, text, strlen(text), &s->err);
}

static void
expect(struct tokens *s, enum json_type type, const char *text)
{
	struct json_token t;

	if (json_next(&s->json, &t) < 0)
		fail_msg("%s", s->err.text);
	assert_int_equal(t.type, type);
	if (!text)
		return;
	assert_int_equal(t.text.n, strlen(text));
	assert_memory_equal(t.text.p, text, t.text.n);
}

static void
tokens(void **state)
{
	struct tokens s;

	(void)state;
	begin(&s, " {\"a\" : [1.50, -0e+1,true,false , null,\"x\"],"
	    "\"\\u0062\":{}, \"c\":[[]]}\n");
	expect(&s, JSON_OBJECT, NULL);
	expect(&s, JSON_NAME, "a");
	expect(&s, JSON_LIST, NULL);
	expect(&s, JSON_NUMBER, "1.50");
	expect(&s, JSON_NUMBER, "-0e+1");
	expect(&s, JSON_TRUE, NULL);
	expect(&s, JSON_FALSE, NULL);
	expect(&s, JSON_NULL, NULL);
	expect(&s, JSON_STRING, "x");
	expect(&s, JSON_CLOSE, NULL);
	expect(&s, JSON_NAME, "b");
	expect(&s, JSON_OBJECT, NULL);
	expect(&s, JSON_CLOSE, NULL);
	expect(&s, JSON_NAME, "c");
	expect(&s, JSON_LIST, NULL);
	expect(&s, JSON_LIST, NULL);
	expect(&s, JSON_CLOSE, NULL);
	expect(&s, JSON_CLOSE, NULL);
	expect(&s, JSON_CLOSE, NULL);
	expect(&s, JSON_END, NULL);
	arena_release(&s.arena);
}

static void
strings(void **state)
{
	static const struct {
		const char *json, *meant;
	} cases[] = {
	    {"\"\"", ""},
	    {"\"plain\"", "plain"},
	    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
	    {"\"a\\nb\"", "a\nb"},
	    {"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac"},
	    {"\"\\uD834\\uDD1E.\"", "\xf0\x9d\x84\x9e."},
	    {"\"\\ud800\\udc00\\uDBFF\\uDFFF\"",
	    "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
	    {"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"",
	    "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
	    {"\"\xf0\x9d\x84\x9e\\\\\xc3\xa9\"", "\xf0\x9d\x84\x9e\\\xc3\xa9"},
	};
	struct tokens s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(&s, cases[i].json);
		expect(&s, JSON_STRING, cases[i].meant);
		expect(&s, JSON_END, NULL);
		/* Without an escape nothing is copied. */
		assert_int_equal(s.arena.used > 0,
		    strchr(cases[i].json, '\\') != NULL);
		arena_release(&s.arena);
	}
}

static void
nul_is_a_character(void **state)
{
	struct json_token t;
	struct tokens s;

	(void)state;
	begin(&s, "\"a\\u0000b\"");
	assert_int_equal(json_next(&s.json, &t), 0);
	assert_int_equal(t.text.n, 3);
	assert_memory_equal(t.text.p, "a\0b", 3);
	arena_release(&s.arena);
}

/* --- errors --------------------------------------------------------------- */

static void
places(void **state)
{
	static const struct {
		const char *json;
		int line, col;
		const char *text;
	} cases[] = {
	    {"", 1, 1, "the text ends too early"},
	    {" ", 1, 2, "the text ends too early"},
	    {"{", 1, 2, "the text ends too early"},
	    {"[1,", 1, 4, "the text ends too early"},
	    {"[1", 1, 3, "the text ends too early"},
	    {"{\"a\"", 1, 5, "the text ends too early"},
	    {"\"abc", 1, 5, "the text ends too early"},
	    {"\"abc\\", 1, 6, "the text ends too early"},
	    {"\"\\u12", 1, 6, "the text ends too early"},
	    {"-", 1, 2, "the text ends too early"},
	    {"[1 2]", 1, 4, "a comma or ] is expected"},
	    {"[1}", 1, 3, "a comma or ] is expected"},
	    {"{\"a\":1\n \"b\":2}", 2, 2, "a comma or } is expected"},
	    {"{\n\n a:1}", 3, 2, "a name in quotes is expected"},
	    {"{\"a\":1,}", 1, 8, "a name in quotes is expected"},
	    {"{\"a\"\n1}", 2, 1, "a colon is expected"},
	    {"[1,]", 1, 4, "a value is expected"},
	    {"[\n  tru]", 2, 3, "a value is expected"},
	    {"'x'", 1, 1, "a value is expected"},
	    {"01", 1, 2, "something stands behind the end"},
	    {"{} {}", 1, 4, "something stands behind the end"},
	    {"1.", 1, 3, "the text ends too early"},
	    {"[1.]", 1, 4, "a digit is expected"},
	    {"[-a]", 1, 3, "a digit is expected"},
	    {"[1e+]", 1, 5, "a digit is expected"},
	    {"\"a\tb\"", 1, 3, "a control character in a string must be "
	    "escaped"},
	    {"[\"\xff\"]", 1, 3, "this is not UTF-8"},
	    {"[\"\\x\"]", 1, 4, "there is no such escape"},
	    {"[\"\\u00g0\"]", 1, 7, "\\u has four hexadecimal digits"},
	    {"[\"ab\\ud800\"]", 1, 5, "this is half of a surrogate pair"},
	    {"[\"\\udc00\\ud800\"]", 1, 3, "this is half of a surrogate pair"},
	    {"[\"\\ud800\\ud800\"]", 1, 3, "this is half of a surrogate pair"},
	};
	struct err e;
	size_t i;
	int k;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		for (k = 0; k < 2; k++) {
			assert_int_equal(read_tokens(cases[i].json,
			    strlen(cases[i].json), k, &e), -1);
			assert_string_equal(e.text, cases[i].text);
			assert_int_equal(e.code, FAULT_SERIALIZATION);
			assert_int_equal(e.line, cases[i].line);
			assert_int_equal(e.col, cases[i].col);
		}
}

static void
depth(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 3];
	struct err e;

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_int_equal(read_tokens(text + 1, 2 * JSON_DEPTH_MAX, false, &e),
	    0);
	assert_int_equal(read_tokens(text, 2 * JSON_DEPTH_MAX + 2, false, &e),
	    -1);
	assert_string_equal(e.text, "lists and objects are nested more than "
	    "128 deep");
	assert_int_equal(e.col, JSON_DEPTH_MAX + 1);
}

/* --- skipping, trees ------------------------------------------------------ */

static void
skip_tells_the_bytes(void **state)
{
	struct json_token t;
	struct text raw;
	struct tokens s;

	(void)state;
	begin(&s, "{\"a\": {\"x\":[1, \"\\n\"]} , \"b\":  7 }");
	expect(&s, JSON_OBJECT, NULL);
	expect(&s, JSON_NAME, "a");
	assert_int_equal(json_next(&s.json, &t), 0);
	assert_int_equal(json_skip(&s.json, &t, &raw), 0);
	assert_int_equal(raw.n, strlen("{\"x\":[1, \"\\n\"]}"));
	assert_memory_equal(raw.p, "{\"x\":[1, \"\\n\"]}", raw.n);
	/* What is skipped isn't decoded. */
	assert_int_equal(s.arena.used, 0);
	expect(&s, JSON_NAME, "b");
	assert_int_equal(json_next(&s.json, &t), 0);
	assert_int_equal(json_skip(&s.json, &t, &raw), 0);
	assert_int_equal(raw.n, 1);
	expect(&s, JSON_CLOSE, NULL);
	expect(&s, JSON_END, NULL);
	arena_release(&s.arena);
}

static const char REQUEST[] = "{\"TableName\": \"t\\u0031\", \"Limit\":5,\n"
    "\"Item\": {\"id\":{\"S\":\"x\"}}, \"Keys\": [1, [2, 3]], \"No\":null}";

static void
tree(void **state)
{
	const struct json_node *root, *n;
	struct arena a;
	struct err e;

	(void)state;
	arena_init(&a, 1 << 20);
	root = json_read(&a, REQUEST, sizeof REQUEST - 1, 2, &e);
	assert_non_null(root);
	assert_int_equal(root->type, JSON_OBJECT);
	assert_int_equal(root->count, 5);
	n = json_member(root, "TableName");
	assert_int_equal(n->text.n, 2);
	assert_memory_equal(n->text.p, "t1", 2);
	assert_memory_equal(n->raw.p, "\"t\\u0031\"", n->raw.n);
	assert_int_equal(json_member(root, "Limit")->type, JSON_NUMBER);
	assert_int_equal(json_member(root, "No")->type, JSON_NULL);
	assert_null(json_member(root, "no"));
	assert_null(json_member(NULL, "no"));
	assert_null(json_member(n, "no"));
	n = json_member(root, "Item");
	assert_memory_equal(n->raw.p, "{\"id\":{\"S\":\"x\"}}", n->raw.n);
	n = json_member(n, "id");
	assert_int_equal(n->type, JSON_OBJECT);
	assert_int_equal(n->count, 0);
	assert_memory_equal(n->raw.p, "{\"S\":\"x\"}", n->raw.n);
	n = json_member(root, "Keys");
	assert_int_equal(n->count, 2);
	assert_int_equal(n->first->next->type, JSON_LIST);
	assert_memory_equal(n->first->next->raw.p, "[2, 3]", 6);
	assert_null(n->first->next->first);
	arena_release(&a);
}

static void
tree_errors(void **state)
{
	static const struct {
		const char *json, *text;
		int line, col;
	} cases[] = {
	    {"{\"a\":1,\"b\":{\"x\":1,\n\"\\u0078\":2}}",
	    "\"x\" is there twice in this object", 1, 12},
	    {"[{}]]", "something stands behind the end", 1, 5},
	    {"{\"a\":[[[1,2,}]]]}", "a value is expected", 1, 13},
	    {"", "the text ends too early", 1, 1},
	};
	struct arena a;
	struct err e;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_null(json_read(&a, cases[i].json,
		    strlen(cases[i].json), 2, &e));
		assert_string_equal(e.text, cases[i].text);
		assert_int_equal(e.line, cases[i].line);
		assert_int_equal(e.col, cases[i].col);
	}
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors),
	    cmocka_unit_test(tokens),
	    cmocka_unit_test(strings),
	    cmocka_unit_test(nul_is_a_character),
	    cmocka_unit_test(places),
	    cmocka_unit_test(depth),
	    cmocka_unit_test(skip_tells_the_bytes),
	    cmocka_unit_test(tree),
	    cmocka_unit_test(tree_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
