/*
 * fcgi/gateway/cgienv.c: what a function finds in its environment.
 */
#include "fcgi/gateway/cgienv.h"

#include "functions/sdk/abi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A request through all the modules that a worker takes it through. */
struct fixture {
	struct params params;
	struct path path;
	struct client client;
	struct proxies proxies;
	struct route_match match;
	struct cgienv env;
	struct cgienv_request request;
};

static struct fixture f;

static int
set_up(void **state)
{
	(void)state;
	params_init(&f.params);
	path_init(&f.path);
	proxies_init(&f.proxies);
	cgienv_init(&f.env);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	params_release(&f.params);
	path_release(&f.path);
	cgienv_release(&f.env);
	return 0;
}

static int
build(const char *const *envp, const char *base)
{
	char *copy[64];
	size_t n = 0;

	do {
		assert_true(n < sizeof(copy) / sizeof(copy[0]));
		memcpy(&copy[n], &envp[n], sizeof(copy[n]));
	} while (envp[n++]);
	assert_int_equal(params_read(&f.params, copy), 0);
	assert_int_equal(path_parse(&f.path, f.params.request_uri), 0);
	assert_int_equal(path_agree(&f.path, NULL, NULL, base), 0);
	client_find(&f.client, &f.proxies, &f.params);
	f.request.params = &f.params;
	f.request.path = &f.path;
	f.request.client = &f.client;
	f.request.match = &f.match;
	f.request.function = "hello";
	f.request.request_id = "01ID";
	f.request.traceparent = "00-new";
	return cgienv_build(&f.env, &f.request);
}

/* The value of a variable in the block, or NULL; it stands there once. */
static const char *
get(const char *name)
{
	const char *found = NULL, *p = f.env.block.data;
	size_t len = strlen(name), seen = 0;

	for (; p < f.env.block.data + f.env.block.len; p += strlen(p) + 1) {
		seen++;
		if (strncmp(p, name, len) == 0 && p[len] == '=') {
			assert_null(found);
			found = p + len + 1;
		}
	}
	assert_int_equal(seen, f.env.count);
	return found;
}

static void
assert_variable(const char *name, const char *value)
{
	const char *found = get(name);

	if (!value) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found, value);
}

static void
reset_request(enum snap_kind kind, const char *key)
{
	memset(&f.request, 0, sizeof(f.request));
	memset(&f.match, 0, sizeof(f.match));
	f.request.body_bytes = -1;
	f.match.kind = kind;
	f.match.key = key;
}

static void
test_whole(void **state)
{
	const char *envp[] = {"REQUEST_METHOD=POST",
	    "REQUEST_URI=http://h/api/rooms/a%20b?x=%31", "SERVER_NAME=h",
	    "SERVER_PORT=80", "SERVER_PROTOCOL=HTTP/1.0",
	    "SERVER_SOFTWARE=lighttpd", "REMOTE_ADDR=192.0.2.1",
	    "REMOTE_PORT=1234", "REMOTE_USER=ann", "AUTH_TYPE=Basic",
	    "CONTENT_TYPE=text/plain", "CONTENT_LENGTH=-1", "HTTPS=on",
	    "QUERY_STRING=normalised", "SCRIPT_FILENAME=/x",
	    "DOCUMENT_ROOT=/y", "PATH_TRANSLATED=/z", "PATH=/other/bin",
	    "LD_PRELOAD=evil.so", "BOTHY_FUNCTION=evil", "HTTP_PROXY=evil",
	    "HTTP_ACCEPT=*/*", "HTTP_X_TWO=1", "HTTP_X_TWO=2", NULL};
	struct route_param *param;
	const char *value = "a b/";

	(void)state;
	reset_request(SNAP_KIND_PARAMETER, "POST /rooms/{room-id}");
	param = &f.match.params[f.match.nparams++];
	*param = (struct route_param){
	    "room-id", "BOTHY_PARAM_room_id", value, 3};
	f.request.body_bytes = 12;
	f.request.deadline_ms = 1700000000123;
	assert_int_equal(build(envp, "/api"), 0);
	assert_variable("GATEWAY_INTERFACE", "CGI/1.1");
	assert_variable("SERVER_PROTOCOL", "HTTP/1.0");
	assert_variable("SERVER_SOFTWARE", "lighttpd");
	assert_variable("SERVER_NAME", "h");
	assert_variable("SERVER_PORT", "80");
	assert_variable("REQUEST_METHOD", "POST");
	assert_variable("REQUEST_URI", "/api/rooms/a%20b?x=%31");
	assert_variable("QUERY_STRING", "x=%31");
	assert_variable("SCRIPT_NAME", "/api/rooms/a b");
	assert_variable("PATH_INFO", "");
	assert_variable("REMOTE_ADDR", "192.0.2.1");
	assert_variable("REMOTE_PORT", "1234");
	assert_variable("REMOTE_USER", "ann");
	assert_variable("AUTH_TYPE", "Basic");
	assert_variable("CONTENT_TYPE", "text/plain");
	assert_variable("CONTENT_LENGTH", "12");
	assert_variable("HTTPS", "on");
	assert_variable("HTTP_ACCEPT", "*/*");
	assert_variable("BOTHY_FUNCTION", "hello");
	assert_variable("BOTHY_ROUTE", "POST /rooms/{room-id}");
	assert_variable("BOTHY_REQUEST_ID", "01ID");
	assert_variable("BOTHY_DEADLINE_MS", "1700000000123");
	assert_variable("BOTHY_PARAM_room_id", "a b");
	assert_variable("TRACEPARENT", "00-new");
	assert_variable("PATH", "/usr/local/bin:/usr/bin:/bin");
	assert_variable("SCRIPT_FILENAME", NULL);
	assert_variable("DOCUMENT_ROOT", NULL);
	assert_variable("PATH_TRANSLATED", NULL);
	assert_variable("LD_PRELOAD", NULL);
	assert_variable("HTTP_PROXY", NULL);
	assert_variable("HTTP_X_TWO", NULL);
}

