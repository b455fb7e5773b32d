/*
 * Runs handlers of a test as requests: sdk_serve() over files in memory, the
 * environment as a test has set it.  Included by one test program each.
 */
#ifndef REQUEST_FIXTURE_H
#define REQUEST_FIXTURE_H

#include "functions/sdk/abi.h"
#include "functions/sdk/bothy.h"
#include "functions/sdk/serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int (*fixture_handler)(struct bothy_req *req);
static int fixture_status;		/* exit status of the last run */
static size_t fixture_committed;	/* bytes that went to out_fd */
static unsigned fixture_flushes;
static char fixture_reply[1 << 20];
static size_t fixture_len;

int
bothy_handle(struct bothy_req *req)
{
	return fixture_handler(req);
}

static void
fixture_flushed(void)
{
	fixture_flushes++;
}

/* A descriptor that reads these bytes. */
static int
fixture_file(const void *p, size_t n)
{
	int fd = memfd_create("body", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* One request with `n` bytes of body, `told` of them in CONTENT_LENGTH. */
static const char *
serve_told(int (*handler)(struct bothy_req *), const void *body, size_t n,
    uint64_t told)
{
	struct sdk_io io = {.body_bytes = told, .flushed = fixture_flushed};
	struct sdk_output rest;
	ssize_t k;

	io.in_fd = fixture_file(body, n);
	io.out_fd = memfd_create("out", MFD_CLOEXEC);
	assert_true(io.out_fd >= 0);
	fixture_handler = handler;
	fixture_flushes = 0;
	fixture_status = sdk_serve(&io, &rest);
	assert_true(rest.len <= ABI_INLINE_MAX);
	k = pread(io.out_fd, fixture_reply, sizeof fixture_reply, 0);
	assert_true(k >= 0);
	fixture_committed = (size_t)k;
	assert_true(fixture_committed + rest.len < sizeof fixture_reply);
	if (rest.len)
		memcpy(fixture_reply + k, rest.data, rest.len);
	fixture_len = fixture_committed + rest.len;
	fixture_reply[fixture_len] = '\0';
	sdk_reset();
	close(io.in_fd);
	close(io.out_fd);
	return fixture_reply;
}

static inline const char *
serve_body(int (*handler)(struct bothy_req *), const char *body)
{
	return serve_told(handler, body, strlen(body), strlen(body));
}

static inline const char *
serve(int (*handler)(struct bothy_req *))
{
	return serve_told(handler, "", 0, 0);
}

/* What follows the header's empty line. */
static inline const char *
reply_body(void)
{
	const char *s = strstr(fixture_reply, "\r\n\r\n");

	assert_non_null(s);
	return s + 4;
}

/* cmocka setup: an environment with nothing in it. */
static inline int
empty_environment(void **state)
{
	(void)state;
	return clearenv();
}

#define REQUEST_TEST(f) cmocka_unit_test_setup(f, empty_environment)

#endif
