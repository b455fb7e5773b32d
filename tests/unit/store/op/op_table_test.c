/*
 * Tables as DynamoDB's clients make, change and describe them.
 */
#include "rig.h"

#define KEY "\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]"
#define TABLE "{\"TableName\":\"notes\"," KEY "," \
	"\"BillingMode\":\"PAY_PER_REQUEST\"}"
#define ARN "\"arn:aws:dynamodb:bothy:000000000000:table/notes\""
#define CREATE(name, attribute, type) \
	"{\"TableName\":\"notes\",\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"" attribute "\",\"AttributeType\":\"" type "\"}]," \
	"\"GlobalSecondaryIndexUpdates\":[{\"Create\":{" \
	"\"IndexName\":\"" name "\",\"KeySchema\":[{\"AttributeName\":\"" \
	attribute "\",\"KeyType\":\"HASH\"}],\"Projection\":" \
	"{\"ProjectionType\":\"ALL\"}}}]}"

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

/* It has to fail so, with that in its text. */
static void
refused(struct rig *r, int fault, const char *text, const char *op,
    const char *body)
{
	const char *reply = rig_call_with(r, op, body, true, true);

	if (r->status != fault)
		print_error("%s %s: %s\n", op, body, reply);
	assert_int_equal(r->status, fault);
	rig_has(reply, text);
}

static const char *
describe(struct rig *r)
{
	return rig_ok(r, "DescribeTable", "{\"TableName\":\"notes\"}");
}

/* Until no index fills any more. */
static void
settle(struct rig *r)
{
	int i;

	for (i = 0; i < 6000 && strstr(describe(r), "Backfilling"); i++)
		usleep(10000);
	rig_lacks(describe(r), "Backfilling");
}

/* --- tests --------------------------------------------------------------- */

static void
on_demand(void **state)
{
	struct rig *r = *state;
	const char *reply = rig_ok(r, "CreateTable", TABLE);

	rig_has(reply, "\"TableStatus\":\"CREATING\"");
	reply = describe(r);
	rig_has(reply, "\"TableStatus\":\"ACTIVE\"");
	rig_has(reply, "\"BillingMode\":\"PAY_PER_REQUEST\","
	    "\"LastUpdateToPayPerRequestDateTime\":");
	rig_has(reply, "\"WarmThroughput\":{\"ReadUnitsPerSecond\":12000,"
	    "\"WriteUnitsPerSecond\":4000,\"Status\":\"ACTIVE\"}");
	rig_lacks(reply, "TableClassSummary");
	rig_lacks(reply, "SSEDescription");
	rig_lacks(reply, "RestoreSummary");
	refused(r, FAULT_IN_USE, "already exists", "CreateTable", TABLE);
	refused(r, FAULT_VALIDATION, "Neither ReadCapacityUnits",
	    "UpdateTable", "{\"TableName\":\"notes\","
	    "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":1,"
	    "\"WriteCapacityUnits\":1}}");
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\","
	    "\"OnDemandThroughput\":{\"MaxReadRequestUnits\":100}}");
	rig_has(describe(r), "\"OnDemandThroughput\":"
	    "{\"MaxReadRequestUnits\":100}");
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\","
	    "\"OnDemandThroughput\":{\"MaxReadRequestUnits\":-1}}");
	rig_lacks(describe(r), "OnDemandThroughput");
	reply = rig_ok(r, "DeleteTable", "{\"TableName\":\"notes\"}");
	rig_has(reply, "\"TableStatus\":\"DELETING\"");
	rig_lacks(reply, "KeySchema");
	refused(r, FAULT_NOT_FOUND, "Table: notes not found", "DescribeTable",
	    "{\"TableName\":\"notes\"}");
}

