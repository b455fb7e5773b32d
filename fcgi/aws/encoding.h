/*
 * Content codings of bodies (RFC 9110 8.4.1): gzip and deflate, as DynamoDB
 * takes and gives them.
 */
#ifndef AWS_ENCODING_H
#define AWS_ENCODING_H

#include "request.h"

#include "store/base/buf.h"

enum encoding { ENCODING_NONE, ENCODING_GZIP, ENCODING_DEFLATE,
	ENCODING_UNKNOWN };

enum { ENCODING_WORTH = 4096 };	/* bytes from which DynamoDB encodes */

/* Of a Content-Encoding; p NULL or "identity" is none. */
enum encoding encoding_parse(const struct text *name);
const char *encoding_name(enum encoding e);

/*
 * What an Accept-Encoding asks for most: the first of the highest q, and * is
 * what isn't named.  NONE if neither may be.
 */
enum encoding encoding_choose(const struct text *accept);

/*
 * Appends `n` bytes decoded: 0; -1 if they aren't whole streams of that coding
 * and nothing else; -2 if there are more than `out` may hold.
 */
int encoding_decode(enum encoding e, const void *p, size_t n,
    struct buf *out);

/* Appends them encoded: 0 or -1. */
int encoding_encode(enum encoding e, const void *p, size_t n,
    struct buf *out);

#endif
