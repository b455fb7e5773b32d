/*
 * Parameters as tables: what a JSON object may hold, where it goes in a struct,
 * and what is asked of it; and the one reader that follows such a table.  Only
 * the files of store/wire include this.
 *
 * DynamoDB checks in this order, and so does the reader: the types of all
 * parameters (the first wrong one ends it: FAULT_SERIALIZATION); then their
 * constraints, all of them together ("2 validation errors detected: ...");
 * then attribute values and what an operation asks besides.  So an attribute
 * value that is wrong is put aside until the operation's own checks come by.
 */
#ifndef WIRE_SCHEMA_H
#define WIRE_SCHEMA_H

#include "store/base/buf.h"
#include "store/value/json.h"

#include <stdint.h>

enum param_kind {	/* what stands in the struct, zero if absent: */
	PARAM_TEXT,	/* struct text */
	PARAM_CHOICE,	/* enum choice */
	PARAM_FLAG,	/* bool */
	PARAM_INTEGER,	/* uint32_t */
	PARAM_LONG,	/* uint64_t */
	PARAM_SIGNED,	/* int64_t */
	PARAM_TIME,	/* int64_t: seconds since 1970 as milliseconds */
	PARAM_THERE,	/* bool: it was there, whatever it says */
	PARAM_WORD,	/* enum: the value of one of `words` */
	PARAM_TEXTS,	/* struct text *, size_t */
	PARAM_ITEM,	/* struct value *: an item or key */
	PARAM_VALUE,	/* struct value * */
	PARAM_VALUES,	/* struct value *, size_t */
	PARAM_ITEMS,	/* struct value *, size_t: a list of items */
	PARAM_NAMES,	/* struct value *: a map of texts */
	PARAM_BINDS,	/* struct value *: a map of values, for expressions */
	PARAM_STRUCT,	/* pointer to a struct of `of` */
	PARAM_STRUCTS,	/* pointer, size_t: a list of them */
	PARAM_MAP,	/* pointer, size_t: each begins with its name, a
			 * struct text */
	PARAM_MAP_LISTS	/* struct named_list *, size_t */
};

enum {
	PARAM_REQUIRED = 1,	/* "Member must not be null" */
	PARAM_PATTERN = 2,	/* of [a-zA-Z0-9_.-] */
	PARAM_FIRST = 4,	/* a table's name: checked before all else */
	PARAM_ARN = 8		/* may be an ARN: its last part is taken */
};

struct schema;

struct word {
	const char *word;		/* NULL ends a list of them */
	int value;
};

struct param {
	const char *name;		/* "TableName" */
	enum param_kind kind;
	unsigned flags;
	size_t at;			/* where in the struct */
	int64_t min, max;		/* of length, count or value; 0: none */
	const struct word *words;	/* of a text too: it must be one */
	const struct schema *of;
	size_t has_at;			/* of a bool: it was there; 0: none */
};

struct schema {
	const char *type;		/* DynamoDB's name for the struct */
	size_t size;
	const struct param *params;
	size_t count;			/* at most 64 */
};

struct named_list {
	struct text name;
	void *list;
	size_t count;
};

/* A value that is wrong, put aside. */
struct put_aside {
	const char *param;		/* its name; the value stays NULL */
	const char *within;		/* that of the request it is in */
	const char *why;
	struct put_aside *next;
};

struct decoder {
	struct json json;
	struct arena *arena;
	struct err *err;
	bool plain;			/* documents are plain JSON */
	bool strict;			/* unknown parameters are refused */
	bool arns;			/* a parameter was, or began as, an ARN */
	struct put_aside *aside;
	const char *within;	/* the request's parameter that is being read */
	const char *first;		/* why a PARAM_FIRST is wrong */
	unsigned violations;
	struct buf said;		/* the violations, joined by "; " */
	const char *whole;	/* of an error that is too long, in the arena */
};

/*
 * Reads the whole body into `target`, a cleared struct of `schema`.  0; or -1
 * and *e, also for violations.
 */
int schema_read(struct decoder *d, const struct schema *schema, void *target,
    const char *body, size_t n);

/*
 * For the checks of operations: -1 and *e if a value of that parameter, or
 * within that of the request (NULL: any), was put aside.
 */
int schema_value(struct decoder *d, const char *param);

/* -1 and *e if an attribute may not have that name: empty, or too long. */
int schema_attribute(struct decoder *d, const struct text *name);

/* FAULT_LIMIT: the arena is full. Always -1. */
int schema_no_memory(struct decoder *d);

/* FAULT_VALIDATION with printf text. Always -1. */
int schema_fail(struct decoder *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
