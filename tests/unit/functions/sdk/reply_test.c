/*
 * The reply: what is composed, when it is committed, and what is refused.
 */
#include "request_fixture.h"

static int
silent(struct bothy_req *req)
{
	(void)req;
	return 0;
}

static int
failing(struct bothy_req *req)
{
	bothy_set_header(req, "X-A", "b");
	return 3;
}

static int
failing_with_location(struct bothy_req *req)
{
	bothy_set_header(req, "Location", "/x");
	return -1;
}

static int
status_only(struct bothy_req *req)
{
	return bothy_status(req, 418);
}

static int
redirect(struct bothy_req *req)
{
	return bothy_set_header(req, "Location", "/elsewhere");
}

static int
partial_failure(struct bothy_req *req)
{
	bothy_write(req, "half", 4);
	return 1000;
}

static void
test_implied_status(void **state)
{
	(void)state;
	assert_string_equal(serve(silent), "");
	assert_int_equal(fixture_status, 0);
	assert_string_equal(serve(failing), "");
	assert_int_equal(fixture_status, 3);
	assert_string_equal(serve(failing_with_location), "");
	assert_int_equal(fixture_status, 1);
	assert_string_equal(serve(status_only),
	    "Status: 418 \r\nContent-Length: 0\r\n\r\n");
	assert_string_equal(serve(redirect),
	    "Status: 302 Found\r\nContent-Length: 0\r\n"
	    "Location: /elsewhere\r\n\r\n");
	assert_string_equal(serve(partial_failure),
	    "Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: 4\r\n\r\nhalf");
	assert_int_equal(fixture_status, 1);
}

static int
headers(struct bothy_req *req)
{
	assert_int_equal(bothy_set_header(req, "X-A", "1"), 0);
	assert_int_equal(bothy_set_header(req, "X-AB", "2"), 0);
	assert_int_equal(bothy_add_header(req, "x-a", "3"), 0);
	assert_int_equal(bothy_set_header(req, "X-B", ""), 0);
	assert_int_equal(bothy_set_header(req, "x-A", "4"), 0);
	assert_int_equal(bothy_set_header(req, "X-B", NULL), 0);
	assert_int_equal(bothy_set_header(req, "X-C", NULL), 0);
	assert_int_equal(bothy_add_header(req, "Set-Cookie", "a=1"), 0);
	assert_int_equal(bothy_add_header(req, "Set-Cookie", "b=2"), 0);
	assert_int_equal(bothy_set_header(req, "Content-Type", "a/b"), 0);
	assert_int_equal(bothy_failed(req), 0);
	return bothy_write(req, "x", 1);
}

static void
test_headers(void **state)
{
	(void)state;
	assert_string_equal(serve(headers),
	    "Status: 200 OK\r\nContent-Length: 1\r\nX-AB: 2\r\nx-A: 4\r\n"
	    "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Type: a/b\r\n\r\nx");
}

static int
bad_headers(struct bothy_req *req)
{
	static const char *const NAMES[] = {"", "a b", "a:", "a\r\nb", "\xc3",
	    "Status", "connection", "Transfer-Encoding", "Upgrade"};
	static const char *const VALUES[] = {"a\r\nSet-Cookie: b=1", "a\n",
	    "\r", "\x01", "\x7f"};
	char longest[9000];
	size_t i;

	for (i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
		assert_int_equal(bothy_set_header(req, NAMES[i], "v"), -1);
	for (i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
		assert_int_equal(bothy_set_header(req, "X", VALUES[i]), -1);
		assert_int_equal(bothy_add_header(req, "X", VALUES[i]), -1);
	}
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(bothy_set_header(req, "X", longest), -1);
	assert_int_equal(bothy_failed(req), 500);
	for (i = 0; bothy_add_header(req, "X", "1") == 0; i++)
		;
	assert_int_equal(i, 100);
	assert_int_equal(bothy_set_header(req, "X", NULL), 0);
	longest[8000] = '\0';
	for (i = 0; bothy_add_header(req, "X", longest) == 0; i++)
		;
	assert_int_equal(i, 4);
	assert_int_equal(bothy_set_header(req, "X", NULL), 0);
	assert_int_equal(bothy_status(req, 101), -1);
	assert_int_equal(bothy_status(req, 600), -1);
	return 0;
}

static void
test_bad_headers(void **state)
{
	(void)state;
	assert_string_equal(serve(bad_headers), "");
}

static int
no_body(struct bothy_req *req)
{
	bothy_write(req, "dropped", 7);
	bothy_status(req, 304);
	assert_int_equal(bothy_write(req, "x", 1), -1);
	assert_int_equal(bothy_write(req, "", 0), 0);
	return bothy_set_header(req, "ETag", "\"1\"");
}

static int
no_body_flushed(struct bothy_req *req)
{
	bothy_status(req, 204);
	assert_int_equal(bothy_flush(req), 0);
	return bothy_write(req, "x", 1) == -1 ? 0 : 1;
}

static void
test_no_body(void **state)
{
	(void)state;
	assert_string_equal(serve(no_body),
	    "Status: 304 Not Modified\r\nETag: \"1\"\r\n\r\n");
	assert_string_equal(serve(no_body_flushed),
	    "Status: 204 No Content\r\n\r\n");
	assert_int_equal(fixture_status, 0);
}

static int
streaming(struct bothy_req *req)
{
	assert_int_equal(bothy_printf(req, "%s %d\n", "tick", 1), 0);
	assert_int_equal(bothy_flush(req), 0);
	assert_int_equal(bothy_status(req, 404), -1);
	assert_int_equal(bothy_set_header(req, "X-A", "1"), -1);
	assert_int_equal(bothy_text(req, 500, "late"), -1);
	assert_int_equal(bothy_error(req, 500, "late"), -1);
	assert_int_equal(bothy_json_new(req, 500, json_null()), -1);
	assert_int_equal(bothy_printf(req, "tick 2\n"), 0);
	assert_int_equal(bothy_flush(req), 0);
	return bothy_printf(req, "rest\n");
}

static void
test_streaming(void **state)
{
	static const char COMMITTED[] = "Status: 200 OK\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\ntick 1\ntick 2\n";

	(void)state;
	assert_string_equal(serve(streaming) + fixture_committed, "rest\n");
	assert_int_equal(fixture_committed, sizeof COMMITTED - 1);
	assert_memory_equal(fixture_reply, COMMITTED, fixture_committed);
	assert_int_equal(fixture_flushes, 2);
}

static size_t big;

static int
many_bytes(struct bothy_req *req)
{
	char c;
	size_t i;

	for (i = 0; i < big; i++) {
		c = (char)('a' + i % 26);
		assert_int_equal(bothy_write(req, &c, 1), 0);
	}
	return 0;
}

static int
many_bytes_at_once(struct bothy_req *req)
{
	char *p = malloc(big);
	size_t i;
	int rc;

	for (i = 0; i < big; i++)
		p[i] = (char)('a' + i % 26);
	bothy_add_header(req, "X-A", "1");
	rc = bothy_write(req, p, big / 3) + bothy_write(req, p + big / 3,
	    big - big / 3);
	free(p);
	return rc;
}

static void
test_sizes(void **state)
{
	static const size_t SIZES[] = {1, 4096, 61439, 61440, 61441, 65000,
	    65536, 65537, 131072, 500000};
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
		big = SIZES[i];
		for (k = 0; k < 2; k++) {
			serve(k ? many_bytes_at_once : many_bytes);
			assert_int_equal(fixture_status, 0);
			assert_int_equal(strlen(reply_body()), big);
			assert_int_equal(fixture_reply[fixture_len - 1],
			    'a' + (big - 1) % 26);
			assert_true((fixture_committed > 0) == (big > 61440));
		}
	}
}

