/*
 * Tokens that are true, forged, torn or late; and a table of grants and what
 * they allow.
 */
#include "store/wire/token.h"

#include "store/base/io.h"
#include "store/value/fault.h"
#include "store/wire/secret.h"

#include <errno.h>
#include <fcntl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const unsigned char SECRET[TOKEN_SECRET_SIZE] = "the secret of a store",
    OTHER[TOKEN_SECRET_SIZE] = "the secret of another";

static struct text
text(const char *s)
{
	return (struct text){s, s ? strlen(s) : 0};
}

static void
mint(struct buf *b, const struct grant *grants, size_t n)
{
	struct token t = {.function = text("guest\"book"),
	    .release = text("r1"), .deadline_ms = 1700000000123,
	    .grants = grants, .ngrants = n};
	struct err e;

	buf_init(b, 1 << 16);
	assert_int_equal(token_mint(b, SECRET, &t, &e), 0);
}

static void
a_token_says_what_was_minted(void **state)
{
	const struct text actions[] = {text("dynamodb:Get*"), text("x")};
	const struct text resources[] = {text("table/a\n")};
	const struct grant g[] = {
		{.actions = actions, .nactions = 2, .resources = resources,
		    .nresources = 1},
		{.deny = true, .actions = actions, .nactions = 1,
		    .resources = resources, .nresources = 1, .by_key = true},
	};
	struct arena a;
	struct token t;
	struct err e;
	struct buf b;

	(void)state;
	mint(&b, g, 2);
	assert_int_equal(strspn(buf_str(&b), "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"), b.len);
	arena_init(&a, 1 << 20);
	assert_int_equal(token_read(&t, &a, SECRET, b.data, b.len, &e), 0);
	assert_int_equal(t.function.n, 10);
	assert_memory_equal(t.function.p, "guest\"book", 10);
	assert_memory_equal(t.release.p, "r1", 2);
	assert_int_equal(t.ngrants, 2);
	assert_false(t.all || t.grants[0].deny || t.grants[0].by_key);
	assert_true(t.grants[1].deny && t.grants[1].by_key);
	assert_int_equal(t.grants[1].nkeys, 0);
	assert_memory_equal(t.grants[0].resources[0].p, "table/a\n", 8);
	assert_false(token_expired(&t, 1700000000123));
	assert_true(token_expired(&t, 1700000000124));
	arena_release(&a);
	buf_release(&b);
}

/* Any byte changed, any end cut off, any other secret: refused. */
static void
a_forged_token_is_refused(void **state)
{
	struct arena a;
	struct token t;
	struct err e;
	struct buf b;
	size_t i;

	(void)state;
	mint(&b, NULL, 0);
	arena_init(&a, 1 << 20);
	assert_int_equal(token_read(&t, &a, OTHER, b.data, b.len, &e), -1);
	assert_int_equal(e.code, FAULT_DENIED);
	for (i = 0; i < b.len; i++) {
		b.data[i] ^= 1;
		assert_int_equal(token_read(&t, &a, SECRET, b.data, b.len, &e),
		    -1);
		assert_int_equal(e.code, FAULT_DENIED);
		b.data[i] ^= 1;
		assert_int_equal(token_read(&t, &a, SECRET, b.data, i, &e), -1);
		arena_reset(&a);
	}
	assert_int_equal(token_read(&t, &a, SECRET, b.data, b.len, &e), 0);
	arena_release(&a);
	buf_release(&b);
}

static void
a_proof_is_for_one_challenge(void **state)
{
	unsigned char challenge[32] = "c", proof[TOKEN_PROOF_SIZE];
	const struct wish w = {.action = "bothy:Forget", .table = text("abc")};
	struct token t;
	struct err e;

	(void)state;
	token_prove(SECRET, challenge, proof);
	assert_int_equal(token_check_proof(&t, SECRET, challenge,
	    (const char *)proof, sizeof proof, &e), 0);
	assert_int_equal(token_allows(&t, &w, &e), 0);
	assert_int_equal(token_check_proof(&t, OTHER, challenge,
	    (const char *)proof, sizeof proof, &e), -1);
	assert_int_equal(token_check_proof(&t, SECRET, challenge,
	    (const char *)proof, sizeof proof - 1, &e), -1);
	challenge[31] = 1;
	assert_int_equal(token_check_proof(&t, SECRET, challenge,
	    (const char *)proof, sizeof proof, &e), -1);
	assert_false(t.all);
	assert_int_equal(token_allows(&t, &w, &e), -1);
}

