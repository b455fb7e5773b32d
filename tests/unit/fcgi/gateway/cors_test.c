/*
 * fcgi/gateway/cors.c: who may read a reply, and preflights.
 */
#include "fcgi/gateway/cors.h"

#include "tests/unit/fcgi/conf/site.h"

static struct cors cors;
static struct buf out;

static int
set_up(void **state)
{
	(void)state;
	cors_init(&cors);
	buf_init(&out, 64 * 1024);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	cors_release(&cors);
	buf_release(&out);
	return 0;
}

static const char *
lines(const char *origin)
{
	buf_reset(&out);
	cors_lines(&cors, origin, &out);
	return buf_str(&out);
}

static const char *const star[] = {"*"};
static const char *const two[] = {"https://a", "https://b"};

static void
test_disabled(void **state)
{
	struct params p = {.request_method = "OPTIONS"};

	(void)state;
	p.known[PARAMS_ORIGIN] = "https://a";
	p.known[PARAMS_ACRM] = "GET";
	assert_string_equal(lines("https://a"), "");
	assert_false(cors_is_preflight(&cors, &p));
}

static void
test_any(void **state)
{
	const struct cors_rules r = {.origins = star, .origin_count = 1};

	(void)state;
	assert_int_equal(cors_set(&cors, &r), 0);
	assert_string_equal(
	    lines("https://x"), "Access-Control-Allow-Origin: *\r\n");
	assert_string_equal(lines(NULL), "");
	assert_string_equal(lines(""), "");
}

static void
test_list(void **state)
{
	static const char *const exposed[] = {"X-A", "X-B"};
	const struct cors_rules r = {.origins = two, .origin_count = 2,
	    .exposed = exposed, .exposed_count = 2};

	(void)state;
	assert_int_equal(cors_set(&cors, &r), 0);
	assert_string_equal(lines("https://b"), "Vary: Origin\r\n"
	    "Access-Control-Allow-Origin: https://b\r\n"
	    "Access-Control-Expose-Headers: X-A, X-B\r\n");
	assert_string_equal(lines("https://c"), "Vary: Origin\r\n");
	assert_string_equal(lines("https://"), "Vary: Origin\r\n");
	assert_string_equal(lines(NULL), "Vary: Origin\r\n");
}

static void
test_credentials(void **state)
{
	const struct cors_rules r = {
	    .origins = star, .origin_count = 1, .credentials = true};

	(void)state;
	assert_int_equal(cors_set(&cors, &r), 0);
	assert_string_equal(lines("https://x"), "Vary: Origin\r\n"
	    "Access-Control-Allow-Origin: https://x\r\n"
	    "Access-Control-Allow-Credentials: true\r\n");
}

static const char *
preflight(const char *origin, const char *method, const char *headers,
    const char *allow)
{
	struct params p = {.request_method = "OPTIONS"};

	p.known[PARAMS_ORIGIN] = origin;
	p.known[PARAMS_ACRM] = method;
	p.known[PARAMS_ACRH] = headers;
	assert_true(cors_is_preflight(&cors, &p));
	buf_reset(&out);
	cors_preflight(&cors, &p, allow, "ID", &out);
	return buf_str(&out);
}

static void
test_preflight(void **state)
{
	static const char *const methods[] = {"GET", "PUT"};
	static const char *const headers[] = {"X-H"};
	const struct cors_rules r = {.origins = two, .origin_count = 2,
	    .methods = methods, .method_count = 2, .headers = headers,
	    .header_count = 1, .max_age_s = 60};

	(void)state;
	assert_int_equal(cors_set(&cors, &r), 0);
	assert_string_equal(preflight("https://a", "PUT", "X-Z", "POST"),
	    "Status: 204 No Content\r\nX-Request-Id: ID\r\nVary: Origin\r\n"
	    "Access-Control-Allow-Origin: https://a\r\n"
	    "Access-Control-Allow-Methods: GET, PUT\r\n"
	    "Access-Control-Allow-Headers: X-H\r\n"
	    "Access-Control-Max-Age: 60\r\nVary: "
	    "Access-Control-Request-Method, Access-Control-Request-Headers"
	    "\r\n\r\n");
	assert_string_equal(preflight("https://c", "PUT", NULL, NULL),
	    "Status: 204 No Content\r\nX-Request-Id: ID\r\n"
	    "Vary: Origin\r\n\r\n");
}

