/*
 * Answers from afar and requests on their way: what is turned from typed into
 * plain JSON, and back; what is left alone; what is refused.
 */
#include "store/relay/relay.h"

#include "store/value/fault.h"
#include "store/wire/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 1 << 20 };

static int
tell(const char *body, bool plain, struct buf *out)
{
	struct arena a;
	struct err e;
	int rc;

	arena_init(&a, ROOM);
	buf_reset(out);
	rc = relay_answer(body, strlen(body), plain, &a, out, &e);
	arena_release(&a);
	return rc;
}

static void
becomes(const char *body, const char *expected)
{
	struct buf out;

	buf_init(&out, ROOM);
	assert_int_equal(tell(body, true, &out), 0);
	assert_string_equal(buf_str(&out), expected);
	assert_int_equal(tell(body, false, &out), 0);
	assert_int_equal(strchr(buf_str(&out), 'S') != NULL,
	    strchr(body, 'S') != NULL);
	buf_release(&out);
}

static void
test_items(void **state)
{
	(void)state;
	becomes("{}", "{}");
	becomes("{\"Item\":{\"a\":{\"S\":\"x\"},\"n\":{\"N\":\"1.50\"}}}",
	    "{\"Item\":{\"a\":\"x\",\"n\":1.5}}");
	becomes("{\"__type\":\"a#b\",\"message\":\"m\",\"Item\":{}}",
	    "{\"message\":\"m\",\"Item\":{}}");
	becomes("{\"Items\":[{\"a\":{\"S\":\"x\"}},{}],\"Count\":2,"
	    "\"LastEvaluatedKey\":{\"a\":{\"S\":\"x\"}}}",
	    "{\"Items\":[{\"a\":\"x\"},{}],\"Count\":2,"
	    "\"LastEvaluatedKey\":{\"a\":\"x\"}}");
	becomes("{\"Responses\":{\"Item\":[{\"a\":{\"S\":\"x\"}}]}}",
	    "{\"Responses\":{\"Item\":[{\"a\":\"x\"}]}}");
	becomes("{\"Responses\":[{\"TableName\":\"t\",\"Item\":{\"a\":"
	    "{\"S\":\"x\"}}},{\"Error\":{\"Code\":\"C\",\"Item\":{\"a\":"
	    "{\"S\":\"y\"}}}}]}",
	    "{\"Responses\":[{\"TableName\":\"t\",\"Item\":{\"a\":\"x\"}},"
	    "{\"Error\":{\"Code\":\"C\",\"Item\":{\"a\":\"y\"}}}]}");
	becomes("{\"Records\":[{\"dynamodb\":{\"Keys\":{\"a\":{\"S\":\"x\"}},"
	    "\"NewImage\":{\"a\":{\"S\":\"x\"}}}}]}",
	    "{\"Records\":[{\"dynamodb\":{\"Keys\":{\"a\":\"x\"},"
	    "\"NewImage\":{\"a\":\"x\"}}}]}");
	becomes("{\"Table\":{\"KeySchema\":[{\"AttributeName\":\"Item\"}]}}",
	    "{\"Table\":{\"KeySchema\":[{\"AttributeName\":\"Item\"}]}}");
}

static void
test_nonsense(void **state)
{
	static const char *const bad[] = {"", "[]", "5", "{", "{}x",
	    "{\"Item\":{\"a\":{\"S\":5}}}", "{\"Items\":[{\"a\":\"x\"}]}",
	    "{\"Item\":{\"a\":{\"Q\":\"x\"}}}"};
	char deep[4096];
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, ROOM);
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(tell(bad[i], true, &out), -1);
		assert_int_equal(out.len, 0);
	}
	memset(deep, '[', sizeof deep - 1);
	memcpy(deep, "{\"x\":", 5);
	deep[sizeof deep - 1] = '\0';
	assert_int_equal(tell(deep, true, &out), -1);
	assert_int_equal(tell(deep, false, &out), -1);
	buf_release(&out);
}

static void
test_requests(void **state)
{
	static const struct {
		int op;
		const char *plain, *typed;
	} cases[] = {
		{OP_GET_ITEM, "{\"TableName\":\"t\",\"Key\":{\"a\":1}}",
		    "{\"TableName\":\"t\",\"Key\":{\"a\":{\"N\":\"1\"}}}"},
		{OP_QUERY, "{\"ExpressionAttributeValues\":{\":a\":[true]},"
		    "\"ExclusiveStartKey\":{\"a\":\"x\"},\"Limit\":5}",
		    "{\"ExpressionAttributeValues\":{\":a\":{\"L\":[{\"BOOL\":"
		    "true}]}},\"ExclusiveStartKey\":{\"a\":{\"S\":\"x\"}},"
		    "\"Limit\":5}"},
		{OP_QUERY, "{\"KeyConditions\":{\"a\":{\"ComparisonOperator\":"
		    "\"EQ\",\"AttributeValueList\":[1,\"x\"]}}}",
		    "{\"KeyConditions\":{\"a\":{\"ComparisonOperator\":\"EQ\","
		    "\"AttributeValueList\":[{\"N\":\"1\"},{\"S\":\"x\"}]}}}"},
		{OP_UPDATE_ITEM, "{\"AttributeUpdates\":{\"a\":{\"Value\":1}},"
		    "\"Expected\":{\"b\":{\"Value\":\"x\"}}}",
		    "{\"AttributeUpdates\":{\"a\":{\"Value\":{\"N\":\"1\"}}},"
		    "\"Expected\":{\"b\":{\"Value\":{\"S\":\"x\"}}}}"},
		{OP_EXECUTE_STATEMENT, "{\"Statement\":\"s\",\"Parameters\":"
		    "[1,{\"a\":null}]}",
		    "{\"Statement\":\"s\",\"Parameters\":[{\"N\":\"1\"},"
		    "{\"M\":{\"a\":{\"NULL\":true}}}]}"},
		{OP_CREATE_TABLE, "{\"TableName\":\"t\",\"Tags\":[{\"Key\":"
		    "\"k\",\"Value\":\"v\"}]}",
		    "{\"TableName\":\"t\",\"Tags\":[{\"Key\":\"k\",\"Value\":"
		    "\"v\"}]}"},
		{OP_GET_ITEM, "{\"Key\":null,\"x\":[{}],\"y\\\"\":1}",
		    "{\"Key\":null,\"x\":[{}],\"y\\\"\":1}"},
	};
	struct arena a;
	struct buf out;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		arena_init(&a, ROOM);
		buf_init(&out, ROOM);
		assert_int_equal(request_retype(cases[i].op, &a,
		    cases[i].plain, strlen(cases[i].plain), &out, &e), 0);
		assert_string_equal(buf_str(&out), cases[i].typed);
		buf_release(&out);
		arena_release(&a);
	}
	arena_init(&a, ROOM);
	buf_init(&out, ROOM);
	assert_int_equal(request_retype(OP_GET_ITEM, &a, "{\"Key\":{\"a\":"
	    "{\"$set\":[]}}}", 24, &out, &e), -1);
	assert_int_equal(request_retype(OP_GET_ITEM, &a, "[]", 2, &out, &e),
	    -1);
	buf_release(&out);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
