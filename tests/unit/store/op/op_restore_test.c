/*
 * Restores: of a document, a table, all; from every kind of state; as shown
 * before; and what is told and kept when they can't be done.
 */
#include "rig.h"

#include "store/base/clock.h"
#include "store/engine/past.h"

#include <signal.h>
#include <sys/wait.h>

#define TABLE(name) \
	"{\"TableName\":\"" name "\",\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}," \
	"{\"AttributeName\":\"kind\",\"AttributeType\":\"S\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]," \
	"\"GlobalSecondaryIndexes\":[{\"IndexName\":\"byKind\"," \
	"\"KeySchema\":[{\"AttributeName\":\"kind\",\"KeyType\":\"HASH\"}]," \
	"\"Projection\":{\"ProjectionType\":\"ALL\"}}]," \
	"\"StreamSpecification\":{\"StreamEnabled\":true," \
	"\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"}," \
	"\"BillingMode\":\"PAY_PER_REQUEST\"}"

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
put_in(struct rig *r, const char *table, const char *id, const char *kind)
{
	rig_ok(r, "PutItem", "{\"TableName\":\"%s\",\"Item\":"
	    "{\"id\":\"%s\",\"kind\":\"%s\"}}", table, id, kind);
}

static void
put(struct rig *r, const char *id, const char *kind)
{
	put_in(r, "notes", id, kind);
}

static void
drop(struct rig *r, const char *id)
{
	rig_ok(r, "DeleteItem", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"%s\"}}", id);
}

/* The documents of a table, in the order of a scan by hash: as "id=kind". */
static void
expect_in(struct rig *r, const char *table, const char *id, const char *kind)
{
	char want[64];
	const char *reply = rig_ok(r, "GetItem", "{\"TableName\":\"%s\","
	    "\"Key\":{\"id\":\"%s\"}}", table, id);

	snprintf(want, sizeof want, "\"kind\":\"%s\"", kind ? kind : "");
	if (kind)
		rig_has(reply, want);
	else
		rig_lacks(reply, "Item");
}

static void
expect(struct rig *r, const char *id, const char *kind)
{
	expect_in(r, "notes", id, kind);
}

static void
expect_count(struct rig *r, const char *table, const char *count)
{
	rig_has(rig_ok(r, "Scan", "{\"TableName\":\"%s\","
	    "\"Select\":\"COUNT\"}", table), count);
}

static void
now(char out[CLOCK_ISO_SIZE])
{
	usleep(5000);
	clock_iso(clock_wall_ms(), out);
	usleep(5000);
}

/* a one, b one, d one as a backup; then a two, b gone, c new. */
static void
set_stage(struct rig *r)
{
	put(r, "a", "one");
	put(r, "b", "one");
	put(r, "d", "one");
	rig_ok(r, "Backup", "{\"Name\":\"start\"}");
	put(r, "a", "two");
	drop(r, "b");
	put(r, "c", "new");
}

/* --- tests --------------------------------------------------------------- */

static void
of_a_table(void **state)
{
	struct rig *r = *state;
	char preview[80];
	const char *reply;

	set_stage(r);
	reply = rig_ok(r, "Restore", "{\"TableName\":\"notes\","
	    "\"From\":\"start\",\"DryRun\":true}");
	rig_has(reply, "\"Added\":1,\"Removed\":1,\"Changed\":1");
	rig_has(reply, "\"File\":\"b.json\",\"New\":{\"id\":\"b\"");
	rig_text(reply, "Preview", preview, sizeof preview);
	expect(r, "a", "two");
	reply = rig_ok(r, "Restore", "{\"TableName\":\"notes\","
	    "\"From\":\"start\",\"Preview\":\"%s\"}", preview);
	rig_has(reply, "\"Added\":1,\"Removed\":1,\"Changed\":1");
	expect(r, "a", "one");
	expect(r, "b", "one");
	expect(r, "c", NULL);
	expect(r, "d", "one");
	expect_count(r, "notes", "\"Count\":3");
	rig_has(rig_ok(r, "Query", "{\"TableName\":\"notes\","
	    "\"IndexName\":\"byKind\",\"KeyConditionExpression\":\"kind = :k\","
	    "\"ExpressionAttributeValues\":{\":k\":\"one\"}}"),
	    "\"Count\":3");
	rig_has(rig_ok(r, "Path", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"b\"}}"), "\"State\":\"written\"");
	rig_has(rig_ok(r, "Path", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"c\"}}"), "\"State\":\"absent\"");
	rig_close(r);
	rig_open(r);
	expect(r, "a", "one");
	expect(r, "c", NULL);
	rig_has(rig_ok(r, "Diff", "{\"From\":\"start\"}"),
	    "\"Added\":0,\"Removed\":0,\"Changed\":0");
}

