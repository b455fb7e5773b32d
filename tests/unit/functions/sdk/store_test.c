/*
 * The SDK's calls on documents, against a store of the test's own: what they
 * ask byte for byte, and what they make of the answers.
 */
#include "request_fixture.h"

#include "store/base/io.h"
#include "store/base/sock.h"
#include "store/value/fault.h"
#include "store/wire/frame.h"
#include "store/wire/operation.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

enum { TALKS_MAX = 16 };

/* What is asked, and what is answered. */
struct talk {
	const char *want;	/* "Operation flags body" */
	int status;
	const char *reply;
};

static struct {
	char dir[40], path[64];
	int listen_fd;
	pthread_t thread;
	const struct talk *talks;	/* ended by one without `want` */
	char asked[TALKS_MAX][4096];
	size_t count;
} store;

/* A request, answered by the next talk. 0, or -1 at the end. */
static int
answer(int fd, struct buf *out)
{
	const struct talk *talk = &store.talks[store.count];
	static char frame[1 << 20];
	struct frame_request r;
	struct err e;
	ssize_t size;
	size_t begin;

	if (!talk->want || io_read_all(fd, frame, 4) < 0)
		return -1;
	size = frame_size(frame, 4, FRAME_REQUEST_SIZE, sizeof frame);
	if (size < 0 || io_read_all(fd, frame + 4, (size_t)size - 4) < 0 ||
	    frame_read_request(frame, (size_t)size, &r, &e) < 0)
		return -1;
	snprintf(store.asked[store.count], sizeof store.asked[0],
	    "%s %u %.*s", operation_info(r.operation)->name,
	    (unsigned)r.flags, (int)r.nbody, r.body);
	store.count++;
	buf_reset(out);
	begin = frame_begin_reply(out);
	buf_puts(out, talk->reply);
	frame_end_reply(out, begin, r.id, talk->status, 0);
	return io_write_all(fd, out->data, out->len);
}

static void *
run_store(void *arg)
{
	const struct frame_hello h = {.version = FRAME_VERSION,
	    .in_flight_max = 16, .request_max = 1 << 20,
	    .reply_max = FRAME_REPLY_MAX};
	int fd = accept4(store.listen_fd, NULL, NULL, SOCK_CLOEXEC);
	struct buf out;

	(void)arg;
	if (fd < 0)
		return NULL;
	buf_init(&out, 1 << 20);
	frame_write_hello(&out, &h);
	if (io_write_all(fd, out.data, out.len) == 0)
		while (answer(fd, &out) == 0)
			continue;
	close(fd);
	buf_release(&out);
	return NULL;
}

/* Runs the handler against a store that is asked `talks` and nothing else. */
static void
against(const struct talk *talks, int (*handler)(struct bothy_req *))
{
	int dir_fd;
	size_t i;

	memset(&store, 0, sizeof store);
	store.talks = talks;
	strcpy(store.dir, "/tmp/bothy-sdk-XXXXXX");
	assert_non_null(mkdtemp(store.dir));
	snprintf(store.path, sizeof store.path, "%s/s", store.dir);
	dir_fd = open(store.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	store.listen_fd = sock_listen_at(dir_fd, "s", SOCK_STREAM, 0600, 4);
	assert_true(store.listen_fd >= 0);
	close(dir_fd);
	assert_int_equal(pthread_create(&store.thread, NULL, run_store, NULL),
	    0);
	setenv("BOTHY_STORE", store.path, 1);
	setenv("BOTHY_STORE_TOKEN", "t", 1);
	serve(handler);
	assert_int_equal(fixture_status, 0);
	shutdown(store.listen_fd, SHUT_RDWR);
	pthread_join(store.thread, NULL);
	close(store.listen_fd);
	io_remove_tree(AT_FDCWD, store.dir);
	for (i = 0; talks[i].want; i++)
		assert_string_equal(store.asked[i], talks[i].want);
	assert_int_equal(store.count, i);
}

static json_t *
json(struct bothy_req *req, const char *text)
{
	json_t *value = bothy_keep(req, json_loads(text, 0, NULL));

	assert_non_null(value);
	return value;
}

static void
is_json(const json_t *value, const char *want)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS |
	    JSON_ENCODE_ANY);

	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
}

