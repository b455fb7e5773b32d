/*
 * fcgi/gateway/answer.c: the gateway's own answers, and the error page.
 */
#include "fcgi/gateway/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct buf out;

static int
set_up(void **state)
{
	(void)state;
	buf_init(&out, 2 * 1024 * 1024);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_release(&out);
	return 0;
}

static const char *
json(const struct answer *a)
{
	buf_reset(&out);
	answer_json(&out, a);
	assert_true(buf_ok(&out));
	return buf_str(&out);
}

/* The Content-Length says what follows the empty line. */
static void
assert_length(const char *text)
{
	const char *body = strstr(text, "\r\n\r\n");
	const char *length = strstr(text, "Content-Length: ");

	assert_non_null(body);
	assert_non_null(length);
	assert_true(length < body);
	assert_int_equal(strtoul(length + 16, NULL, 10), strlen(body + 4));
}

static void
test_json(void **state)
{
	const struct answer a = {.status = 404, .request_id = "ID"};
	const struct answer quoted = {
	    .status = 400, .message = "bad \"x\"\n<b>"};

	(void)state;
	assert_string_equal(json(&a), "Status: 404 Not Found\r\n"
	    "Content-Type: application/json\r\nContent-Length: 24\r\n"
	    "Cache-Control: no-store\r\nX-Request-Id: ID\r\n\r\n"
	    "{\"message\":\"Not Found\"}\n");
	assert_length(buf_str(&out));
	assert_non_null(strstr(
	    json(&quoted), "{\"message\":\"bad \\\"x\\\"\\n<b>\"}\n"));
	assert_length(buf_str(&out));
	assert_null(strstr(buf_str(&out), "X-Request-Id"));
}

static void
test_every_status(void **state)
{
	static const int list[] = {400, 404, 405, 413, 414, 426, 429, 431,
	    500, 502, 503, 504, 507};
	struct answer a = {.request_id = "ID"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		a.status = list[i];
		json(&a);
		assert_length(buf_str(&out));
		assert_int_equal(
		    strtol(buf_str(&out) + 8, NULL, 10), list[i]);
		assert_null(strstr(buf_str(&out), "Status\r\n"));
		assert_int_equal(strstr(buf_str(&out), "Retry-After: 1\r\n")
		        != NULL,
		    list[i] == 429 || list[i] == 503);
	}
	assert_string_equal(answer_phrase(299), "Status");
}

static void
test_fields(void **state)
{
	struct answer a = {.status = 405, .allow = "GET, HEAD"};

	(void)state;
	assert_non_null(strstr(json(&a), "\r\nAllow: GET, HEAD\r\n"));
	a.status = 503;
	a.retry_after_s = 7;
	assert_non_null(strstr(json(&a), "\r\nRetry-After: 7\r\n"));
}

static void
test_head(void **state)
{
	const struct answer a = {.status = 404, .head = true};

	(void)state;
	assert_non_null(strstr(json(&a), "Content-Length: 24\r\n"));
	assert_string_equal(strstr(buf_str(&out), "\r\n\r\n"), "\r\n\r\n");
}

static void
test_cors(void **state)
{
	static const char *const star[] = {"*"};
	const struct cors_rules rules = {.origins = star, .origin_count = 1};
	struct cors cors;
	struct answer a = {
	    .status = 502, .cors = &cors, .origin = "https://a"};

	(void)state;
	cors_init(&cors);
	assert_null(strstr(json(&a), "Access-Control"));
	assert_int_equal(cors_set(&cors, &rules), 0);
	assert_non_null(
	    strstr(json(&a), "Access-Control-Allow-Origin: *\r\n"));
	cors_release(&cors);
}

static void
test_ok(void **state)
{
	const struct answer a = {.request_id = "ID"};

	(void)state;
	buf_reset(&out);
	answer_ok(&out, "{\"status\":\"ok\"}\n", &a);
	assert_length(buf_str(&out));
	assert_int_equal(strncmp(buf_str(&out), "Status: 200 OK\r\n", 16), 0);
	assert_non_null(strstr(buf_str(&out), "{\"status\":\"ok\"}\n"));
}

static void
test_page(void **state)
{
	const struct answer a = {.request_id = "ID"};

	(void)state;
	buf_reset(&out);
	answer_compile_error(&out, "he<llo",
	    "x.c:1:2: error: '<script>' & \"y\"\nplain\x01\n\nend", &a);
	assert_true(buf_ok(&out));
	assert_length(buf_str(&out));
	assert_int_equal(strncmp(buf_str(&out), "Status: 500 ", 12), 0);
	assert_non_null(strstr(buf_str(&out), "<title>he&lt;llo"));
	assert_non_null(strstr(buf_str(&out),
	    "<h1>he&lt;llo does not compile</h1>"));
	assert_non_null(strstr(buf_str(&out), "width=device-width"));
	assert_non_null(strstr(buf_str(&out),
	    "<pre><mark>x.c:1:2: error: '&lt;script&gt;' &amp; "
	    "&quot;y&quot;</mark>\nplain\n\nend\n</pre>"));
	assert_null(strstr(buf_str(&out), "<script>"));
	/* What does not fit fails, and sends no half of a page. */
	buf_release(&out);
	buf_init(&out, 512);
	answer_compile_error(&out, "f", "text", &a);
	assert_false(buf_ok(&out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_json),
	    cmocka_unit_test(test_every_status),
	    cmocka_unit_test(test_fields),
	    cmocka_unit_test(test_head),
	    cmocka_unit_test(test_cors),
	    cmocka_unit_test(test_ok),
	    cmocka_unit_test(test_page),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
