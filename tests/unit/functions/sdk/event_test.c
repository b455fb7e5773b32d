/*
 * API Gateway style: the event that a request becomes, and the reply that a
 * result becomes (payload format version 2.0).
 */
#include "request_fixture.h"

#include "store/base/clock.h"

static const char EVENT[] = "{'version': '2.0',"
    "'routeKey': 'PUT /orders/{order-id}/{rest+}',"
    "'rawPath': '/orders/1%37/a', 'rawQueryString': 'a=1&b=%C3%A4&a=2',"
    "'cookies': ['id=7', 'x=y'],"
    "'headers': {'accept-language': 'de', 'host': 'www.example.org:8080',"
    " 'content-type': 'text/plain', 'content-length': '5',"
    " 'user-agent': 'tester', 'x-latin': 'caf\xef\xbf\xbd'},"
    "'queryStringParameters': {'a': '1,2', 'b': '\xc3\xa4'},"
    "'pathParameters': {'order-id': '17', 'rest': 'a'},"
    "'requestContext': {'accountId': 'anonymous', 'apiId': 'orders',"
    " 'authorizer': {'jwt': {'claims': {'sub': 'me'}, 'scopes': null}},"
    " 'domainName': 'www.example.org', 'domainPrefix': 'www',"
    " 'http': {'method': 'PUT', 'path': '/orders/17/a',"
    "  'protocol': 'HTTP/1.1', 'sourceIp': '192.0.2.1',"
    "  'userAgent': 'tester'},"
    " 'requestId': 'r-1', 'routeKey': 'PUT /orders/{order-id}/{rest+}',"
    " 'stage': '$default', 'time': '', 'timeEpoch': 0},"
    "'body': 'hello', 'isBase64Encoded': false}";

/* JSON with ' for ". */
static json_t *
quoted(const char *text)
{
	char *copy = strdup(text), *at;
	json_t *json;

	for (at = copy; (at = strchr(at, '\''));)
		*at = '"';
	json = json_loads(copy, JSON_DECODE_ANY, NULL);
	free(copy);
	assert_non_null(json);
	return json;
}

/* Takes the time out of an event, having looked at it. */
static void
check_time(json_t *event)
{
	json_t *context = json_object_get(event, "requestContext");
	const char *text =
	    json_string_value(json_object_get(context, "time"));
	json_int_t ms =
	    json_integer_value(json_object_get(context, "timeEpoch"));

	assert_true(clock_wall_ms() - ms < 10000);
	assert_int_equal(strlen(text), strlen("12/Mar/2020:19:03:58 +0000"));
	json_object_set_new(context, "time", json_string(""));
	json_object_set_new(context, "timeEpoch", json_integer(0));
}

static int
whole_event(struct bothy_req *req)
{
	json_t *event = bothy_event(req), *expected = quoted(EVENT);
	char *text;

	assert_non_null(event);
	assert_ptr_equal(event, bothy_event(req));
	check_time(event);
	text = json_dumps(event, JSON_COMPACT);
	if (!json_equal(event, expected))
		fail_msg("event is %s", text);
	free(text);
	json_decref(expected);
	return 0;
}

static void
test_event(void **state)
{
	(void)state;
	setenv("REQUEST_METHOD", "PUT", 1);
	setenv("BOTHY_ROUTE", "PUT /orders/{order-id}/{rest+}", 1);
	setenv("BOTHY_PARAM_order_id", "17", 1);
	setenv("BOTHY_PARAM_rest", "a", 1);
	setenv("BOTHY_FUNCTION", "orders", 1);
	setenv("BOTHY_REQUEST_ID", "r-1", 1);
	setenv("BOTHY_AUTH", "{\"sub\": \"me\"}", 1);
	setenv("REQUEST_URI", "http://www.example.org:8080/orders/1%37/a?a=1",
	    1);
	setenv("SCRIPT_NAME", "/orders/17", 1);
	setenv("PATH_INFO", "/a", 1);
	setenv("QUERY_STRING", "a=1&b=%C3%A4&a=2", 1);
	setenv("HTTP_COOKIE", "id=7; x=y", 1);
	setenv("HTTP_ACCEPT_LANGUAGE", "de", 1);
	setenv("HTTP_HOST", "www.example.org:8080", 1);
	setenv("HTTP_USER_AGENT", "tester", 1);
	setenv("HTTP_X_LATIN", "caf\xe9", 1);
	setenv("CONTENT_TYPE", "text/plain", 1);
	setenv("CONTENT_LENGTH", "5", 1);
	setenv("REMOTE_ADDR", "192.0.2.1", 1);
	serve_body(whole_event, "hello");
}

static int
bare_event(struct bothy_req *req)
{
	json_t *event = bothy_event(req);

	assert_non_null(event);
	assert_null(json_object_get(event, "body"));
	assert_null(json_object_get(event, "cookies"));
	assert_null(json_object_get(event, "queryStringParameters"));
	assert_null(json_object_get(event, "pathParameters"));
	assert_string_equal(json_string_value(
	    json_object_get(event, "rawPath")), "/");
	assert_int_equal(json_object_size(
	    json_object_get(event, "headers")), 0);
	return 0;
}

