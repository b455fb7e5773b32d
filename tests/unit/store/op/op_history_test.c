/*
 * What the store remembers, seen through its operations: versions, moments,
 * differences, who set which attribute.
 */
#include "rig.h"

#include "store/base/clock.h"
#include "store/engine/parts.h"

#define TABLE(name) \
	"{\"TableName\":\"" name "\",\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]," \
	"\"BillingMode\":\"PAY_PER_REQUEST\"}"
#define KEY(id) "{\"TableName\":\"notes\",\"Key\":{\"id\":\"" id "\"}}"
#define KEY_AND(id) "{\"TableName\":\"notes\",\"Key\":{\"id\":\"" id "\"},"

static int
begin(void **state)
{
	struct rig *r = malloc(sizeof *r);

	rig_init(r);
	rig_ok(r, "CreateTable", TABLE("notes"));
	*state = r;
	return 0;
}

static int
end(void **state)
{
	rig_release(*state);
	free(*state);
	return 0;
}

static void
put(struct rig *r, const char *id, const char *text)
{
	rig_ok(r, "PutItem", "{\"TableName\":\"notes\",\"Item\":"
	    "{\"id\":\"%s\",\"text\":\"%s\",\"kind\":\"note\"}}", id, text);
}

static void
now(char out[CLOCK_ISO_SIZE])
{
	usleep(5000);
	clock_iso(clock_wall_ms(), out);
	usleep(5000);
}

/* --- tests --------------------------------------------------------------- */

static void
figures(void **state)
{
	struct rig *r = *state;
	const char *reply;

	put(r, "a", "one");
	rig_has(rig_ok(r, "Checkpoint", "{}"), "\"Commit\":\"");
	reply = rig_ok(r, "Stat", "{}");
	rig_has(reply, "\"Tables\":1");
	rig_has(reply, "\"Commits\":1");
	rig_has(reply, "\"Trouble\":\"\"");
	rig_has(rig_ok(r, "Path", KEY("a")),
	    "\"Path\":\"data/notes/a.json\",\"State\":\"written\"");
	rig_has(rig_ok(r, "Path", KEY("b")), "\"State\":\"absent\"");
	rig_call(r, "Path", "{\"TableName\":\"none\",\"Key\":{\"id\":\"a\"}}");
	assert_int_equal(r->status, FAULT_NOT_FOUND);
}

static void
versions(void **state)
{
	struct rig *r = *state;
	const char *reply;

	put(r, "a", "one");
	rig_ok(r, "Checkpoint", "{}");
	put(r, "a", "two");
	put(r, "b", "other");
	rig_ok(r, "Backup", "{\"Name\":\"monday\"}");
	rig_ok(r, "DeleteItem", KEY("a"));
	rig_ok(r, "Checkpoint", "{}");
	reply = rig_ok(r, "Log", KEY("a"));
	rig_has(reply, "\"Gone\":true");
	rig_has(reply, "\"text\":\"two\"");
	rig_has(reply, "\"text\":\"one\"");
	rig_lacks(reply, "Pending");
	put(r, "a", "three");
	reply = rig_ok(r, "Log", KEY("a"));
	rig_has(reply, "[{\"Pending\":true,\"Item\":{\"id\":\"a\","
	    "\"kind\":\"note\",\"text\":\"three\"}}");
	reply = rig_ok(r, "Log", KEY_AND("a") "\"Limit\":2}");
	rig_has(reply, "\"More\":true");
	rig_lacks(reply, "\"text\":\"two\"");
	reply = rig_ok(r, "Log", KEY_AND("a") "\"From\":\"monday\"}");
	rig_has(reply, "\"text\":\"two\"");
	rig_lacks(reply, "\"Gone\"");
	reply = rig_ok(r, "Log", "{\"TableName\":\"notes\"}");
	rig_has(reply, "\"Subject\":");
	rig_has(rig_ok(r, "Backups", "{}"), "\"Name\":\"monday\"");
	rig_call(r, "Backup", "{\"Name\":\"monday\"}");
	assert_int_equal(r->status, FAULT_IN_USE);
}

