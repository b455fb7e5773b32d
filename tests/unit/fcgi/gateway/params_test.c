/*
 * fcgi/gateway/params.c: what is taken from the web server, and what is not.
 */
#include "fcgi/gateway/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ENV_MAX = 1200 };

static struct params params;

static int
set_up(void **state)
{
	(void)state;
	params_init(&params);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	params_release(&params);
	return 0;
}

/* Reads a GET of "/" with these variables, up to a NULL. */
static int
read_with(const char *first, ...)
{
	static char copies[ENV_MAX][512];
	char *envp[ENV_MAX + 3];
	const char *s;
	size_t n = 0;
	va_list ap;

	envp[n++] = strcpy(copies[0], "REQUEST_METHOD=GET");
	envp[n++] = strcpy(copies[1], "REQUEST_URI=/");
	va_start(ap, first);
	for (s = first; s; s = va_arg(ap, const char *)) {
		assert_true(strlen(s) < sizeof(copies[0]));
		strcpy(copies[n], s);
		envp[n] = copies[n];
		n++;
	}
	va_end(ap);
	envp[n] = NULL;
	return params_read(&params, envp);
}

/* The value of a field that a function gets, or NULL. */
static const char *
field(const char *name)
{
	const char *found = NULL;
	size_t i, len = strlen(name);

	for (i = 0; i < params.count; i++)
		if (!params.fields[i].dropped &&
		    params.fields[i].name_len == len &&
		    memcmp(params.fields[i].variable, name, len) == 0) {
			assert_null(found);
			found = params.fields[i].value;
			assert_int_equal(
			    strlen(found), params.fields[i].value_len);
		}
	return found;
}

static void
test_meta(void **state)
{
	(void)state;
	assert_int_equal(read_with("SCRIPT_NAME=/a", "PATH_INFO=/b",
	    "SERVER_SOFTWARE=lighttpd/1.4", "REMOTE_ADDR=::1", "HTTPS=on",
	    "CONTENT_TYPE=text/plain", "CONTENT_LENGTH=12",
	    "SCRIPT_FILENAME=/etc/passwd", "noequals", NULL), 0);
	assert_string_equal(params.request_method, "GET");
	assert_string_equal(params.request_uri, "/");
	assert_string_equal(params.script_name, "/a");
	assert_string_equal(params.path_info, "/b");
	assert_string_equal(params.remote_addr, "::1");
	assert_string_equal(params.content_type, "text/plain");
	assert_int_equal(params.content_length, 12);
	assert_null(params.remote_user);
	assert_int_equal(params.count, 0);

	/* Nothing of one request is left in the next. */
	assert_int_equal(read_with(NULL), 0);
	assert_null(params.script_name);
	assert_null(params.https);
	assert_int_equal(params.content_length, -1);
}

static void
test_last_meta_counts(void **state)
{
	(void)state;
	assert_int_equal(
	    read_with("SCRIPT_NAME=/first", "SCRIPT_NAME=/own", NULL), 0);
	assert_string_equal(params.script_name, "/own");
}

static void
test_content_length(void **state)
{
	static const struct {
		const char *text;
		int status;
		int64_t length;
	} cases[] = {
	    {"CONTENT_LENGTH=", 0, -1},
	    {"CONTENT_LENGTH=-1", 0, -1},
	    {"CONTENT_LENGTH=0", 0, 0},
	    {"CONTENT_LENGTH=9223372036854775807", 413, 0},
	    {"CONTENT_LENGTH=922337203685477580", 0, 922337203685477580},
	    {"CONTENT_LENGTH=99999999999999999999999", 413, 0},
	    {"CONTENT_LENGTH=-2", 400, 0},
	    {"CONTENT_LENGTH=+5", 400, 0},
	    {"CONTENT_LENGTH=5 ", 400, 0},
	    {"CONTENT_LENGTH=5, 5", 400, 0},
	    {"CONTENT_LENGTH=0x10", 400, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
		    read_with(cases[i].text, NULL), cases[i].status);
		if (cases[i].status == 0)
			assert_int_equal(
			    params.content_length, cases[i].length);
		else
			assert_non_null(params.reason);
	}
}

