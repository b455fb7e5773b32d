/*
 * fcgi/gateway/reply.c: RFC 3875 section 6, and what functions do instead.
 */
#include "fcgi/gateway/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct reply reply;
static struct buf out;

static int
set_up(void **state)
{
	(void)state;
	reply_init(&reply);
	buf_init(&out, 1024 * 1024);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	reply_release(&reply);
	buf_release(&out);
	return 0;
}

/* Feeds `text` in pieces of `step` bytes: how many were header. */
static size_t
feed(const char *text, size_t n, size_t step)
{
	size_t at = 0, used, piece;

	while (at < n) {
		piece = n - at < step ? n - at : step;
		reply_feed(&reply, text + at, piece, &used);
		at += used;
		if (reply.state != REPLY_MORE)
			break;
		assert_int_equal(used, piece);
	}
	return at;
}

static enum reply_state
feed_all(const char *text)
{
	reply_begin(&reply, false);
	feed(text, strlen(text), strlen(text));
	return reply.state;
}

/* The header of a buffered reply whose body has `body_bytes`. */
static const char *
head(int64_t body_bytes)
{
	const struct reply_extra x = {
	    .request_id = "ID", .body_bytes = body_bytes};

	buf_reset(&out);
	assert_int_equal(reply_head(&reply, &x, &out), 0);
	return buf_str(&out);
}

static void
test_document(void **state)
{
	static const char text[] =
	    "Content-Type: text/plain\r\nX-A:1 \nSet-Cookie: a=1\n"
	    "Set-Cookie: b=2\r\n\r\nbody";
	size_t step;

	(void)state;
	for (step = 1; step < sizeof(text); step++) {
		reply_begin(&reply, false);
		assert_int_equal(feed(text, sizeof(text) - 1, step),
		    sizeof(text) - 1 - 4);
		assert_int_equal(reply.state, REPLY_READY);
		assert_int_equal(reply.status, 200);
		assert_string_equal(head(4),
		    "Status: 200 OK\r\nContent-Type: text/plain\r\nX-A: 1\r\n"
		    "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
		    "Content-Length: 4\r\nX-Request-Id: ID\r\n\r\n");
		assert_int_equal(reply_body(&reply, 4), 4);
		assert_false(reply_short(&reply));
	}
}

static void
test_status(void **state)
{
	(void)state;
	assert_int_equal(feed_all("Status: 404\n\n"), REPLY_READY);
	assert_string_equal(head(0), "Status: 404 Not Found\r\n"
	    "Content-Length: 0\r\nX-Request-Id: ID\r\n\r\n");
	assert_int_equal(
	    feed_all("status:418 short and stout\n\n"), REPLY_READY);
	assert_int_equal(reply.status, 418);
	assert_string_equal(head(0), "Status: 418 short and stout\r\n"
	    "Content-Length: 0\r\nX-Request-Id: ID\r\n\r\n");
	/* A number without a phrase of the registry is legal. */
	assert_int_equal(feed_all("Status: 299\n\n"), REPLY_READY);
	assert_string_equal(head(0), "Status: 299 Status\r\n"
	    "Content-Length: 0\r\nX-Request-Id: ID\r\n\r\n");
}

