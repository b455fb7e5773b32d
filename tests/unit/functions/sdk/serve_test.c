/*
 * A function's process: init, handlers that leave by exit() or fork, stdio,
 * the log, one request after another.  What ends a process runs in a child.
 */
#include "request_fixture.h"

#include <stdio.h>
#include <sys/wait.h>

static int init_result;

int
bothy_init(void)
{
	return init_result;
}

/* What a child process wrote to its stdout and stderr, and its status. */
static char out[8192], err[8192];

static int
run_child(int (*handler)(struct bothy_req *), int leave)
{
	struct sdk_io io = {.in_fd = 0, .out_fd = 1};
	struct sdk_output rest;
	int o = fixture_file("", 0), e = fixture_file("", 0), status;
	pid_t pid = fork();

	if (pid == 0) {
		dup2(o, 1);
		dup2(e, 2);
		fixture_handler = handler;
		if (sdk_init() != 0)
			_exit(99);
		status = sdk_serve(&io, &rest);
		if (write(1, rest.data, rest.len) < 0)
			_exit(98);
		if (leave)
			exit(status);
		sdk_reset();
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	out[pread(o, out, sizeof out - 1, 0)] = '\0';
	err[pread(e, err, sizeof err - 1, 0)] = '\0';
	close(o);
	close(e);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
hello(struct bothy_req *req)
{
	return bothy_text(req, 200, "hello");
}

#define HELLO "Status: 200 OK\r\nContent-Length: 5\r\n" \
	"Content-Type: text/plain; charset=utf-8\r\n\r\nhello"

static void
test_init(void **state)
{
	(void)state;
	assert_int_equal(run_child(hello, 0), 0);
	assert_string_equal(out, HELLO);
	/* The reply goes out once, also when the process leaves by exit(). */
	assert_int_equal(run_child(hello, 1), 0);
	assert_string_equal(out, HELLO);
	init_result = 1;
	assert_int_equal(run_child(hello, 0), 99);
	init_result = 0;
	assert_string_equal(err, "");
}

static int
exits(struct bothy_req *req)
{
	hello(req);
	exit(0);
}

static int
exits_after_flush(struct bothy_req *req)
{
	bothy_write(req, "a", 1);
	bothy_flush(req);
	bothy_write(req, "b", 1);
	exit(4);
}

static int
forks(struct bothy_req *req)
{
	hello(req);
	if (fork() == 0)
		exit(0);
	wait(NULL);
	return 0;
}

static void
test_exit(void **state)
{
	(void)state;
	assert_int_equal(run_child(exits, 0), 0);
	assert_string_equal(out, HELLO);
	assert_int_equal(run_child(exits_after_flush, 0), 4);
	assert_string_equal(out, "Status: 200 OK\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\nab");
	assert_int_equal(run_child(forks, 0), 0);
	assert_string_equal(out, HELLO);
}

static int
silent(struct bothy_req *req)
{
	(void)req;
	return 0;
}

static int
prints_itself(struct bothy_req *req)
{
	(void)req;
	printf("Content-Type: text/plain\r\n\r\nmine");
	return 0;
}

static void
test_silence(void **state)
{
	(void)state;
	fflush(stdout);
	assert_int_equal(run_child(prints_itself, 0), 0);
	assert_string_equal(out, "Content-Type: text/plain\r\n\r\nmine");
	assert_string_equal(err, "");
	assert_int_equal(run_child(silent, 0), 0);
	assert_string_equal(out, "");
}

static int
fails(struct bothy_req *req)
{
	return bothy_status(req, 42);
}

static int
logs(struct bothy_req *req)
{
	static char controls[3500];

	bothy_log(BOTHY_DEBUG, "%d%%", 100);
	bothy_log(BOTHY_INFO, "a\n\"b\"\xff");
	bothy_log((enum bothy_level)77, "?");
	memset(controls, 1, sizeof controls - 1);
	bothy_log(BOTHY_WARN, "%s", controls);
	return bothy_status(req, 204);
}

static void
test_log(void **state)
{
	static const char LINES[] =
	    "{\"level\":\"debug\",\"message\":\"100%\"}\n"
	    "{\"level\":\"info\",\"message\":\"a\\n\\\"b\\\"\xef\xbf\xbd\"}\n"
	    "{\"level\":\"error\",\"message\":\"?\"}\n"
	    "{\"level\":\"warn\",\"message\":\"\\u0001";
	json_t *line;

	(void)state;
	assert_int_equal(run_child(fails, 0), 1);
	assert_string_equal(err, "{\"level\":\"error\",\"message\":"
	    "\"42 is no status of a reply: 200 to 599\"}\n");
	run_child(logs, 0);
	assert_memory_equal(err, LINES, sizeof LINES - 1);
	assert_true(strlen(err) < 5000);
	line = json_loads(strstr(err, "{\"level\":\"warn\""), 0, NULL);
	assert_non_null(line);
	assert_in_range(json_string_length(json_object_get(line, "message")),
	    300, 3000);
	json_decref(line);
}

static int
remembers(struct bothy_req *req)
{
	assert_int_equal(bothy_failed(req), 0);
	assert_null(bothy_query(req, "b"));
	bothy_status(req, 1000);
	bothy_add_header(req, "X-A", bothy_query(req, "a"));
	bothy_limit(req, BOTHY_MAX_BODY, 1);
	return bothy_text(req, 200, "%s", bothy_body(req, NULL));
}

static int
forgets(struct bothy_req *req)
{
	assert_int_equal(bothy_failed(req), 0);
	assert_null(bothy_query(req, "a"));
	assert_string_equal(bothy_query(req, "b"), "2");
	assert_string_equal(bothy_body(req, NULL), "yy");
	return bothy_status(req, 204);
}

static void
test_one_after_another(void **state)
{
	(void)state;
	setenv("QUERY_STRING", "a=1", 1);
	assert_non_null(strstr(serve_body(remembers, "x"), "X-A: 1\r\n"));
	setenv("QUERY_STRING", "b=2", 1);
	assert_string_equal(serve_body(forgets, "yy"),
	    "Status: 204 No Content\r\n\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    REQUEST_TEST(test_init),
	    REQUEST_TEST(test_exit),
	    REQUEST_TEST(test_silence),
	    REQUEST_TEST(test_log),
	    REQUEST_TEST(test_one_after_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