static void
in_the_feed(void **state)
{
	struct rig *r = *state;
	char arn[400], shard[64], iterator[500];
	const char *reply;

	set_stage(r);
	rig_text(rig_ok(r, "ListStreams", "{}"), "StreamArn", arn, sizeof arn);
	rig_text(rig_ok(r, "DescribeStream", "{\"StreamArn\":\"%s\"}", arn),
	    "ShardId", shard, sizeof shard);
	rig_text(rig_ok(r, "GetShardIterator", "{\"StreamArn\":\"%s\","
	    "\"ShardId\":\"%s\",\"ShardIteratorType\":\"LATEST\"}", arn,
	    shard), "ShardIterator", iterator, sizeof iterator);
	rig_ok(r, "Restore", "{\"TableName\":\"notes\",\"From\":\"start\"}");
	reply = rig_ok(r, "GetRecords", "{\"ShardIterator\":\"%s\"}",
	    iterator);
	rig_has(reply, "\"eventName\":\"INSERT\"");
	rig_has(reply, "\"eventName\":\"REMOVE\"");
	rig_has(reply, "\"NewImage\":{\"id\":\"a\",\"kind\":\"one\"},"
	    "\"OldImage\":{\"id\":\"a\",\"kind\":\"two\"}");
	rig_lacks(reply, "\"id\":\"d\"");
}

static void
of_a_document(void **state)
{
	struct rig *r = *state;

	set_stage(r);
	rig_ok(r, "Restore", "{\"TableName\":\"notes\","
	    "\"Key\":{\"id\":\"a\"},\"From\":\"start\"}");
	expect(r, "a", "one");
	expect(r, "b", NULL);
	rig_ok(r, "Restore", "{\"TableName\":\"notes\","
	    "\"Key\":{\"id\":\"b\"},\"From\":\"start\"}");
	expect(r, "b", "one");
	rig_ok(r, "Restore", "{\"TableName\":\"notes\","
	    "\"Key\":{\"id\":\"c\"},\"From\":\"start\"}");
	expect(r, "c", NULL);
}

static void
to_a_moment(void **state)
{
	struct rig *r = *state;
	char t1[CLOCK_ISO_SIZE], t2[CLOCK_ISO_SIZE];

	put(r, "a", "one");
	now(t1);
	put(r, "a", "two");
	rig_ok(r, "Checkpoint", "{}");
	put(r, "b", "one");
	now(t2);
	put(r, "a", "three");
	rig_ok(r, "Restore", "{\"TableName\":\"notes\",\"From\":\"%s\"}", t2);
	expect(r, "a", "two");
	expect(r, "b", "one");
	rig_ok(r, "Checkpoint", "{}");
	rig_ok(r, "Restore", "{\"TableName\":\"notes\",\"From\":\"%s\"}", t1);
	expect(r, "a", "one");
	expect(r, "b", NULL);
}

static void
into_another(void **state)
{
	struct rig *r = *state;

	set_stage(r);
	rig_has(rig_ok(r, "Restore", "{\"TableName\":\"notes\","
	    "\"From\":\"start\",\"Into\":\"copy\"}"),
	    "\"TableName\":\"copy\",\"Created\":true,\"Added\":3");
	expect_in(r, "copy", "a", "one");
	expect_in(r, "copy", "c", NULL);
	expect(r, "a", "two");
	expect_count(r, "copy", "\"Count\":3");
	rig_call(r, "Restore", "{\"TableName\":\"notes\","
	    "\"From\":\"start\",\"Into\":\"copy\"}");
	assert_int_equal(r->status, FAULT_IN_USE);
}

static void
of_all(void **state)
{
	struct rig *r = *state;
	const char *reply;

	rig_ok(r, "CreateTable", TABLE("gone"));
	put_in(r, "gone", "x", "kept");
	set_stage(r);
	rig_ok(r, "DeleteTable", "{\"TableName\":\"gone\"}");
	rig_ok(r, "CreateTable", TABLE("fresh"));
	put_in(r, "fresh", "y", "stays");
	reply = rig_ok(r, "Restore", "{\"From\":\"start\",\"DryRun\":true}");
	rig_has(reply, "{\"TableName\":\"gone\",\"Created\":true,\"Added\":1");
	rig_lacks(reply, "\"TableName\":\"fresh\"");
	rig_ok(r, "Restore", "{\"From\":\"start\"}");
	expect(r, "a", "one");
	expect_in(r, "gone", "x", "kept");
	expect_in(r, "fresh", "y", "stays");
}

