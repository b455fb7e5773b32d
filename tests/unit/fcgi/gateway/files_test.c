/*
 * fcgi/gateway/files.c: what of www/ is served, how, and what never.
 */
#include "fcgi/gateway/files.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char site[64];
static struct files files;
static struct path path;
static struct params params;
static struct buf out, body;
static bool client_leaves;

static void
make_file(const char *name, const char *text)
{
	char full[256];
	int fd;

	snprintf(full, sizeof(full), "%s/%s", site, name);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void
make_directory(const char *name)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", site, name);
	assert_int_equal(mkdir(full, 0755), 0);
}

static void
make_link(const char *target, const char *name)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", site, name);
	assert_int_equal(symlink(target, full), 0);
}

static int
set_up(void **state)
{
	char full[128];
	struct err e;

	(void)state;
	strcpy(site, "/tmp/files_test.XXXXXX");
	assert_non_null(mkdtemp(site));
	make_file("deploy.yaml", "secret");
	make_directory("www");
	make_file("www/index.html", "<p>home");
	make_file("www/a.txt", "0123456789");
	make_file("www/empty.css", "");
	make_file("www/.hidden", "x");
	make_file("www/with space.txt", "x");
	make_directory("www/sub");
	make_file("www/sub/index.html", "sub");
	make_directory("www/none");
	make_directory("www/.git");
	make_file("www/.git/config", "x");
	make_directory("www/.well-known");
	make_file("www/.well-known/acme", "proof");
	make_file("www/.well-known/.dot", "x");
	make_link("../deploy.yaml", "www/out.txt");
	make_link("..", "www/up");
	make_link("/etc", "www/etc");
	snprintf(full, sizeof(full), "%s/www/fifo", site);
	assert_int_equal(mkfifo(full, 0644), 0);
	path_init(&path);
	params_init(&params);
	buf_init(&out, 64 * 1024);
	buf_init(&body, 1024 * 1024);
	return files_open(&files, site, &e);
}

static int
tear_down(void **state)
{
	(void)state;
	files_close(&files);
	path_release(&path);
	params_release(&params);
	buf_release(&out);
	buf_release(&body);
	return io_remove_tree(AT_FDCWD, site);
}

static enum files_found
find(const char *uri, struct files_hit *hit)
{
	assert_int_equal(path_parse(&path, uri), 0);
	return files_find(&files, &path, hit);
}

static void
assert_none(const char *uri)
{
	struct files_hit hit;

	if (find(uri, &hit) != FILES_NONE)
		fail_msg("%s was found", uri);
	assert_int_equal(hit.fd, -1);
}

static int
take(void *ctx, const void *p, size_t n)
{
	assert_ptr_equal(ctx, &body);
	if (client_leaves)
		return -1;
	return buf_add(&body, p, n);
}

/* Header into `out`, body into `body`, of a request with params.known. */
static int
serve(const char *uri, bool head)
{
	const struct files_extra x = {.request_id = "ID", .head = head};
	struct files_hit hit;
	int status;

	buf_reset(&out);
	buf_reset(&body);
	assert_int_equal(find(uri, &hit), FILES_FILE);
	files_head(&hit, &params, &x, &out);
	status = hit.status;
	assert_int_equal(files_send(&hit, take, &body), 0);
	files_hit_close(&hit);
	return status;
}

static void
serves(const char *uri, const char *text)
{
	memset(params.known, 0, sizeof(params.known));
	assert_int_equal(serve(uri, false), 200);
	assert_string_equal(buf_str(&body), text);
}

static void
look(void)
{
	struct files_hit hit;

	serves("/", "<p>home");
	assert_non_null(strstr(
	    buf_str(&out), "Content-Type: text/html; charset=utf-8\r\n"));
	serves("/index.html", "<p>home");
	serves("/a.txt", "0123456789");
	serves("/a.txt?query", "0123456789");
	serves("/empty.css", "");
	serves("/with%20space.txt", "x");
	serves("/sub/", "sub");
	serves("/.well-known/acme", "proof");
	assert_int_equal(find("/sub", &hit), FILES_SLASH);
	assert_none("/absent");
	assert_none("/none");
	assert_none("/none/");
	assert_none("/a.txt/");
	assert_none("/a.txt/x");
	assert_none("/.hidden");
	assert_none("/.git/config");
	assert_none("/.well-known");
	assert_none("/.well-known/");
	assert_none("/.well-known/.dot");
	assert_none("//a.txt");
	assert_none("/sub//index.html");
	assert_none("/sub//");
	assert_none("/out.txt");
	assert_none("/up/deploy.yaml");
	assert_none("/etc/passwd");
	assert_none("/fifo");
}