static void
test_never_handed_on(void **state)
{
	static const char *const names[] = {"HTTP_PROXY", "HTTP_CONNECTION",
	    "HTTP_KEEP_ALIVE", "HTTP_TE", "HTTP_TRAILER",
	    "HTTP_TRANSFER_ENCODING", "HTTP_UPGRADE", "HTTP_PROXY_CONNECTION",
	    "HTTP_PROXY_AUTHORIZATION", "HTTP_PROXY_AUTHENTICATE",
	    "HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_x", "HTTP_A-B",
	    "HTTP_A B"};
	char variable[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		strcpy(variable, names[i]);
		strcat(variable, "=evil");
		assert_int_equal(read_with(variable, "HTTP_A=b", NULL), 0);
		assert_null(field(names[i]));
		assert_string_equal(field("HTTP_A"), "b");
	}
	assert_int_equal(read_with("HTTP_UPGRADE=websocket", NULL), 0);
	assert_string_equal(
	    params_header(&params, PARAMS_UPGRADE), "websocket");
}

static void
test_known(void **state)
{
	(void)state;
	assert_int_equal(read_with("HTTP_ORIGIN=https://a", "HTTP_RANGE=bytes",
	    "HTTP_IF_NONE_MATCH=\"x\"", NULL), 0);
	assert_string_equal(params_header(&params, PARAMS_ORIGIN), "https://a");
	assert_string_equal(params_header(&params, PARAMS_RANGE), "bytes");
	assert_string_equal(
	    params_header(&params, PARAMS_IF_NONE_MATCH), "\"x\"");
	assert_null(params_header(&params, PARAMS_COOKIE));
	assert_null(params_header(&params, PARAMS_OTHER));
}

static void
test_two_spellings(void **state)
{
	(void)state;
	assert_int_equal(read_with("SERVER_SOFTWARE=lighttpd/1.4.69",
	    "HTTP_X_USER=root", "HTTP_ACCEPT=a", "HTTP_X_USER=guest",
	    "HTTP_ACCEPT=b", "HTTP_X_USER=third", NULL), 0);
	assert_null(field("HTTP_X_USER"));
	assert_string_equal(field("HTTP_ACCEPT"), "a, b");

	assert_int_equal(read_with("HTTP_IF_NONE_MATCH=x",
	    "HTTP_IF_NONE_MATCH=y", NULL), 0);
	assert_null(field("HTTP_IF_NONE_MATCH"));
	assert_null(params_header(&params, PARAMS_IF_NONE_MATCH));
}

static void
test_doubles_behind_nginx(void **state)
{
	(void)state;
	assert_int_equal(read_with("SERVER_SOFTWARE=nginx/1.22.1",
	    "HTTP_X_TAG=a", "HTTP_X_TAG=b", "HTTP_COOKIE=a=1",
	    "HTTP_X_TAG=c", "HTTP_COOKIE=b=2", "HTTP_IF_NONE_MATCH=\"1\"",
	    "HTTP_IF_NONE_MATCH=\"2\"", NULL), 0);
	assert_string_equal(field("HTTP_X_TAG"), "a, b, c");
	assert_string_equal(field("HTTP_COOKIE"), "a=1; b=2");
	assert_string_equal(params_header(&params, PARAMS_COOKIE), "a=1; b=2");
	assert_string_equal(
	    params_header(&params, PARAMS_IF_NONE_MATCH), "\"1\", \"2\"");
}

static void
test_refused_doubles(void **state)
{
	static const char *const names[] = {"HTTP_HOST=a",
	    "HTTP_AUTHORIZATION=a", "HTTP_X_FORWARDED_FOR=a",
	    "HTTP_X_FORWARDED_PROTO=a", "HTTP_X_FORWARDED_HOST=a",
	    "HTTP_X_FORWARDED_ANYTHING=a"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(read_with(names[i], NULL), 0);
		assert_int_equal(read_with(names[i], names[i], NULL), 400);
		assert_int_equal(read_with("SERVER_SOFTWARE=nginx/1.22",
		    names[i], names[i], NULL), 400);
	}
}

static void
test_control_bytes(void **state)
{
	char variable[64];
	int c, pad;

	(void)state;
	for (pad = 0; pad < 20; pad++)
		for (c = 1; c < 256; c++) {
			memset(variable, 'x', sizeof(variable));
			memcpy(variable, "HTTP_A=", 7);
			variable[7 + pad] = (char)c;
			variable[7 + 21] = '\0';
			assert_int_equal(read_with(variable, NULL),
			    (c < 0x20 && c != '\t') || c == 0x7f ? 400 : 0);
		}
	assert_int_equal(read_with("REMOTE_USER=a\nb", NULL), 400);
	assert_int_equal(read_with("PATH_INFO=/a\nb", NULL), 0);
}

