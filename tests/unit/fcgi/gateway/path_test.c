/*
 * fcgi/gateway/path.c: one decoding, and agreement with each web server.
 */
#include "fcgi/gateway/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct path path;

static int
set_up(void **state)
{
	(void)state;
	path_init(&path);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	path_release(&path);
	return 0;
}

static void
test_good(void **state)
{
	static const struct {
		const char *uri, *text, *query;
	} cases[] = {
	    {"/", "/", ""},
	    {"/a/b", "/a/b", ""},
	    {"/a%20b?x=1&y=%2e", "/a b", "x=1&y=%2e"},
	    {"/%25", "/%", ""},
	    {"/%252e%252e/x", "/%2e%2e/x", ""},
	    {"/%C3%BC", "/\xc3\xbc", ""},
	    {"/\xc3\xbc", "/\xc3\xbc", ""},
	    {"/a//b/", "/a//b/", ""},
	    {"/...", "/...", ""},
	    {"/.a/..b/c.", "/.a/..b/c.", ""},
	    {"/a?", "/a", ""},
	    {"/a??b?", "/a", "?b?"},
	    {"http://host/x?y", "/x", "y"},
	    {"HTTPS://host:1/x/", "/x/", ""},
	    {"http://host", "/", ""},
	    {"http://host?q", "/", "q"},
	    {"/a+b", "/a+b", ""},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(path_parse(&path, cases[i].uri), 0);
		assert_string_equal(path.text, cases[i].text);
		assert_int_equal(path.len, strlen(cases[i].text));
		assert_string_equal(path.query, cases[i].query);
		assert_int_equal(path.query_len, strlen(cases[i].query));
		assert_int_equal(
		    path.has_query, strchr(cases[i].uri, '?') != NULL);
		assert_ptr_equal(path.site, path.text);
		assert_false(path.asterisk);
	}
}

static void
test_asterisk(void **state)
{
	(void)state;
	assert_int_equal(path_parse(&path, "*"), 0);
	assert_true(path.asterisk);
	assert_string_equal(path.site, "*");
	assert_int_equal(path_agree(&path, "", "", "/x"), 0);
	assert_int_equal(path_parse(&path, "/"), 0);
	assert_false(path.asterisk);
}

static void
test_refused(void **state)
{
	static const char *const uris[] = {"", "a", "*a", "/%", "/%4", "/%g1",
	    "/%1g", "/a%00b", "/%0a", "/%7f", "/\n", "/\x7f", "/%ff",
	    "/\xff", "/%c0%af", "/%ed%a0%80", "/.", "/..", "/./a", "/../a",
	    "/a/.", "/a/..", "/a/../b", "/%2e%2e/a", "/.%2e/a", "/a/%2E",
	    "/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/a#b", "/a?b#c", "/a?b c",
	    "/a?b\x01", "/a?\x7f", "ftp://host/", "http:/x", "host:443",
	    "http://host/../x"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		if (path_parse(&path, uris[i]) != 400)
			fail_msg("'%s' was taken", uris[i]);
		assert_non_null(path.reason);
	}
	assert_int_equal(path_parse(&path, NULL), 400);
}

static void
test_long(void **state)
{
	char *uri = malloc(PATH_URI_MAX + 2);
	char *huge = malloc(5 * PATH_URI_MAX);

	(void)state;
	assert_non_null(uri);
	assert_non_null(huge);
	memset(uri, 'a', PATH_URI_MAX + 1);
	uri[0] = '/';
	uri[PATH_URI_MAX + 1] = '\0';
	assert_int_equal(path_parse(&path, uri), 414);
	uri[PATH_URI_MAX] = '\0';
	assert_int_equal(path_parse(&path, uri), 0);
	assert_int_equal(path.len, PATH_URI_MAX);
	assert_int_equal(path_agree(&path, "", uri, ""), 0);
	assert_int_equal(path_agree(&path, uri, uri, ""), 0);
	/* A web server that says more than fits does not agree. */
	memset(huge, '/', 5 * PATH_URI_MAX - 1);
	huge[5 * PATH_URI_MAX - 1] = '\0';
	assert_int_equal(path_parse(&path, "/"), 0);
	assert_int_equal(path_agree(&path, "", huge, ""), 400);
	assert_int_equal(path_agree(&path, "", "/", ""), 0);
	free(uri);
	free(huge);
}

struct agree_case {
	const char *uri, *script_name, *path_info, *base;
	int status;
	const char *site;
	size_t mount_len;
};

static void
run(const struct agree_case *c)
{
	int status;

	assert_int_equal(path_parse(&path, c->uri), 0);
	status = path_agree(&path, c->script_name, c->path_info, c->base);
	if (status != c->status)
		fail_msg("%s of %s and %s at '%s': %d", c->uri,
		    c->script_name ? c->script_name : "-",
		    c->path_info ? c->path_info : "-", c->base, status);
	if (status)
		return;
	assert_string_equal(path.site, c->site);
	assert_int_equal(path.site_len, strlen(c->site));
	assert_int_equal(path.mount_len, c->mount_len);
}