/* --- one document --------------------------------------------------------- */

static int
gets(struct bothy_req *req)
{
	const json_t *key = json(req, "{\"id\":7}");

	is_json(bothy_get(req, "notes", key), "{\"id\":7,\"text\":\"x\"}");
	assert_null(bothy_get(req, "notes", key));
	assert_null(bothy_store_error(req));
	assert_int_equal(bothy_failed(req), 0);
	assert_null(bothy_get(req, "notes", key));
	assert_string_equal(bothy_store_error(req)->name,
	    "AccessDeniedException");
	assert_string_equal(bothy_store_error(req)->message, "no \"way\"");
	assert_int_equal(bothy_failed(req), 500);
	return 0;
}

static void
a_document_is_got(void **state)
{
#define GET "GetItem 1 {\"TableName\":\"notes\",\"Key\":{\"id\":7}," \
	"\"ConsistentRead\":true}"
	static const struct talk talks[] = {
		{GET, 0, "{\"Item\":{\"id\":7,\"text\":\"x\"}}"},
		{GET, 0, "{}"},
		{GET, FAULT_DENIED, "{\"message\":\"no \\\"way\\\"\"}"},
		{NULL, 0, NULL},
	};

	(void)state;
	against(talks, gets);
}

static int
writes(struct bothy_req *req)
{
	const json_t *key = json(req, "{\"id\":\"a\"}");
	const json_t *values = json(req,
	    "{\":one\":1,\"#n\":\"name\",\":two\":[2.5,null]}");

	assert_int_equal(bothy_put(req, "notes", json(req,
	    "{\"id\":\"a\",\"pi\":0.1,\"big\":1e30,\"no\":1.0}")), 0);
	assert_int_equal(bothy_put_if(req, "notes", key, "#n = :one",
	    values), -1);
	assert_string_equal(bothy_store_error(req)->name,
	    "ConditionalCheckFailedException");
	assert_int_equal(bothy_failed(req), 409);
	is_json(json_object_get(bothy_store_error(req)->body, "Item"), "{}");
	is_json(bothy_update(req, "notes", key, "SET n = n + :one",
	    json(req, "{\":one\":1}")), "{\"n\":2}");
	bothy_wait_file(req, false);
	assert_int_equal(bothy_delete(req, "notes", key), 0);
	assert_int_equal(bothy_delete_if(req, "notes", key, "c", NULL), 0);
	return 0;
}

static void
a_document_is_written(void **state)
{
	static const struct talk talks[] = {
		{"PutItem 3 {\"TableName\":\"notes\",\"Item\":{\"id\":\"a\","
		 "\"pi\":0.1,\"big\":1e+30,\"no\":1.0}}", 0, "{}"},
		{"PutItem 3 {\"TableName\":\"notes\",\"Item\":{\"id\":\"a\"},"
		 "\"ConditionExpression\":\"#n = :one\","
		 "\"ExpressionAttributeNames\":{\"#n\":\"name\"},"
		 "\"ExpressionAttributeValues\":{\":one\":1,\":two\":"
		 "[2.5,null]}}", FAULT_CONDITION,
		    "{\"message\":\"The conditional request failed\","
		    "\"Item\":{}}"},
		{"UpdateItem 3 {\"TableName\":\"notes\",\"Key\":{\"id\":\"a\"},"
		 "\"UpdateExpression\":\"SET n = n + :one\","
		 "\"ExpressionAttributeValues\":{\":one\":1},"
		 "\"ReturnValues\":\"ALL_NEW\"}", 0,
		    "{\"Attributes\":{\"n\":2}}"},
		{"DeleteItem 1 {\"TableName\":\"notes\",\"Key\":"
		 "{\"id\":\"a\"}}", 0, "{}"},
		{"DeleteItem 1 {\"TableName\":\"notes\",\"Key\":"
		 "{\"id\":\"a\"},\"ConditionExpression\":\"c\"}", 0, "{}"},
		{NULL, 0, NULL},
	};

	(void)state;
	against(talks, writes);
}