static void
provisioned(void **state)
{
	struct rig *r = *state;
	const char *reply;

	rig_ok(r, "CreateTable", "{\"TableName\":\"notes\"," KEY ","
	    "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":7,"
	    "\"WriteCapacityUnits\":8}}");
	reply = describe(r);
	rig_has(reply, "\"NumberOfDecreasesToday\":0,"
	    "\"ReadCapacityUnits\":7,\"WriteCapacityUnits\":8");
	rig_lacks(reply, "BillingModeSummary");
	refused(r, FAULT_VALIDATION, "will not change. The requested value "
	    "equals the current value. Current ReadCapacityUnits provisioned "
	    "for the table: 7. Requested ReadCapacityUnits: 7.",
	    "UpdateTable", "{\"TableName\":\"notes\","
	    "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":7,"
	    "\"WriteCapacityUnits\":8}}");
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\","
	    "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":9,"
	    "\"WriteCapacityUnits\":6}}");
	reply = describe(r);
	rig_has(reply, "\"NumberOfDecreasesToday\":1,"
	    "\"ReadCapacityUnits\":9,\"WriteCapacityUnits\":6");
	rig_has(reply, "LastIncreaseDateTime");
	rig_has(reply, "LastDecreaseDateTime");
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\","
	    "\"BillingMode\":\"PAY_PER_REQUEST\"}");
	rig_close(r);
	rig_open(r);
	rig_has(describe(r), "\"BillingMode\":\"PAY_PER_REQUEST\"");
}

static void
terms(void **state)
{
	struct rig *r = *state;

	rig_ok(r, "CreateTable", TABLE);
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\","
	    "\"TableClass\":\"STANDARD_INFREQUENT_ACCESS\"}");
	rig_has(describe(r), "\"TableClassSummary\":"
	    "{\"TableClass\":\"STANDARD_INFREQUENT_ACCESS\","
	    "\"LastUpdateDateTime\":");
	refused(r, FAULT_VALIDATION, "Invalid table-class parameter",
	    "UpdateTable", "{\"TableName\":\"notes\",\"TableClass\":\"x\"}");
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\","
	    "\"WarmThroughput\":{\"ReadUnitsPerSecond\":13000}}");
	refused(r, FAULT_VALIDATION, "lower than current WarmThroughput",
	    "UpdateTable", "{\"TableName\":\"notes\","
	    "\"WarmThroughput\":{\"ReadUnitsPerSecond\":12500}}");
	rig_has(describe(r), "\"ReadUnitsPerSecond\":13000,"
	    "\"WriteUnitsPerSecond\":4000");
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\","
	    "\"DeletionProtectionEnabled\":true}");
	refused(r, FAULT_VALIDATION, "protected against deletion",
	    "DeleteTable", "{\"TableName\":\"notes\"}");
	refused(r, FAULT_VALIDATION, "no encryption with KMS", "UpdateTable",
	    "{\"TableName\":\"notes\",\"SSESpecification\":"
	    "{\"Enabled\":true}}");
	refused(r, FAULT_VALIDATION, "no replicas", "UpdateTable",
	    "{\"TableName\":\"notes\",\"ReplicaUpdates\":[{}]}");
}

