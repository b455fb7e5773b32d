/*
 * How a request ended: the words of the access log and of the statistics.
 *
 * Numbers stand in <state>/run/stats, so new ones are added at the end.
 */
#ifndef INVOKE_OUTCOME_H
#define INVOKE_OUTCOME_H

enum outcome {
	OUTCOME_OK,
	OUTCOME_REFUSED,	/* by a rule of ours: 400, 404, 405, 413, ... */
	OUTCOME_THROTTLED,	/* 429: reservedConcurrency */
	OUTCOME_OVERLOADED,	/* 503 */
	OUTCOME_CRASHED,	/* 502: by signal, or it could not start */
	OUTCOME_BAD_REPLY,	/* 502: no CGI */
	OUTCOME_TIMEOUT,	/* 504 */
	OUTCOME_TRUNCATED,	/* broken off after commit */
	OUTCOME_CLIENT_LEFT,
	OUTCOME_FAILED,		/* valid reply, but a nonzero exit status */
	OUTCOME_ERROR,		/* 500: a fault of ours */
	OUTCOME_COUNT
};

/* "ok", "refused", "client-left", ... */
const char *outcome_name(enum outcome o);

#endif