/* Numbers that Jansson has no integer for, and strings that look like them. */
static int
gets_numbers(struct bothy_req *req)
{
	const json_t *doc = bothy_get(req, "notes", json(req, "{\"id\":1}"));

	assert_non_null(doc);
	assert_string_equal(json_string_value(json_object_get(doc, "s")),
	    "12345678901234567890 \"-1");
	assert_true(json_real_value(json_object_get(doc, "big")) > 1.2e37);
	assert_true(json_real_value(json_object_get(doc, "neg")) < -1.2e19);
	assert_int_equal(json_integer_value(json_object_get(doc, "int")), 42);
	assert_int_equal(json_string_length(json_object_get(doc, "nul")), 3);
	return 0;
}

static void
any_number_is_read(void **state)
{
	static const struct talk talks[] = {
		{"GetItem 1 {\"TableName\":\"notes\",\"Key\":{\"id\":1},"
		 "\"ConsistentRead\":true}", 0,
		    "{\"Item\":{\"s\":\"12345678901234567890 \\\"-1\","
		    "\"big\":12345678901234567890123456789012345678,"
		    "\"neg\":-12345678901234567890,\"int\":42,"
		    "\"nul\":\"a\\u0000b\"}}"},
		{NULL, 0, NULL},
	};

	(void)state;
	against(talks, gets_numbers);
}

/* --- many ----------------------------------------------------------------- */

static int
finds(struct bothy_req *req)
{
	const struct bothy_how how = {.index = "byAt", .filter = "n > :n",
	    .attributes = "a, b", .limit = 3, .descending = true,
	    .consistent = true};
	struct bothy_how next = {.limit = 5};
	struct bothy_rows *rows = bothy_find(req, "notes", "room = :r",
	    json(req, "{\":r\":\"x\",\":n\":1}"), &how);

	is_json(bothy_next(rows), "{\"at\":9}");
	is_json(bothy_next(rows), "{\"at\":8}");
	is_json(bothy_next(rows), "{\"at\":7}");
	assert_null(bothy_next(rows));
	assert_string_equal(bothy_cursor(rows), "eyJhdCI6NywiayI6Ij8_In0");
	next.after = bothy_cursor(rows);
	rows = bothy_find(req, "notes", "room = :r",
	    json(req, "{\":r\":\"x\"}"), &next);
	is_json(bothy_next(rows), "{\"at\":6}");
	assert_null(bothy_next(rows));
	assert_null(bothy_cursor(rows));
	assert_int_equal(bothy_failed(req), 0);
	next.after = "nonsense!";
	assert_null(bothy_find(req, "notes", "room = :r", NULL, &next));
	assert_int_equal(bothy_failed(req), 400);
	assert_null(bothy_next(NULL));
	assert_null(bothy_cursor(NULL));
	return 0;
}