/* The forms of FACTS 1, web server by web server. */
static void
test_agrees(void **state)
{
	static const struct agree_case cases[] = {
	    /* lighttpd: decoded, // merged; any split of the path. */
	    {"/a/b%20c", "", "/a/b c", "", 0, "/a/b c", 0},
	    {"/a/b%20c", "/a", "/b c", "", 0, "/a/b c", 0},
	    {"/a//b", "/a", "/b", "", 0, "/a//b", 0},
	    {"/a//b/", "/a", "/b/", "", 0, "/a//b/", 0},
	    {"/", "", "/", "", 0, "/", 0},
	    {"/", "/", NULL, "", 0, "/", 0},
	    /* Apache proxy_fcgi: whole in SCRIPT_NAME, or raw PATH_INFO. */
	    {"/a/b%20c", "/a/b c", NULL, "", 0, "/a/b c", 0},
	    {"/a/b%20c", "/a", "/b%20c", "", 0, "/a/b c", 0},
	    {"/%61%20a/b%20c", "/a a", "/b%20c", "", 0, "/a a/b c", 0},
	    {"http://h/a", "/a", NULL, "", 0, "/a", 0},
	    /* nginx: decoded, and a PATH_INFO that repeats it. */
	    {"/a/b%20c", "/a/b c", "", "", 0, "/a/b c", 0},
	    {"/a/b%20c", "/a/b c", "/a/b c", "", 0, "/a/b c", 0},
	    /* Caddy: decoded, // kept; nothing but PATH_INFO. */
	    {"/a//b", NULL, "/a//b", "", 0, "/a//b", 0},
	    /* An escaped percent sign is one, and no escape. */
	    {"/a%2541", "", "/a%41", "", 0, "/a%41", 0},
	    /* mod_fcgid, mod_cgid: dispatch file by rewriting. */
	    {"/hello/x", "/dispatch.fcgi", "/hello/x", "", 0, "/hello/x", 0},
	    {"/dir/hello/x", "/dir/dispatch.fcgi", "/hello/x", "", 0,
	        "/hello/x", 4},
	    {"/dir/hello%20x", "/dir/dispatch.cgi", "/hello x", "", 0,
	        "/hello x", 4},
	    {"/dir/", "/dir/dispatch.cgi", NULL, "", 0, "/", 4},
	    {"/dir/", "/dir/dispatch.cgi", "/", "", 0, "/", 4},
	    {"/dir/a//b", "/dir/dispatch.cgi", "/a/b", "", 0, "/a//b", 4},
	    {"/dir/dispatch.cgi/x", "/dir/dispatch.cgi", "/dispatch.cgi/x",
	        "", 0, "/dispatch.cgi/x", 4},
	    /* The dispatch file in the address is a part of the path. */
	    {"/d/x.fcgi/admin", "/d/x.fcgi", "/admin", "", 0,
	        "/d/x.fcgi/admin", 0},
	    /* A server that says nothing. */
	    {"/a", NULL, NULL, "", 0, "/a", 0},
	    /* basePath. */
	    {"/api/a", "/api", "/a", "/api", 0, "/a", 4},
	    {"/api", "/api", "", "/api", 0, "/", 4},
	    {"/api/", "/api", "/", "/api", 0, "/", 4},
	    {"/api/a", "", "/a", "/api", 0, "/a", 4},
	    {"/api/a", "/a", NULL, "/api", 0, "/a", 4},
	    {"/api/a", "/api/x.cgi", "/a", "/api", 0, "/a", 4},
	    {"/api/x.cgi/a", "/api/x.cgi", "/a", "/api/x.cgi", 0, "/a", 10},
	    {"/api/a", NULL, NULL, "/api", 0, "/a", 4},
	    {"/a", "", "/a", "/api", 404, NULL, 0},
	    {"/apis", "", "/apis", "/api", 404, NULL, 0},
	    {"//api/a", "/api", "/a", "/api", 404, NULL, 0},
	    {"//dir/a", "/dir/x.cgi", "/a", "", 404, NULL, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		run(&cases[i]);
}

static void
test_disagrees(void **state)
{
	static const struct agree_case cases[] = {
	    {"/admin", "", "/pub", "", 400, NULL, 0},
	    {"/admin", "/x", "/admin", "", 400, NULL, 0},
	    {"/admin", "/x.html", "/admin", "", 400, NULL, 0},
	    {"/admin", "/y/x.cgi", "/admin", "", 400, NULL, 0},
	    {"/a", "", "/a/", "", 400, NULL, 0},
	    {"/a/", "", "/a", "", 400, NULL, 0},
	    {"/a", "", "/A", "", 400, NULL, 0},
	    {"/a%2541", "", "/aA", "", 400, NULL, 0},
	    {"/ab", "/a", "/b", "", 400, NULL, 0},
	    {"/a", "", "", "", 400, NULL, 0},
	    {"/api/admin", "", "/x", "/api", 400, NULL, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run(&cases[i]);
		assert_non_null(path.reason);
	}
}

static void
test_follow(void **state)
{
	(void)state;
	assert_int_equal(path_parse(&path, "/dir/a?x"), 0);
	assert_int_equal(path_agree(&path, "/dir/x.cgi", "/a", ""), 0);
	assert_int_equal(path_follow(&path, "/dir/b%20c?y=1"), 0);
	assert_string_equal(path.site, "/b c");
	assert_int_equal(path.mount_len, 4);
	assert_string_equal(path.query, "y=1");
	assert_int_equal(path_follow(&path, "/dir"), 0);
	assert_string_equal(path.site, "/");
	assert_int_equal(path_follow(&path, "/dir/../etc"), 400);
	assert_int_equal(path_parse(&path, "/a"), 0);
	assert_int_equal(path_follow(&path, "/dir/b"), 0);
	assert_string_equal(path.site, "/dir/b");
	assert_int_equal(path_follow(&path, "*"), 400);
	assert_int_equal(path_parse(&path, "/dir/a"), 0);
	assert_int_equal(path_agree(&path, NULL, NULL, "/dir"), 0);
	assert_int_equal(path_follow(&path, "/directory"), 404);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_asterisk),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_agrees),
	    cmocka_unit_test(test_disagrees),
	    cmocka_unit_test(test_follow),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
