/*
 * Expressions as people write them: DynamoDB's, but with names and values in
 * them, `likes > 3 AND begins_with(author, "A")`, where the protocol wants
 * placeholders.
 *
 *	name `any name`		an attribute
 *	"text" 'text'		a text; the quote itself is written twice
 *	-12.5 true false null	as in JSON
 *	AND OR NOT IN BETWEEN and function( stay as they are
 */
#ifndef CLI_STOREEXPR_H
#define CLI_STOREEXPR_H

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/value/value.h"
#include "store/wire/reply.h"

/* The placeholders of one request. */
struct storeexpr {
	struct buf names, values;	/* members, without the braces */
	unsigned count;
};

void storeexpr_init(struct storeexpr *x);
void storeexpr_release(struct storeexpr *x);

/* Writes `text` as the request's `member`, and keeps its placeholders. */
int storeexpr_write(struct storeexpr *x, struct reply *r, const char *member,
    const char *text, struct err *e);

/* Appends "#n" for a name, or ":n" for a value of JSON, to `out`. */
void storeexpr_name(struct storeexpr *x, const struct text *name,
    struct buf *out);
void storeexpr_value(struct storeexpr *x, const char *json, size_t n,
    struct buf *out);

/* Writes ExpressionAttributeNames and ...Values, if there are any. */
void storeexpr_end(const struct storeexpr *x, struct reply *r);

#endif
