/*
 * Set-Cookie: attributes, careful defaults, and what is refused.
 */
#include "request_fixture.h"

static const struct {
	const char *https, *name, *value;
	struct bothy_cookie_attrs attrs;
	const char *line;	/* NULL: refused */
} COOKIES[] = {
    {NULL, "a", "1", {0}, "a=1; Path=/; HttpOnly; SameSite=Lax"},
    {"off", "a", "1", {0}, "a=1; Path=/; HttpOnly; SameSite=Lax"},
    {"on", "a", "", {0}, "a=; Path=/; Secure; HttpOnly; SameSite=Lax"},
    {"on", "a", "1", {.insecure = true},
     "a=1; Path=/; HttpOnly; SameSite=Lax"},
    {NULL, "a", "1", {.path = "/x", .domain = "example.org",
     .max_age_s = 60, .same_site = BOTHY_SAME_SITE_STRICT,
     .script_access = true},
     "a=1; Path=/x; Domain=example.org; Max-Age=60; SameSite=Strict"},
    {NULL, "a", "", {.max_age_s = -1},
     "a=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"},
    {"on", "a", "1", {.same_site = BOTHY_SAME_SITE_NONE},
     "a=1; Path=/; Secure; HttpOnly; SameSite=None"},
    {NULL, "a", "1", {.same_site = BOTHY_SAME_SITE_NONE}, NULL},
    {"on", "__Host-a", "1", {0},
     "__Host-a=1; Path=/; Secure; HttpOnly; SameSite=Lax"},
    {"on", "__Host-a", "1", {.path = "/x"}, NULL},
    {"on", "__Host-a", "1", {.domain = "example.org"}, NULL},
    {NULL, "__Host-a", "1", {0}, NULL},
    {NULL, "__Secure-a", "1", {0}, NULL},
    {NULL, "", "1", {0}, NULL},
    {NULL, "a b", "1", {0}, NULL},
    {NULL, "a=b", "1", {0}, NULL},
    {NULL, "a", "1; Domain=evil", {0}, NULL},
    {NULL, "a", "1\r\nX: 1", {0}, NULL},
    {NULL, "a", "\"q\"", {0}, NULL},
    {NULL, "a", "\xc3\xa4", {0}, NULL},
    {NULL, "a", "1", {.path = "/; Domain=evil"}, NULL},
    {NULL, "a", "1", {.domain = "a\nb"}, NULL},
};

static size_t at;

static int
set_one(struct bothy_req *req)
{
	int rc = bothy_set_cookie(req, COOKIES[at].name, COOKIES[at].value,
	    &COOKIES[at].attrs);

	assert_int_equal(rc, COOKIES[at].line ? 0 : -1);
	assert_int_equal(bothy_failed(req), COOKIES[at].line ? 0 : 500);
	return bothy_status(req, 204);
}

static void
test_cookies(void **state)
{
	char expected[256];

	for (at = 0; at < sizeof COOKIES / sizeof COOKIES[0]; at++) {
		empty_environment(state);
		if (COOKIES[at].https)
			setenv("HTTPS", COOKIES[at].https, 1);
		snprintf(expected, sizeof expected,
		    "Status: 204 No Content\r\n%s%s%s\r\n",
		    COOKIES[at].line ? "Set-Cookie: " : "",
		    COOKIES[at].line ? COOKIES[at].line : "",
		    COOKIES[at].line ? "\r\n" : "");
		assert_string_equal(serve(set_one), expected);
	}
}

static int
long_value(struct bothy_req *req)
{
	char value[4200];

	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	assert_int_equal(bothy_set_cookie(req, "a", value, NULL), -1);
	value[4000] = '\0';
	assert_int_equal(bothy_set_cookie(req, "a", value, NULL), 0);
	assert_int_equal(bothy_flush(req), 0);
	assert_int_equal(bothy_set_cookie(req, "a", "1", NULL), -1);
	return 0;
}

static void
test_long_value(void **state)
{
	(void)state;
	assert_non_null(strstr(serve(long_value), "xxx; Path=/; HttpOnly"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cookies),
	    REQUEST_TEST(test_long_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
