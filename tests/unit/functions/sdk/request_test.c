/*
 * What a request's variables tell: method, path, parameters, headers, query,
 * cookies, deadline, limits.
 */
#include "request_fixture.h"

#include <time.h>

static int
variables(struct bothy_req *req)
{
	assert_string_equal(bothy_method(req), "PUT");
	assert_string_equal(bothy_path(req), "/base/orders/17");
	assert_ptr_equal(bothy_path(req), bothy_path(req));
	assert_string_equal(bothy_param(req, "order-id"), "17");
	assert_string_equal(bothy_param(req, "n"), "");
	assert_null(bothy_param(req, "other"));
	assert_null(bothy_param(req, ""));
	assert_string_equal(bothy_request_id(req), "r-1");
	assert_string_equal(bothy_env("GREETING", "x"), "hi");
	assert_string_equal(bothy_env("NOT_THERE", "x"), "x");
	assert_null(bothy_env("NOT_THERE", NULL));
	assert_int_equal(bothy_failed(req), 0);
	assert_string_equal(bothy_error_text(req), "");
	return 0;
}

static void
test_variables(void **state)
{
	(void)state;
	setenv("REQUEST_METHOD", "PUT", 1);
	setenv("SCRIPT_NAME", "/base/orders", 1);
	setenv("PATH_INFO", "/17", 1);
	setenv("BOTHY_PARAM_order_id", "17", 1);
	setenv("BOTHY_PARAM_n", "", 1);
	setenv("BOTHY_REQUEST_ID", "r-1", 1);
	setenv("GREETING", "hi", 1);
	serve(variables);
}

static int
nothing_set(struct bothy_req *req)
{
	assert_string_equal(bothy_method(req), "GET");
	assert_string_equal(bothy_path(req), "/");
	assert_string_equal(bothy_request_id(req), "");
	assert_null(bothy_query(req, "a"));
	assert_null(bothy_query_at(req, 0));
	assert_null(bothy_cookie(req, "a"));
	assert_null(bothy_header(req, "Content-Type"));
	assert_int_equal(bothy_deadline_ms(req), 0);
	assert_true(bothy_remaining_ms(req) == INT64_MAX);
	return 0;
}

static void
test_nothing_set(void **state)
{
	(void)state;
	serve(nothing_set);
}

static int
headers(struct bothy_req *req)
{
	char longest[300];

	assert_string_equal(bothy_header(req, "accept-LANGUAGE"), "de");
	assert_string_equal(bothy_header(req, "Content-Type"), "text/plain");
	assert_string_equal(bothy_header(req, "content-length"), "3");
	assert_null(bothy_header(req, "X-None"));
	assert_null(bothy_header(req, ""));
	assert_null(bothy_header(req, "Accept=Language"));
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_null(bothy_header(req, longest));
	assert_null(bothy_param(req, longest));
	return 0;
}

static void
test_headers(void **state)
{
	(void)state;
	setenv("HTTP_ACCEPT_LANGUAGE", "de", 1);
	setenv("CONTENT_TYPE", "text/plain", 1);
	setenv("CONTENT_LENGTH", "3", 1);
	serve(headers);
}

static int
deadline(struct bothy_req *req)
{
	int64_t now = (int64_t)time(NULL) * 1000, left;

	left = bothy_remaining_ms(req);
	assert_true(left > 50000 && left <= 60000);
	assert_true(bothy_deadline_ms(req) > now);
	setenv("BOTHY_DEADLINE_MS", "1000", 1);
	assert_int_equal(bothy_remaining_ms(req), 0);
	return 0;
}

static void
test_deadline(void **state)
{
	char ms[32];

	(void)state;
	snprintf(ms, sizeof ms, "%lld", ((long long)time(NULL) + 59) * 1000);
	setenv("BOTHY_DEADLINE_MS", ms, 1);
	serve(deadline);
}

static const struct {
	const char *query;
	size_t count;
	const char *name, *value;	/* of the last */
} QUERIES[] = {
    {"a=1", 1, "a", "1"},
    {"a=1&a=2", 2, "a", "2"},
    {"&&a=1&&", 1, "a", "1"},
    {"a", 1, "a", ""},
    {"=v", 1, "", "v"},
    {"a=b=c", 1, "a", "b=c"},
    {"a+b=c%20d%2B", 1, "a b", "c d+"},
    {"%C3%A4=%e2%82%ac", 1, "\xc3\xa4", "\xe2\x82\xac"},
    {"a=%zz%4", 1, "a", "%zz%4"},
    {"a=%", 1, "a", "%"},
    {"a=x%00y", 1, "a", "x\xef\xbf\xbdy"},
    {"a=%ff%C3", 1, "a", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"a=\xff", 1, "a", "\xef\xbf\xbd"},
    {"a=%26%3D;b", 1, "a", "&=;b"},
    {"%FF=1", 1, "\xef\xbf\xbd", "1"},
};

static size_t at;

static int
one_query(struct bothy_req *req)
{
	const struct bothy_pair *p;
	size_t n = 0;

	while (bothy_query_at(req, n))
		n++;
	assert_int_equal(n, QUERIES[at].count);
	p = bothy_query_at(req, n - 1);
	assert_string_equal(p->name, QUERIES[at].name);
	assert_string_equal(p->value, QUERIES[at].value);
	p = bothy_query_at(req, 0);
	assert_ptr_equal(bothy_query(req, p->name), p->value);
	return 0;
}

static void
test_query(void **state)
{
	(void)state;
	for (at = 0; at < sizeof QUERIES / sizeof QUERIES[0]; at++) {
		setenv("QUERY_STRING", QUERIES[at].query, 1);
		serve(one_query);
	}
}

static int
long_query(struct bothy_req *req)
{
	assert_null(bothy_query(req, "a"));
	assert_int_equal(bothy_failed(req), 400);
	assert_string_equal(bothy_error_text(req),
	    "the query has more than 1000 parameters");
	assert_int_equal(bothy_limit(req, BOTHY_MAX_FIELDS, 1001), 0);
	assert_string_equal(bothy_query(req, "a"), "");
	assert_non_null(bothy_query_at(req, 1000));
	assert_null(bothy_query_at(req, 1001));
	assert_int_equal(bothy_limit(req, (enum bothy_limit)99, 1), -1);
	return 0;
}

static void
test_long_query(void **state)
{
	char query[2 * 1001 + 1] = "";
	size_t i;

	(void)state;
	for (i = 0; i < 1001; i++)
		memcpy(query + 2 * i, "a&", 3);
	setenv("QUERY_STRING", query, 1);
	serve(long_query);
}

static int
cookies(struct bothy_req *req)
{
	assert_string_equal(bothy_cookie(req, "id"), "7");
	assert_string_equal(bothy_cookie(req, "q"), "in quotes");
	assert_string_equal(bothy_cookie(req, "e"), "");
	assert_string_equal(bothy_cookie(req, "eq"), "a=b");
	assert_null(bothy_cookie(req, "ID"));
	assert_null(bothy_cookie(req, "novalue"));
	assert_null(bothy_cookie(req, ""));
	return 0;
}

static void
test_cookies(void **state)
{
	(void)state;
	setenv("HTTP_COOKIE",
	    "id=7; novalue; =x;; q=\"in quotes\" ;e=; eq=a=b; id=8", 1);
	serve(cookies);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    REQUEST_TEST(test_variables),
	    REQUEST_TEST(test_nothing_set),
	    REQUEST_TEST(test_headers),
	    REQUEST_TEST(test_deadline),
	    REQUEST_TEST(test_query),
	    REQUEST_TEST(test_long_query),
	    REQUEST_TEST(test_cookies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
