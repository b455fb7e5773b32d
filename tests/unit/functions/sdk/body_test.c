/*
 * The body: whole, in pieces, as JSON, at its limits, cut short.
 */
#include "request_fixture.h"

static int
whole(struct bothy_req *req)
{
	size_t n;
	char c;

	assert_string_equal(bothy_body(req, &n), "hello");
	assert_int_equal(n, 5);
	assert_string_equal(bothy_body(req, NULL), "hello");
	assert_int_equal(bothy_read(req, &c, 1), -1);
	assert_int_equal(bothy_failed(req), 500);
	return 0;
}

static void
test_whole(void **state)
{
	(void)state;
	serve_body(whole, "hello");
	serve_told(whole, "hello", 5, SDK_BODY_UNKNOWN);
	/* What is behind CONTENT_LENGTH is not the body's. */
	serve_told(whole, "hello you", 9, 5);
}

static int
empty(struct bothy_req *req)
{
	size_t n = 1;

	assert_string_equal(bothy_body(req, &n), "");
	assert_int_equal(n, 0);
	return 0;
}

static void
test_empty(void **state)
{
	(void)state;
	serve(empty);
	serve_told(empty, "", 0, SDK_BODY_UNKNOWN);
}

static int
pieces(struct bothy_req *req)
{
	char piece[4];

	assert_int_equal(bothy_read(req, piece, 4), 4);
	assert_memory_equal(piece, "hell", 4);
	assert_null(bothy_body(req, NULL));
	assert_int_equal(bothy_failed(req), 500);
	assert_int_equal(bothy_read(req, piece, 4), 1);
	assert_int_equal(piece[0], 'o');
	assert_int_equal(bothy_read(req, piece, 4), 0);
	assert_int_equal(bothy_read(req, piece, 4), 0);
	return 0;
}

static void
test_pieces(void **state)
{
	(void)state;
	serve_body(pieces, "hello");
	serve_told(pieces, "hello", 5, SDK_BODY_UNKNOWN);
	serve_told(pieces, "hello you", 9, 5);
}

static int
too_large(struct bothy_req *req)
{
	size_t n = 9;

	bothy_limit(req, BOTHY_MAX_BODY, 4);
	assert_null(bothy_body(req, &n));
	assert_int_equal(n, 0);
	assert_int_equal(bothy_failed(req), 413);
	assert_string_equal(bothy_error_text(req),
	    "the body is larger than 4 bytes");
	assert_null(bothy_body(req, NULL));
	return bothy_refuse(req);
}

static int
just_fits(struct bothy_req *req)
{
	bothy_limit(req, BOTHY_MAX_BODY, 5);
	assert_string_equal(bothy_body(req, NULL), "hello");
	return 0;
}

static void
test_limit(void **state)
{
	(void)state;
	assert_non_null(strstr(serve_body(too_large, "hello"),
	    "Status: 413 Content Too Large\r\n"));
	assert_string_equal(reply_body(),
	    "{\"message\":\"the body is larger than 4 bytes\"}\n");
	serve_told(too_large, "hello", 5, SDK_BODY_UNKNOWN);
	serve_body(just_fits, "hello");
	serve_told(just_fits, "hello", 5, SDK_BODY_UNKNOWN);
}

static int
cut_short(struct bothy_req *req)
{
	assert_null(bothy_body(req, NULL));
	assert_int_equal(bothy_failed(req), 400);
	assert_string_equal(bothy_error_text(req),
	    "the body ended 4 bytes early");
	return 0;
}

static void
test_cut_short(void **state)
{
	(void)state;
	serve_told(cut_short, "hello", 5, 9);
}

static int
json(struct bothy_req *req)
{
	json_t *j = bothy_json_body(req);

	assert_non_null(j);
	assert_ptr_equal(j, bothy_json_body(req));
	assert_int_equal(json_integer_value(json_object_get(j, "a")), 1);
	return 0;
}

static int
json_scalar(struct bothy_req *req)
{
	assert_string_equal(json_string_value(bothy_json_body(req)), "x");
	return 0;
}

static int
not_json(struct bothy_req *req)
{
	assert_null(bothy_json_body(req));
	assert_int_equal(bothy_failed(req), 400);
	return bothy_refuse(req);
}

static void
test_json(void **state)
{
	static const char *const BAD[] = {"", "{", "{\"a\":1} x",
	    "{\"a\":1,\"a\":2}", "\"\xff\"", "\"\\u0000\"", "[1,]"};
	size_t i;

	(void)state;
	serve_body(json, "{\"a\": 1}");
	serve_body(json_scalar, "\"x\"");
	for (i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
		assert_non_null(strstr(serve_body(not_json, BAD[i]),
		    "{\"message\":\"the body is not JSON: line 1: "));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    REQUEST_TEST(test_whole),
	    REQUEST_TEST(test_empty),
	    REQUEST_TEST(test_pieces),
	    REQUEST_TEST(test_limit),
	    REQUEST_TEST(test_cut_short),
	    REQUEST_TEST(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
