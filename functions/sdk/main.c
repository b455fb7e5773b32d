/*
 * main() of every C function, taken from libbothy.a: a zygote if the launcher
 * says so, else a plain CGI program (RFC 3875) that serves one request.
 */
#include "functions/sdk/abi.h"
#include "functions/sdk/function.h"
#include "functions/sdk/serve.h"
#include "store/base/io.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* CONTENT_LENGTH is absent or "" when there is no body (RFC 3875 4.1.2). */
static int
body_length(uint64_t *bytes)
{
	const char *s = getenv("CONTENT_LENGTH");
	uint64_t n = 0;

	*bytes = 0;
	if (!s)
		return 0;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || n > (UINT64_MAX >> 1) / 10)
			return -1;
		n = n * 10 + (uint64_t)(*s - '0');
	}
	*bytes = n;
	return 0;
}

static int
serve_cgi(void)
{
	struct sdk_io io = {.in_fd = STDIN_FILENO, .out_fd = STDOUT_FILENO};
	struct sdk_output rest;
	int status;

	if (body_length(&io.body_bytes) < 0) {
		fputs("CONTENT_LENGTH is not a number of bytes\n", stderr);
		return 1;
	}
	if (sdk_init() != 0) {
		fputs("bothy_init failed\n", stderr);
		return 1;
	}
	status = sdk_serve(&io, &rest);
	if (rest.len && io_write_all(STDOUT_FILENO, rest.data, rest.len) < 0)
		status = status ? status : 1;
	sdk_reset();
	return status;
}

int
main(void)
{
	if (getenv(ABI_ENV_ZYGOTE))
		return function_run();
	return serve_cgi();
}
