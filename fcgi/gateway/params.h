/*
 * A request's FastCGI parameters, read once and judged.
 *
 * bothy-fcgi's workers call it first: one pass over envp finds the CGI/1.1
 * meta-variables (RFC 3875 4.1) and the header fields (4.1.18), and refuses
 * what no honest web server sends.  What a function sees is built from this
 * whitelist (cgienv.h), never from envp.
 *
 * Everything points into envp, or into `joined`; it is valid until the next
 * params_read() or the end of the request.
 */
#ifndef GATEWAY_PARAMS_H
#define GATEWAY_PARAMS_H

#include "store/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PARAMS_HEADERS_MAX = 100,	/* header fields; more are a 431 */
	PARAMS_NAME_MAX = 256,		/* bytes of a name with HTTP_; more: 431 */
	PARAMS_VALUE_MAX = 16 * 1024,	/* bytes of one value; more: 431 */
	PARAMS_BYTES_MAX = 40 * 1024,	/* bytes of all header fields: 431 */
	PARAMS_VARIABLES_MAX = 1024	/* variables of any kind: 431 */
};

/* Header fields that the gateway itself reads; see params_header(). */
enum params_known {
	PARAMS_OTHER,
	PARAMS_HOST,
	PARAMS_COOKIE,
	PARAMS_ORIGIN,
	PARAMS_AUTHORIZATION,
	PARAMS_RANGE,
	PARAMS_IF_RANGE,
	PARAMS_IF_NONE_MATCH,
	PARAMS_IF_MODIFIED_SINCE,
	PARAMS_ACRM,		/* Access-Control-Request-Method */
	PARAMS_ACRH,		/* Access-Control-Request-Headers */
	PARAMS_FORWARDED_FOR,	/* X-Forwarded-For */
	PARAMS_FORWARDED_PROTO,	/* X-Forwarded-Proto */
	PARAMS_TRACEPARENT,
	PARAMS_UPGRADE,		/* read, never handed on */
	PARAMS_KNOWN_COUNT
};

struct params_field {
	const char *variable;	/* "HTTP_ACCEPT=..." begins here */
	size_t name_len;	/* of "HTTP_ACCEPT" */
	const char *value;	/* a C string */
	size_t value_len;
	unsigned char known;	/* enum params_known */
	unsigned char first;	/* index of the first field of this name */
	bool doubled;		/* a later field has this name too */
	bool dropped;		/* does not reach a function */
};

struct params {
	/* Meta-variables; NULL where the web server sent none. */
	const char *request_method, *request_uri, *script_name, *path_info;
	const char *server_protocol, *server_software, *server_name;
	const char *server_port, *remote_addr, *remote_port, *remote_user;
	const char *auth_type, *content_type, *https, *request_scheme;
	const char *content_length_text;	/* read content_length */
	int64_t content_length;	/* -1: not known (chunked) */

	/* Header fields in order of arrival; skip those that are dropped. */
	struct params_field fields[PARAMS_HEADERS_MAX];
	size_t count;

	const char *known[PARAMS_KNOWN_COUNT];	/* values; use params_header */
	const char *reason;	/* after a refusal: what is wrong, a constant */
	struct buf joined;	/* values of doubled fields, put together */
};

/* Prepares the struct of a worker; params_release() frees its memory. */
void params_init(struct params *p);
void params_release(struct params *p);

/*
 * Reads envp (NULL-terminated "NAME=value").  0; or the status to answer,
 * 400, 431 or 500 (no memory), with p->reason set.
 *
 * Doubled fields: Cookie is joined by "; ", other names of one word, and all
 * names behind nginx (which sends repeated fields apart), by ", ".  Elsewhere
 * a doubled name with an underscore is two spellings of one header (X-Foo and
 * X_Foo) and neither gets through.  Host, Authorization and X-Forwarded-* are
 * refused when doubled.  Hop-by-hop fields, Proxy, Content-Length and
 * Content-Type (as HTTP_*) are left out.  Of doubled meta-variables the last
 * counts, as in PHP.
 */
int params_read(struct params *p, char *const *envp);

/* The value of a header field, or NULL. */
const char *params_header(const struct params *p, enum params_known which);

#endif
