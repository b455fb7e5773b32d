/*
 * A function's environment: CGI/1.1 (RFC 3875 4.1) and Bothy's own variables.
 *
 * Built by bothy-fcgi's workers for each request, straight into the block
 * that the function ABI carries (functions/sdk/abi.h): "NAME=value\0" each.
 * Nothing gets in that isn't named here; what params.h left out stays out.
 */
#ifndef GATEWAY_CGIENV_H
#define GATEWAY_CGIENV_H

#include "params.h"
#include "path.h"
#include "proxies.h"
#include "router.h"
#include "store/base/buf.h"
#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The static part of a function's environment, made once per configuration:
 * its own variables, and PATH if it sets none.  Read by all workers.
 */
struct cgienv_static {
	struct buf block;
	size_t count;
	bool has_path;
	struct buf headers;	/* names of own HTTP_* variables, "\0" each */
};

void cgienv_static_init(struct cgienv_static *s);
void cgienv_static_release(struct cgienv_static *s);

/*
 * Adds a variable, secrets already put in; a later one of the same name
 * replaces nothing and is an error.  Names that the gateway sets itself (the
 * meta-variables, BOTHY_*, TRACEPARENT) are passed over: the gateway's win.
 * 0, or -1 with the error set: a bad name, a doubled one, or no room.
 */
int cgienv_static_add(struct cgienv_static *s, const char *name,
    const char *value, struct err *e);

/* Adds what was not set (PATH).  Call once, after the last add. */
int cgienv_static_finish(struct cgienv_static *s, struct err *e);

/* What a request's environment is made of. */
struct cgienv_request {
	const struct params *params;
	const struct path *path;
	const struct client *client;
	const struct route_match *match;	/* of path->site */
	const struct cgienv_static *own;	/* the function's; may be NULL */
	const char *function, *request_id;
	const char *method;		/* NULL: the client's */
	const char *traceparent;	/* used if the client's is not valid */
	int64_t body_bytes;		/* -1: no body, no CONTENT_LENGTH */
	int64_t deadline_ms;		/* BOTHY_DEADLINE_MS; 0: left out */
	const char *store, *store_token;	/* BOTHY_STORE...; NULL: none */
};

/* A worker's block, reused. */
struct cgienv {
	struct buf block;	/* at most ABI_ENV_MAX bytes */
	size_t count;
	const char *reason;	/* after a refusal: what is wrong, a constant */
};

void cgienv_init(struct cgienv *e);
void cgienv_release(struct cgienv *e);

/*
 * Builds block and count.  SCRIPT_NAME is the mount prefix and the part of
 * path->site that the route names, PATH_INFO the rest: nothing for a full
 * match, "/" and the value of a {name+}, all of it for $default.  0; or the status to answer, with e->reason set:
 * 431 if the variables don't fit, 500 without memory.
 */
int cgienv_build(struct cgienv *e, const struct cgienv_request *r);

#endif