static void
test_find(void **state)
{
	(void)state;
	files.walk = false;
	look();
	/* The way without openat2 agrees. */
	files.walk = true;
	look();
	assert_none("/none/x/y");
	files.walk = false;
}

static void
test_links(void **state)
{
	(void)state;
	make_link("a.txt", "www/inside.txt");
	make_link("sub", "www/also");
	serves("/inside.txt", "0123456789");
	serves("/also/", "sub");
	files.walk = true;
	assert_none("/inside.txt");
	assert_none("/also/");
	files.walk = false;
}

static void
test_no_www(void **state)
{
	struct files none;
	struct files_hit hit;
	struct err e;
	char directory[128];

	(void)state;
	snprintf(directory, sizeof(directory), "%s/www", site);
	assert_int_equal(files_open(&none, directory, &e), 0);
	assert_int_equal(none.root_fd, -1);
	assert_int_equal(path_parse(&path, "/a.txt"), 0);
	assert_int_equal(files_find(&none, &path, &hit), FILES_NONE);
	files_close(&none);
	/* A file where the directory should be is told. */
	make_directory("other");
	make_file("other/www", "x");
	snprintf(directory, sizeof(directory), "%s/other", site);
	assert_int_equal(files_open(&none, directory, &e), -1);
}

static void
test_conditions(void **state)
{
	char etag[64], modified[64], list[160];
	const char *p;

	(void)state;
	serves("/a.txt", "0123456789");
	p = strstr(buf_str(&out), "ETag: ");
	assert_non_null(p);
	snprintf(etag, sizeof(etag), "%.*s", (int)strcspn(p + 6, "\r"), p + 6);
	p = strstr(buf_str(&out), "Last-Modified: ");
	assert_non_null(p);
	snprintf(modified, sizeof(modified), "%.*s",
	    (int)strcspn(p + 15, "\r"), p + 15);

	params.known[PARAMS_IF_NONE_MATCH] = etag;
	assert_int_equal(serve("/a.txt", false), 304);
	assert_int_equal(body.len, 0);
	assert_null(strstr(buf_str(&out), "Content-Length"));
	assert_non_null(strstr(buf_str(&out), etag));
	assert_int_equal(serve("/a.txt", true), 304);
	params.known[PARAMS_IF_NONE_MATCH] = "*";
	assert_int_equal(serve("/a.txt", false), 304);
	snprintf(list, sizeof(list), "\"x\", W/%s", etag);
	params.known[PARAMS_IF_NONE_MATCH] = list;
	assert_int_equal(serve("/a.txt", false), 304);
	params.known[PARAMS_IF_NONE_MATCH] = "\"x\"";
	assert_int_equal(serve("/a.txt", false), 200);
	/* If-None-Match rules out If-Modified-Since. */
	params.known[PARAMS_IF_MODIFIED_SINCE] = modified;
	assert_int_equal(serve("/a.txt", false), 200);
	params.known[PARAMS_IF_NONE_MATCH] = NULL;
	assert_int_equal(serve("/a.txt", false), 304);
	params.known[PARAMS_IF_MODIFIED_SINCE] =
	    "Sun, 06 Nov 1994 08:49:37 GMT";
	assert_int_equal(serve("/a.txt", false), 200);
	params.known[PARAMS_IF_MODIFIED_SINCE] = "nonsense";
	assert_int_equal(serve("/a.txt", false), 200);
	params.known[PARAMS_IF_MODIFIED_SINCE] = NULL;

	params.known[PARAMS_RANGE] = "bytes=0-0";
	params.known[PARAMS_IF_RANGE] = etag;
	assert_int_equal(serve("/a.txt", false), 206);
	params.known[PARAMS_IF_RANGE] = modified;
	assert_int_equal(serve("/a.txt", false), 206);
	params.known[PARAMS_IF_RANGE] = "\"x\"";
	assert_int_equal(serve("/a.txt", false), 200);
}

