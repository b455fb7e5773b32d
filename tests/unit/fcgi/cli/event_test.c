/*
 * Tests of `bothy invoke`'s requests: options -> event -> CGI environment.
 */
#include "fcgi/cli/loose64.h"
#include "fcgi/cli/event.h"
#include "fcgi/cli/routematch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct conf_param room[] = {{"room-id", "BOTHY_PARAM_room_id"}};
static struct conf_param two[] = {{"a", "BOTHY_PARAM_a"},
    {"b", "BOTHY_PARAM_b"}};
static struct conf_param file[] = {{"file", "BOTHY_PARAM_file"}};

static struct conf_function functions[] = {
    {.name = "rooms"}, {.name = "files"}, {.name = "all"}, {.name = "none"}};

static struct conf_route routes[] = {
    {.key = "GET /rooms/{room-id}", .path = "/rooms/{room-id}",
	.method = SNAP_GET, .kind = SNAP_KIND_PARAMETER, .function = 0,
	.params = room, .nparams = 1},
    {.key = "GET /rooms/new", .path = "/rooms/new", .method = SNAP_GET,
	.kind = SNAP_KIND_EXACT, .function = 0},
    {.key = "POST /x/{a}/y/{b}", .path = "/x/{a}/y/{b}",
	.method = SNAP_POST, .kind = SNAP_KIND_PARAMETER, .function = 0,
	.params = two, .nparams = 2},
    {.key = "ANY /files/{file+}", .path = "/files/{file+}",
	.method = SNAP_ANY, .kind = SNAP_KIND_GREEDY, .function = 1,
	.params = file, .nparams = 1},
    {.key = "$default", .path = "$default", .method = SNAP_ANY,
	.kind = SNAP_KIND_DEFAULT, .function = 2},
};

static const struct conf CONF = {.base_path = "/api",
    .functions = functions, .nfunctions = 4, .routes = routes,
    .nroutes = 5};

struct request {
	struct envlist env;
	struct buf body;
	struct err e;
	int rc;
};

static void
make(struct request *r, size_t function, const struct event_options *o)
{
	json_t *event;

	envlist_init(&r->env);
	buf_init(&r->body, 1 << 20);
	event = event_make(&CONF, &functions[function], o, &r->e);
	if (!event) {
		r->rc = -1;
		return;
	}
	r->rc = event_environment(event, &CONF, &functions[function],
	    &r->env, &r->body, &r->e);
	json_decref(event);
}

static void
drop(struct request *r)
{
	envlist_release(&r->env);
	buf_release(&r->body);
}

/* The value of a variable; "(none)" if it is not set. */
static const char *
get(const struct request *r, const char *name)
{
	size_t n = strlen(name), i;

	for (i = 0; i < r->env.count; i++) {
		if (strncmp(r->env.items[i], name, n) == 0 &&
		    r->env.items[i][n] == '=')
			return r->env.items[i] + n + 1;
	}
	return "(none)";
}

static void
test_defaults(void **state)
{
	struct event_options o = {.method = NULL};
	struct request r;

	(void)state;
	make(&r, 0, &o);
	assert_int_equal(r.rc, 0);
	assert_string_equal(get(&r, "REQUEST_METHOD"), "GET");
	assert_string_equal(get(&r, "SCRIPT_NAME"), "/api/rooms/room-id");
	assert_string_equal(get(&r, "PATH_INFO"), "");
	assert_string_equal(get(&r, "BOTHY_PARAM_room_id"), "room-id");
	assert_string_equal(get(&r, "BOTHY_ROUTE"), "GET /rooms/{room-id}");
	assert_string_equal(get(&r, "CONTENT_LENGTH"), "(none)");
	drop(&r);
	make(&r, 3, &o);
	assert_int_equal(r.rc, 0);
	assert_string_equal(get(&r, "PATH_INFO"), "/");
	assert_string_equal(get(&r, "BOTHY_ROUTE"), "(none)");
	drop(&r);
}

static void
test_paths(void **state)
{
	static const struct {
		size_t function;
		const char *method, *path, *script, *info, *route;
	} cases[] = {
	    {0, NULL, "/api/rooms/a%20b", "/api/rooms/a b", "",
		"GET /rooms/{room-id}"},
	    {0, "HEAD", "/rooms/new?x=1", "/api/rooms/new", "",
		"GET /rooms/new"},
	    {0, "POST", "/x/1/y/2", "/api/x/1/y/2", "", "POST /x/{a}/y/{b}"},
	    {1, "PATCH", "/files/a/b/c", "/api/files", "/a/b/c",
		"ANY /files/{file+}"},
	    {1, NULL, "/files/", "/api/files", "/", "ANY /files/{file+}"},
	    {2, NULL, "/any/thing", "/api", "/any/thing", "$default"},
	};
	struct request r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct event_options o = {.method = cases[i].method,
		    .path = cases[i].path};

		make(&r, cases[i].function, &o);
		assert_int_equal(r.rc, 0);
		assert_string_equal(get(&r, "SCRIPT_NAME"), cases[i].script);
		assert_string_equal(get(&r, "PATH_INFO"), cases[i].info);
		assert_string_equal(get(&r, "BOTHY_ROUTE"), cases[i].route);
		drop(&r);
	}
}