static void
refused(void **state)
{
	struct rig *r = *state;
	char preview[80];

	set_stage(r);
	rig_text(rig_ok(r, "Restore", "{\"TableName\":\"notes\","
	    "\"From\":\"start\",\"DryRun\":true}"), "Preview", preview,
	    sizeof preview);
	put(r, "d", "between");
	rig_call(r, "Restore", "{\"TableName\":\"notes\",\"From\":\"start\","
	    "\"Preview\":\"%s\"}", preview);
	assert_int_equal(r->status, FAULT_CONFLICT);
	expect(r, "a", "two");
	rig_call(r, "Restore", "{\"TableName\":\"none\",\"From\":\"start\"}");
	assert_int_equal(r->status, FAULT_NOT_FOUND);
	rig_call(r, "Restore", "{\"TableName\":\"notes\",\"From\":\"never\"}");
	assert_int_equal(r->status, FAULT_NOT_FOUND);
	rig_ok(r, "UpdateTable", "{\"TableName\":\"notes\",\"History\":false}");
	rig_call(r, "Restore", "{\"TableName\":\"notes\",\"From\":\"start\"}");
	assert_int_equal(r->status, FAULT_VALIDATION);
}

static void
with_a_checkpoint_since_the_preview(void **state)
{
	struct rig *r = *state;
	char preview[80];

	set_stage(r);
	put(r, "z", "new");
	put(r, "A", "new");
	rig_text(rig_ok(r, "Restore", "{\"From\":\"start\",\"DryRun\":true}"),
	    "Preview", preview, sizeof preview);
	rig_ok(r, "Checkpoint", "{}");
	rig_ok(r, "Restore", "{\"From\":\"start\",\"Preview\":\"%s\"}",
	    preview);
	expect(r, "a", "one");
	expect(r, "z", NULL);
}

/* Writers that go on meanwhile: each table is as it was, then written to. */
struct writer {
	struct rig *r;
	_Atomic bool end;
};

static void *
write_on(void *arg)
{
	struct writer *w = arg;
	struct rig other = {.store = w->r->store};
	struct err e;
	int i;

	buf_init(&other.out, 1 << 20);
	pthread_mutex_init(&other.lock, NULL);
	pthread_cond_init(&other.wake, NULL);
	store_view_init(&other.view, other.store, &e);
	for (i = 0; !w->end; i++) {
		char id[16];

		snprintf(id, sizeof id, "w%d", i % 50);
		put(&other, id, "late");
	}
	store_view_release(&other.view);
	buf_release(&other.out);
	return NULL;
}

static void
amid_writes(void **state)
{
	struct rig *r = *state;
	struct writer w = {.r = r};
	pthread_t thread;
	char id[16];
	int i;

	for (i = 0; i < 50; i++) {
		snprintf(id, sizeof id, "w%d", i);
		put(r, id, "first");
	}
	set_stage(r);
	assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
	for (i = 0; i < 20; i++) {
		rig_ok(r, "Restore", "{\"TableName\":\"notes\","
		    "\"From\":\"start\"}");
		expect(r, "a", "one");
		expect(r, "c", NULL);
		put(r, "c", "new");
		if (i % 5 == 0)
			rig_ok(r, "Checkpoint", "{}");
	}
	w.end = true;
	pthread_join(thread, NULL);
	rig_ok(r, "Restore", "{\"TableName\":\"notes\",\"From\":\"start\"}");
	for (i = 0; i < 50; i++) {
		snprintf(id, sizeof id, "w%d", i);
		expect(r, id, "first");
	}
	expect_count(r, "notes", "\"Count\":53");
}

/* Killed somewhere in it: all of the table or nothing. */
static void
killed(void **state)
{
	struct rig *r = *state;
	char id[16];
	int round, i, status, ones;
	pid_t pid;

	for (i = 0; i < 200; i++) {
		snprintf(id, sizeof id, "k%d", i);
		put(r, id, "one");
	}
	rig_ok(r, "Backup", "{\"Name\":\"start\"}");
	for (round = 0; round < 8; round++) {
		for (i = 0; i < 200; i++) {
			snprintf(id, sizeof id, "k%d", i);
			put(r, id, "two");
		}
		rig_close(r);
		pid = fork();
		if (pid == 0) {
			rig_open(r);
			rig_call(r, "Restore", "{\"TableName\":\"notes\","
			    "\"From\":\"start\"}");
			_exit(r->status);
		}
		usleep((useconds_t)(5000 * (round + 1)));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		rig_open(r);
		for (ones = i = 0; i < 200; i++)
			ones += strstr(rig_ok(r, "GetItem",
			    "{\"TableName\":\"notes\",\"Key\":{\"id\":"
			    "\"k%d\"}}", i), "one") != NULL;
		assert_true(ones == 0 || ones == 200);
	}
}

/* --- more than a unit holds ----------------------------------------------- */

enum { LONG = 24, LONG_BYTES = 300 << 10 };

