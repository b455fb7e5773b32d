/*
 * AWS Signature Version 4: what a request says of its signature, and whether
 * it is right.  Over header fields (Authorization) and over the query
 * (presigned).  For bothy-fcgi; signs nothing that leaves the machine.
 *
 * The algorithm, as AWS documents it:
 *
 *	canonical request = method LF path, each byte but A-Za-z0-9-_.~/ as %XX,
 *	    dot segments resolved LF query, sorted LF "name:value" LF of each
 *	    signed header LF their names LF hex(SHA-256(body))
 *	string to sign = "AWS4-HMAC-SHA256" LF time LF scope LF
 *	    hex(SHA-256(canonical request))
 *	scope = date "/" region "/" service "/aws4_request"
 *	key = HMAC of "aws4_request" by HMAC of service by HMAC of region by
 *	    HMAC of date by "AWS4" secret
 *	signature = hex(HMAC(key, string to sign))
 *
 * The path is encoded as it was sent, so what was encoded is so twice.
 */
#ifndef AWS_SIGV4_H
#define AWS_SIGV4_H

#include "request.h"

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/base/err.h"

#include <stdint.h>

enum {
	SIGV4_KEY_SIZE = 32,
	SIGV4_HEX_SIZE = 65,		/* of a SHA-256, with a NUL */
	SIGV4_HEADERS_MAX = 64,		/* signed ones */
	SIGV4_PARAMETERS_MAX = 256,	/* of a query */
	SIGV4_SKEW_S = 5 * 60,		/* how far a clock may be off */
	SIGV4_EXPIRES_MAX_S = 7 * 24 * 3600,
	SIGV4_TIME_LENGTH = 16,		/* "20150830T123600Z" */
	SIGV4_CANONICAL_MAX = 256 * 1024
};

/* Borrowed from the request, or in the arena. */
struct sigv4 {
	bool presigned;
	struct text key_id;
	struct text scope;		/* date/region/service/aws4_request */
	struct text date, region, service, end;	/* its parts */
	struct text time;
	int64_t time_s;			/* since 1970 */
	int64_t expires_s;		/* presigned; else 0 */
	struct text signed_headers;	/* "host;x-amz-date" */
	struct text signature;
	struct text token;		/* X-Amz-Security-Token; p NULL: none */
};

/*
 * Reads it: 0; or -1 and AWS_MISSING_TOKEN, AWS_INCOMPLETE_SIGNATURE or
 * AWS_INVALID_SIGNATURE (fault.h).
 */
int sigv4_read(struct sigv4 *s, const struct aws_request *r, struct arena *a,
    struct err *e);

/*
 * Is it of now, for `service`, and over what has to be signed?  0; or -1 and
 * AWS_INVALID_SIGNATURE with AWS's text.
 */
int sigv4_check(const struct sigv4 *s, const struct aws_request *r,
    const char *service, int64_t now_s, struct err *e);

/* The key that a secret signs with in a scope. */
void sigv4_key(const char *secret, const struct sigv4 *s,
    unsigned char key[SIGV4_KEY_SIZE]);

/* Without percent-encoding, in the arena; p is NULL without memory. */
struct text sigv4_decode(struct text t, struct arena *a);

/*
 * Appends the canonical request; `payload` is the hash of the body, or what
 * stands for it.  With `tight`, what follows a comma and a space in a header's
 * value follows the comma: as the client saw it before a web server joined
 * fields of one name.  0; or -1: no memory, or more than the limits above.
 */
int sigv4_canonical(const struct sigv4 *s, const struct aws_request *r,
    const char *payload, bool tight, struct arena *a, struct buf *out);

/* Appends the string to sign: 0 or -1. */
int sigv4_string_to_sign(const struct sigv4 *s, const char *canonical,
    size_t n, struct buf *out);

/* The signature of that. */
void sigv4_sign(const unsigned char key[SIGV4_KEY_SIZE], const char *string,
    size_t n, char hex[SIGV4_HEX_SIZE]);

/*
 * Is the signature that of `key`?  0; or -1 and AWS_INVALID_SIGNATURE.
 * Compares in constant time.  `scratch` is emptied and used.
 */
int sigv4_verify(const struct sigv4 *s, const struct aws_request *r,
    const char *payload, const unsigned char key[SIGV4_KEY_SIZE],
    struct arena *a, struct buf *scratch, struct err *e);

#endif