static void
rows_come_page_by_page(void **state)
{
#define FIND "\"TableName\":\"notes\",\"KeyConditionExpression\":\"room = :r\""
#define HOW "\"ExpressionAttributeValues\":{\":r\":\"x\",\":n\":1}," \
	"\"IndexName\":\"byAt\",\"FilterExpression\":\"n > :n\"," \
	"\"ProjectionExpression\":\"a, b\",\"ScanIndexForward\":false," \
	"\"ConsistentRead\":true"
	static const struct talk talks[] = {
		{"Query 1 {" FIND "," HOW ",\"Limit\":3}", 0,
		    "{\"Items\":[{\"at\":9}],\"LastEvaluatedKey\":{\"at\":9}}"},
		{"Query 1 {" FIND "," HOW ",\"Limit\":2,"
		 "\"ExclusiveStartKey\":{\"at\":9}}", 0,
		    "{\"Items\":[],\"LastEvaluatedKey\":{\"at\":8.5}}"},
		{"Query 1 {" FIND "," HOW ",\"Limit\":2,"
		 "\"ExclusiveStartKey\":{\"at\":8.5}}", 0,
		    "{\"Items\":[{\"at\":8},{\"at\":7}],"
		    "\"LastEvaluatedKey\":{\"at\":7,\"k\":\"??\"}}"},
		{"Query 1 {" FIND ",\"ExpressionAttributeValues\":{\":r\":"
		 "\"x\"},\"Limit\":5,\"ExclusiveStartKey\":{\"at\":7,\"k\":"
		 "\"??\"}}", 0, "{\"Items\":[{\"at\":6}]}"},
		{NULL, 0, NULL},
	};

	(void)state;
	against(talks, finds);
}

static int
scans(struct bothy_req *req)
{
	struct bothy_rows *rows = bothy_scan(req, "notes", NULL, NULL);

	is_json(bothy_next(rows), "1");
	is_json(bothy_next(rows), "2");
	assert_null(bothy_next(rows));
	assert_int_equal(bothy_failed(req), 500);
	assert_string_equal(bothy_store_error(req)->name,
	    "ResourceNotFoundException");
	assert_null(bothy_next(rows));
	return 0;
}

static void
a_scan_may_fail_half_way(void **state)
{
	static const struct talk talks[] = {
		{"Scan 1 {\"TableName\":\"notes\"}", 0, "{\"Items\":[1,2],"
		    "\"LastEvaluatedKey\":{\"at\":9}}"},
		{"Scan 1 {\"TableName\":\"notes\",\"ExclusiveStartKey\":"
		 "{\"at\":9}}", FAULT_NOT_FOUND, "{\"message\":\"gone\"}"},
		{NULL, 0, NULL},
	};

	(void)state;
	against(talks, scans);
}

static int
batches(struct bothy_req *req)
{
	json_t *puts = bothy_keep(req, json_array());
	const json_t *got;
	int i;

	got = bothy_batch_get(req, "notes", json(req,
	    "[{\"id\":1},{\"id\":2}]"));
	is_json(got, "[{\"id\":2},{\"id\":1}]");
	for (i = 0; i < 25; i++)
		json_array_append_new(puts, json_integer(1));
	assert_int_equal(bothy_batch_write(req, "notes", puts,
	    json(req, "[{\"id\":3}]")), 0);
	assert_int_equal(bothy_batch_write(req, "notes", NULL, NULL), 0);
	return 0;
}

static void
batches_are_sent_until_done(void **state)
{
#define ONE "{\"PutRequest\":{\"Item\":1}}"
#define FIVE ONE "," ONE "," ONE "," ONE "," ONE
	static const struct talk talks[] = {
		{"BatchGetItem 1 {\"RequestItems\":{\"notes\":{"
		 "\"ConsistentRead\":true,\"Keys\":[{\"id\":1},{\"id\":2}]}}}",
		    0, "{\"Responses\":{\"notes\":[{\"id\":2}]},"
		    "\"UnprocessedKeys\":{\"notes\":{\"Keys\":[1]}}}"},
		{"BatchGetItem 1 {\"RequestItems\":{\"notes\":{\"Keys\":[1]}}}",
		    0, "{\"Responses\":{\"notes\":[{\"id\":1}]},"
		    "\"UnprocessedKeys\":{}}"},
		{"BatchWriteItem 3 {\"RequestItems\":{\"notes\":[" FIVE "," FIVE
		 "," FIVE "," FIVE "," FIVE "]}}", 0,
		    "{\"UnprocessedItems\":{}}"},
		{"BatchWriteItem 3 {\"RequestItems\":{\"notes\":["
		 "{\"DeleteRequest\":{\"Key\":{\"id\":3}}}]}}", 0,
		    "{\"UnprocessedItems\":{}}"},
		{NULL, 0, NULL},
	};

	(void)state;
	against(talks, batches);
}

