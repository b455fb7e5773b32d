/*
 * The tokens of a statement, one at a time.  Inside store/partiql alone.
 */
#ifndef PARTIQL_SCAN_H
#define PARTIQL_SCAN_H

#include "store/value/value.h"

enum scan_type {
	SCAN_END,
	SCAN_BAD,		/* a character, or a quote without its end */
	SCAN_NAME,		/* bare, or "quoted": the text is decoded */
	SCAN_STRING,		/* 'quoted': the text is decoded */
	SCAN_NUMBER,		/* without a sign */
	SCAN_PARAMETER,		/* ? */
	SCAN_EQ, SCAN_NE, SCAN_LT, SCAN_LE, SCAN_GT, SCAN_GE,
	SCAN_PLUS, SCAN_MINUS, SCAN_STAR, SCAN_COMMA, SCAN_DOT, SCAN_COLON,
	SCAN_SEMICOLON,
	SCAN_OPEN, SCAN_CLOSE,		/* ( ) */
	SCAN_LIST, SCAN_UNLIST,		/* [ ] */
	SCAN_MAP, SCAN_UNMAP,		/* { } */
	SCAN_SET, SCAN_UNSET,		/* << >> */
	/* words that are no bare names, in any case of letters */
	SCAN_SELECT, SCAN_INSERT, SCAN_UPDATE, SCAN_DELETE, SCAN_FROM,
	SCAN_WHERE, SCAN_ORDER, SCAN_ASSIGN, SCAN_REMOVE, SCAN_RETURNING,
	SCAN_AND, SCAN_OR, SCAN_NOT, SCAN_BETWEEN, SCAN_IN, SCAN_IS,
	SCAN_MISSING, SCAN_NULL, SCAN_TRUE, SCAN_FALSE
};

struct scan_token {
	enum scan_type type;
	struct text text;	/* NAME, STRING, NUMBER, BAD */
	bool quoted;		/* NAME */
	const char *p;		/* as it stands in the statement */
	size_t n;
};

struct scan {
	struct arena *arena;	/* for texts with quotes in them */
	const char *text, *at, *end;
	struct scan_token token, after;
	bool failed;		/* the arena was full: all that follows is
				 * SCAN_BAD */
};

/* Stands before the first token of `n` bytes, which must stay. */
void scan_open(struct scan *s, struct arena *a, const char *text, size_t n);

/* One token on; at SCAN_END it stays there. */
void scan_next(struct scan *s);

/* True for a bare name that is `word`, in any case of letters. */
bool scan_is(const struct scan_token *t, const char *word);

#endif