/* What the block is made for: a child takes it apart without a complaint. */
static void
test_abi(void **state)
{
	const char *envp[] = {"REQUEST_METHOD=GET", "REQUEST_URI=/", NULL};
	char *out[ABI_VARIABLES_MAX + 1];

	(void)state;
	reset_request(SNAP_KIND_EXACT, "GET /");
	assert_int_equal(build(envp, ""), 0);
	assert_int_equal(abi_env_split(f.env.block.data, f.env.block.len,
	    f.env.count, out), 0);
	assert_string_equal(out[0], "GATEWAY_INTERFACE=CGI/1.1");
	assert_null(out[f.env.count]);
}

static void
test_sparse(void **state)
{
	const char *envp[] = {"REQUEST_METHOD=HEAD", "REQUEST_URI=/a?",
	    "CONTENT_TYPE=", "REMOTE_USER=", NULL};

	(void)state;
	reset_request(SNAP_KIND_EXACT, "GET /a");
	f.request.method = "GET";
	assert_int_equal(build(envp, ""), 0);
	assert_variable("REQUEST_METHOD", "GET");
	assert_variable("REQUEST_URI", "/a?");
	assert_variable("QUERY_STRING", "");
	assert_variable("SERVER_PROTOCOL", "HTTP/1.1");
	assert_variable("SERVER_NAME", "");
	assert_variable("REMOTE_ADDR", "");
	assert_variable("CONTENT_TYPE", NULL);
	assert_variable("CONTENT_LENGTH", NULL);
	assert_variable("REMOTE_USER", NULL);
	assert_variable("HTTPS", NULL);
	assert_variable("BOTHY_DEADLINE_MS", NULL);
}

static void
test_split(void **state)
{
	static const struct {
		enum snap_kind kind;
		const char *uri;
		size_t rest_at;
		const char *script_name, *path_info;
	} cases[] = {
	    {SNAP_KIND_EXACT, "REQUEST_URI=/b/a/c", 0, "/b/a/c", ""},
	    {SNAP_KIND_GREEDY, "REQUEST_URI=/b/a/c/d", 3, "/b/a", "/c/d"},
	    {SNAP_KIND_GREEDY, "REQUEST_URI=/b/a/", 3, "/b/a", "/"},
	    {SNAP_KIND_GREEDY, "REQUEST_URI=/b/x", 1, "/b", "/x"},
	    {SNAP_KIND_DEFAULT, "REQUEST_URI=/b/a/c", 0, "/b", "/a/c"},
	    {SNAP_KIND_DEFAULT, "REQUEST_URI=/b", 0, "/b", "/"},
	};
	char uri[64];
	const char *envp[] = {"REQUEST_METHOD=GET", uri, NULL};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(uri, cases[i].uri);
		reset_request(cases[i].kind, "k");
		f.match.rest_at = cases[i].rest_at;
		assert_int_equal(build(envp, "/b"), 0);
		assert_variable("SCRIPT_NAME", cases[i].script_name);
		assert_variable("PATH_INFO", cases[i].path_info);
	}
}

static void
test_forwarded(void **state)
{
	const char *envp[] = {"REQUEST_METHOD=GET", "REQUEST_URI=/",
	    "REMOTE_ADDR=10.0.0.1", "REMOTE_PORT=99",
	    "HTTP_X_FORWARDED_FOR=192.0.2.9", "HTTP_X_FORWARDED_PROTO=https",
	    NULL};
	struct err e;

	(void)state;
	assert_int_equal(proxies_add(&f.proxies, "10.0.0.1", &e), 0);
	reset_request(SNAP_KIND_EXACT, "k");
	assert_int_equal(build(envp, ""), 0);
	assert_variable("REMOTE_ADDR", "192.0.2.9");
	assert_variable("REMOTE_PORT", NULL);
	assert_variable("HTTPS", "on");
	proxies_release(&f.proxies);
}

