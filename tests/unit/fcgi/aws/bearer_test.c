/*
 * Keys that are shown: whose secret it is, and whether that may deploy.
 */
#include "fcgi/aws/bearer.h"

#include "store/base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { NOW = 1000 };

static struct aws_key list[] = {
    {.id = "first", .secret = "one/+:=1"},
    {.id = "second", .secret = "two"},
    {.id = "ended", .secret = "three", .expires_ms = NOW},
    {.id = "begun", .secret = "four", .expires_ms = NOW + 1},
};
static const struct aws_keys keys = {.list = list, .count = 4};

/* The id of the key that a field shows, or "". */
static const char *
shown(const char *field)
{
	const struct aws_key *k = bearer_find(&keys, field, NOW);

	return k ? k->id : "";
}

static const char *
basic(const char *text, size_t n)
{
	char field[256] = "Basic ";

	base64_encode(text, n, field + 6);
	return shown(field);
}

static void
by_basic(void **state)
{
	(void)state;
	assert_string_equal(basic("any:two", 7), "second");
	assert_string_equal(basic(":two", 4), "second");
	assert_string_equal(basic("two:two", 7), "second");
	assert_string_equal(basic("a:one/+:=1", 10), "first");
	assert_string_equal(basic("a:two ", 6), "");
	assert_string_equal(basic("a:tw", 4), "");
	assert_string_equal(basic("two", 3), "");
	assert_string_equal(basic("two:", 4), "");
	assert_string_equal(basic("", 0), "");
	assert_string_equal(shown("basic OnR3bw=="), "second");
	assert_string_equal(shown("Basic OnR3bw="), "");
	assert_string_equal(shown("Basic  OnR3bw== x"), "");
}

static void
by_bearer(void **state)
{
	static char lengthy[8192] = "Bearer ";

	(void)state;
	assert_string_equal(shown("Bearer two"), "second");
	assert_string_equal(shown("bearer one/+:=1"), "first");
	assert_string_equal(shown("Bearer"), "");
	assert_string_equal(shown("Bearer "), "");
	assert_string_equal(shown("Bearertwo"), "");
	assert_string_equal(shown("Digest two"), "");
	assert_string_equal(shown("two"), "");
	assert_string_equal(shown(""), "");
	assert_null(bearer_find(&keys, NULL, NOW));
	memset(lengthy + 7, 'x', sizeof lengthy - 8);
	assert_string_equal(shown(lengthy), "");
}

static void
while_it_lasts(void **state)
{
	(void)state;
	assert_string_equal(shown("Bearer three"), "");
	assert_string_equal(shown("Bearer four"), "begun");
}

static bool
may(bool deny, const char *action)
{
	const struct text actions[] = {
	    {"dynamodb:GetItem", 16}, {action, strlen(action)}};
	const struct grant g = {
	    .deny = deny, .actions = actions, .nactions = 2};
	const struct aws_key k = {.statements = &g, .nstatements = 1};

	return bearer_may_deploy(&k);
}

static void
only_by_name(void **state)
{
	const struct aws_key none = {.statements = NULL};

	(void)state;
	assert_true(may(false, "deploy"));
	assert_false(may(true, "deploy"));
	assert_false(may(false, "*"));
	assert_false(may(false, "deplo?"));
	assert_false(may(false, "dynamodb:*"));
	assert_false(bearer_may_deploy(&none));
}

static void
unless_it_is_denied(void **state)
{
	static const struct text deploy = {"deploy", 6}, all = {"*", 1},
				 get = {"dynamodb:GetItem", 16};
	struct grant g[2] = {{.actions = &deploy, .nactions = 1},
	    {.deny = true, .actions = &get, .nactions = 1}};
	const struct aws_key k = {.statements = g, .nstatements = 2};

	(void)state;
	assert_true(bearer_may_deploy(&k));
	g[1].actions = &deploy;
	assert_false(bearer_may_deploy(&k));
	g[1].actions = &all;
	assert_false(bearer_may_deploy(&k));
}

static void
some_branches_alone(void **state)
{
	static const struct text actions[] = {{"deploy:main", 11},
	    {"deploy:review/*", 15}, {"deploy:", 7}},
				 all = {"deploy", 6};
	struct grant g[2] = {{.actions = actions, .nactions = 3},
	    {.actions = &all, .nactions = 0}};
	const struct aws_key k = {.statements = g, .nstatements = 2};
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_true(bearer_may_deploy(&k));
	bearer_branches(&k, &out);
	assert_string_equal(buf_str(&out), "main review/*");
	buf_reset(&out);
	g[1].nactions = 1;
	bearer_branches(&k, &out);
	assert_int_equal(out.len, 0);
	buf_release(&out);
	g[0].nactions = g[1].nactions = 0;
	assert_false(bearer_may_deploy(&k));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(by_basic),
	    cmocka_unit_test(by_bearer),
	    cmocka_unit_test(while_it_lasts),
	    cmocka_unit_test(only_by_name),
	    cmocka_unit_test(unless_it_is_denied),
	    cmocka_unit_test(some_branches_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
