/*
 * Operations on tables and documents against a whole store: what a client
 * sees, in files too, and after the store was closed, killed or lost its
 * index.
 */
#include "rig.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define MESSAGES \
	"{\"TableName\":\"messages\"," \
	"\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"room\",\"AttributeType\":\"S\"}," \
	"{\"AttributeName\":\"at\",\"AttributeType\":\"N\"}," \
	"{\"AttributeName\":\"author\",\"AttributeType\":\"S\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"room\",\"KeyType\":\"HASH\"}," \
	"{\"AttributeName\":\"at\",\"KeyType\":\"RANGE\"}]," \
	"\"GlobalSecondaryIndexes\":[{\"IndexName\":\"byAuthor\"," \
	"\"KeySchema\":[{\"AttributeName\":\"author\",\"KeyType\":\"HASH\"}," \
	"{\"AttributeName\":\"at\",\"KeyType\":\"RANGE\"}]," \
	"\"Projection\":{\"ProjectionType\":\"ALL\"}}]," \
	"\"BillingMode\":\"PAY_PER_REQUEST\"}"

static int
begin(void **state)
{
	struct rig *r = malloc(sizeof *r);

	rig_init(r);
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
put(struct rig *r, const char *room, int at, const char *author)
{
	rig_ok(r, "PutItem", "{\"TableName\":\"messages\",\"Item\":"
	    "{\"room\":\"%s\",\"at\":%d,\"author\":\"%s\"}}", room, at,
	    author);
}

static const char *
get(struct rig *r, const char *room, int at)
{
	return rig_ok(r, "GetItem", "{\"TableName\":\"messages\",\"Key\":"
	    "{\"room\":\"%s\",\"at\":%d}}", room, at);
}

static void
read_file(const struct rig *r, const char *path, struct buf *b)
{
	char full[256];
	struct err e;

	snprintf(full, sizeof full, "%s/%s", r->dir, path);
	buf_reset(b);
	if (io_read_file(AT_FDCWD, full, b, &e) < 0)
		fail_msg("%s", e.text);
}

/* --- tests --------------------------------------------------------------- */

static void
round_trip(void **state)
{
	struct rig *r = *state;
	struct buf b;

	rig_has(rig_ok(r, "CreateTable", MESSAGES), "\"TableStatus\":");
	rig_call(r, "CreateTable", MESSAGES);
	assert_int_equal(r->status, FAULT_IN_USE);
	rig_has(rig_ok(r, "ListTables", "{}"), "[\"messages\"]");
	put(r, "lobby", 1, "ada");
	rig_has(get(r, "lobby", 1), "\"author\":\"ada\"");
	rig_lacks(get(r, "lobby", 2), "Item");
	buf_init(&b, 4096);
	read_file(r, "data/messages/lobby~=1.json", &b);
	assert_string_equal(buf_str(&b), "{\n  \"at\": 1,\n"
	    "  \"author\": \"ada\",\n  \"room\": \"lobby\"\n}\n");
	buf_release(&b);
	rig_has(rig_ok(r, "UpdateItem", "{\"TableName\":\"messages\","
	    "\"Key\":{\"room\":\"lobby\",\"at\":1},"
	    "\"UpdateExpression\":\"SET n = if_not_exists(n, :o) + :o\","
	    "\"ExpressionAttributeValues\":{\":o\":1},"
	    "\"ReturnValues\":\"ALL_NEW\"}"), "\"n\":2");
	rig_call(r, "PutItem", "{\"TableName\":\"messages\",\"Item\":"
	    "{\"room\":\"lobby\",\"at\":1},"
	    "\"ConditionExpression\":\"attribute_not_exists(room)\"}");
	assert_int_equal(r->status, FAULT_CONDITION);
	rig_has(rig_ok(r, "DeleteItem", "{\"TableName\":\"messages\","
	    "\"Key\":{\"room\":\"lobby\",\"at\":1},"
	    "\"ReturnValues\":\"ALL_OLD\"}"), "\"n\":2");
	rig_lacks(get(r, "lobby", 1), "Item");
}

static void
ranges(void **state)
{
	struct rig *r = *state;
	const char *reply;
	int i;

	rig_ok(r, "CreateTable", MESSAGES);
	for (i = 0; i < 20; i++)
		put(r, i % 2 ? "lobby" : "attic", i, i % 3 ? "ada" : "bob");
	reply = rig_ok(r, "Query", "{\"TableName\":\"messages\","
	    "\"KeyConditionExpression\":\"room = :r AND #a < :m\","
	    "\"ExpressionAttributeNames\":{\"#a\":\"at\"},"
	    "\"ExpressionAttributeValues\":{\":r\":\"lobby\",\":m\":10},"
	    "\"ScanIndexForward\":false,\"Limit\":3}");
	rig_has(reply, "\"Count\":3");
	rig_has(reply, "\"at\":9");
	rig_has(reply, "\"LastEvaluatedKey\":{\"at\":5,\"room\":\"lobby\"}");
	reply = rig_ok(r, "Query", "{\"TableName\":\"messages\","
	    "\"IndexName\":\"byAuthor\","
	    "\"KeyConditionExpression\":\"author = :a\","
	    "\"ExpressionAttributeValues\":{\":a\":\"bob\"}}");
	rig_has(reply, "\"Count\":7");
	rig_has(rig_ok(r, "Scan", "{\"TableName\":\"messages\"}"),
	    "\"Count\":20");
	rig_has(rig_ok(r, "Scan", "{\"TableName\":\"messages\","
	    "\"FilterExpression\":\"author = :a\","
	    "\"ExpressionAttributeValues\":{\":a\":\"bob\"},"
	    "\"Select\":\"COUNT\"}"), "\"Count\":7,\"ScannedCount\":20");
}

static void
batches_and_transactions(void **state)
{
	struct rig *r = *state;
	const char *reply;

	rig_ok(r, "CreateTable", MESSAGES);
	rig_ok(r, "BatchWriteItem", "{\"RequestItems\":{\"messages\":["
	    "{\"PutRequest\":{\"Item\":{\"room\":\"a\",\"at\":1}}},"
	    "{\"PutRequest\":{\"Item\":{\"room\":\"a\",\"at\":2}}},"
	    "{\"DeleteRequest\":{\"Key\":{\"room\":\"a\",\"at\":3}}}]}}");
	reply = rig_ok(r, "BatchGetItem", "{\"RequestItems\":{\"messages\":"
	    "{\"Keys\":[{\"room\":\"a\",\"at\":1},{\"room\":\"a\",\"at\":2},"
	    "{\"room\":\"a\",\"at\":3}]}}}");
	rig_has(reply, "{\"at\":1,\"room\":\"a\"}");
	rig_has(reply, "{\"at\":2,\"room\":\"a\"}");
	rig_lacks(reply, "\"at\":3");
	rig_call(r, "TransactWriteItems", "{\"TransactItems\":["
	    "{\"Put\":{\"TableName\":\"messages\","
	    "\"Item\":{\"room\":\"b\",\"at\":1}}},"
	    "{\"ConditionCheck\":{\"TableName\":\"messages\","
	    "\"Key\":{\"room\":\"a\",\"at\":3},"
	    "\"ConditionExpression\":\"attribute_exists(room)\"}}]}");
	assert_int_equal(r->status, FAULT_CANCELED);
	rig_lacks(get(r, "b", 1), "Item");
	rig_ok(r, "TransactWriteItems", "{\"ClientRequestToken\":\"one\","
	    "\"TransactItems\":["
	    "{\"Put\":{\"TableName\":\"messages\","
	    "\"Item\":{\"room\":\"b\",\"at\":1}}},"
	    "{\"Delete\":{\"TableName\":\"messages\","
	    "\"Key\":{\"room\":\"a\",\"at\":1}}}]}");
	rig_has(get(r, "b", 1), "Item");
	rig_lacks(get(r, "a", 1), "Item");
	put(r, "a", 1, "x");
	rig_ok(r, "TransactWriteItems", "{\"ClientRequestToken\":\"one\","
	    "\"TransactItems\":["
	    "{\"Put\":{\"TableName\":\"messages\","
	    "\"Item\":{\"room\":\"b\",\"at\":1}}},"
	    "{\"Delete\":{\"TableName\":\"messages\","
	    "\"Key\":{\"room\":\"a\",\"at\":1}}}]}");
	rig_has(get(r, "a", 1), "Item");	/* it was done already */
	reply = rig_ok(r, "TransactGetItems", "{\"TransactItems\":["
	    "{\"Get\":{\"TableName\":\"messages\","
	    "\"Key\":{\"room\":\"b\",\"at\":1}}},"
	    "{\"Get\":{\"TableName\":\"messages\","
	    "\"Key\":{\"room\":\"b\",\"at\":2}}}]}");
	rig_has(reply, "{\"Responses\":[{\"Item\":{\"at\":1,\"room\":\"b\"}},"
	    "{}]}");
}

/* Waits until a document is gone, a minute at most. */
static void
wait_gone(struct rig *r, const char *room, int at)
{
	int i;

	for (i = 0; i < 600 && strstr(get(r, room, at), "Item"); i++)
		usleep(100000);
	rig_lacks(get(r, room, at), "Item");
}

static void
expiry(void **state)
{
	struct rig *r = *state;

	rig_close(r);
	r->options.ttl_sweep_ms = 200;
	rig_open(r);
	rig_ok(r, "CreateTable", MESSAGES);
	rig_ok(r, "PutItem", "{\"TableName\":\"messages\",\"Item\":"
	    "{\"room\":\"old\",\"at\":1,\"until\":%lld}}",
	    (long long)time(NULL) - 100);
	rig_ok(r, "PutItem", "{\"TableName\":\"messages\",\"Item\":"
	    "{\"room\":\"new\",\"at\":1,\"until\":%lld}}",
	    (long long)time(NULL) + 1000);
	rig_ok(r, "UpdateTimeToLive", "{\"TableName\":\"messages\","
	    "\"TimeToLiveSpecification\":{\"AttributeName\":\"until\","
	    "\"Enabled\":true}}");
	wait_gone(r, "old", 1);
	rig_has(get(r, "new", 1), "Item");
	rig_has(rig_ok(r, "DescribeTimeToLive",
	    "{\"TableName\":\"messages\"}"), "ENABLED");
}

/* What an index can't hold is older than it, and lives on without its entry. */
static void
older_than_its_index(void **state)
{
	struct rig *r = *state;
	char path[128];

	rig_ok(r, "CreateTable", MESSAGES);
	rig_ok(r, "PutItem", "{\"TableName\":\"messages\",\"Item\":"
	    "{\"room\":\"lobby\",\"at\":1,\"mood\":7}}");
	rig_ok(r, "UpdateTable", "{\"TableName\":\"messages\","
	    "\"AttributeDefinitions\":[{\"AttributeName\":\"mood\","
	    "\"AttributeType\":\"S\"}],\"GlobalSecondaryIndexUpdates\":["
	    "{\"Create\":{\"IndexName\":\"byMood\",\"KeySchema\":["
	    "{\"AttributeName\":\"mood\",\"KeyType\":\"HASH\"}],"
	    "\"Projection\":{\"ProjectionType\":\"ALL\"}}}]}");
	rig_close(r);
	snprintf(path, sizeof path, "%s/index", r->dir);
	assert_int_equal(io_remove_tree(AT_FDCWD, path), 0);
	rig_open(r);
	rig_has(get(r, "lobby", 1), "\"mood\":7");
	rig_has(rig_ok(r, "UpdateItem", "{\"TableName\":\"messages\","
	    "\"Key\":{\"room\":\"lobby\",\"at\":1},"
	    "\"UpdateExpression\":\"SET n = :n\","
	    "\"ExpressionAttributeValues\":{\":n\":1},"
	    "\"ReturnValues\":\"ALL_NEW\"}"), "\"mood\":7");
}

static void
again(void **state)
{
	struct rig *r = *state;
	char path[128];

	rig_ok(r, "CreateTable", MESSAGES);
	put(r, "lobby", 1, "ada");
	rig_close(r);
	rig_open(r);
	rig_has(get(r, "lobby", 1), "ada");
	put(r, "lobby", 2, "bob");
	rig_close(r);
	snprintf(path, sizeof path, "%s/index", r->dir);
	assert_int_equal(io_remove_tree(AT_FDCWD, path), 0);
	rig_open(r);
	rig_has(get(r, "lobby", 1), "ada");
	rig_has(get(r, "lobby", 2), "bob");
	rig_has(rig_ok(r, "Query", "{\"TableName\":\"messages\","
	    "\"IndexName\":\"byAuthor\","
	    "\"KeyConditionExpression\":\"author = :a\","
	    "\"ExpressionAttributeValues\":{\":a\":\"bob\"}}"),
	    "\"Count\":1");
	rig_ok(r, "DeleteTable", "{\"TableName\":\"messages\"}");
	rig_call(r, "GetItem", "{\"TableName\":\"messages\",\"Key\":"
	    "{\"room\":\"lobby\",\"at\":1}}");
	assert_int_equal(r->status, FAULT_NOT_FOUND);
	rig_ok(r, "CreateTable", MESSAGES);
	rig_lacks(get(r, "lobby", 1), "Item");
	put(r, "lobby", 3, "cyd");
	rig_close(r);
	rig_open(r);
	rig_lacks(get(r, "lobby", 1), "Item");
	rig_has(get(r, "lobby", 3), "cyd");
}

/* A process that is killed amid its writes: what it was told is there. */
static void
killed(void **state)
{
	struct rig *r = *state;
	int told[2], i, n = 0, status;
	char c;
	pid_t pid;

	rig_ok(r, "CreateTable", MESSAGES);
	rig_close(r);
	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (pid == 0) {
		rig_open(r);
		for (i = 0;; i++) {
			rig_call(r, "PutItem", "{\"TableName\":\"messages\","
			    "\"Item\":{\"room\":\"k\",\"at\":%d,"
			    "\"author\":\"kim\"}}", i);
			if (r->status || write(told[1], ".", 1) != 1)
				_exit(1);
			if (i == 50)
				rig_call(r, "Checkpoint", "{}");
		}
	}
	close(told[1]);
	while (n < 100 && read(told[0], &c, 1) == 1)
		n++;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(told[0], &c, 1) == 1)
		n++;
	close(told[0]);
	rig_open(r);
	for (i = 0; i < n; i++)
		rig_has(get(r, "k", i), "kim");
	assert_true(n >= 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(round_trip, begin, end),
		cmocka_unit_test_setup_teardown(ranges, begin, end),
		cmocka_unit_test_setup_teardown(batches_and_transactions,
		    begin, end),
		cmocka_unit_test_setup_teardown(expiry, begin, end),
		cmocka_unit_test_setup_teardown(older_than_its_index, begin,
		    end),
		cmocka_unit_test_setup_teardown(again, begin, end),
		cmocka_unit_test_setup_teardown(killed, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