/* Documents of which a table has more than is restored in one unit. */
static void
put_long(struct rig *r, const char *kind)
{
	char *body = malloc(LONG_BYTES + 200), *text;
	int i;

	text = malloc(LONG_BYTES + 1);
	assert_non_null(body);
	assert_non_null(text);
	memset(text, *kind, LONG_BYTES);
	text[LONG_BYTES] = '\0';
	for (i = 0; i < LONG; i++) {
		snprintf(body, LONG_BYTES + 200, "{\"TableName\":\"notes\","
		    "\"Item\":{\"id\":\"l%d\",\"kind\":\"%s\","
		    "\"text\":\"%s\"}}", i, kind, text);
		rig_call_with(r, "PutItem", body, true, false);
		assert_int_equal(r->status, 0);
	}
	free(text);
	free(body);
}

static int
count_long(struct rig *r, const char *kind)
{
	char want[64];
	int i, n = 0;

	snprintf(want, sizeof want, "\"kind\":\"%s\"", kind);
	for (i = 0; i < LONG; i++)
		n += strstr(rig_ok(r, "GetItem", "{\"TableName\":\"notes\","
		    "\"Key\":{\"id\":\"l%d\"},"
		    "\"ProjectionExpression\":\"kind\"}", i), want) != NULL;
	return n;
}

static void
long_one(void **state)
{
	struct rig *r = *state;

	put_long(r, "first");
	rig_ok(r, "Backup", "{\"Name\":\"start\"}");
	put_long(r, "second");
	put(r, "more", "x");
	rig_has(rig_ok(r, "Restore", "{\"TableName\":\"notes\","
	    "\"From\":\"start\"}"), "\"Removed\":1,\"Changed\":24");
	assert_int_equal(count_long(r, "first"), LONG);
	expect(r, "more", NULL);
	rig_ok(r, "DeleteTable", "{\"TableName\":\"notes\"}");
	rig_ok(r, "Restore", "{\"TableName\":\"notes\",\"From\":\"start\"}");
	assert_int_equal(count_long(r, "first"), LONG);
	rig_has(rig_ok(r, "DescribeTable", "{\"TableName\":\"notes\"}"),
	    "\"TableStatus\":\"ACTIVE\"");
	rig_has(rig_ok(r, "Check", "{\"Deep\":true}"), "\"Count\":0");
	put_long(r, "third");
	rig_close(r);
	rig_open(r);
	assert_int_equal(count_long(r, "third"), LONG);
}

/* Killed in it: as before, or as it was then, or closed and done again. */
static void
long_killed(void **state)
{
	struct rig *r = *state;
	int round, status, closed = 0, n;
	pid_t pid;

	put_long(r, "first");
	rig_ok(r, "Backup", "{\"Name\":\"start\"}");
	for (round = 0; round < 8; round++) {
		put_long(r, "second");
		rig_close(r);
		pid = fork();
		if (pid == 0) {
			rig_open(r);
			rig_call(r, "Restore", "{\"TableName\":\"notes\","
			    "\"From\":\"start\"}");
			_exit(r->status != 0);
		}
		usleep((useconds_t)(20000 * (round + 1)));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		rig_open(r);
		rig_call(r, "GetItem", "{\"TableName\":\"notes\","
		    "\"Key\":{\"id\":\"l0\"}}");
		if (r->status) {
			assert_int_equal(r->status, FAULT_IN_USE);
			rig_call(r, "PutItem", "{\"TableName\":\"notes\","
			    "\"Item\":{\"id\":\"x\"}}");
			assert_int_equal(r->status, FAULT_IN_USE);
			closed++;
			rig_ok(r, "Restore", "{\"TableName\":\"notes\","
			    "\"From\":\"start\"}");
			assert_int_equal(count_long(r, "first"), LONG);
		}
		n = count_long(r, "first");
		assert_true(n == 0 || n == LONG);
	}
	print_message("closed %d times of 8\n", closed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(of_a_table, begin, end),
		cmocka_unit_test_setup_teardown(in_the_feed, begin, end),
		cmocka_unit_test_setup_teardown(of_a_document, begin, end),
		cmocka_unit_test_setup_teardown(to_a_moment, begin, end),
		cmocka_unit_test_setup_teardown(into_another, begin, end),
		cmocka_unit_test_setup_teardown(of_all, begin, end),
		cmocka_unit_test_setup_teardown(refused, begin, end),
		cmocka_unit_test_setup_teardown(
		    with_a_checkpoint_since_the_preview, begin, end),
		cmocka_unit_test_setup_teardown(amid_writes, begin, end),
		cmocka_unit_test_setup_teardown(killed, begin, end),
		cmocka_unit_test_setup_teardown(long_one, begin, end),
		cmocka_unit_test_setup_teardown(long_killed, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
