/*
 * The feed of a table as DynamoDB's streams show it.
 */
#include "rig.h"

#include "store/base/clock.h"
#include "store/engine/parts.h"

#define TABLE \
	"{\"TableName\":\"notes\",\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]," \
	"\"BillingMode\":\"PAY_PER_REQUEST\"}"
#define STREAM(enabled) \
	"{\"TableName\":\"notes\",\"StreamSpecification\":" \
	"{\"StreamEnabled\":" enabled "}}"

static int
begin(void **state)
{
	struct rig *r = malloc(sizeof *r);

	rig_init(r);
	rig_ok(r, "CreateTable", TABLE);
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
	    "{\"id\":\"%s\",\"text\":\"%s\"}}", id, text);
}

static void
turn_on(struct rig *r, const char *view)
{
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\","
	    "\"StreamSpecification\":{\"StreamEnabled\":true,"
	    "\"StreamViewType\":\"%s\"}}", view);
}

struct stream {
	char arn[400], shard[64], iterator[500];
};

static void
find(struct rig *r, struct stream *s)
{
	rig_text(rig_ok(r, "ListStreams", "{\"TableName\":\"notes\"}"),
	    "StreamArn", s->arn, sizeof s->arn);
	rig_text(rig_ok(r, "DescribeStream", "{\"StreamArn\":\"%s\"}", s->arn),
	    "ShardId", s->shard, sizeof s->shard);
}

static void
iterate(struct rig *r, struct stream *s, const char *type)
{
	rig_text(rig_ok(r, "GetShardIterator", "{\"StreamArn\":\"%s\","
	    "\"ShardId\":\"%s\",\"ShardIteratorType\":%s}", s->arn, s->shard,
	    type), "ShardIterator", s->iterator, sizeof s->iterator);
}

static const char *
records(struct rig *r, const struct stream *s)
{
	return rig_ok(r, "GetRecords", "{\"ShardIterator\":\"%s\"}",
	    s->iterator);
}

/* --- tests --------------------------------------------------------------- */

static void
told(void **state)
{
	struct rig *r = *state;
	struct stream s;
	const char *reply;

	put(r, "before", "x");
	turn_on(r, "NEW_AND_OLD_IMAGES");
	put(r, "a", "one");
	put(r, "a", "one");
	put(r, "a", "two");
	rig_ok(r, "DeleteItem",
	    "{\"TableName\":\"notes\",\"Key\":{\"id\":\"a\"}}");
	find(r, &s);
	iterate(r, &s, "\"TRIM_HORIZON\"");
	reply = records(r, &s);
	rig_lacks(reply, "before");
	rig_has(reply, "\"eventName\":\"INSERT\"");
	rig_has(reply, "\"eventName\":\"MODIFY\"");
	rig_has(reply, "\"eventName\":\"REMOVE\"");
	rig_has(reply, "\"Keys\":{\"id\":\"a\"},"
	    "\"NewImage\":{\"id\":\"a\",\"text\":\"two\"},"
	    "\"OldImage\":{\"id\":\"a\",\"text\":\"one\"}");
	rig_lacks(reply, "\"OldImage\":{\"id\":\"a\",\"text\":\"one\"},"
	    "\"NewImage\":{\"id\":\"a\",\"text\":\"one\"}");
	rig_text(reply, "NextShardIterator", s.iterator, sizeof s.iterator);
	rig_has(records(r, &s), "\"Records\":[]");
	put(r, "b", "one");
	rig_has(records(r, &s), "\"id\":\"b\"");
	iterate(r, &s, "\"LATEST\"");
	rig_has(records(r, &s), "\"Records\":[]");
}

