/*
 * What the grammar's files share: the state of reading a statement.  Inside
 * store/partiql alone.
 */
#ifndef PARTIQL_READER_H
#define PARTIQL_READER_H

#include "partiql.h"
#include "scan.h"

#include "store/base/err.h"

#include <stddef.h>

struct reader {
	struct scan scan;
	struct arena *arena;
	const struct value *parameters;
	size_t nparameters, used;	/* of them, so far */
	unsigned depth;
	struct err *e;
};

/* --- reader.c: tokens and errors ------------------------------------------ */

/* FAULT_VALIDATION with printf text. */
void reader_tell(struct reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same; -1. */
#define reader_fail(r, ...) (reader_tell((r), __VA_ARGS__), -1)

/* "Statement wasn't well formed" at the token; FAULT_LIMIT. */
void reader_tell_syntax(struct reader *r);
void reader_tell_memory(struct reader *r);

static inline int
reader_syntax(struct reader *r)
{
	reader_tell_syntax(r);
	return -1;
}

static inline int
reader_no_memory(struct reader *r)
{
	reader_tell_memory(r);
	return -1;
}

/* Line and column of the token, from 1. */
void reader_place(const struct reader *r, unsigned *line, unsigned *col);

bool reader_at(const struct reader *r, enum scan_type type);

/* Goes over the token if it is of the type, or the word. */
bool reader_take(struct reader *r, enum scan_type type);
bool reader_take_word(struct reader *r, const char *word);

/* The same; another is a syntax error. 0 or -1. */
int reader_expect(struct reader *r, enum scan_type type);

/* Into and out of a bracket, call or NOT; -1 if that is too deep. */
int reader_enter(struct reader *r);
void reader_leave(struct reader *r);

/* --- a list that grows while it is read --------------------------------------- */

struct reader_list {
	const struct expr **list;
	size_t count, room;
};

int reader_append(struct reader *r, struct reader_list *list,
    const struct expr *x);

/* --- literal.c ------------------------------------------------------------------ */

/* A value begins here: a literal or a parameter. */
bool reader_at_value(const struct reader *r);

int reader_value(struct reader *r, struct value *out);

/* --- condition.c ------------------------------------------------------------------ */

/* name *("." name | "[" number "]") */
int reader_path(struct reader *r, struct expr_path *out);

/* A value or a path, as a leaf. */
int reader_leaf(struct reader *r, const struct expr **out);

/* What stands behind WHERE. */
int reader_condition(struct reader *r, const struct expr **out);

/* --- update.c, select.c, statement.c ---------------------------------------------- */

/* 1*(SET ... | REMOVE ...) */
int reader_changes(struct reader *r, const struct expr_update **out);

int reader_select(struct reader *r, struct partiql *q);

/* table ["." index]; [WHERE condition] */
int reader_table(struct reader *r, struct partiql *q);
int reader_where(struct reader *r, struct partiql *q);

#endif