static void
test_methods(void **state)
{
	char *get[] = {(char[]){"REQUEST_METHOD=M-SEARCH"}, NULL};
	char *space[] = {(char[]){"REQUEST_METHOD=GET /"}, NULL};
	char *empty[] = {(char[]){"REQUEST_METHOD="}, NULL};
	char *large[] = {
	    (char[]){"REQUEST_METHOD=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, NULL};
	char *none[] = {NULL};

	(void)state;
	assert_int_equal(params_read(&params, get), 0);
	assert_int_equal(params_read(&params, space), 400);
	assert_int_equal(params_read(&params, empty), 400);
	assert_int_equal(params_read(&params, large), 400);
	assert_int_equal(params_read(&params, none), 400);
}

static void
test_limits(void **state)
{
	static char names[PARAMS_VARIABLES_MAX + 2][32];
	char *envp[PARAMS_VARIABLES_MAX + 3], *large;
	size_t i;

	(void)state;
	envp[0] = strcpy(names[0], "REQUEST_METHOD=GET");
	for (i = 1; i <= PARAMS_HEADERS_MAX + 1; i++) {
		snprintf(names[i], sizeof(names[i]), "HTTP_N%zu=x", i);
		envp[i] = names[i];
	}
	envp[PARAMS_HEADERS_MAX + 1] = NULL;
	assert_int_equal(params_read(&params, envp), 0);
	assert_int_equal(params.count, PARAMS_HEADERS_MAX);
	envp[PARAMS_HEADERS_MAX + 1] = names[PARAMS_HEADERS_MAX + 1];
	envp[PARAMS_HEADERS_MAX + 2] = NULL;
	assert_int_equal(params_read(&params, envp), 431);

	for (i = 1; i <= PARAMS_VARIABLES_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "N%zu=x", i);
		envp[i] = names[i];
	}
	envp[i] = NULL;
	assert_int_equal(params_read(&params, envp), 431);
	envp[i - 1] = NULL;
	assert_int_equal(params_read(&params, envp), 0);

	large = malloc(PARAMS_VALUE_MAX + 9);
	assert_non_null(large);
	memset(large, 'x', PARAMS_VALUE_MAX + 8);
	large[PARAMS_VALUE_MAX + 8] = '\0';
	memcpy(large, "HTTP_A=", 7);
	envp[1] = large;
	envp[2] = NULL;
	assert_int_equal(params_read(&params, envp), 431);
	large[PARAMS_VALUE_MAX + 7] = '\0';
	assert_int_equal(params_read(&params, envp), 0);
	/* Three of 16 KB are past the 40 KB in all. */
	envp[2] = envp[3] = large;
	envp[4] = NULL;
	assert_int_equal(params_read(&params, envp), 431);
	free(large);
}

/* The largest join that the limits let in fits, whatever its shape. */
static void
test_largest_join(void **state)
{
	char *envp[PARAMS_HEADERS_MAX + 2], *one;
	size_t i, len = PARAMS_BYTES_MAX / PARAMS_HEADERS_MAX - 6;

	(void)state;
	one = malloc(len + 8);
	assert_non_null(one);
	memset(one, 'x', len + 7);
	one[7 + len] = '\0';
	memcpy(one, "HTTP_A=", 7);
	envp[0] = (char[]){"REQUEST_METHOD=GET"};
	for (i = 1; i <= PARAMS_HEADERS_MAX; i++)
		envp[i] = one;
	envp[i] = NULL;
	assert_int_equal(params_read(&params, envp), 0);
	assert_int_equal(strlen(field("HTTP_A")),
	    PARAMS_HEADERS_MAX * len + 2 * (PARAMS_HEADERS_MAX - 1));
	free(one);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_meta),
	    cmocka_unit_test(test_last_meta_counts),
	    cmocka_unit_test(test_content_length),
	    cmocka_unit_test(test_never_handed_on),
	    cmocka_unit_test(test_known),
	    cmocka_unit_test(test_two_spellings),
	    cmocka_unit_test(test_doubles_behind_nginx),
	    cmocka_unit_test(test_refused_doubles),
	    cmocka_unit_test(test_control_bytes),
	    cmocka_unit_test(test_methods),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_largest_join),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