static void
one_by_one(void **state)
{
	struct rig *r = *state;
	struct stream s;
	char number[64] = "", type[160];
	const char *reply;
	int i;

	turn_on(r, "KEYS_ONLY");
	rig_ok(r, "BatchWriteItem", "{\"RequestItems\":{\"notes\":["
	    "{\"PutRequest\":{\"Item\":{\"id\":\"k0\"}}},"
	    "{\"PutRequest\":{\"Item\":{\"id\":\"k1\"}}},"
	    "{\"PutRequest\":{\"Item\":{\"id\":\"k2\"}}}]}}");
	put(r, "k3", "x");
	find(r, &s);
	iterate(r, &s, "\"TRIM_HORIZON\"");
	for (i = 0; i < 4; i++) {
		char key[32];

		reply = rig_ok(r, "GetRecords",
		    "{\"ShardIterator\":\"%s\",\"Limit\":1}", s.iterator);
		snprintf(key, sizeof key, "\"Keys\":{\"id\":\"k%d\"}", i);
		rig_has(reply, key);
		rig_lacks(reply, "Image\":");
		rig_text(reply, "NextShardIterator", s.iterator,
		    sizeof s.iterator);
		if (i == 1)
			rig_text(reply, "SequenceNumber", number,
			    sizeof number);
	}
	assert_true(strlen(number) >= 21);
	snprintf(type, sizeof type, "\"AT_SEQUENCE_NUMBER\","
	    "\"SequenceNumber\":\"%s\"", number);
	iterate(r, &s, type);
	reply = records(r, &s);
	rig_lacks(reply, "k0");
	rig_has(reply, "k1");
	rig_has(reply, "k3");
	snprintf(type, sizeof type, "\"AFTER_SEQUENCE_NUMBER\","
	    "\"SequenceNumber\":\"%s\"", number);
	iterate(r, &s, type);
	reply = records(r, &s);
	rig_lacks(reply, "k1");
	rig_has(reply, "k2");
}

static void
closed(void **state)
{
	struct rig *r = *state;
	struct stream s;
	const char *reply;

	turn_on(r, "NEW_IMAGE");
	put(r, "a", "one");
	rig_ok(r, "UpdateTable", STREAM("false"));
	put(r, "a", "later");
	find(r, &s);
	reply = rig_ok(r, "DescribeStream", "{\"StreamArn\":\"%s\"}", s.arn);
	rig_has(reply, "\"StreamStatus\":\"DISABLED\"");
	rig_has(reply, "\"StreamViewType\":\"NEW_IMAGE\"");
	rig_has(reply, "EndingSequenceNumber");
	iterate(r, &s, "\"TRIM_HORIZON\"");
	reply = records(r, &s);
	rig_has(reply, "\"text\":\"one\"");
	rig_lacks(reply, "later");
	rig_lacks(reply, "NextShardIterator");
}

static void
refused(void **state)
{
	struct rig *r = *state;
	struct stream s;
	char old[600];

	turn_on(r, "NEW_IMAGE");
	put(r, "a", "one");
	find(r, &s);
	rig_call(r, "GetRecords", "{\"ShardIterator\":\"x\"}");
	assert_int_equal(r->status, FAULT_VALIDATION);
	snprintf(old, sizeof old, "%s|1|0|0|%lld", s.arn,
	    (long long)clock_wall_ms() - 16 * 60 * 1000);
	rig_call(r, "GetRecords", "{\"ShardIterator\":\"%s\"}", old);
	assert_int_equal(r->status, FAULT_EXPIRED_ITERATOR);
	snprintf(old, sizeof old, "%s|1|3|0|%lld", s.arn,
	    (long long)clock_wall_ms());
	rig_call(r, "GetRecords", "{\"ShardIterator\":\"%s\"}", old);
	assert_int_equal(r->status, FAULT_VALIDATION);
	rig_call(r, "GetShardIterator", "{\"StreamArn\":\"%s\","
	    "\"ShardId\":\"shardId-00000000000000000000-00000000\","
	    "\"ShardIteratorType\":\"LATEST\"}", s.arn);
	assert_int_equal(r->status, FAULT_NOT_FOUND);
	rig_call(r, "DescribeStream", "{\"StreamArn\":\"%s\"}",
	    "arn:aws:dynamodb:us-east-1:000000000000:table/none/stream/x");
	assert_int_equal(r->status, FAULT_NOT_FOUND);
}

static void
trimmed(void **state)
{
	struct rig *r = *state;
	struct stream s, old;
	struct mark m;
	struct err e;

	turn_on(r, "NEW_IMAGE");
	put(r, "a", "one");
	find(r, &s);
	iterate(r, &s, "\"TRIM_HORIZON\"");
	old = s;
	rig_ok(r, "Checkpoint", "{}");
	journal_marks(store_journal(r->store), &m);
	m.feed.position = journal_end(store_journal(r->store));
	assert_int_equal(journal_set_marks(store_journal(r->store), &m, &e),
	    0);
	put(r, "b", "two");
	rig_call(r, "GetRecords", "{\"ShardIterator\":\"%s\"}", old.iterator);
	assert_int_equal(r->status, FAULT_TRIMMED);
	iterate(r, &s, "\"TRIM_HORIZON\"");
	rig_lacks(records(r, &s), "\"id\":\"a\"");
	rig_has(records(r, &s), "\"id\":\"b\"");
}