static int
transacts(struct bothy_req *req)
{
	const json_t *key = json(req, "{\"id\":1}");
	struct bothy_tx *tx = bothy_transact(req);

	assert_int_equal(bothy_tx_put(tx, "a", key, NULL, NULL), 0);
	assert_int_equal(bothy_tx_update(tx, "b", key, "u", "c",
	    json(req, "{\":v\":1}")), 0);
	assert_int_equal(bothy_tx_delete(tx, "b", key, NULL, NULL), 0);
	assert_int_equal(bothy_tx_check(tx, "b", key, "c", NULL), 0);
	assert_int_equal(bothy_tx_commit(tx), -1);
	assert_string_equal(bothy_store_error(req)->name,
	    "TransactionCanceledException");
	assert_int_equal(json_array_size(json_object_get(
	    bothy_store_error(req)->body, "CancellationReasons")), 1);
	assert_int_equal(bothy_tx_commit(tx), -1);	/* it is over */
	assert_int_equal(bothy_tx_put(tx, "a", key, NULL, NULL), -1);

	tx = bothy_transact(req);
	assert_int_equal(bothy_tx_commit(tx), -1);	/* nothing in it */
	assert_int_equal(bothy_tx_put(tx, "a", key, "c",
	    json(req, "{\"v\":1}")), -1);
	assert_int_equal(bothy_tx_commit(tx), -1);
	is_json(bothy_transact_get(req, json(req, "[{\"table\":\"a\",\"key\":"
	    "{\"id\":1}},{\"table\":\"b\",\"key\":{}}]")),
	    "[{\"id\":1},null]");
	assert_null(bothy_transact_get(req, json(req, "[{\"table\":\"a\"}]")));
	return 0;
}

/* The token is drawn by lot: it is cut out before it is compared. */
static void
a_transaction_is_one_request(void **state)
{
	struct talk talks[] = {
		{"", FAULT_CANCELED, "{\"message\":\"Transaction cancelled\","
		    "\"CancellationReasons\":[{\"Code\":\"None\"}]}"},
		{"TransactGetItems 1 {\"TransactItems\":[{\"Get\":{"
		 "\"TableName\":\"a\",\"Key\":{\"id\":1}}},{\"Get\":{"
		 "\"TableName\":\"b\",\"Key\":{}}}]}", 0,
		    "{\"Responses\":[{\"Item\":{\"id\":1}},{}]}"},
		{NULL, 0, NULL},
	};
	static const char BEGIN[] = "TransactWriteItems 3 "
	    "{\"ClientRequestToken\":\"";
	static const char REST[] = "\",\"TransactItems\":["
	    "{\"Put\":{\"TableName\":\"a\",\"Item\":{\"id\":1}}},"
	    "{\"Update\":{\"TableName\":\"b\",\"Key\":{\"id\":1},"
	    "\"UpdateExpression\":\"u\",\"ConditionExpression\":\"c\","
	    "\"ExpressionAttributeValues\":{\":v\":1}}},"
	    "{\"Delete\":{\"TableName\":\"b\",\"Key\":{\"id\":1}}},"
	    "{\"ConditionCheck\":{\"TableName\":\"b\",\"Key\":{\"id\":1},"
	    "\"ConditionExpression\":\"c\"}}]}";

	(void)state;
	talks[0].want = store.asked[0];
	against(talks, transacts);
	assert_memory_equal(store.asked[0], BEGIN, sizeof BEGIN - 1);
	assert_string_equal(store.asked[0] + sizeof BEGIN - 1 + 32, REST);
}

