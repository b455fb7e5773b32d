/*
 * Tests of what `bothy store` makes of people's words: expressions into
 * placeholders, and names of states.
 */
#include "fcgi/cli/store/expr.h"

#include "fcgi/cli/store/cmd.h"
#include "store/base/clock.h"
#include "store/expr/expr.h"
#include "store/value/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROOM = 1024 * 1024 };

/* The request that an expression makes: 0 or -1. */
static int
rewrite(const char *text, struct buf *out, struct err *e)
{
	struct storeexpr x;
	struct reply r;
	int rc;

	buf_reset(out);
	reply_open(&r, out, NULL, false);
	storeexpr_init(&x);
	rc = storeexpr_write(&x, &r, "F", text, e);
	storeexpr_end(&x, &r);
	storeexpr_release(&x);
	assert_int_equal(reply_close_all(&r), 0);
	return rc;
}

static void
becomes(const char *text, const char *request)
{
	struct buf out;
	struct err e;

	buf_init(&out, ROOM);
	assert_int_equal(rewrite(text, &out, &e), 0);
	assert_string_equal(buf_str(&out), request);
	buf_release(&out);
}

static void
test_rewritten(void **state)
{
	(void)state;
	becomes("a = 1", "{\"F\":\"#n1 = :v2\","
	    "\"ExpressionAttributeNames\":{\"#n1\":\"a\"},"
	    "\"ExpressionAttributeValues\":{\":v2\":1}}");
	becomes("size(a.b[3].c)>-1.50e1", "{\"F\":\"size(#n1.#n2[3].#n3)>:v4\","
	    "\"ExpressionAttributeNames\":"
	    "{\"#n1\":\"a\",\"#n2\":\"b\",\"#n3\":\"c\"},"
	    "\"ExpressionAttributeValues\":{\":v4\":-15}}");
	becomes("not `a b` In ('it''s', \"\\\", true) and null<>x.true",
	    "{\"F\":\"not #n1 In (:v2, :v3, :v4) and :v5<>#n6.#n7\","
	    "\"ExpressionAttributeNames\":"
	    "{\"#n1\":\"a b\",\"#n6\":\"x\",\"#n7\":\"true\"},"
	    "\"ExpressionAttributeValues\":{\":v2\":\"it's\","
	    "\":v3\":\"\\\\\",\":v4\":true,\":v5\":null}}");
	becomes("attribute_exists ( status )",
	    "{\"F\":\"attribute_exists ( #n1 )\","
	    "\"ExpressionAttributeNames\":{\"#n1\":\"status\"}}");
	becomes("", "{\"F\":\"\"}");
}

static void
test_refused(void **state)
{
	static const char *const texts[] = {"a = :b", "#a = 1", "a = 'x",
	    "`a", "a = 1x", "a = 1e999", "a = 'x''"};
	struct buf out;
	struct err e;
	size_t i;

	(void)state;
	buf_init(&out, ROOM);
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		e = (struct err){0};
		assert_int_equal(rewrite(texts[i], &out, &e), -1);
		assert_int_not_equal(*e.text, '\0');
	}
	buf_release(&out);
}

/* What is written out is parsed, and holds or not, as it reads. */
static void
holds(const char *text, const char *document, bool wanted)
{
	const struct json_node *n;
	const struct expr *tree;
	struct expr_scope scope;
	struct value item, names, values;
	struct arena a;
	struct buf out;
	struct err e;

	arena_init(&a, ROOM);
	buf_init(&out, ROOM);
	assert_int_equal(rewrite(text, &out, &e), 0);
	n = json_read(&a, out.data, out.len, 1, &e);
	assert_int_equal(plain_read_item(&a,
	    json_member(n, "ExpressionAttributeNames")->raw.p,
	    json_member(n, "ExpressionAttributeNames")->raw.n, &names, &e), 0);
	assert_int_equal(plain_read_item(&a,
	    json_member(n, "ExpressionAttributeValues")->raw.p,
	    json_member(n, "ExpressionAttributeValues")->raw.n, &values, &e),
	    0);
	assert_int_equal(plain_read_item(&a, document, strlen(document),
	    &item, &e), 0);
	assert_int_equal(expr_scope_init(&scope, &a, &names, &values, &e), 0);
	n = json_member(n, "F");
	assert_int_equal(expr_parse_filter(&scope, n->text.p, n->text.n,
	    &tree, &e), 0);
	assert_int_equal(expr_scope_finish(&scope, &e), 0);
	assert_int_equal(expr_true(tree, &item), wanted);
	buf_release(&out);
	arena_release(&a);
}

static void
test_holds(void **state)
{
	static const char document[] = "{\"likes\":4,\"author\":\"ann\","
	    "\"status\":\"open\",\"tags\":[\"x\",{\"y\":-2}]}";

	(void)state;
	holds("likes > 3 AND begins_with(author, \"an\")", document, true);
	holds("likes > 4 OR status IN ('shut', 'open')", document, true);
	holds("NOT (likes BETWEEN 1 AND 10)", document, false);
	holds("tags[1].y = -2 AND contains(tags, 'x')", document, true);
	holds("attribute_type(author, 'S') AND size(author) = 3", document,
	    true);
	holds("status<>'open'", document, false);
}

/* --- states ------------------------------------------------------------------ */

static void
is_state(const char *word, const char *wanted)
{
	char out[256];

	storecmd_state(word, out);
	assert_string_equal(out, wanted);
}

static void
test_states(void **state)
{
	char out[256], now[CLOCK_ISO_SIZE];

	(void)state;
	setenv("TZ", "CET-1", 1);
	tzset();
	is_state("monday", "monday");
	is_state("@2831", "@2831");
	is_state("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z");
	is_state("2026-11-22 10:00", "2026-11-22T09:00:00.000Z");
	is_state("2026-11-22 10:00:30.25", "2026-11-22T09:00:30.250Z");
	is_state("2026-11-22", "2026-11-21T23:00:00.000Z");
	is_state("5m", "5m");
	is_state("5 minutes ago", "5 minutes ago");
	is_state("2026-11-22x", "2026-11-22x");
	storecmd_state("1h ago", out);
	clock_iso(clock_wall_ms() - 3600 * 1000, now);
	assert_memory_equal(out, now, 15);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rewritten),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_holds),
	    cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
