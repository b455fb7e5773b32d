/*
 * What a key may do, from options to statements and back to words.
 */
#include "fcgi/cli/keytext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
expect(const struct keytext_options *o, const char *json, const char *words)
{
	struct buf grants, shown;
	struct text text;
	struct err e;

	buf_init(&grants, KEYTEXT_MAX);
	buf_init(&shown, KEYTEXT_MAX);
	assert_int_equal(keytext_grants(o, &grants, &e), 0);
	assert_string_equal(buf_str(&grants), json);
	text = (struct text){buf_str(&grants), grants.len};
	keytext_show(&text, &shown);
	assert_string_equal(buf_str(&shown), words);
	buf_release(&grants);
	buf_release(&shown);
}

static void
grants(void **state)
{
	const struct keytext_options none = {.lifetime = NULL};
	const struct keytext_options some = {
	    .allow = {{"dynamodb:Get*", "dynamodb:Query"}, 2},
	    .deny = {{"dynamodb:PutItem"}, 1},
	    .tables = {{"notes"}, 1}};

	(void)state;
	expect(&none, "[{\"e\":\"Allow\",\"a\":[\"dynamodb:*\"],"
	    "\"t\":[\"*\"]}]", "dynamodb:* on every table");
	expect(&some, "[{\"e\":\"Allow\",\"a\":[\"dynamodb:Get*\","
	    "\"dynamodb:Query\"],\"t\":[\"table/notes\","
	    "\"table/notes/index/*\",\"table/notes/stream/*\"]},"
	    "{\"e\":\"Deny\",\"a\":[\"dynamodb:PutItem\"],\"t\":["
	    "\"table/notes\",\"table/notes/index/*\","
	    "\"table/notes/stream/*\"]}]",
	    "dynamodb:Get*, dynamodb:Query on notes; never "
	    "dynamodb:PutItem on notes");
}

static void
deploying(void **state)
{
	const struct keytext_options alone = {.allow = {{"deploy"}, 1}};
	const struct keytext_options both = {
	    .allow = {{"dynamodb:GetItem", "deploy"}, 2},
	    .tables = {{"notes"}, 1}};

	(void)state;
	expect(&alone, "[{\"e\":\"Allow\",\"a\":[\"deploy\"],"
	    "\"t\":[\"*\"]}]", "deploy");
	expect(&both, "[{\"e\":\"Allow\",\"a\":[\"deploy\"],"
	    "\"t\":[\"*\"]},{\"e\":\"Allow\",\"a\":["
	    "\"dynamodb:GetItem\"],\"t\":[\"table/notes\","
	    "\"table/notes/index/*\",\"table/notes/stream/*\"]}]",
	    "deploy; dynamodb:GetItem on notes");
}

static void
refused(const struct keytext_options *o, const char *why)
{
	struct buf out;
	struct err e;

	buf_init(&out, KEYTEXT_MAX);
	assert_int_equal(keytext_grants(o, &out, &e), -1);
	assert_non_null(strstr(e.text, why));
	buf_release(&out);
}

static void
slips(void **state)
{
	const struct keytext_options action = {
	    .allow = {{"dynamodb:GetItme"}, 1}};
	const struct keytext_options nonsense = {.deny = {{"x"}, 1}};
	const struct keytext_options table = {.tables = {{"a/b"}, 1}};
	const struct keytext_options empty = {.tables = {{""}, 1}};
	const struct keytext_options where = {.allow = {{"deploy"}, 1},
	    .tables = {{"notes"}, 1}};
	const struct keytext_options never = {.deny = {{"deploy"}, 1}};

	(void)state;
	refused(&action, "did you mean 'dynamodb:GetItem'?");
	refused(&nonsense, "there is no action 'x'");
	refused(&table, "'a/b' is no name of a table");
	refused(&empty, "is no name of a table");
	refused(&where, "deploy is about no table");
	refused(&never, "there is no action 'deploy'");
}

static void
times(void **state)
{
	static const char *const bad[] = {"", "5", "m", "-1m", " 1m", "0h",
	    "1w", "1h30m", "366d", "99999999999999999999d"};
	int64_t seconds;
	struct err e;
	size_t i;

	(void)state;
	assert_int_equal(keytext_seconds("90s", &seconds, &e), 0);
	assert_int_equal(seconds, 90);
	assert_int_equal(keytext_seconds("15m", &seconds, &e), 0);
	assert_int_equal(seconds, 900);
	assert_int_equal(keytext_seconds("365d", &seconds, &e), 0);
	assert_int_equal(seconds, 365 * 86400);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(keytext_seconds(bad[i], &seconds, &e), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grants),
	    cmocka_unit_test(deploying),
	    cmocka_unit_test(slips),
	    cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