static void
moments(void **state)
{
	struct rig *r = *state;
	char before[CLOCK_ISO_SIZE], between[CLOCK_ISO_SIZE];

	put(r, "a", "one");
	rig_ok(r, "Checkpoint", "{}");
	now(before);
	put(r, "a", "two");
	now(between);
	put(r, "a", "three");
	rig_ok(r, "Checkpoint", "{}");
	rig_has(rig_ok(r, "Show", KEY_AND("a") "\"From\":\"%s\"}", before),
	    "\"text\":\"one\"");
	rig_has(rig_ok(r, "Show", KEY_AND("a") "\"From\":\"%s\"}", between),
	    "\"text\":\"two\"");
	rig_lacks(rig_ok(r, "Show", KEY_AND("a") "\"From\":\"@0\"}"), "Item");
	rig_call(r, "Show", KEY_AND("a") "\"From\":\"2999-01-01T00:00:00Z\"}");
	assert_int_equal(r->status, FAULT_VALIDATION);
	rig_call(r, "Show", KEY_AND("a") "\"From\":\"nothing\"}");
	assert_int_equal(r->status, FAULT_NOT_FOUND);
}

static void
differences(void **state)
{
	struct rig *r = *state;
	const char *reply;
	char before[CLOCK_ISO_SIZE];

	put(r, "a", "one");
	put(r, "b", "one");
	put(r, "d", "one");
	rig_ok(r, "Backup", "{\"Name\":\"start\"}");
	put(r, "a", "two");
	rig_ok(r, "DeleteItem", KEY("b"));
	put(r, "c", "new");
	now(before);
	put(r, "d", "two");
	reply = rig_ok(r, "Diff", "{\"TableName\":\"notes\","
	    "\"From\":\"start\",\"To\":\"%s\"}", before);
	rig_has(reply, "\"Added\":1,\"Removed\":1,\"Changed\":1");
	rig_has(reply, "\"File\":\"c.json\",\"New\":{\"id\":\"c\"");
	rig_has(reply, "\"File\":\"b.json\",\"Old\":{\"id\":\"b\"");
	reply = rig_ok(r, "Diff", "{\"From\":\"start\"}");
	rig_has(reply, "\"Added\":1,\"Removed\":1,\"Changed\":2");
	rig_ok(r, "Checkpoint", "{}");
	reply = rig_ok(r, "Diff", "{\"From\":\"start\",\"Limit\":1}");
	rig_has(reply, "\"Added\":1,\"Removed\":1,\"Changed\":2");
	reply = rig_ok(r, "Diff", KEY_AND("a") "\"From\":\"start\"}");
	rig_has(reply, "\"Added\":0,\"Removed\":0,\"Changed\":1");
	rig_call(r, "Diff", "{\"TableName\":\"none\",\"From\":\"start\"}");
	assert_int_equal(r->status, FAULT_NOT_FOUND);
}

static void
grown(void **state)
{
	struct rig *r = *state;
	const char *reply;
	char id[16];
	int i;

	for (i = 0; i < 1000; i++) {
		snprintf(id, sizeof id, "n%d", i);
		put(r, id, "one");
	}
	rig_ok(r, "Backup", "{\"Name\":\"flat\"}");
	put(r, "more", "one");
	put(r, "n7", "two");
	rig_ok(r, "DeleteItem", KEY("n8"));
	put(r, "again", "one");
	rig_ok(r, "Checkpoint", "{}");
	reply = rig_ok(r, "Diff", "{\"TableName\":\"notes\","
	    "\"From\":\"flat\"}");
	rig_has(reply, "\"Added\":2,\"Removed\":1,\"Changed\":1");
	reply = rig_ok(r, "Log", KEY("n7"));
	rig_has(reply, "\"text\":\"two\"");
	rig_has(reply, "\"text\":\"one\"");
}