static int
binary_event(struct bothy_req *req)
{
	json_t *event = bothy_event(req);

	assert_string_equal(json_string_value(
	    json_object_get(event, "body")), "YQBi");
	assert_true(json_is_true(json_object_get(event, "isBase64Encoded")));
	return 0;
}

static int
scheduled_event(struct bothy_req *req)
{
	json_t *event = bothy_event(req);

	assert_int_equal(json_object_size(event), 1);
	assert_true(json_is_true(json_object_get(event, "tick")));
	return 0;
}

static int
refused_event(struct bothy_req *req)
{
	bothy_limit(req, BOTHY_MAX_BODY, 1);
	assert_null(bothy_event(req));
	assert_int_equal(bothy_failed(req), 413);
	return 0;
}

static int
refused_query(struct bothy_req *req)
{
	bothy_limit(req, BOTHY_MAX_FIELDS, 1);
	assert_null(bothy_event(req));
	assert_int_equal(bothy_failed(req), 400);
	return 0;
}

static void
test_other_events(void **state)
{
	(void)state;
	serve(bare_event);
	serve_told(binary_event, "a\0b", 3, 3);
	serve_body(refused_event, "ab");
	setenv("QUERY_STRING", "a&b", 1);
	serve(refused_query);
	setenv("BOTHY_EVENT", "schedule", 1);
	serve_body(scheduled_event, "{\"tick\": true}");
}

#define JSON_REPLY(length, body) "Status: 200 OK\r\n" \
	"Content-Length: " length "\r\n" \
	"Content-Type: application/json\r\n\r\n" body

static const struct {
	const char *result, *reply;	/* "": refused */
} RESULTS[] = {
    {"{'hello': 'you'}", JSON_REPLY("16", "{\"hello\":\"you\"}\n")},
    {"'plain'", JSON_REPLY("5", "plain")},
    {"[1]", JSON_REPLY("4", "[1]\n")},
    {"null", JSON_REPLY("5", "null\n")},
    {"{'statusCode': 204}", "Status: 204 No Content\r\n\r\n"},
    {"{'statusCode': 404, 'body': 'no'}",
     "Status: 404 Not Found\r\nContent-Length: 2\r\n"
     "Content-Type: text/plain; charset=utf-8\r\n\r\nno"},
    {"{'statusCode': 200, 'headers': {'content-type': 'text/html', 'x-n': 1,"
     " 'x-b': true, 'Content-Length': '99'}, 'cookies': ['a=1', 'b=2'],"
     " 'body': 'YS1i', 'isBase64Encoded': true}",
     "Status: 200 OK\r\nContent-Length: 3\r\nx-n: 1\r\nx-b: true\r\n"
     "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Type: text/html\r\n\r\n"
     "a-b"},
    {"{'statusCode': 200, 'headers': null, 'cookies': null, 'body': null}",
     "Status: 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"{'statusCode': 302, 'headers': {'location': '/x'}}",
     "Status: 302 Found\r\nContent-Length: 0\r\nlocation: /x\r\n\r\n"},
    {"{'statusCode': '200'}", ""},
    {"{'statusCode': 99}", ""},
    {"{'statusCode': 200, 'body': {}}", ""},
    {"{'statusCode': 200, 'body': 'Y', 'isBase64Encoded': true}", ""},
    {"{'statusCode': 200, 'headers': {'location': '/x', 'x': []}}", ""},
    {"{'statusCode': 200, 'headers': {'x': 'a\\r\\nb'}}", ""},
    {"{'statusCode': 200, 'headers': {'content-type': 'a\\nb'},"
     " 'body': 'x'}", ""},
    {"{'statusCode': 200, 'headers': [1]}", ""},
    {"{'statusCode': 200, 'cookies': 'a=1'}", ""},
    {"{'statusCode': 200, 'cookies': [1]}", ""},
};

static size_t at;

static int
reply_one(struct bothy_req *req)
{
	json_t *result = quoted(RESULTS[at].result);
	int rc = bothy_reply_event(req, result);

	assert_int_equal(rc, *RESULTS[at].reply ? 0 : -1);
	assert_int_equal(bothy_failed(req), rc ? 500 : 0);
	json_decref(result);
	return rc;
}

static int
reply_nothing(struct bothy_req *req)
{
	return bothy_reply_event_new(req, NULL);
}

static int
reply_bytes(struct bothy_req *req)
{
	return bothy_reply_event_new(req, quoted("{'statusCode': 200,"
	    "'isBase64Encoded': true, 'body': 'YQBi'}"));
}

static void
test_replies(void **state)
{
	(void)state;
	for (at = 0; at < sizeof RESULTS / sizeof RESULTS[0]; at++) {
		serve(reply_one);
		assert_string_equal(fixture_reply, RESULTS[at].reply);
	}
	serve(reply_bytes);
	assert_memory_equal(reply_body(), "a\0b", 3);
	assert_ptr_equal(reply_body() + 3, fixture_reply + fixture_len);
	assert_string_equal(serve(reply_nothing), "");
	assert_int_equal(fixture_status, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    REQUEST_TEST(test_event),
	    REQUEST_TEST(test_other_events),
	    REQUEST_TEST(test_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