static void
test_traceparent(void **state)
{
	static char good[] = "HTTP_TRACEPARENT="
	    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
	const char *envp[] = {
	    "REQUEST_METHOD=GET", "REQUEST_URI=/", good, NULL};
	const char *wrong[] = {"REQUEST_METHOD=GET", "REQUEST_URI=/",
	    "HTTP_TRACEPARENT=00-x", NULL};

	(void)state;
	reset_request(SNAP_KIND_EXACT, "k");
	assert_int_equal(build(envp, ""), 0);
	assert_variable("TRACEPARENT", strchr(good, '=') + 1);
	assert_int_equal(build(wrong, ""), 0);
	assert_variable("TRACEPARENT", "00-new");
}

static void
test_static(void **state)
{
	const char *envp[] = {"REQUEST_METHOD=GET", "REQUEST_URI=/",
	    "HTTP_A=client", "HTTP_AB=client", NULL};
	struct cgienv_static own;
	struct err e;

	(void)state;
	cgienv_static_init(&own);
	assert_int_equal(cgienv_static_add(&own, "GREETING", "hi", &e), 0);
	assert_int_equal(cgienv_static_add(&own, "EMPTY", "", &e), 0);
	assert_int_equal(cgienv_static_add(&own, "PATH", "/own", &e), 0);
	assert_int_equal(cgienv_static_add(&own, "HTTP_A", "own", &e), 0);
	assert_int_equal(cgienv_static_add(&own, "HTTP_PROXY", "p", &e), 0);
	/* The gateway's own names are passed over. */
	assert_int_equal(cgienv_static_add(&own, "BOTHY_AUTH", "x", &e), 0);
	assert_int_equal(cgienv_static_add(&own, "HTTPS", "on", &e), 0);
	assert_int_equal(cgienv_static_add(&own, "TRACEPARENT", "x", &e), 0);
	assert_int_equal(cgienv_static_add(&own, "GREETING", "x", &e), -1);
	assert_int_equal(cgienv_static_add(&own, "", "x", &e), -1);
	assert_int_equal(cgienv_static_add(&own, "A=B", "x", &e), -1);
	assert_int_equal(cgienv_static_finish(&own, &e), 0);

	reset_request(SNAP_KIND_EXACT, "k");
	f.request.own = &own;
	assert_int_equal(build(envp, ""), 0);
	assert_variable("GREETING", "hi");
	assert_variable("EMPTY", "");
	assert_variable("PATH", "/own");
	assert_variable("HTTP_A", "own");
	assert_variable("HTTP_AB", "client");
	assert_variable("HTTP_PROXY", "p");
	assert_variable("HTTPS", NULL);
	assert_variable("BOTHY_AUTH", NULL);
	cgienv_static_release(&own);

	cgienv_static_init(&own);
	assert_int_equal(cgienv_static_finish(&own, &e), 0);
	f.request.own = &own;
	assert_int_equal(build(envp, ""), 0);
	assert_variable("PATH", "/usr/local/bin:/usr/bin:/bin");
	cgienv_static_release(&own);
}

static void
test_too_large(void **state)
{
	const char *envp[] = {
	    "REQUEST_METHOD=GET", "REQUEST_URI=/", NULL, NULL};
	struct cgienv_static own;
	char *value = malloc(ABI_ENV_MAX), *field = malloc(8192);
	struct err e;
	size_t n;

	(void)state;
	assert_non_null(value);
	assert_non_null(field);
	cgienv_static_init(&own);
	memset(value, 'x', ABI_ENV_MAX - 4096);
	value[ABI_ENV_MAX - 4096] = '\0';
	assert_int_equal(cgienv_static_add(&own, "LARGE", value, &e), 0);
	assert_int_equal(cgienv_static_add(&own, "MORE", value, &e), -1);
	assert_int_equal(e.code, 7 /* E2BIG */);

	reset_request(SNAP_KIND_EXACT, "k");
	/* Each length around the edge: it fits to the byte or it doesn't. */
	own.block.failed = false;
	own.count = 1;
	own.block.len = strlen("LARGE=") + strlen(value) + 1;
	f.request.own = &own;
	memset(field, 'x', 8191);
	memcpy(field, "HTTP_A=", 7);
	for (n = 8; n < 8191; n++) {
		field[n] = '\0';
		envp[2] = field;
		if (build(envp, "") != 0)
			break;
		assert_true(f.env.block.len <= ABI_ENV_MAX);
		field[n] = 'x';
	}
	assert_true(n > 3000 && n < 8191);
	assert_int_equal(cgienv_build(&f.env, &f.request), 431);
	assert_non_null(f.env.reason);
	cgienv_static_release(&own);
	free(value);
	free(field);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_abi),
	    cmocka_unit_test(test_sparse),
	    cmocka_unit_test(test_split),
	    cmocka_unit_test(test_forwarded),
	    cmocka_unit_test(test_traceparent),
	    cmocka_unit_test(test_static),
	    cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
