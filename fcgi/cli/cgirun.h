/*
 * Runs one CGI program bare, for `bothy invoke --debug` and `--sanitize`, and
 * shows its reply.
 *
 * As this user, without any limit and without a sandbox: what a function does
 * in production shows confined.h.
 */
#ifndef CLI_CGIRUN_H
#define CLI_CGIRUN_H

#include "cgishow.h"

#include "store/base/err.h"

#include <stdbool.h>

struct cgirun {
	const char *function;		/* for messages */
	const char *const *argv;
	char *const *envp;
	const char *directory;		/* working directory */
	const char *binary;		/* for the addresses of a crash */
	int stdin_fd;
	bool show_header;
};

/*
 * Writes the body (and the header) to stdout, and its errors, with their
 * levels spelt out, to stderr.  0, or -1 if it could not be started.
 */
int cgirun(const struct cgirun *r, struct cgi_result *result, struct err *e);

#endif
