/*
 * One request after another through the author's handler, as serve.h
 * promises.  Runs in a function's process; the one place of the SDK that
 * holds a request between calls.
 */
#include "serve.h"

#include "request.h"

#include "store/base/io.h"

#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Weak: a function need not have an init, and need not use Jansson.  Both are
 * found only if something else links them.
 */
#pragma weak bothy_init
#pragma weak json_object_seed

/* The one request of this process; `owner` is 0 while none runs. */
static struct {
	struct bothy_req req;
	pid_t owner;
} now;

/*
 * A handler that answers by stdio itself has had a buffer made for stdout;
 * any other that says nothing has most likely forgotten to.
 */
static void
explain_silence(int status)
{
	const struct bothy_req *req = &now.req;

	if (status && req->error_status)
		bothy_log(BOTHY_ERROR, "%s", req->error_text);
	else if (!status && __fbufsize(stdout) == 0)
		bothy_log(BOTHY_ERROR, "bothy_handle has not replied: for "
		    "nothing to say there is bothy_status(req, 204)");
}

static int
finish(int status, struct sdk_output *rest)
{
	/* Looking first, it writes to no page that is not the child's own. */
	bool failed = __fpending(stdout) && fflush(stdout) != 0;

	now.owner = 0;
	if (output_end(&now.req.out, status == 0, rest) < 0)
		failed = true;
	if (!rest->len && !now.req.out.committed)
		explain_silence(status);
	return failed && status == 0 ? 1 : status;
}

/*
 * A handler that calls exit() has answered with what it wrote so far.  In a
 * process that it forked this is none of our business.
 */
static void
at_exit(int status, void *unused)
{
	struct sdk_output rest;

	(void)unused;
	if (now.owner == 0 || now.owner != getpid())
		return;
	finish(status, &rest);
	io_write_all(now.req.out.fd, rest.data, rest.len);
}

/*
 * Jansson reads the seed of its hashes from /dev/urandom at first use: here
 * that is once for all requests instead of once for each.
 */
int
sdk_init(void)
{
	if (on_exit(at_exit, NULL) != 0)
		return -1;
	if (json_object_seed)
		json_object_seed(0);
	return bothy_init ? bothy_init() : 0;
}

int
sdk_serve(const struct sdk_io *io, struct sdk_output *rest)
{
	int status;

	request_init(&now.req, io);
	now.owner = getpid();
	status = bothy_handle(&now.req);
	if (status < 0 || status > 255)
		status = 1;
	return finish(status, rest);
}

void
sdk_reset(void)
{
	request_release(&now.req);
	memset(&now.req, 0, sizeof now.req);
}