static void
test_redirects(void **state)
{
	static const struct {
		const char *text;
		enum reply_state state;
		int status;
	} cases[] = {
	    {"Location: http://x/\n\n", REPLY_READY, 302},
	    {"Location: http://x/#f\nX-Ext: 1\n\n", REPLY_READY, 302},
	    {"Status: 301\nLocation: /a\n\n", REPLY_READY, 301},
	    {"Location: /a\nStatus: 303\nContent-Type: a/b\n\n",
	        REPLY_READY, 303},
	    {"Location: /a\nSet-Cookie: x\n\n", REPLY_READY, 302},
	    {"Location: //evil.example/\n\n", REPLY_READY, 302},
	    {"Location: /a#f\n\n", REPLY_READY, 302},
	    {"Location: /a?b=c\n\n", REPLY_LOCAL_REDIRECT, 0},
	    {"Location: /\r\n\r\n", REPLY_LOCAL_REDIRECT, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(feed_all(cases[i].text), cases[i].state);
		assert_int_equal(reply.status, cases[i].status);
	}
	feed_all("Location: /a?b=c \n\n");
	assert_string_equal(reply.location, "/a?b=c");
	/* What echo leaves behind a redirect without a type goes nowhere. */
	feed_all("Location: http://x/\n\n\n");
	assert_string_equal(head(1), "Status: 302 Found\r\nLocation: "
	    "http://x/\r\nContent-Length: 0\r\nX-Request-Id: ID\r\n\r\n");
	assert_int_equal(reply_body(&reply, 1), 0);
	assert_true(reply.surplus);
	assert_false(reply_short(&reply));
}

static void
test_bad(void **state)
{
	static const char *const cases[] = {"\n", "\r\n", "X-A: 1\n\n",
	    "body\n", "<html>\n", "HTTP/1.1 200 OK\n", ": x\n", "A B: x\n",
	    "A : x\n", "A\t: x\n", "\xc3\xbc: x\n", "A: x\n y\n", " A: x\n",
	    "A: x\ry\n", "A: x\r\r\n", "A: \x01\n", "A: \x7f\n",
	    "Status: 100\n", "Status: 101 Switching\n", "Status: 199\n",
	    "Status: 600\n", "Status: 20\n", "Status: 2000\n", "Status: \n",
	    "Status: OK\n", "Status: 200\nStatus: 200\n", "Status: -20\n",
	    "Content-Length: \n", "Content-Length: -1\n",
	    "Content-Length: 1, 1\n", "Content-Length: 0x1\n",
	    "Content-Length: 1234567890123456789\n",
	    "Content-Length: 1\nContent-Length: 1\n", "Content-Type:\n",
	    "Content-Type: a/b\ncontent-type: a/b\n", "Location:\n",
	    "Location: /a\nLocation: /b\n", "Transfer-Encoding: chunked\n",
	    "transfer-encoding: x\n", "Upgrade: websocket\n", "Trailer: X\n",
	    "TE: x\n", "Content-Length: 4\n\n"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (feed_all(cases[i]) != REPLY_BAD)
			fail_msg("taken: %s", cases[i]);
		assert_non_null(reply.reason);
	}
	reply_begin(&reply, false);
	feed("A: \0b\n", 6, 6);
	assert_int_equal(reply.state, REPLY_BAD);
	reply_begin(&reply, false);
	feed("A\0: b\n", 6, 6);
	assert_int_equal(reply.state, REPLY_BAD);
}

static void
test_early_end(void **state)
{
	(void)state;
	reply_begin(&reply, false);
	assert_int_equal(reply_feed_end(&reply), REPLY_BAD);
	assert_string_equal(reply.reason, "no output at all");
	feed_all("Status: 200\n");
	assert_int_equal(reply_feed_end(&reply), REPLY_BAD);
	assert_string_equal(reply.reason, "an end before the header was whole");
	feed_all("Status: 200\n\n");
	assert_int_equal(reply_feed_end(&reply), REPLY_READY);
}

static void
test_limits(void **state)
{
	size_t size = REPLY_HEADER_MAX + 1024, at, i;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	/* A line of 8 KB, with both ends, and one byte more. */
	memset(text, 'x', size);
	text[1] = ':';
	memcpy(text + REPLY_LINE_MAX, "\r\nStatus: 200\n\n", 15);
	reply_begin(&reply, false);
	feed(text, REPLY_LINE_MAX + 15, 1000);
	assert_int_equal(reply.state, REPLY_READY);
	memset(text + REPLY_LINE_MAX, 'x', 1);
	memcpy(text + REPLY_LINE_MAX + 1, "\r\nStatus: 200\n\n", 15);
	reply_begin(&reply, false);
	feed(text, REPLY_LINE_MAX + 16, 1000);
	assert_int_equal(reply.state, REPLY_BAD);

	/* A line without an end is not waited for. */
	memset(text, 'x', size);
	reply_begin(&reply, false);
	feed(text, size, 10);
	assert_int_equal(reply.state, REPLY_BAD);
	assert_true(reply.text.len <= REPLY_LINE_MAX + 2);

	/* 32 KB in all, in lines of 1 KB. */
	for (at = 0; at < size; at += 1024) {
		memset(text + at, 'x', 1024);
		text[at + 1] = ':';
		text[at + 1023] = '\n';
	}
	reply_begin(&reply, false);
	assert_int_equal(feed(text, REPLY_HEADER_MAX, 777), REPLY_HEADER_MAX);
	assert_int_equal(reply.state, REPLY_MORE);
	feed(text, 1, 1);
	assert_int_equal(reply.state, REPLY_BAD);

	for (i = 0; i <= REPLY_FIELDS_MAX; i++)
		memcpy(text + 5 * i, "A: b\n", 5);
	reply_begin(&reply, false);
	feed(text, 5 * REPLY_FIELDS_MAX, 64);
	assert_int_equal(reply.state, REPLY_MORE);
	feed(text, 5, 5);
	assert_int_equal(reply.state, REPLY_BAD);
	free(text);
}

static void
test_left_out(void **state)
{
	(void)state;
	assert_int_equal(feed_all("Content-Type: a/b\nConnection: close\n"
	    "Keep-Alive: 1\nX-Request-Id: mine\nX-Accel-Redirect: /etc\n"
	    "x-accel-buffering: yes\nX-Sendfile: /etc/passwd\nDate: now\n\n"),
	    REPLY_READY);
	assert_string_equal(head(-1), "Status: 200 OK\r\nContent-Type: a/b\r\n"
	    "Date: now\r\nX-Request-Id: ID\r\n\r\n");
}

static void
test_content_length(void **state)
{
	const struct reply_extra whole = {
	    .request_id = "ID", .body_bytes = 3};

	(void)state;
	/* Longer than promised: the surplus is cut. */
	feed_all("Content-Type: a/b\nContent-Length: 5\n\n");
	assert_non_null(strstr(head(-1), "Content-Length: 5\r\n"));
	assert_int_equal(reply_body(&reply, 3), 3);
	assert_true(reply_short(&reply));
	assert_int_equal(reply_body(&reply, 3), 2);
	assert_true(reply.surplus);
	assert_false(reply_short(&reply));
	assert_int_equal(reply_body(&reply, 3), 0);
	assert_int_equal(reply.seen_bytes, 9);
	assert_int_equal(reply.sent_bytes, 5);

	/* Shorter, and known before anything went out. */
	feed_all("Content-Type: a/b\nContent-Length: 5\n\n");
	assert_int_equal(reply_head(&reply, &whole, &out), -1);
	assert_int_equal(reply.state, REPLY_BAD);

	feed_all("Content-Type: a/b\nContent-Length: 0\n\n");
	head(0);
	assert_false(reply_short(&reply));
}

static void
test_no_type(void **state)
{
	const struct reply_extra whole = {
	    .request_id = "ID", .body_bytes = 3};

	(void)state;
	feed_all("Status: 200\n\n");
	assert_int_equal(reply_head(&reply, &whole, &out), -1);
	assert_int_equal(reply.state, REPLY_BAD);
	feed_all("Status: 200\n\n");
	head(-1);
	assert_int_equal(reply_body(&reply, 3), 0);
	assert_int_equal(reply.state, REPLY_BAD);
}

static void
test_no_body(void **state)
{
	static const char text[] = "Content-Type: a/b\n\n";

	(void)state;
	feed_all("Status: 204\n\n");
	assert_string_equal(
	    head(0), "Status: 204 No Content\r\nX-Request-Id: ID\r\n\r\n");
	assert_int_equal(reply_body(&reply, 3), 0);
	feed_all("Status: 304\nContent-Length: 9\nETag: \"x\"\n\n");
	assert_string_equal(head(0), "Status: 304 Not Modified\r\nETag: "
	    "\"x\"\r\nX-Request-Id: ID\r\n\r\n");
	assert_false(reply_short(&reply));

	/* HEAD by a function that made the body, and by one that did not. */
	reply_begin(&reply, true);
	feed(text, sizeof(text) - 1, 100);
	assert_non_null(strstr(head(7), "Content-Length: 7\r\n"));
	assert_int_equal(reply_body(&reply, 7), 0);
	assert_false(reply.surplus);
	assert_null(strstr(head(0), "Content-Length"));
}

static void
test_stream_and_cors(void **state)
{
	static const char *const origins[] = {"https://a"};
	const struct cors_rules rules = {
	    .origins = origins, .origin_count = 1};
	struct reply_extra x = {.request_id = "ID", .body_bytes = -1,
	    .stream = true, .origin = "https://a"};
	struct cors cors;

	(void)state;
	cors_init(&cors);
	x.cors = &cors;
	feed_all("Content-Type: a/b\nAccess-Control-Allow-Origin: *\n\n");
	buf_reset(&out);
	assert_int_equal(reply_head(&reply, &x, &out), 0);
	assert_string_equal(buf_str(&out),
	    "Status: 200 OK\r\nContent-Type: a/b\r\n"
	    "Access-Control-Allow-Origin: *\r\nX-Request-Id: ID\r\n"
	    "X-Accel-Buffering: no\r\n\r\n");
	assert_int_equal(cors_set(&cors, &rules), 0);
	buf_reset(&out);
	assert_int_equal(reply_head(&reply, &x, &out), 0);
	assert_string_equal(buf_str(&out),
	    "Status: 200 OK\r\nContent-Type: a/b\r\nX-Request-Id: ID\r\n"
	    "X-Accel-Buffering: no\r\nVary: Origin\r\n"
	    "Access-Control-Allow-Origin: https://a\r\n\r\n");
	cors_release(&cors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_document),
	    cmocka_unit_test(test_status),
	    cmocka_unit_test(test_redirects),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_early_end),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_left_out),
	    cmocka_unit_test(test_content_length),
	    cmocka_unit_test(test_no_type),
	    cmocka_unit_test(test_no_body),
	    cmocka_unit_test(test_stream_and_cors),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
