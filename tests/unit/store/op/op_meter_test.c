/*
 * Throughput: tables with small units or a limit refuse what is too much, and
 * no others do.
 */
#include "rig.h"

#define TABLE(name, more) "{\"TableName\":\"" name "\"," \
	"\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]," \
	more "}"
#define UNITS(r, w) "\"ProvisionedThroughput\":{" \
	"\"ReadCapacityUnits\":" r ",\"WriteCapacityUnits\":" w "}"

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

/* Puts of 10 units each until one is refused, or `most`; how many were done. */
static int
put(struct rig *r, const char *table, int most)
{
	static char text[9 * 1024 + 500];
	int i;

	memset(text, 'x', sizeof text - 1);
	for (i = 0; i < most; i++) {
		rig_call(r, "PutItem", "{\"TableName\":\"%s\",\"Item\":"
		    "{\"id\":\"1\",\"text\":\"%s\"}}", table, text);
		if (r->status)
			break;
	}
	return i;
}

static void
small_units(void **state)
{
	struct rig *r = *state;
	int n;

	rig_ok(r, "CreateTable", TABLE("small", UNITS("1", "1")));
	n = put(r, "small", 50);
	assert_in_range(n, 30, 32);	/* 300 units at once, and no more */
	assert_int_equal(r->status, FAULT_THROUGHPUT);
	rig_has(rig_call(r, "PutItem", "{\"TableName\":\"small\",\"Item\":"
	    "{\"id\":\"2\"}}"), "The level of configured provisioned "
	    "throughput for the table was exceeded.");
	rig_call(r, "BatchWriteItem", "{\"RequestItems\":{\"small\":["
	    "{\"PutRequest\":{\"Item\":{\"id\":\"2\"}}}]}}");
	assert_int_equal(r->status, FAULT_THROUGHPUT);
	rig_call(r, "TransactWriteItems", "{\"TransactItems\":[{\"Put\":"
	    "{\"TableName\":\"small\",\"Item\":{\"id\":\"2\"}}}]}");
	assert_int_equal(r->status, FAULT_THROUGHPUT);
	/* reading has a bucket of its own */
	rig_ok(r, "GetItem", "{\"TableName\":\"small\",\"Key\":"
	    "{\"id\":\"1\"}}");
	/* on demand it goes on at once */
	rig_ok(r, "UpdateTable", "{\"TableName\":\"small\","
	    "\"BillingMode\":\"PAY_PER_REQUEST\"}");
	assert_int_equal(put(r, "small", 3), 3);
}

static void
reads(void **state)
{
	struct rig *r = *state;
	int i;

	rig_ok(r, "CreateTable", TABLE("small", UNITS("1", "9")));
	put(r, "small", 1);
	for (i = 0; i < 200; i++) {
		rig_call(r, "Scan", "{\"TableName\":\"small\","
		    "\"ConsistentRead\":true}");
		if (r->status)
			break;
	}
	assert_int_equal(r->status, FAULT_THROUGHPUT);
	assert_in_range(i, 50, 110);	/* 3 units each */
}

static void
unthought_units(void **state)
{
	struct rig *r = *state;

	rig_ok(r, "CreateTable", TABLE("usual", UNITS("5", "5")));
	assert_int_equal(put(r, "usual", 200), 200);
	rig_ok(r, "TagResource", "{\"ResourceArn\":\"arn:aws:dynamodb:"
	    "us-east-1:000000000000:table/usual\",\"Tags\":["
	    "{\"Key\":\"bothy:throughput\",\"Value\":\"enforced\"}]}");
	assert_in_range(put(r, "usual", 200), 150, 155);
	assert_int_equal(r->status, FAULT_THROUGHPUT);
	rig_ok(r, "CreateTable", TABLE("free", UNITS("1", "1") ",\"Tags\":["
	    "{\"Key\":\"bothy:throughput\",\"Value\":\"off\"}]"));
	assert_int_equal(put(r, "free", 60), 60);
}

static void
most_on_demand(void **state)
{
	struct rig *r = *state;

	rig_ok(r, "CreateTable", TABLE("most", "\"BillingMode\":"
	    "\"PAY_PER_REQUEST\",\"OnDemandThroughput\":"
	    "{\"MaxWriteRequestUnits\":2}"));
	assert_in_range(put(r, "most", 200), 60, 63);
	assert_int_equal(r->status, FAULT_THROUGHPUT);
	rig_ok(r, "CreateTable", TABLE("usual",
	    "\"BillingMode\":\"PAY_PER_REQUEST\""));
	assert_int_equal(put(r, "usual", 100), 100);
}

/* An item of 390 KB: in a batch 390 units to write, 98 to read. */
static size_t
add_put(char *to, size_t room, const char *id)
{
	size_t n = (size_t)snprintf(to, room, "{\"PutRequest\":{\"Item\":"
	    "{\"id\":\"%s\",\"text\":\"", id);

	memset(to + n, 'x', 390 * 1024 - 50);
	n += 390 * 1024 - 50;
	return n + (size_t)snprintf(to + n, room - n, "\"}}}");
}