static void
test_no_route(void **state)
{
	static const struct {
		size_t function;
		const char *method, *path;
	} cases[] = {
	    {0, "DELETE", "/rooms/1"}, {0, "GET", "/rooms/"},
	    {0, "GET", "/rooms/1/2"}, {0, "GET", "/rooms"},
	    {0, "POST", "/x/1/y"}, {1, "GET", "/files"}, {1, "GET", "nope"},
	};
	struct request r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct event_options o = {.method = cases[i].method,
		    .path = cases[i].path};

		make(&r, cases[i].function, &o);
		assert_int_equal(r.rc, -1);
		drop(&r);
	}
	make(&r, 1, &(struct event_options){.path = "/other"});
	assert_string_equal(r.e.text, "files has no route for GET /other; it "
	    "answers ANY /files/{file+}");
	drop(&r);
}

static void
test_body_and_headers(void **state)
{
	const char *headers[] = {"Content-Type: text/plain", "X-One: 1",
	    "x-one:2", "Cookie: a=b", "Proxy: http://evil"};
	struct event_options o = {.path = "/files/a", .data = "hello",
	    .headers = headers, .nheaders = 5};
	struct request r;

	(void)state;
	make(&r, 1, &o);
	assert_int_equal(r.rc, 0);
	assert_string_equal(get(&r, "REQUEST_METHOD"), "POST");
	assert_string_equal(get(&r, "CONTENT_LENGTH"), "5");
	assert_string_equal(get(&r, "CONTENT_TYPE"), "text/plain");
	assert_string_equal(get(&r, "HTTP_CONTENT_TYPE"), "(none)");
	assert_string_equal(get(&r, "HTTP_X_ONE"), "1, 2");
	assert_string_equal(get(&r, "HTTP_COOKIE"), "a=b");
	assert_string_equal(get(&r, "HTTP_PROXY"), "(none)");
	assert_string_equal(get(&r, "HTTP_HOST"), "localhost");
	assert_string_equal(buf_str(&r.body), "hello");
	drop(&r);
	headers[0] = "no colon";
	make(&r, 1, &o);
	assert_int_equal(r.rc, -1);
	assert_string_equal(r.e.text,
	    "--header 'no colon' is not like 'Name: value'");
	drop(&r);
}

/* The environment of an event's text. */
static void
from_text(struct request *r, size_t function, const char *text)
{
	char path[] = "/tmp/bothy-event-XXXXXX";
	int fd = mkstemp(path);
	json_t *event;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	envlist_init(&r->env);
	buf_init(&r->body, 1 << 20);
	event = event_read(path, &r->e);
	unlink(path);
	r->rc = -1;
	if (event)
		r->rc = event_environment(event, &CONF,
		    &functions[function], &r->env, &r->body, &r->e);
	json_decref(event);
}

static void
test_events(void **state)
{
	struct request r;

	(void)state;
	from_text(&r, 0, "{\"version\":\"2.0\",\"rawPath\":\"/x/1/y/%C3%A4\","
	    "\"rawQueryString\":\"q=1\",\"cookies\":[\"a=1\",\"b=2\"],"
	    "\"headers\":{\"content-type\":\"text/x\"},"
	    "\"requestContext\":{\"http\":{\"method\":\"POST\","
	    "\"sourceIp\":\"10.1.2.3\"}},"
	    "\"body\":\"AAEC/w==\",\"isBase64Encoded\":true}");
	assert_int_equal(r.rc, 0);
	assert_string_equal(get(&r, "BOTHY_PARAM_a"), "1");
	assert_string_equal(get(&r, "BOTHY_PARAM_b"), "\xc3\xa4");
	assert_string_equal(get(&r, "QUERY_STRING"), "q=1");
	assert_string_equal(get(&r, "REQUEST_URI"), "/x/1/y/%C3%A4?q=1");
	assert_string_equal(get(&r, "HTTP_COOKIE"), "a=1; b=2");
	assert_string_equal(get(&r, "REMOTE_ADDR"), "10.1.2.3");
	assert_int_equal(r.body.len, 4);
	assert_memory_equal(r.body.data, "\0\1\2\377", 4);
	drop(&r);
	from_text(&r, 0, "{\"Records\":[1, 2]}");
	assert_int_equal(r.rc, 0);
	assert_string_equal(get(&r, "BOTHY_EVENT"), "invoke");
	assert_string_equal(get(&r, "REQUEST_METHOD"), "POST");
	assert_string_equal(get(&r, "CONTENT_TYPE"), "application/json");
	assert_string_equal(buf_str(&r.body), "{\"Records\":[1,2]}");
	drop(&r);
	from_text(&r, 0, "[1,\n2,,]");
	assert_int_equal(r.rc, -1);
	assert_int_equal(r.e.line, 2);
	drop(&r);
	from_text(&r, 0, "{\"rawPath\":\"/rooms/new\",\"body\":\"*\","
	    "\"isBase64Encoded\":true}");
	assert_int_equal(r.rc, -1);
	drop(&r);
}

static void
test_loose64(void **state)
{
	static const struct {
		const char *plain, *coded;
	} cases[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
	    {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
	    {"foobar", "Zm9vYmFy"},
	    {"foob", "Zm9vYg"}, {"foob", " Zm9v\nYg == "}};
	static const char *const bad[] = {"Z", "Zg=x", "Z*==", "Zm9vY"};
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 64);
	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_reset(&out);
		assert_int_equal(loose64_decode(cases[i].coded, &out), 0);
		assert_string_equal(buf_str(&out), cases[i].plain);
	}
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(loose64_decode(bad[i], &out), -1);
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_no_route),
	    cmocka_unit_test(test_body_and_headers),
	    cmocka_unit_test(test_events),
	    cmocka_unit_test(test_loose64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
