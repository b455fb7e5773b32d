/*
 * The gateway's own answers: every failure of DESIGN 4 as JSON.
 *
 * {"message": "..."} with the request id in X-Request-Id and the CORS lines
 * of the site.  Run by bothy-fcgi's workers, and by the acceptor to shed
 * load; it allocates nothing but in `out`.
 */
#ifndef GATEWAY_ANSWER_H
#define GATEWAY_ANSWER_H

#include "cors.h"
#include "store/base/buf.h"

#include <stdbool.h>

struct answer {
	int status;
	const char *message;	/* NULL: the usual one of the status */
	const char *request_id;	/* NULL: left out */
	const char *allow;	/* for 405: "GET, HEAD, POST" */
	const char *authenticate;	/* for 401: "Basic realm=..." */
	unsigned retry_after_s;	/* for 429 and 503; 0: 1 second */
	const struct cors *cors;	/* NULL: none */
	const char *origin;	/* the request's; NULL: none */
	bool head;		/* a HEAD request: no body */
};

/* "Not Found" and so on; "Status" for a number without a phrase. */
const char *answer_phrase(int status);

/*
 * Appends header lines and body, ready to be written as CGI output.  Fails
 * only as the buffer fails.
 */
void answer_json(struct buf *out, const struct answer *a);

/* A 200 with a JSON body of the caller's (GET /_bothy/health). */
void answer_ok(struct buf *out, const char *json, const struct answer *a);

/*
 * The page that `bothy run` shows instead of a function that does not
 * compile: status 500, HTML, everything escaped.  `text` is the compiler's
 * output.
 */
void answer_compile_error(struct buf *out, const char *function,
    const char *text, const struct answer *a);

#endif