static void
indexes(void **state)
{
	struct rig *r = *state;

	rig_ok(r, "CreateTable", TABLE);
	rig_ok(r, "PutItem", "{\"TableName\":\"notes\",\"Item\":"
	    "{\"id\":\"1\",\"a\":\"x\"}}");
	rig_ok(r, "PutItem", "{\"TableName\":\"notes\",\"Item\":"
	    "{\"id\":\"2\",\"a\":7}}");
	rig_has(rig_ok(r, "UpdateTable", CREATE("byA", "a", "S")),
	    "\"IndexStatus\":\"CREATING\"");
	settle(r);
	rig_has(describe(r), "\"IndexStatus\":\"ACTIVE\"");
	rig_has(rig_ok(r, "Scan", "{\"TableName\":\"notes\","
	    "\"IndexName\":\"byA\"}"), "\"Count\":1");
	refused(r, FAULT_VALIDATION, "already exists", "UpdateTable",
	    CREATE("byA", "b", "S"));
	refused(r, FAULT_VALIDATION, "cannot be redefined", "UpdateTable",
	    CREATE("byA2", "a", "N"));
	refused(r, FAULT_LIMIT, "Only 1 online index", "UpdateTable",
	    "{\"TableName\":\"notes\",\"GlobalSecondaryIndexUpdates\":["
	    "{\"Delete\":{\"IndexName\":\"byA\"}},"
	    "{\"Delete\":{\"IndexName\":\"byB\"}}]}");
	refused(r, FAULT_NOT_FOUND, "Requested resource", "UpdateTable",
	    "{\"TableName\":\"notes\",\"GlobalSecondaryIndexUpdates\":["
	    "{\"Delete\":{\"IndexName\":\"byB\"}}]}");
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\","
	    "\"GlobalSecondaryIndexUpdates\":["
	    "{\"Delete\":{\"IndexName\":\"byA\"}}]}");
	rig_lacks(describe(r), "byA");
}

/* Four attributes of each kind, backfilled, sparse, and queried. */
static void
many_attributes(void **state)
{
	struct rig *r = *state;

	rig_ok(r, "CreateTable", TABLE);
	rig_ok(r, "PutItem", "{\"TableName\":\"notes\",\"Item\":"
	    "{\"id\":\"1\",\"h1\":\"x\",\"h2\":1,\"r1\":5,\"r2\":\"b\"}}");
	rig_ok(r, "PutItem", "{\"TableName\":\"notes\",\"Item\":"
	    "{\"id\":\"2\",\"h1\":\"x\",\"h2\":1,\"r1\":5}}");
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\","
	    "\"AttributeDefinitions\":["
	    "{\"AttributeName\":\"h1\",\"AttributeType\":\"S\"},"
	    "{\"AttributeName\":\"h2\",\"AttributeType\":\"N\"},"
	    "{\"AttributeName\":\"r1\",\"AttributeType\":\"N\"},"
	    "{\"AttributeName\":\"r2\",\"AttributeType\":\"S\"}],"
	    "\"GlobalSecondaryIndexUpdates\":[{\"Create\":{"
	    "\"IndexName\":\"many\",\"KeySchema\":["
	    "{\"AttributeName\":\"h1\",\"KeyType\":\"HASH\"},"
	    "{\"AttributeName\":\"h2\",\"KeyType\":\"HASH\"},"
	    "{\"AttributeName\":\"r1\",\"KeyType\":\"RANGE\"},"
	    "{\"AttributeName\":\"r2\",\"KeyType\":\"RANGE\"}],"
	    "\"Projection\":{\"ProjectionType\":\"ALL\"}}}]}");
	settle(r);
	rig_has(describe(r), "\"KeySchema\":["
	    "{\"AttributeName\":\"h1\",\"KeyType\":\"HASH\"},"
	    "{\"AttributeName\":\"h2\",\"KeyType\":\"HASH\"},"
	    "{\"AttributeName\":\"r1\",\"KeyType\":\"RANGE\"},"
	    "{\"AttributeName\":\"r2\",\"KeyType\":\"RANGE\"}]");
	rig_has(rig_ok(r, "Scan", "{\"TableName\":\"notes\","
	    "\"IndexName\":\"many\"}"), "\"Count\":1");
	rig_has(rig_ok(r, "Query", "{\"TableName\":\"notes\","
	    "\"IndexName\":\"many\",\"KeyConditionExpression\":"
	    "\"h1 = :a AND h2 = :b AND r1 = :c AND begins_with(r2, :d)\","
	    "\"ExpressionAttributeValues\":{\":a\":\"x\",\":b\":1,\":c\":5,"
	    "\":d\":\"b\"}}"), "\"id\":\"1\"");
}