static int
replaced(struct bothy_req *req)
{
	bothy_printf(req, "half a page");
	bothy_set_header(req, "X-Kept", "1");
	bothy_set_header(req, "Content-Length", "99");
	return bothy_error(req, 409, "no \"%s\"", "way");
}

static int
json(struct bothy_req *req)
{
	json_t *j = json_pack("{s:i, s:[f, f, f, f]}", "a", 1, "reals", 0.1,
	    1.0, 1e-7, 3.141592653589793);
	int rc = bothy_json(req, 201, j);

	assert_int_equal(j->refcount, 1);
	json_decref(j);
	return rc;
}

static int
no_json(struct bothy_req *req)
{
	return bothy_json_new(req, 200, NULL);
}

static int
refused_for_nothing(struct bothy_req *req)
{
	return bothy_refuse(req);
}

static int
own_mistake(struct bothy_req *req)
{
	bothy_status(req, 7);
	return bothy_refuse(req);
}

static void
test_whole_replies(void **state)
{
	(void)state;
	assert_string_equal(serve(replaced),
	    "Status: 409 Conflict\r\nContent-Length: 25\r\nX-Kept: 1\r\n"
	    "Content-Type: application/json\r\n\r\n"
	    "{\"message\":\"no \\\"way\\\"\"}\n");
	assert_string_equal(serve(json),
	    "Status: 201 Created\r\nContent-Length: 50\r\n"
	    "Content-Type: application/json\r\n\r\n{\"a\":1,\"reals\":"
	    "[0.1,1.0,1e-07,3.141592653589793]}\n");
	assert_string_equal(serve(no_json), "");
	assert_int_equal(fixture_status, 1);
	assert_non_null(strstr(serve(refused_for_nothing), "Status: 400 "));
	assert_string_equal(reply_body(), "{\"message\":\"bad request\"}\n");
	assert_non_null(strstr(serve(own_mistake), "Status: 500 "));
	assert_string_equal(reply_body(), "{\"message\":\"internal error\"}\n");
}

static int
broken_pipe(struct bothy_req *req)
{
	assert_int_equal(bothy_printf(req, "x"), 0);
	assert_int_equal(bothy_flush(req), -1);
	assert_int_equal(bothy_failed(req), 500);
	assert_int_equal(bothy_printf(req, "x"), -1);
	assert_int_equal(bothy_flush(req), -1);
	return 0;
}

static void
test_broken_output(void **state)
{
	struct sdk_io io = {.in_fd = -1, .out_fd = -1};
	struct sdk_output rest;

	(void)state;
	fixture_handler = broken_pipe;
	assert_int_equal(sdk_serve(&io, &rest), 1);
	assert_int_equal(rest.len, 0);
	sdk_reset();
}

static int
long_print(struct bothy_req *req)
{
	return bothy_printf(req, "%2000d|", 7);
}

static void
test_long_print(void **state)
{
	(void)state;
	serve(long_print);
	assert_int_equal(strlen(reply_body()), 2001);
	assert_string_equal(reply_body() + 1998, " 7|");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    REQUEST_TEST(test_implied_status),
	    REQUEST_TEST(test_headers),
	    REQUEST_TEST(test_bad_headers),
	    REQUEST_TEST(test_no_body),
	    REQUEST_TEST(test_streaming),
	    REQUEST_TEST(test_sizes),
	    REQUEST_TEST(test_whole_replies),
	    REQUEST_TEST(test_broken_output),
	    REQUEST_TEST(test_long_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
