/*
 * Access keys: made, read, removed, refused where others could read them; the
 * ring that follows the file; and what is worked out of a key once.
 */
#include "fcgi/aws/fault.h"
#include "fcgi/aws/keycache.h"
#include "fcgi/aws/keyedit.h"
#include "fcgi/aws/keyring.h"

#include "store/base/io.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static int
set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/bothy-keys-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	return io_remove_tree(AT_FDCWD, dir);
}

static const char ALL[] = "[{\"e\":\"Allow\",\"a\":[\"dynamodb:*\"],"
    "\"t\":[\"*\"]}]";

static struct aws_key
make(const char *id, const char *secret)
{
	return (struct aws_key){.id = id, .secret = secret,
	    .created_ms = 1790000000000, .grants = {ALL, sizeof ALL - 1}};
}

static void
add(const char *id, const char *secret)
{
	struct aws_key k = make(id, secret);
	struct err e;

	assert_int_equal(keyedit_add(dir, &k, &e), 0);
}

static void
none_without_a_file(void **state)
{
	struct aws_keys *keys;
	struct err e;

	(void)state;
	assert_int_equal(aws_keys_load(dir, &keys, &e), 0);
	assert_int_equal(keys->count, 0);
	aws_keys_release(keys);
	assert_int_equal(keyedit_remove(dir, "nobody", &e), -1);
	assert_int_equal(e.code, ENOENT);
}