static void
tags(void **state)
{
	struct rig *r = *state;
	char many[8192];
	size_t n = 0;
	int i;

	rig_ok(r, "CreateTable", "{\"TableName\":\"notes\"," KEY ","
	    "\"BillingMode\":\"PAY_PER_REQUEST\",\"Tags\":["
	    "{\"Key\":\"a\",\"Value\":\"1\"},"
	    "{\"Key\":\"b\",\"Value\":\"\"}]}");
	rig_ok(r, "TagResource", "{\"ResourceArn\":" ARN ",\"Tags\":["
	    "{\"Key\":\"a\",\"Value\":\"2\"},"
	    "{\"Key\":\"ключ @+-=._:/\",\"Value\":\"表\"}]}");
	rig_has(rig_ok(r, "ListTagsOfResource", "{\"ResourceArn\":" ARN "}"),
	    "\"Tags\":[{\"Key\":\"a\",\"Value\":\"2\"},"
	    "{\"Key\":\"b\",\"Value\":\"\"},"
	    "{\"Key\":\"ключ @+-=._:/\",\"Value\":\"表\"}]");
	rig_ok(r, "UntagResource", "{\"ResourceArn\":" ARN ","
	    "\"TagKeys\":[\"b\",\"none\"]}");
	rig_close(r);
	rig_open(r);
	rig_lacks(rig_ok(r, "ListTagsOfResource", "{\"ResourceArn\":" ARN
	    "}"), "\"Key\":\"b\"");
	refused(r, FAULT_VALIDATION, "The Tag Key provided is invalid",
	    "TagResource", "{\"ResourceArn\":" ARN ",\"Tags\":["
	    "{\"Key\":\"hi!\",\"Value\":\"2\"}]}");
	refused(r, FAULT_VALIDATION, "The Tag Value provided is invalid",
	    "TagResource", "{\"ResourceArn\":" ARN ",\"Tags\":["
	    "{\"Key\":\"hi\"}]}");
	refused(r, FAULT_VALIDATION, "must start with 'arn:'", "TagResource",
	    "{\"ResourceArn\":\"notes\",\"Tags\":["
	    "{\"Key\":\"a\",\"Value\":\"2\"}]}");
	refused(r, FAULT_VALIDATION, "Invalid ResourceArn",
	    "ListTagsOfResource", "{\"ResourceArn\":"
	    "\"arn:aws:dynamodb:bothy:000000000000:table/notes/index/x\"}");
	refused(r, FAULT_NOT_FOUND, "not found", "ListTagsOfResource",
	    "{\"ResourceArn\":"
	    "\"arn:aws:dynamodb:bothy:000000000000:table/notesx\"}");
	for (i = 0; i < 49; i++)
		n += (size_t)snprintf(many + n, sizeof many - n,
		    "%s{\"Key\":\"k%d\",\"Value\":\"v\"}", i ? "," : "", i);
	rig_call(r, "TagResource", "{\"ResourceArn\":" ARN ",\"Tags\":[%s]}",
	    many);
	assert_int_equal(r->status, FAULT_VALIDATION);
}

static void
moments(void **state)
{
	struct rig *r = *state;

	rig_ok(r, "CreateTable", TABLE);
	rig_has(rig_ok(r, "DescribeContinuousBackups",
	    "{\"TableName\":\"notes\"}"), "\"PointInTimeRecoveryDescription\":"
	    "{\"PointInTimeRecoveryStatus\":\"DISABLED\"}");
	rig_has(rig_ok(r, "UpdateContinuousBackups", "{\"TableName\":"
	    "\"notes\",\"PointInTimeRecoverySpecification\":"
	    "{\"PointInTimeRecoveryEnabled\":true}}"),
	    "\"RecoveryPeriodInDays\":35,\"EarliestRestorableDateTime\":");
	refused(r, FAULT_TABLE_NOT_FOUND, "Table not found: other",
	    "DescribeContinuousBackups", "{\"TableName\":\"other\"}");
	rig_has(rig_ok(r, "DescribeLimits", "{}"),
	    "\"AccountMaxReadCapacityUnits\":80000");
	rig_has(rig_ok(r, "DescribeEndpoints", "{}"), "\"Endpoints\":[");
}