static void
test_ranges(void **state)
{
	static const struct {
		const char *range;
		int status;
		const char *text, *content_range;
	} cases[] = {
	    {"bytes=0-0", 206, "0", "bytes 0-0/10\r\n"},
	    {"bytes=2-4", 206, "234", "bytes 2-4/10\r\n"},
	    {"Bytes=8-", 206, "89", "bytes 8-9/10\r\n"},
	    {"bytes=8-99", 206, "89", "bytes 8-9/10\r\n"},
	    {"bytes=8-99999999999999999999999999", 206, "89",
	        "bytes 8-9/10\r\n"},
	    {"bytes=-3", 206, "789", "bytes 7-9/10\r\n"},
	    {"bytes=-99", 206, "0123456789", "bytes 0-9/10\r\n"},
	    {"bytes=10-", 416, "", "bytes */10\r\n"},
	    {"bytes=99999999999999999999999-", 416, "", "bytes */10\r\n"},
	    {"bytes=-0", 416, "", "bytes */10\r\n"},
	    {"bytes=4-2", 200, "0123456789", NULL},
	    {"bytes=-", 200, "0123456789", NULL},
	    {"bytes=", 200, "0123456789", NULL},
	    {"bytes=0-1,3-4", 200, "0123456789", NULL},
	    {"bytes=a-b", 200, "0123456789", NULL},
	    {"lines=0-1", 200, "0123456789", NULL},
	    {"", 200, "0123456789", NULL},
	};
	const char *range;
	size_t i;

	(void)state;
	memset(params.known, 0, sizeof(params.known));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		params.known[PARAMS_RANGE] = cases[i].range;
		if (serve("/a.txt", false) != cases[i].status)
			fail_msg("%s", cases[i].range);
		assert_string_equal(buf_str(&body), cases[i].text);
		range = strstr(buf_str(&out), "Content-Range: ");
		assert_int_equal(range != NULL, cases[i].content_range != NULL);
		if (range)
			assert_int_equal(strncmp(range + 15,
			    cases[i].content_range,
			    strlen(cases[i].content_range)), 0);
	}
	params.known[PARAMS_RANGE] = "bytes=0-0";
	assert_int_equal(serve("/a.txt", true), 200);
	assert_non_null(strstr(buf_str(&out), "Content-Length: 10\r\n"));
	params.known[PARAMS_RANGE] = "bytes=0-";
	assert_int_equal(serve("/empty.css", false), 416);
}

static void
test_send(void **state)
{
	struct files_hit hit;
	char full[128], *large = malloc(100001);

	(void)state;
	assert_non_null(large);
	memset(large, 'x', 100000);
	large[100000] = '\0';
	large[50000] = 'y';
	make_file("www/large", large);
	serves("/large", large);
	assert_non_null(strstr(
	    buf_str(&out), "Content-Type: application/octet-stream\r\n"));
	free(large);

	assert_int_equal(find("/large", &hit), FILES_FILE);
	client_leaves = true;
	assert_int_equal(files_send(&hit, take, &body), -1);
	client_leaves = false;
	snprintf(full, sizeof(full), "%s/www/large", site);
	assert_int_equal(truncate(full, 10), 0);
	assert_int_equal(files_send(&hit, take, &body), -2);
	files_hit_close(&hit);
}

static void
test_slash(void **state)
{
	const struct files_extra x = {.request_id = "ID"};

	(void)state;
	assert_int_equal(path_parse(&path, "/%73ub/\xc3\xbc%0d?a=%20"), 400);
	assert_int_equal(path_parse(&path, "/%73u%20b/\xc3\xbc?a=%20"), 0);
	buf_reset(&out);
	files_slash(&path, &x, NULL, &out);
	assert_string_equal(buf_str(&out), "Status: 301 Moved Permanently\r\n"
	    "Location: /su%20b/%C3%BC/?a=%20\r\nContent-Length: 0\r\n"
	    "X-Request-Id: ID\r\n\r\n");
}

static void
test_types(void **state)
{
	(void)state;
	assert_string_equal(files_type("a.JS"),
	    "text/javascript; charset=utf-8");
	assert_string_equal(files_type("a.b/c"), "application/octet-stream");
	assert_string_equal(files_type("a."), "application/octet-stream");
	assert_string_equal(files_type("x/a.tar.gz"), "application/gzip");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_links),
	    cmocka_unit_test(test_no_www),
	    cmocka_unit_test(test_conditions),
	    cmocka_unit_test(test_ranges),
	    cmocka_unit_test(test_send),
	    cmocka_unit_test(test_slash),
	    cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
