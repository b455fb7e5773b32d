/*
 * From output to client: what is held, what commits it, and that nothing goes
 * out of a reply that is none.  The client is a file in place of stdout, as a
 * plain CGI program has it.
 */
#include "fcgi/gateway/respond.h"

#include "store/base/io.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static struct worker worker;
static struct site site;
static struct respond respond;
static int to_client, own_stdout;
static char got[256 * 1024];

static int
setup(void **state)
{
	(void)state;
	memset(&worker, 0, sizeof worker);
	deadline_init(&worker.deadline);
	reply_init(&worker.reply);
	buf_init(&worker.head, 1 << 20);
	buf_init(&worker.body, 2 * RESPOND_HOLD);
	worker.peer = peer_new();
	if (!worker.peer || peer_begin_cgi(worker.peer) < 0)
		return -1;
	cors_init(&site.cors);
	respond = (struct respond){.w = &worker, .site = &site,
	    .request_id = "ID"};
	to_client = memfd_create("client", MFD_CLOEXEC);
	own_stdout = fcntl(1, F_DUPFD_CLOEXEC, 10);
	return to_client < 0 || own_stdout < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	reply_release(&worker.reply);
	buf_release(&worker.head);
	buf_release(&worker.body);
	peer_free(worker.peer);
	cors_release(&site.cors);
	close(to_client);
	close(own_stdout);
	return 0;
}

/* Calls with the client in place of stdout; cmocka prints there, too. */
static void
swap(int fd)
{
	fflush(stdout);
	dup2(fd, 1);
}

static int
put(const char *s)
{
	int rc;

	swap(to_client);
	rc = respond_output(&respond, s, strlen(s));
	swap(own_stdout);
	return rc;
}

static int
flush(void)
{
	int rc;

	swap(to_client);
	rc = respond_flush(&respond);
	swap(own_stdout);
	return rc;
}

static int
end(void)
{
	int rc;

	swap(to_client);
	rc = respond_end(&respond);
	swap(own_stdout);
	return rc;
}

static const char *
client(void)
{
	ssize_t n = pread(to_client, got, sizeof got - 1, 0);

	assert_true(n >= 0);
	got[n] = '\0';
	return got;
}

#define PLAIN "Content-Type: text/plain\r\n\r\n"

static void
a_small_reply_is_held_to_its_end(void **state)
{
	(void)state;
	respond_begin(&respond);
	assert_int_equal(put("Content-Type: te"), 0);
	assert_int_equal(put("xt/plain\r\n\r\nhel"), 0);
	assert_int_equal(put("lo"), 0);
	assert_string_equal(client(), "");
	assert_int_equal(end(), 0);
	assert_non_null(strstr(client(), "Content-Length: 5\r\n"));
	assert_non_null(strstr(got, "\r\n\r\nhello"));
	assert_true(respond.committed && respond.bytes == 5);
}

static void
a_flush_commits(void **state)
{
	(void)state;
	respond_begin(&respond);
	assert_int_equal(put("Content-Type: text/plain\r\n"), 0);
	assert_int_equal(flush(), 0);	/* the header is not whole */
	assert_string_equal(client(), "");
	assert_int_equal(put("\r\none"), 0);
	assert_int_equal(flush(), 0);
	assert_non_null(strstr(client(), "\r\n\r\none"));
	assert_null(strstr(got, "Content-Length"));
	assert_int_equal(put(" two"), 0);
	assert_non_null(strstr(client(), "\r\n\r\none two"));
	assert_int_equal(end(), 0);
	assert_true(respond.bytes == 7);
}

static void
a_full_buffer_commits(void **state)
{
	static char much[RESPOND_HOLD + 1];

	(void)state;
	memset(much, 'x', RESPOND_HOLD);
	respond_begin(&respond);
	assert_int_equal(put(PLAIN), 0);
	assert_int_equal(put(much), 0);
	assert_string_equal(client(), "");
	assert_int_equal(put("y"), 0);
	assert_true(respond.committed);
	assert_true(respond.bytes == RESPOND_HOLD + 1);
	assert_non_null(strstr(client(), "xxxy"));
}

static void
a_stream_goes_out_at_once(void **state)
{
	(void)state;
	respond.stream = true;
	respond_begin(&respond);
	assert_int_equal(put(PLAIN "a"), 0);
	assert_non_null(strstr(client(), "\r\n\r\na"));
	assert_non_null(strstr(got, "X-Accel-Buffering: no"));
}

static void
nonsense_never_goes_out(void **state)
{
	static const char *const BAD[] = {"no header at all\r\n\r\n",
	    "Status: 99\r\n\r\n", ("Content-Length: 5\r\n" PLAIN "abc"),
	    "Content-Type: text/plain\r\n", ""};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		respond_begin(&respond);
		put(BAD[i]);
		assert_int_equal(end(), -1);
		assert_int_equal(worker.reply.state, REPLY_BAD);
		assert_non_null(worker.reply.reason);
		assert_false(respond.committed);
		assert_string_equal(client(), "");
	}
}

static void
a_local_redirect_goes_nowhere(void **state)
{
	(void)state;
	respond_begin(&respond);
	assert_int_equal(put("Location: /there?x=1\r\n\r\nignored"), 0);
	assert_true(respond_redirects(&respond));
	assert_string_equal(worker.reply.location, "/there?x=1");
	assert_string_equal(client(), "");
}

static void
head_has_no_body(void **state)
{
	(void)state;
	respond.head = true;
	respond_begin(&respond);
	assert_int_equal(put(PLAIN "hello"), 0);
	assert_int_equal(end(), 0);
	assert_non_null(strstr(client(), "Content-Length: 5\r\n"));
	assert_null(strstr(got, "hello"));
	assert_true(respond.bytes == 0);
}

static void
no_more_than_was_promised(void **state)
{
	(void)state;
	respond_begin(&respond);
	assert_int_equal(put("Content-Length: 3\r\n" PLAIN "ab"), 0);
	assert_int_equal(flush(), 0);
	assert_int_equal(put("cdef"), 0);
	assert_int_equal(end(), 0);
	client();
	assert_string_equal(strstr(got, "\r\n\r\n"), "\r\n\r\nabc");
	assert_true(respond.bytes == 3);
}

static void
a_client_that_left_is_noticed(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	close(p[0]);
	dup2(p[1], to_client);
	close(p[1]);
	respond.stream = true;
	respond_begin(&respond);
	assert_int_equal(put(PLAIN "a"), -1);
	assert_true(respond.left);
	assert_int_equal(put("b"), -1);
	assert_int_equal(flush(), -1);
}

/* After our own 504 nothing of the function's goes out any more. */
static void
what_was_answered_is_answered(void **state)
{
	(void)state;
	respond_begin(&respond);
	assert_int_equal(put(PLAIN "late"), 0);
	respond.answered = true;
	assert_int_equal(put("r"), -1);
	assert_int_equal(flush(), -1);
	assert_string_equal(client(), "");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_small_reply_is_held_to_its_end),
	    T(a_flush_commits),
	    T(a_full_buffer_commits),
	    T(a_stream_goes_out_at_once),
	    T(nonsense_never_goes_out),
	    T(a_local_redirect_goes_nowhere),
	    T(head_has_no_body),
	    T(no_more_than_was_promised),
	    T(a_client_that_left_is_noticed),
	    T(what_was_answered_is_answered),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