static void
a_key_is_a_file_of_ones_own(void **state)
{
	unsigned char first[TOKEN_SECRET_SIZE], again[TOKEN_SECRET_SIZE];
	char dir[] = "/tmp/bothy-key-XXXXXX", path[64];
	struct stat st;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/key", dir);
	assert_int_equal(secret_load(path, first, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(secret_make(path, first, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(secret_make(path, again, &e), 0);
	assert_memory_equal(first, again, sizeof first);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(secret_load(path, again, &e), -1);
	assert_int_equal(e.code, EPERM);
	assert_int_equal(io_replace_file(path, "short", 5, 0600, &e), 0);
	assert_int_equal(secret_make(path, again, &e), -1);
	assert_int_equal(e.code, EINVAL);
	assert_int_equal(io_remove_tree(AT_FDCWD, dir), 0);
}

#define ALLOW(a, t) "{\"e\":\"Allow\",\"a\":[" a "],\"t\":[" t "]}"
#define DENY(a, t) "{\"e\":\"Deny\",\"a\":[" a "],\"t\":[" t "]}"
#define BY_KEY(e, k) "{\"e\":\"" e "\",\"a\":[\"*\"],\"t\":[\"*\"]," \
	"\"k\":[" k "]}"
#define MINE ALLOW("\"dynamodb:PutItem\",\"dynamodb:Query\"", "\"table/mine\"")

static const struct {
	const char *grants;
	const char *action, *table, *index, *key;
	int rc;
} allowed[] = {
	{"", "dynamodb:GetItem", "mine", NULL, NULL, -1},
	{MINE, "dynamodb:PutItem", "mine", NULL, NULL, 0},
	{MINE, "dynamodb:PutItem", "mine", NULL, "k", 0},
	{MINE, "dynamodb:GetItem", "mine", NULL, NULL, -1},
	{MINE, "dynamodb:PutItem", "min", NULL, NULL, -1},
	{MINE, "dynamodb:PutItem", "mined", NULL, NULL, -1},
	{MINE, "dynamodb:Query", "mine", "byAuthor", NULL, -1},
	{ALLOW("\"DynamoDB:put*\"", "\"*\""), "dynamodb:PutItem", "x", NULL,
	    NULL, 0},
	{ALLOW("\"dynamodb:*Item\"", "\"table/a*\""), "dynamodb:GetItem",
	    "abc", NULL, NULL, 0},
	{ALLOW("\"dynamodb:*Item\"", "\"table/a*\""), "dynamodb:Query",
	    "abc", NULL, NULL, -1},
	{ALLOW("\"*\"", "\"table/a*/index/*\""), "dynamodb:Query", "abc",
	    "iii", NULL, 0},
	{ALLOW("\"*\"", "\"table/a*/index/*\""), "dynamodb:Query", "abc",
	    NULL, NULL, -1},
	{ALLOW("\"*\"", "\"table/?bc\""), "dynamodb:Query", "abc", NULL,
	    NULL, 0},
	{ALLOW("\"*\"", "\"table/?bc\""), "dynamodb:Query", "bc", NULL,
	    NULL, -1},
	{ALLOW("\"*\"", "\"Table/abc\""), "dynamodb:Query", "abc", NULL,
	    NULL, -1},
	{ALLOW("\"*\"", "\"arn:aws:dynamodb:*:*:table/abc\""),
	    "dynamodb:Query", "abc", NULL, NULL, 0},
	{ALLOW("\"*\"", "\"arn:aws:dynamodb:eu:1:table/abc/index/i*\""),
	    "dynamodb:Query", "abc", "iii", NULL, 0},
	{ALLOW("\"*\"", "\"table/abc\""), "dynamodb:ListTables", NULL, NULL,
	    NULL, -1},
	{ALLOW("\"*\"", "\"*\""), "dynamodb:ListTables", NULL, NULL, NULL, 0},
	{ALLOW("", "\"*\""), "dynamodb:GetItem", "abc", NULL, NULL, -1},
	{ALLOW("\"*\"", ""), "dynamodb:GetItem", "abc", NULL, NULL, -1},
	/* an explicit Deny wins, wherever it stands */
	{ALLOW("\"*\"", "\"*\"") "," DENY("\"dynamodb:Delete*\"", "\"*\""),
	    "dynamodb:DeleteItem", "abc", NULL, NULL, -1},
	{DENY("\"dynamodb:Delete*\"", "\"*\"") "," ALLOW("\"*\"", "\"*\""),
	    "dynamodb:DeleteItem", "abc", NULL, NULL, -1},
	{DENY("\"dynamodb:Delete*\"", "\"*\"") "," ALLOW("\"*\"", "\"*\""),
	    "dynamodb:PutItem", "abc", NULL, NULL, 0},
	/* leading keys: an unknown key is never allowed, always denied */
	{BY_KEY("Allow", "\"me\",\"us-*\""), "dynamodb:GetItem", "abc", NULL,
	    "me", 0},
	{BY_KEY("Allow", "\"me\",\"us-*\""), "dynamodb:GetItem", "abc", NULL,
	    "us-all", 0},
	{BY_KEY("Allow", "\"me\",\"us-*\""), "dynamodb:GetItem", "abc", NULL,
	    "you", -1},
	{BY_KEY("Allow", "\"me\""), "dynamodb:Scan", "abc", NULL, NULL, -1},
	{BY_KEY("Allow", ""), "dynamodb:GetItem", "abc", NULL, "me", -1},
	{BY_KEY("Deny", "\"you\"") "," ALLOW("\"*\"", "\"*\""),
	    "dynamodb:GetItem", "abc", NULL, "me", 0},
	{BY_KEY("Deny", "\"you\"") "," ALLOW("\"*\"", "\"*\""),
	    "dynamodb:GetItem", "abc", NULL, "you", -1},
	{BY_KEY("Deny", "\"you\"") "," ALLOW("\"*\"", "\"*\""),
	    "dynamodb:Scan", "abc", NULL, NULL, -1},
};

static void
grants_allow_what_they_say(void **state)
{
	struct token t = {.function = text("f")};
	struct arena a;
	struct buf b;
	struct wish w;
	struct err e;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	buf_init(&b, 1 << 16);
	for (i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
		buf_reset(&b);
		buf_printf(&b, "[%s]", allowed[i].grants);
		if (grants_read(&a, b.data, b.len, &t.grants, &t.ngrants,
		    &e) < 0)
			fail_msg("%s: %s", b.data, e.text);
		w = (struct wish){.action = allowed[i].action,
		    .table = text(allowed[i].table),
		    .index = text(allowed[i].index),
		    .key = text(allowed[i].key)};
		if (token_allows(&t, &w, &e) != allowed[i].rc)
			fail_msg("case %zu: %s", i, b.data);
		if (allowed[i].rc < 0)
			assert_int_equal(e.code, FAULT_DENIED);
		arena_reset(&a);
	}
	arena_release(&a);
	buf_release(&b);
}

static void
a_refusal_says_what_was_missing(void **state)
{
	const struct token t = {.function = text("guestbook")};
	const struct wish w = {.action = "dynamodb:Query",
	    .table = text("messages"), .index = text("byAuthor")};
	struct err e;

	(void)state;
	assert_int_equal(token_allows(&t, &w, &e), -1);
	assert_string_equal(e.text, "guestbook is not authorized to perform: "
	    "dynamodb:Query on resource: table/messages/index/byAuthor "
	    "because no statement of its iam.role.statements allows it");
}

static void
nonsense_is_no_grant(void **state)
{
	static const char *const wrong[] = {"", "{}", "[{}]", "[[]]",
	    "[{\"e\":\"Allow\"}]", "[{\"e\":\"allow\",\"a\":[],\"t\":[]}]",
	    "[{\"e\":\"Allow\",\"a\":[1],\"t\":[]}]",
	    "[{\"e\":\"Allow\",\"a\":[],\"t\":{}}]",
	    "[{\"e\":\"Allow\",\"a\":[],\"t\":[],\"k\":1}]"};
	const struct grant *grants;
	struct arena a;
	struct err e;
	size_t i, n;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_int_equal(grants_read(&a, wrong[i], strlen(wrong[i]),
		    &grants, &n, &e), -1);
		assert_int_equal(e.code, FAULT_VALIDATION);
	}
	arena_release(&a);
}

/* Patterns that make a naive matcher run for ever. */
static void
stars_take_no_time(void **state)
{
	char stars[201], as[256];
	struct text pattern;
	struct grant g = {.actions = &pattern, .nactions = 1};
	struct token t = {.function = text("f"), .grants = &g, .ngrants = 1};
	struct wish w = {.action = as, .table = text("abc")};
	const struct text all = text("*");
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < 200; i += 2)
		memcpy(stars + i, "*a", 2);
	memcpy(stars + 198, "*b", 2);
	memset(as, 'a', sizeof as - 1);
	as[sizeof as - 1] = '\0';
	pattern = (struct text){stars, 200};
	g.resources = &all;
	g.nresources = 1;
	assert_int_equal(token_allows(&t, &w, &e), -1);
	as[sizeof as - 2] = 'b';
	assert_int_equal(token_allows(&t, &w, &e), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_says_what_was_minted),
		cmocka_unit_test(a_forged_token_is_refused),
		cmocka_unit_test(a_proof_is_for_one_challenge),
		cmocka_unit_test(a_key_is_a_file_of_ones_own),
		cmocka_unit_test(grants_allow_what_they_say),
		cmocka_unit_test(a_refusal_says_what_was_missing),
		cmocka_unit_test(nonsense_is_no_grant),
		cmocka_unit_test(stars_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
