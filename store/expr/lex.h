/*
 * The tokens of an expression, with one of look-behind and one of look-ahead:
 * DynamoDB tells a syntax error by the token before, the bad one and the one
 * after.
 */
#ifndef EXPR_LEX_H
#define EXPR_LEX_H

#include <stddef.h>

enum token_type {
	TOKEN_END,
	TOKEN_BAD,			/* a character that begins no token */
	TOKEN_WORD,			/* a name or a function */
	TOKEN_NAME, TOKEN_VALUE,	/* #name, :value */
	TOKEN_INT,
	TOKEN_EQ, TOKEN_NE, TOKEN_LT, TOKEN_LE, TOKEN_GT, TOKEN_GE,
	TOKEN_PLUS, TOKEN_MINUS, TOKEN_COMMA, TOKEN_DOT,
	TOKEN_OPEN, TOKEN_CLOSE,	/* ( ) */
	TOKEN_INDEX, TOKEN_UNINDEX,	/* [ ] */
	/* words that are no names, in any case */
	TOKEN_AND, TOKEN_OR, TOKEN_NOT, TOKEN_BETWEEN, TOKEN_IN,
	TOKEN_SET, TOKEN_REMOVE, TOKEN_ADD, TOKEN_DELETE
};

struct token {
	enum token_type type;
	const char *p;
	size_t n;
};

struct lex {
	const char *end, *at;		/* what is not read yet */
	struct token before, token, after;
};

/* Stands before the first token of `n` bytes, which must stay. */
void lex_open(struct lex *l, const char *text, size_t n);

/* One token on; at TOKEN_END it stays there. */
void lex_next(struct lex *l);

/* From the token before to the end of the token after, as in the text. */
struct token lex_near(const struct lex *l);

#endif
