/*
 * Shows a person what a function replies, as `bothy invoke` does: the body on
 * stdout, its header too if asked, and its stderr with the levels spelt out.
 *
 * Takes bytes as they come, whoever runs the function (cgirun.h, confined.h).
 */
#ifndef CLI_CGISHOW_H
#define CLI_CGISHOW_H

#include "cgikeep.h"

#include "store/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum { CGISHOW_HEADER_MAX = 64 * 1024 };	/* bytes of reply headers */

/* How a function's run went; 0 or "" where nothing is to say. */
struct cgi_result {
	int status;			/* HTTP; 0: no valid reply */
	int exit_status, signal;
	char wrong[256];		/* what is no CGI about its output */
	char failure[640];		/* why it was ended, or did not start */
};

/* The caller sets the first four. */
struct cgishow {
	const char *function;		/* for messages */
	const char *binary;		/* for a crash's addresses, or NULL */
	bool show_header;
	struct cgikeep *keep;		/* body and log go there; NULL: shown */
	struct cgi_result *result;	/* status and wrong are set */
	struct buf header;		/* until the blank line */
	struct buf line;		/* the unfinished line of stderr */
	bool in_body;
};

/* Begins, with an empty result; cgishow_end() is due. */
void cgishow_init(struct cgishow *s, struct cgi_result *result);

/* What came from its stdout, and from its stderr. */
void cgishow_output(struct cgishow *s, const char *p, size_t n);
void cgishow_errors(struct cgishow *s, const char *p, size_t n);

/* No more comes: prints and judges the rest, and releases. */
void cgishow_end(struct cgishow *s);

#endif