static void
test_preflight_echo(void **state)
{
	const struct cors_rules r = {.origins = star, .origin_count = 1,
	    .methods = star, .method_count = 1};
	const char *text;

	(void)state;
	assert_int_equal(cors_set(&cors, &r), 0);
	text = preflight("https://c", "PUT", "x-a, X-B", "GET, POST");
	assert_non_null(strstr(text, "Allow-Methods: GET, POST\r\n"));
	assert_non_null(strstr(text, "Allow-Headers: x-a, X-B\r\n"));
	text = preflight("https://c", "PUT", NULL, NULL);
	assert_non_null(strstr(text, "Allow-Methods: PUT\r\n"));
	assert_null(strstr(text, "Allow-Headers"));
	/* Nothing of a client's gets into the header that is no token. */
	text = preflight("https://c", "a:b", "x;\"y\"", NULL);
	assert_non_null(strstr(text, "Allow-Methods: GET\r\n"));
	assert_null(strstr(text, "Allow-Headers"));
}

static void
test_no_preflight(void **state)
{
	const struct cors_rules r = {.origins = star, .origin_count = 1};
	struct params p = {.request_method = "OPTIONS"};

	(void)state;
	assert_int_equal(cors_set(&cors, &r), 0);
	assert_false(cors_is_preflight(&cors, &p));
	p.known[PARAMS_ORIGIN] = "https://a";
	assert_false(cors_is_preflight(&cors, &p));
	p.known[PARAMS_ACRM] = "GET";
	assert_true(cors_is_preflight(&cors, &p));
	p.request_method = "GET";
	assert_false(cors_is_preflight(&cors, &p));
}

/* From deploy.yaml through the snapshot to the lines. */
static void
load(const char *cors_yaml)
{
	struct conf_options opt = {0};
	struct snapshot *snap;
	struct site site;
	char yaml[512];
	struct err e;

	site_make(&site);
	snprintf(yaml, sizeof(yaml), "service: s\nprovider:\n  name: bothy\n"
	    "  httpApi: {%s}\nfunctions:\n  f:\n    handler: functions/tool\n"
	    "    runtime: exec\n    events: [httpApi: GET /]\n", cors_yaml);
	site_assert_loads(&site, yaml, &opt);
	snap = snapshot_build(site.conf, &e);
	assert_non_null(snap);
	assert_int_equal(cors_load(&cors, snap), 0);
	snapshot_free(snap);
	site_remove(&site);
}

static void
test_load(void **state)
{
	const char *text;

	(void)state;
	load("cors: {allowedOrigins: ['https://a', 'https://b'], "
	     "allowedHeaders: [X-H], exposedResponseHeaders: [X-E], "
	     "allowCredentials: true, maxAge: 60}");
	assert_string_equal(lines("https://b"), "Vary: Origin\r\n"
	    "Access-Control-Allow-Origin: https://b\r\n"
	    "Access-Control-Allow-Credentials: true\r\n"
	    "Access-Control-Expose-Headers: X-E\r\n");
	text = preflight("https://a", "PUT", "X-Z", NULL);
	assert_non_null(strstr(text, "Allow-Methods: GET, OPTIONS\r\n"));
	assert_non_null(strstr(text, "Allow-Headers: X-H\r\n"));
	assert_non_null(strstr(text, "Max-Age: 60\r\n"));
}

static void
test_load_disabled(void **state)
{
	(void)state;
	load("cors: false");
	assert_false(cors.enabled);
	assert_string_equal(lines("https://b"), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_disabled, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_any, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
	        test_credentials, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_preflight, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
	        test_preflight_echo, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
	        test_no_preflight, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_load, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
	        test_load_disabled, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