static void
blamed(void **state)
{
	struct rig *r = *state;
	const char *reply;

	put(r, "a", "one");
	rig_ok(r, "Checkpoint", "{}");
	put(r, "a", "two");
	rig_ok(r, "Checkpoint", "{}");
	rig_ok(r, "UpdateItem", KEY_AND("a")
	    "\"UpdateExpression\":\"SET kind = :k\","
	    "\"ExpressionAttributeValues\":{\":k\":\"memo\"}}");
	reply = rig_ok(r, "Blame", KEY("a"));
	rig_has(reply, "{\"Name\":\"kind\",\"Pending\":true}");
	rig_has(reply, "{\"Name\":\"text\",\"Commit\":");
	rig_call(r, "Blame", KEY("b"));
	assert_int_equal(r->status, FAULT_NOT_FOUND);
}

static void
dropped(void **state)
{
	struct rig *r = *state;
	const char *reply;

	put(r, "a", "one");
	rig_ok(r, "Backup", "{\"Name\":\"there\"}");
	rig_ok(r, "DeleteTable", "{\"TableName\":\"notes\"}");
	reply = rig_ok(r, "Diff", "{\"From\":\"there\"}");
	rig_has(reply, "\"Removed\":1");
	rig_ok(r, "Checkpoint", "{}");
	rig_has(rig_ok(r, "Show", KEY_AND("a") "\"From\":\"there\"}"),
	    "\"text\":\"one\"");
	rig_has(rig_ok(r, "Diff", "{\"From\":\"there\"}"), "\"Removed\":1");
	rig_has(rig_ok(r, "Log", KEY("a")), "\"Gone\":true");
}

static void
without_history(void **state)
{
	struct rig *r = *state;

	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\",\"History\":false}");
	put(r, "a", "one");
	rig_ok(r, "Checkpoint", "{}");
	rig_call(r, "Show", KEY_AND("a") "\"From\":\"@0\"}");
	assert_int_equal(r->status, FAULT_VALIDATION);
	rig_call(r, "Log", KEY("a"));
	assert_int_equal(r->status, FAULT_VALIDATION);
}

static bool
is_in_history(struct rig *r, const char *path)
{
	const char *const one[1] = {path};
	struct history_commit tip;
	struct buf b;
	struct err e;
	int rc;

	buf_init(&b, 1 << 20);
	assert_int_equal(history_tip(store_history(r->store), &tip, &e), 1);
	rc = history_get(store_history(r->store), &tip.id,
	    (struct history_paths){one, 1}, &b, &e);
	buf_release(&b);
	assert_true(rc >= 0);
	return rc;
}

/* Whoever clones the history finds nothing of a table that has none. */
static void
leaves_history(void **state)
{
	struct rig *r = *state;

	put(r, "a", "one");
	rig_ok(r, "Checkpoint", "{}");
	assert_true(is_in_history(r, "notes/a.json"));
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\",\"History\":false}");
	rig_ok(r, "Checkpoint", "{}");
	assert_false(is_in_history(r, "notes/a.json"));
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\",\"History\":true}");
	rig_ok(r, "Checkpoint", "{}");
	assert_true(is_in_history(r, "notes/a.json"));
	rig_ok(r, "DeleteTable", "{\"TableName\":\"notes\"}");
	rig_ok(r, "CreateTable", TABLE("notes"));
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\",\"History\":false}");
	put(r, "b", "one");
	rig_has(rig_ok(r, "Checkpoint", "{}"), "\"WithoutHistory\":[\"notes\"]");
	assert_false(is_in_history(r, "notes/a.json"));
	assert_false(is_in_history(r, "notes/b.json"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(figures, begin, end),
		cmocka_unit_test_setup_teardown(versions, begin, end),
		cmocka_unit_test_setup_teardown(moments, begin, end),
		cmocka_unit_test_setup_teardown(differences, begin, end),
		cmocka_unit_test_setup_teardown(grown, begin, end),
		cmocka_unit_test_setup_teardown(blamed, begin, end),
		cmocka_unit_test_setup_teardown(dropped, begin, end),
		cmocka_unit_test_setup_teardown(without_history, begin, end),
		cmocka_unit_test_setup_teardown(leaves_history, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
