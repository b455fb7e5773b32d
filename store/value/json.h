/*
 * JSON (RFC 8259) over bytes in memory: tokens on demand, and small trees for
 * the outer shape of a request.
 *
 * Strict: one value, nothing behind it, no byte order mark, well-formed UTF-8,
 * no lone surrogates, at most JSON_DEPTH_MAX lists and objects in one another.
 * Names may be there twice for json_next(); json_read() and all above refuse
 * that.  Numbers stay text.  A string without escapes is borrowed from the
 * input; another is decoded into the arena.
 *
 * Errors are FAULT_SERIALIZATION with line and column (in bytes, from 1) and
 * no file name; FAULT_LIMIT where the arena has no more room.
 */
#ifndef VALUE_JSON_H
#define VALUE_JSON_H

#include "value.h"

#include <stdint.h>

enum { JSON_DEPTH_MAX = 128 };

enum json_type {
	JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING,
	JSON_LIST, JSON_OBJECT,
	JSON_NAME,		/* tokens only: of a member */
	JSON_CLOSE,		/* of the innermost list or object */
	JSON_END		/* of the text */
};

/* Where a reader stands; to be set by json_open(), then left alone. */
struct json {
	struct arena *arena;
	struct err *err;
	const char *text, *at, *end;
	unsigned depth;
	int expect;			/* state of the grammar */
	bool skipping;			/* strings are checked, not decoded */
	uint64_t objects[JSON_DEPTH_MAX / 64];	/* a bit a level */
};

struct json_token {
	enum json_type type;
	struct text text;	/* STRING, NAME: decoded; NUMBER: as written */
	const char *start;	/* of the token in the input */
};

void json_open(struct json *j, struct arena *a, const char *p, size_t n,
    struct err *e);

/*
 * The next token: 0; or -1 and *e of json_open.  A list or object is its
 * opening, its parts, JSON_CLOSE; a member is JSON_NAME, then its value.
 * Behind the value, once, comes JSON_END.
 */
int json_next(struct json *j, struct json_token *t);

/*
 * Reads on to the end of the value that began with `t` (nothing to do but for
 * a list or object).  *raw, if not NULL, gets its bytes in the input.
 */
int json_skip(struct json *j, const struct json_token *t, struct text *raw);

/*
 * A truth value, or one of the texts that DynamoDB takes for one (true, 1, yes;
 * false, 0, no; in any case): 1 or 0; -1 for any other token.
 */
int json_truth(const struct json_token *t);

/* An error at a token, by printf text.  Always -1. */
int json_fail(struct json *j, const char *at, int code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The name of what a token is, for errors: "a string", "the end". */
const char *json_type_name(enum json_type t);

/* A value of a tree. */
struct json_node {
	enum json_type type;
	struct text name;		/* of a member of an object */
	struct text text;		/* STRING: decoded; NUMBER */
	struct text raw;		/* its bytes in the input */
	size_t count;			/* parts of a list or object */
	struct json_node *first, *next;	/* its parts; its neighbour */
};

/*
 * The whole text as a tree in the arena.  Of lists and objects `levels` or
 * more deep only `raw` is kept (checked, count 0): with 1, the members of the
 * outermost object are known, and what they hold is for typed_read() and such.
 * NULL and *e on errors.
 */
struct json_node *json_read(struct arena *a, const char *p, size_t n,
    unsigned levels, struct err *e);

/* The member of an object, or NULL (also if `object` is NULL or none). */
const struct json_node *json_member(const struct json_node *object,
    const char *name);

#endif
