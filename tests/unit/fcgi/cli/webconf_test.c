/*
 * Tests of the printed configurations: what is pasted is what is tested, and
 * every value lands where it belongs.
 */
#include "fcgi/cli/webconf.h"
#include "store/base/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct webconf VALUES = {.site = "/srv/site",
    .state = "/srv/state",
    .gateway = "/opt/bothy-fcgi",
    .launcher = "/opt/bothy-launch",
    .socket = "/srv/state/run/gateway.sock",
    .root = "/srv/web",
    .docroot = "/srv/docs",
    .base = "",
    .stage = "",
    .secrets = "",
    .listen = "127.0.0.1",
    .port = "8123",
    .user = "",
    .group = ""};

static char *
print(const struct webserver *s, const struct webconf *w, bool standalone)
{
	struct buf out;
	struct err e;

	buf_init(&out, WEBCONF_MAX);
	if (webconf_print(s, w, standalone, &out, &e) < 0)
		fail_msg("%s: %s", s->name, e.text);
	return buf_take(&out);
}

/* True if a "@NAME@" was left in the text. */
static bool
has_placeholder(const char *text)
{
	const char *at = text;
	size_t n;

	while ((at = strchr(at, '@'))) {
		n = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_?!");
		if (n && at[n + 1] == '@')
			return true;
		at++;
	}
	return false;
}

static void
test_all_servers(void **state)
{
	const struct webserver *s;
	struct webconf w = VALUES;
	char *fragment, *whole;
	int variant;

	(void)state;
	for (s = webservers; s->name; s++) {
		for (variant = 0; variant < 4; variant++) {
			w.base = variant & 1 ? "/api" : "";
			w.user = w.group = variant & 2 ? "www" : "";
			w.spawned = s->can_spawn && (variant & 2);
			fragment = print(s, &w, false);
			whole = print(s, &w, true);
			assert_false(has_placeholder(fragment));
			assert_false(has_placeholder(whole));
			assert_non_null(strstr(whole, "8123"));
			assert_non_null(strstr(whole, "127.0.0.1"));
			if (s->dispatch) {
				assert_non_null(strstr(whole, "/srv/docs"));
				assert_non_null(strstr(fragment,
				    s->dispatch));
			} else {
				assert_non_null(strstr(whole, fragment));
				assert_non_null(strstr(fragment,
				    VALUES.socket));
			}
			free(fragment);
			free(whole);
		}
	}
}

static void
test_pushes_have_room(void **state)
{
	const struct webserver *s = webserver_find("nginx");
	struct webconf w = VALUES;
	char *text;

	(void)state;
	text = print(s, &w, false);
	assert_non_null(strstr(text, "client_max_body_size 110m;"));
	assert_null(strstr(text, "530m"));
	free(text);
	w.push = "/deploy.git";
	text = print(s, &w, false);
	assert_non_null(strstr(text, "client_max_body_size 530m;"));
	assert_null(strstr(text, "110m"));
	free(text);
}

static void
test_conditions(void **state)
{
	const struct webserver *s = webserver_find("lighttpd");
	struct webconf w = VALUES;
	char *text;

	(void)state;
	text = print(s, &w, false);
	assert_null(strstr(text, "bin-path"));
	assert_null(strstr(text, "HTTP[\"url\"]"));
	assert_non_null(strstr(text, "fastcgi.server = (\"/\" =>"));
	free(text);
	w.spawned = true;
	w.base = "/api";
	w.stage = "prod";
	text = print(s, &w, false);
	assert_non_null(strstr(text, "\"bin-path\" => \"/opt/bothy-fcgi\""));
	assert_non_null(strstr(text, "\"BOTHY_SITE\" => \"/srv/site\""));
	assert_non_null(strstr(text, "\"BOTHY_STAGE\" => \"prod\""));
	assert_non_null(strstr(text, "\"^/api(?:/|$)\""));
	free(text);
}

static void
test_refuses_what_would_break_out(void **state)
{
	static const char *const paths[] = {"/a\"b", "/a\nb", "/a$b", "/a}b",
	    "/a;b", "/a\\b", "/a'b", "/a#b", "/a\x7f"};
	const struct webserver *s;
	struct webconf w = VALUES;
	struct buf out;
	struct err e;
	size_t i;

	(void)state;
	buf_init(&out, WEBCONF_MAX);
	for (s = webservers; s->name; s++) {
		for (i = 0; i < sizeof paths / sizeof *paths; i++) {
			w.socket = paths[i];
			assert_int_equal(webconf_print(s, &w, true, &out, &e),
			    -1);
			assert_int_equal(out.len, 0);
		}
	}
	buf_release(&out);
}

static void
test_socket_length(void **state)
{
	char path[120];
	struct webconf w = VALUES;
	struct buf out;
	struct err e;

	(void)state;
	memset(path, 'a', sizeof path);
	path[0] = '/';
	path[108] = '\0';
	w.socket = path;
	buf_init(&out, WEBCONF_MAX);
	assert_int_equal(webconf_print(webserver_find("nginx"), &w, false,
	    &out, &e), -1);
	assert_non_null(strstr(e.text, "has 108 bytes"));
	path[107] = '\0';
	assert_int_equal(webconf_print(webserver_find("nginx"), &w, false,
	    &out, &e), 0);
	buf_release(&out);
}

static void
test_install(void **state)
{
	char dir[] = "/tmp/bothy-webconf-XXXXXX", path[128];
	struct webconf w = VALUES;
	struct stat st;
	struct buf text;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(dir));
	w.docroot = dir;
	w.gateway = "/opt/bothy-fcgi";
	w.dispatcher = "/bin/true";
	w.stage = "prod";
	w.secrets = "/home/me/s";
	assert_int_equal(webconf_install(webserver_find("apache-cgi"), &w,
	    &e), 0);
	snprintf(path, sizeof path, "%s/dispatch.cgi", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(system(path), 0);
	buf_init(&text, WEBCONF_MAX);
	snprintf(path, sizeof path, "%s/bothy.site", dir);
	assert_int_equal(io_read_file(AT_FDCWD, path, &text, &e), 0);
	assert_string_equal(buf_str(&text), "site=/srv/site\n"
	    "state=/srv/state\nlaunch=/opt/bothy-launch\n"
	    "gateway=/opt/bothy-fcgi\nstage=prod\nsecrets=/home/me/s\n");
	buf_release(&text);
	snprintf(path, sizeof path, "%s/.htaccess", dir);
	assert_int_equal(access(path, R_OK), 0);
	io_remove_tree(AT_FDCWD, dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_servers),
	    cmocka_unit_test(test_pushes_have_room),
	    cmocka_unit_test(test_conditions),
	    cmocka_unit_test(test_refuses_what_would_break_out),
	    cmocka_unit_test(test_socket_length),
	    cmocka_unit_test(test_install),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