/* What goes by its time to live says so. */
static void
expired(void **state)
{
	struct rig *r = *state;
	struct stream s;
	int i;

	rig_close(r);
	r->options.ttl_sweep_ms = 100;
	rig_open(r);
	turn_on(r, "KEYS_ONLY");
	rig_ok(r, "PutItem", "{\"TableName\":\"notes\",\"Item\":"
	    "{\"id\":\"old\",\"until\":%lld}}",
	    (long long)clock_wall_ms() / 1000 - 60);
	rig_ok(r, "UpdateTimeToLive", "{\"TableName\":\"notes\","
	    "\"TimeToLiveSpecification\":{\"AttributeName\":\"until\","
	    "\"Enabled\":true}}");
	find(r, &s);
	iterate(r, &s, "\"TRIM_HORIZON\"");
	for (i = 0; i < 600 && !strstr(records(r, &s), "REMOVE"); i++)
		usleep(100000);
	rig_has(records(r, &s), "\"userIdentity\":{\"PrincipalId\":"
	    "\"dynamodb.amazonaws.com\",\"Type\":\"Service\"}");
}

/* The stream before stays readable under its own ARN, beside the new one. */
static void
turned_on_again(void **state)
{
	struct rig *r = *state;
	struct stream old, new;
	const char *reply;
	char last[400];

	turn_on(r, "NEW_IMAGE");
	put(r, "a", "one");
	find(r, &old);
	rig_ok(r, "UpdateTable", STREAM("false"));
	put(r, "b", "between");
	usleep(3000);
	turn_on(r, "KEYS_ONLY");
	put(r, "c", "two");
	reply = rig_ok(r, "ListStreams", "{\"TableName\":\"notes\","
	    "\"Limit\":1}");
	rig_has(reply, old.arn);
	rig_text(reply, "LastEvaluatedStreamArn", last, sizeof last);
	reply = rig_ok(r, "ListStreams", "{\"TableName\":\"notes\","
	    "\"ExclusiveStartStreamArn\":\"%s\"}", last);
	rig_text(reply, "StreamArn", new.arn, sizeof new.arn);
	assert_string_not_equal(old.arn, new.arn);
	rig_close(r);
	rig_open(r);
	reply = rig_ok(r, "DescribeStream", "{\"StreamArn\":\"%s\"}",
	    old.arn);
	rig_has(reply, "\"StreamStatus\":\"DISABLED\"");
	rig_has(reply, "\"StreamViewType\":\"NEW_IMAGE\"");
	rig_has(reply, "EndingSequenceNumber");
	rig_has(rig_ok(r, "DescribeStream", "{\"StreamArn\":\"%s\","
	    "\"ShardFilter\":{\"Type\":\"CHILD_SHARDS\","
	    "\"ShardId\":\"%s\"}}", old.arn, old.shard),
	    "\"Shards\":[]");
	iterate(r, &old, "\"TRIM_HORIZON\"");
	reply = records(r, &old);
	rig_has(reply, "\"id\":\"a\"");
	rig_lacks(reply, "\"id\":\"b\"");
	rig_lacks(reply, "\"id\":\"c\"");
	rig_lacks(reply, "NextShardIterator");
	reply = rig_ok(r, "DescribeStream", "{\"StreamArn\":\"%s\"}",
	    new.arn);
	rig_has(reply, "\"StreamStatus\":\"ENABLED\"");
	rig_text(reply, "ShardId", new.shard, sizeof new.shard);
	iterate(r, &new, "\"TRIM_HORIZON\"");
	reply = records(r, &new);
	rig_has(reply, "\"id\":\"c\"");
	rig_lacks(reply, "\"id\":\"a\"");
	rig_lacks(reply, "NewImage");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(told, begin, end),
		cmocka_unit_test_setup_teardown(one_by_one, begin, end),
		cmocka_unit_test_setup_teardown(closed, begin, end),
		cmocka_unit_test_setup_teardown(refused, begin, end),
		cmocka_unit_test_setup_teardown(trimmed, begin, end),
		cmocka_unit_test_setup_teardown(expired, begin, end),
		cmocka_unit_test_setup_teardown(turned_on_again, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