static void
kept_as_given(void **state)
{
	struct aws_key k = make("session", "a\"b\\c");
	const struct text id = {"session", 7}, other = {"sess", 4};
	struct aws_key *found;
	struct aws_keys *keys;
	struct stat st;
	char path[128];
	struct err e;

	(void)state;
	k.token = "to/ken+";
	k.expires_ms = 1790000005000;
	add("first", "one");
	assert_int_equal(keyedit_add(dir, &k, &e), 0);
	assert_int_equal(keyedit_add(dir, &k, &e), -1);
	assert_int_equal(e.code, EEXIST);
	assert_int_equal(aws_keys_load(dir, &keys, &e), 0);
	assert_int_equal(keys->count, 2);
	found = aws_keys_find(keys, &id);
	assert_ptr_equal(found, &keys->list[1]);
	assert_null(aws_keys_find(keys, &other));
	assert_string_equal(found->secret, "a\"b\\c");
	assert_string_equal(found->token, "to/ken+");
	assert_int_equal(found->created_ms, 1790000000000);
	assert_int_equal(found->expires_ms, 1790000005000);
	assert_int_equal(found->nstatements, 1);
	assert_null(keys->list[0].token);
	aws_keys_release(keys);
	snprintf(path, sizeof path, "%s/keys/keys.json", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	snprintf(path, sizeof path, "%s/keys", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void
removed(void **state)
{
	struct aws_keys *keys;
	struct err e;

	(void)state;
	add("one", "1");
	add("two", "2");
	assert_int_equal(keyedit_remove(dir, "one", &e), 0);
	assert_int_equal(aws_keys_load(dir, &keys, &e), 0);
	assert_int_equal(keys->count, 1);
	assert_string_equal(keys->list[0].id, "two");
	aws_keys_release(keys);
}

/* A file that says nothing sure lets nobody in. */
static void
damaged(void **state)
{
	static const char *const texts[] = {"", "{", "[]", "{\"Keys\":{}}",
	    "{\"Keys\":[{}]}", "{\"Keys\":[7]}",
	    "{\"Keys\":[{\"Id\":\"a/b\",\"Secret\":\"s\",\"Grants\":[]}]}",
	    "{\"Keys\":[{\"Id\":\"abc\",\"Secret\":\"s\",\"Grants\":[3]}]}",
	    "{\"Keys\":[{\"Id\":\"abc\",\"Secret\":5,\"Grants\":[]}]}"};
	struct aws_keys *keys;
	char path[128];
	struct err e;
	size_t i;

	(void)state;
	add("one", "1");
	snprintf(path, sizeof path, "%s/keys/keys.json", dir);
	for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_int_equal(io_replace_file(path, texts[i],
		    strlen(texts[i]), 0600, &e), 0);
		assert_int_equal(aws_keys_load(dir, &keys, &e), -1);
		assert_null(keys);
		assert_non_null(strstr(e.text, "is damaged"));
	}
}

static void
open_to_others(void **state)
{
	struct aws_keys *keys;
	char path[128];
	struct err e;

	(void)state;
	add("one", "1");
	snprintf(path, sizeof path, "%s/keys/keys.json", dir);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(aws_keys_load(dir, &keys, &e), -1);
	assert_non_null(strstr(e.text, "make it 600"));
}

static void
ids(void **state)
{
	char a[KEYEDIT_ID_SIZE], b[KEYEDIT_ID_SIZE];
	char secret[KEYEDIT_SECRET_SIZE], token[KEYEDIT_TOKEN_SIZE];
	char longest[KEY_ID_MAX + 2];
	struct err e;

	(void)state;
	assert_int_equal(keyedit_make_id(a, false, &e), 0);
	assert_int_equal(keyedit_make_id(b, true, &e), 0);
	assert_int_equal(keyedit_make_secret(secret, &e), 0);
	assert_int_equal(keyedit_make_token(token, &e), 0);
	assert_true(aws_key_id_valid(a) && aws_key_id_valid(b));
	assert_memory_equal(a, "AKIA", 4);
	assert_memory_equal(b, "ASIA", 4);
	assert_string_not_equal(a + 4, b + 4);
	assert_int_equal(strlen(a), 20);
	assert_int_equal(strlen(secret), 40);
	assert_int_equal(strlen(token), 344);
	assert_false(aws_key_id_valid("ab"));
	assert_false(aws_key_id_valid("../x"));
	memset(longest, 'a', sizeof longest);
	longest[KEY_ID_MAX] = '\0';
	assert_true(aws_key_id_valid(longest));
	longest[KEY_ID_MAX] = 'a';
	longest[KEY_ID_MAX + 1] = '\0';
	assert_false(aws_key_id_valid(longest));
}

/* --- the ring ------------------------------------------------------------- */

static size_t
count(struct aws_keyring *r)
{
	struct err e;
	struct aws_keys *k = aws_keyring_hold(r, &e);
	size_t n;

	assert_non_null(k);
	n = k->count;
	aws_keys_release(k);
	return n;
}

static void
ring_follows(void **state)
{
	struct aws_keys *before, *again;
	struct aws_keyring r;
	char path[128];
	struct err e;

	(void)state;
	assert_int_equal(aws_keyring_init(&r, dir, &e), 0);
	assert_int_equal(count(&r), 0);
	add("one", "1");
	assert_int_equal(count(&r), 1);
	before = aws_keyring_hold(&r, &e);
	again = aws_keyring_hold(&r, &e);
	assert_ptr_equal(before, again);
	aws_keys_release(again);
	assert_int_equal(keyedit_remove(dir, "one", &e), 0);
	assert_int_equal(count(&r), 0);
	assert_int_equal(before->count, 1);	/* who began with it has it */
	aws_keys_release(before);
	add("two", "2");
	assert_int_equal(count(&r), 1);
	snprintf(path, sizeof path, "%s/keys/keys.json", dir);
	assert_int_equal(chmod(path, 0644), 0);
	assert_null(aws_keyring_hold(&r, &e));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(count(&r), 1);
	aws_keyring_release(&r);
}

static void
use_is_noted(void **state)
{
	static const int64_t DAY_S = 24 * 3600;
	struct aws_keyring r;
	struct aws_keys *k;
	struct err e;
	int64_t now_s = time(NULL);

	(void)state;
	add("one", "1");
	assert_int_equal(keyedit_used_s(dir, "one"), 0);
	assert_int_equal(aws_keyring_init(&r, dir, &e), 0);
	k = aws_keyring_hold(&r, &e);
	aws_keyring_used(&r, &k->list[0], now_s * 1000);
	assert_true(keyedit_used_s(dir, "one") >= now_s / DAY_S * DAY_S);
	aws_keys_release(k);
	aws_keyring_release(&r);
	assert_int_equal(keyedit_remove(dir, "one", &e), 0);
	assert_int_equal(keyedit_used_s(dir, "one"), 0);
}

/* --- the cache ------------------------------------------------------------ */

static struct sigv4
scope(const char *text)
{
	return (struct sigv4){.scope = {text, strlen(text)},
	    .date = {text, 8}, .region = {"r", 1}, .service = {"s", 1}};
}

static void
worked_out_once(void **state)
{
	static const unsigned char one[TOKEN_SECRET_SIZE] = {1}, two[
	    TOKEN_SECRET_SIZE] = {2};
	struct sigv4 today = scope("20150830/r/s/aws4_request");
	struct sigv4 next = scope("20150831/r/s/aws4_request");
	struct keycache_slot *slot;
	struct keycache cache;
	struct aws_keys *k;
	unsigned char key[SIGV4_KEY_SIZE];
	char *token;
	struct err e;

	(void)state;
	add("one", "1");
	assert_int_equal(aws_keys_load(dir, &k, &e), 0);
	keycache_init(&cache);
	slot = keycache_find(&cache, k, &k->list[0], &today);
	assert_ptr_equal(slot, keycache_find(&cache, k, &k->list[0],
	    &today));
	assert_ptr_not_equal(slot, keycache_find(&cache, k, &k->list[0],
	    &next));
	sigv4_key("1", &today, key);
	assert_memory_equal(key, slot->signing, sizeof key);
	token = strdup(keycache_token(slot, one, &e));
	assert_ptr_equal(keycache_token(slot, one, &e),
	    keycache_token(slot, one, &e));
	assert_string_equal(token, keycache_token(slot, one, &e));
	assert_string_not_equal(token, keycache_token(slot, two, &e));
	free(token);
	k->generation++;
	assert_ptr_not_equal(slot, keycache_find(&cache, k, &k->list[0],
	    &today));
	keycache_release(&cache);
	aws_keys_release(k);
}

/* --- shapes of errors ----------------------------------------------------- */

static void
shape(int fault, int status, const char *object, const char *want)
{
	struct buf b;

	buf_init(&b, 4096);
	aws_fault_body(&b, fault, object, object ? strlen(object) : 0, "t");
	assert_string_equal(buf_str(&b), want);
	assert_int_equal(aws_fault_status(fault), status);
	buf_release(&b);
}

static void
shapes(void **state)
{
	(void)state;
	shape(FAULT_SERIALIZATION, 400, "{\"message\":\"m\"}",
	    "{\"__type\":\"com.amazon.coral.service#"
	    "SerializationException\",\"Message\":\"m\"}");
	shape(FAULT_VALIDATION, 400, "{\"message\":\"m\"}",
	    "{\"__type\":\"com.amazon.coral.validate#ValidationException\","
	    "\"message\":\"m\"}");
	shape(FAULT_NOT_FOUND, 400, NULL, "{\"__type\":\"com.amazonaws."
	    "dynamodb.v20120810#ResourceNotFoundException\","
	    "\"message\":\"t\"}");
	shape(FAULT_CONDITION, 400, "{\"message\":\"m\",\"Item\":{}}",
	    "{\"__type\":\"com.amazonaws.dynamodb.v20120810#"
	    "ConditionalCheckFailedException\",\"message\":\"m\","
	    "\"Item\":{}}");
	shape(FAULT_NO_ROOM, 500, "{}", "{\"__type\":\"com.amazonaws.dynamodb"
	    ".v20120810#InternalServerError\",\"message\":\"t\"}");
	shape(FAULT_ENDED, 500, NULL, "{\"__type\":\"com.amazonaws.dynamodb."
	    "v20120810#InternalServerError\",\"message\":\"t\"}");
	shape(AWS_MISSING_TOKEN, 400, NULL, "{\"__type\":\"com.amazon.coral."
	    "service#MissingAuthenticationTokenException\","
	    "\"message\":\"t\"}");
	shape(AWS_TOO_LARGE, 413, NULL, "{\"__type\":\"com.amazon.coral."
	    "service#RequestEntityTooLargeException\",\"message\":\"t\"}");
	shape(ENOMEM, 500, NULL, "{\"__type\":\"com.amazonaws.dynamodb."
	    "v20120810#InternalServerError\",\"message\":\"t\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(none_without_a_file, set_up,
	        tear_down),
	    cmocka_unit_test_setup_teardown(kept_as_given, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(removed, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(damaged, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(open_to_others, set_up,
	        tear_down),
	    cmocka_unit_test(ids),
	    cmocka_unit_test_setup_teardown(ring_follows, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(use_is_noted, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(worked_out_once, set_up,
	        tear_down),
	    cmocka_unit_test(shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