static void
time_to_live(void **state)
{
	struct rig *r = *state;

#define TTL(attribute, on) "{\"TableName\":\"notes\"," \
	"\"TimeToLiveSpecification\":{\"AttributeName\":\"" attribute \
	"\",\"Enabled\":" on "}}"
	rig_ok(r, "CreateTable", TABLE);
	refused(r, FAULT_VALIDATION, "already disabled", "UpdateTimeToLive",
	    TTL("x", "false"));
	rig_ok(r, "UpdateTimeToLive", TTL("x", "true"));
	refused(r, FAULT_VALIDATION, "already enabled", "UpdateTimeToLive",
	    TTL("x", "true"));
	refused(r, FAULT_VALIDATION, "active on a different AttributeName: "
	    "current AttributeName is x", "UpdateTimeToLive",
	    TTL("y", "true"));
	refused(r, FAULT_VALIDATION, "different", "UpdateTimeToLive",
	    TTL("y", "false"));
	rig_ok(r, "UpdateTimeToLive", TTL("x", "false"));
	rig_has(rig_ok(r, "DescribeTimeToLive", "{\"TableName\":\"notes\"}"),
	    "{\"TimeToLiveStatus\":\"DISABLED\"}");
#undef TTL
}

/* As deploy.yaml does, each time that it is read. */
static void
declared(void **state)
{
#define DECLARE(more) "{\"Tables\":[\"{\\\"name\\\":\\\"notes\\\"," \
	"\\\"hash\\\":[{\\\"name\\\":\\\"id\\\"," \
	"\\\"type\\\":\\\"S\\\"}],\\\"history\\\":true" more "}\"]}"
#define UNITS(n) ",\\\"terms\\\":{\\\"provisioned\\\":true," \
	"\\\"units\\\":{\\\"reads\\\":" n ",\\\"writes\\\":7}}"
	struct rig *r = *state;

	rig_has(rig_ok(r, "Declare", DECLARE("")), "\"Made\":1");
	rig_has(rig_ok(r, "Declare", DECLARE("")), "\"Changed\":0");
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\","
	    "\"DeletionProtectionEnabled\":true}");
	rig_has(rig_ok(r, "Declare", DECLARE(UNITS("6"))), "\"Changed\":1");
	rig_has(rig_ok(r, "Declare", DECLARE(UNITS("6"))), "\"Changed\":0");
	rig_has(describe(r), "\"ReadCapacityUnits\":6,"
	    "\"WriteCapacityUnits\":7");
	rig_has(describe(r), "\"DeletionProtectionEnabled\":true");
	rig_lacks(describe(r), "RestoreSummary");
	rig_has(rig_ok(r, "Declare", DECLARE(UNITS("8"))), "\"Changed\":1");
	rig_has(rig_ok(r, "Declare", DECLARE("")), "\"Changed\":0");
	rig_has(describe(r), "\"ReadCapacityUnits\":8,");
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\","
	    "\"DeletionProtectionEnabled\":false}");
	rig_has(rig_ok(r, "Declare",
	    DECLARE(",\\\"protected\\\":true")), "\"Changed\":1");
	rig_has(describe(r), "\"DeletionProtectionEnabled\":true");
#undef DECLARE
#undef UNITS
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(on_demand, begin, end),
		cmocka_unit_test_setup_teardown(provisioned, begin, end),
		cmocka_unit_test_setup_teardown(terms, begin, end),
		cmocka_unit_test_setup_teardown(indexes, begin, end),
		cmocka_unit_test_setup_teardown(many_attributes, begin, end),
		cmocka_unit_test_setup_teardown(tags, begin, end),
		cmocka_unit_test_setup_teardown(moments, begin, end),
		cmocka_unit_test_setup_teardown(time_to_live, begin, end),
		cmocka_unit_test_setup_teardown(declared, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