/* --- what goes wrong ------------------------------------------------------ */

static int
has_no_store(struct bothy_req *req)
{
	assert_null(bothy_get(req, "notes", NULL));
	assert_int_equal(bothy_failed(req), 500);
	assert_string_equal(bothy_store_error(req)->name,
	    "AccessDeniedException");
	assert_non_null(strstr(bothy_store_error(req)->message,
	    "iam.role.statements"));
	assert_null(bothy_find(req, "notes", "c", NULL, NULL));
	assert_null(bothy_transact(req));
	assert_int_equal(bothy_tx_put(NULL, "a", NULL, NULL, NULL), -1);
	assert_int_equal(bothy_tx_commit(NULL), -1);
	assert_int_equal(bothy_batch_write(req, "a", NULL, NULL), -1);
	bothy_wait_file(req, true);
	return 0;
}

static void
without_a_store_calls_fail(void **state)
{
	(void)state;
	serve(has_no_store);
	assert_int_equal(fixture_status, 0);
}

static json_t *
nested(struct bothy_req *req, int depth)
{
	json_t *doc = bothy_keep(req, json_object()), *at = doc, *next;

	while (depth--) {
		next = json_object();
		json_object_set_new(at, "a", next);
		at = next;
	}
	return doc;
}

static int
makes_mistakes(struct bothy_req *req)
{
	assert_int_equal(bothy_put(req, "notes", nested(req, 100)), -1);
	assert_int_equal(bothy_failed(req), 500);
	assert_int_equal(bothy_put_if(req, "notes", nested(req, 1), "c",
	    json(req, "{\"v\":1}")), -1);
	assert_int_equal(bothy_put_if(req, "notes", nested(req, 1), "c",
	    json(req, "[1]")), -1);
	assert_null(bothy_store(req, "Nonsense", NULL));
	assert_string_equal(bothy_store_error(req)->name,
	    "ValidationException");
	is_json(bothy_store(req, "DescribeTable",
	    json(req, "{\"TableName\":\"notes\"}")), "{\"Table\":{}}");
	assert_null(bothy_store_error(req));
	return 0;
}

static void
mistakes_are_told_before_they_are_sent(void **state)
{
	static const struct talk talks[] = {
		{"DescribeTable 1 {\"TableName\":\"notes\"}", 0,
		    "{\"Table\":{}}"},
		{NULL, 0, NULL},
	};

	(void)state;
	against(talks, makes_mistakes);
}

static int
loses_the_store(struct bothy_req *req)
{
	assert_int_equal(bothy_put(req, "notes", json(req, "{\"id\":1}")), -1);
	assert_string_equal(bothy_store_error(req)->name,
	    "UnreachableException");
	assert_false(bothy_store_error(req)->unknown);
	assert_int_equal(bothy_failed(req), 503);
	return 0;
}

static void
an_absent_store_is_told(void **state)
{
	char deadline[32];
	struct timespec now;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(deadline, sizeof deadline, "%lld",
	    (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 200);
	setenv("BOTHY_DEADLINE_MS", deadline, 1);
	setenv("BOTHY_STORE", "/tmp/bothy-no-such/store.sock", 1);
	serve(loses_the_store);
	assert_int_equal(fixture_status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		REQUEST_TEST(a_document_is_got),
		REQUEST_TEST(a_document_is_written),
		REQUEST_TEST(any_number_is_read),
		REQUEST_TEST(rows_come_page_by_page),
		REQUEST_TEST(a_scan_may_fail_half_way),
		REQUEST_TEST(batches_are_sent_until_done),
		REQUEST_TEST(a_transaction_is_one_request),
		REQUEST_TEST(without_a_store_calls_fail),
		REQUEST_TEST(mistakes_are_told_before_they_are_sent),
		REQUEST_TEST(an_absent_store_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
