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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(small_units, begin, end),
		cmocka_unit_test_setup_teardown(reads, begin, end),
		cmocka_unit_test_setup_teardown(unthought_units, begin, end),
		cmocka_unit_test_setup_teardown(most_on_demand, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
