/*
 * Runs one CGI program for `bothy invoke` and shows its reply.
 *
 * No limits but a time, no sandbox: the gateway's way to a function is
 * fcgi/invoke.
 */
#ifndef CLI_CGIRUN_H
#define CLI_CGIRUN_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	CGIRUN_HEADER_MAX = 64 * 1024,	/* bytes of reply headers */
	CGIRUN_GRACE_MS = 1000		/* between TERM and KILL */
};

struct cgirun {
	const char *function;		/* for messages */
	const char *const *argv;
	char *const *envp;
	const char *directory;		/* working directory */
	const char *binary;		/* for the addresses of a crash */
	int stdin_fd;
	int64_t timeout_ms;		/* 0: none */
	bool show_header;
};

/* How it went; 0 or "" where nothing is to say. */
struct cgirun_result {
	int status;			/* HTTP; 0: no valid reply */
	int exit_status, signal;
	bool timed_out;
	char wrong[256];		/* what is no CGI about its output */
};

/*
 * Writes the body (and the header) to stdout, and its errors, with their
 * levels spelt out, to stderr.  0, or -1 if it could not be started.
 */
int cgirun(const struct cgirun *r, struct cgirun_result *result,
    struct err *e);

#endif