/* What doesn't fit comes back; only where nothing fits all is refused. */
static void
batches(void **state)
{
	static char body[2 << 20];
	struct rig *r = *state;
	const char *reply;
	size_t n;
	int i;

	rig_ok(r, "CreateTable", TABLE("small", UNITS("1", "1")));
	rig_ok(r, "CreateTable", TABLE("free",
	    "\"BillingMode\":\"PAY_PER_REQUEST\""));
	n = (size_t)snprintf(body, sizeof body, "{\"RequestItems\":"
	    "{\"small\":[");
	for (i = 0; i < 3; i++) {
		n += add_put(body + n, sizeof body - n,
		    (const char *[]){"a", "b", "c"}[i]);
		body[n++] = ',';
	}
	snprintf(body + n - 1, sizeof body - n, "]},"
	    "\"ReturnConsumedCapacity\":\"TOTAL\"}");
	reply = rig_call_with(r, "BatchWriteItem", body, true, true);
	assert_int_equal(r->status, 0);
	rig_has(reply, "{\"UnprocessedItems\":{\"small\":[{\"PutRequest\":"
	    "{\"Item\":{\"id\":\"b\"");
	rig_has(reply, "{\"id\":\"c\"");
	rig_lacks(reply, "{\"id\":\"a\"");
	rig_has(reply, "\"CapacityUnits\":390");
	/* now there is nothing left, and it is the only table */
	rig_call_with(r, "BatchWriteItem", body, true, true);
	assert_int_equal(r->status, FAULT_THROUGHPUT);
	/* beside another, that one's are done */
	reply = rig_ok(r, "BatchWriteItem", "{\"RequestItems\":{\"small\":["
	    "{\"DeleteRequest\":{\"Key\":{\"id\":\"a\"}}}],\"free\":["
	    "{\"PutRequest\":{\"Item\":{\"id\":\"z\"}}}]}}");
	rig_has(reply, "{\"UnprocessedItems\":{\"small\":[{\"DeleteRequest\":"
	    "{\"Key\":{\"id\":\"a\"}}}]}}");
	rig_has(rig_ok(r, "GetItem", "{\"TableName\":\"free\",\"Key\":"
	    "{\"id\":\"z\"}}"), "\"z\"");
	rig_has(rig_ok(r, "GetItem", "{\"TableName\":\"small\",\"Key\":"
	    "{\"id\":\"a\"}}"), "xxx");
	rig_lacks(rig_ok(r, "GetItem", "{\"TableName\":\"small\",\"Key\":"
	    "{\"id\":\"b\"}}"), "xxx");
}

static void
batches_of_reads(void **state)
{
	static const char *const IDS[] = {"a", "b", "c", "d", "e"};
	static char body[1 << 20];
	struct rig *r = *state;
	const char *reply;
	size_t i, n;

	rig_ok(r, "CreateTable", TABLE("small", UNITS("1", "9")));
	for (i = 0; i < 5; i++) {
		n = (size_t)snprintf(body, sizeof body, "{\"RequestItems\":"
		    "{\"small\":[");
		n += add_put(body + n, sizeof body - n, IDS[i]);
		snprintf(body + n, sizeof body - n, "]}}");
		rig_call_with(r, "BatchWriteItem", body, true, false);
		assert_int_equal(r->status, 0);
	}
	for (i = 0; i < 2; i++) {
		reply = rig_call(r, "BatchGetItem", "{\"RequestItems\":"
		    "{\"small\":{\"ConsistentRead\":true,\"Keys\":["
		    "{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"},"
		    "{\"id\":\"d\"},{\"id\":\"e\"}]}}}");
		if (i == 0)
			rig_has(reply, "\"UnprocessedKeys\":{\"small\":"
			    "{\"Keys\":[{\"id\":\"e\"}],");
	}
	assert_int_equal(r->status, FAULT_THROUGHPUT);
}

/* Of a collection that nothing was written to, nothing is told. */
static void
metrics_of_a_batch(void **state)
{
	static char body[2 << 20];
	struct rig *r = *state;
	const char *reply, *told;
	size_t n;

	rig_ok(r, "CreateTable", "{\"TableName\":\"small\","
	    "\"AttributeDefinitions\":["
	    "{\"AttributeName\":\"id\",\"AttributeType\":\"S\"},"
	    "{\"AttributeName\":\"at\",\"AttributeType\":\"S\"},"
	    "{\"AttributeName\":\"by\",\"AttributeType\":\"S\"}],"
	    "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"},"
	    "{\"AttributeName\":\"at\",\"KeyType\":\"RANGE\"}],"
	    "\"LocalSecondaryIndexes\":[{\"IndexName\":\"byBy\","
	    "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"},"
	    "{\"AttributeName\":\"by\",\"KeyType\":\"RANGE\"}],"
	    "\"Projection\":{\"ProjectionType\":\"KEYS_ONLY\"}}],"
	    UNITS("1", "1") "}");
	n = (size_t)snprintf(body, sizeof body, "{\"RequestItems\":"
	    "{\"small\":[");
	n += add_put(body + n, sizeof body - n, "a\",\"at\":\"1");
	body[n++] = ',';
	n += add_put(body + n, sizeof body - n, "b\",\"at\":\"1");
	snprintf(body + n, sizeof body - n,
	    "]},\"ReturnItemCollectionMetrics\":\"SIZE\"}");
	reply = rig_call_with(r, "BatchWriteItem", body, true, true);
	assert_int_equal(r->status, 0);
	rig_has(reply, "{\"UnprocessedItems\":{\"small\":[{\"PutRequest\":");
	told = strstr(reply, "\"ItemCollectionMetrics\"");
	assert_non_null(told);
	rig_has(told, "{\"id\":\"a\"}");
	rig_lacks(told, "{\"id\":\"b\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(small_units, begin, end),
		cmocka_unit_test_setup_teardown(reads, begin, end),
		cmocka_unit_test_setup_teardown(unthought_units, begin, end),
		cmocka_unit_test_setup_teardown(most_on_demand, begin, end),
		cmocka_unit_test_setup_teardown(batches, begin, end),
		cmocka_unit_test_setup_teardown(batches_of_reads, begin, end),
		cmocka_unit_test_setup_teardown(metrics_of_a_batch, begin,
		    end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
