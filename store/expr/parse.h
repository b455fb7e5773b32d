/*
 * Inside of expr/: the parser's state, and what the grammars of conditions
 * and of updates share.
 *
 * DynamoDB finds mistakes in passes: first syntax, then functions, then
 * reserved words, then, condition by condition, placeholders, operands and
 * types.  Here one pass does it all: a mistake that isn't of syntax is kept
 * with its rank, the lowest rank wins, the first among equals; and it is told
 * once the whole text is known to be well-formed.
 */
#ifndef EXPR_PARSE_H
#define EXPR_PARSE_H

#include "expr.h"
#include "lex.h"

enum parse_rank {
	RANK_FUNCTION,			/* no such function */
	RANK_MISUSE,			/* a function where it may not stand */
	RANK_WORD,			/* reserved; an index out of range */
	RANK_SECTION,			/* SET twice */
	/* of one condition after the other */
	RANK_NAME, RANK_OVERLAP, RANK_VALUE, RANK_COUNT, RANK_DISTINCT,
	RANK_CHANGE, RANK_TYPE,
	RANKS
};

struct parse {
	struct expr_scope *scope;
	const char *kind;		/* "UpdateExpression", ... */
	bool update;
	struct lex lex;
	unsigned depth, operators;
	unsigned conditions;		/* read so far */
	unsigned rank;		/* of the mistake kept; UINT_MAX: none */
	struct err mistake;
	struct err *e;
};

/* What a rule has read, and what may be made of it. */
enum piece_kind {
	PIECE_OPERAND,			/* a path or a value */
	PIECE_CALL,			/* a function: operand or condition */
	PIECE_WHOLE			/* a condition, or a sum */
};

struct piece {
	struct expr *tree;
	enum piece_kind kind;
	bool bracketed;			/* ( ) around all of it */
};

/* Checks the length and stands before the first token. */
int parse_open(struct parse *p, struct expr_scope *s, const char *kind,
    const char *text, size_t n, struct err *e);

/* At the end of the text: tells the mistake that was kept, if any. */
int parse_close(struct parse *p);

/* "Invalid <kind>: " and the text. Always -1. */
int parse_fail(struct parse *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A syntax error at the token. */
void parse_tell_syntax(struct parse *p);

/* The same; -1. */
static inline int
parse_syntax(struct parse *p)
{
	parse_tell_syntax(p);
	return -1;
}

/* A mistake that is told later. */
void parse_mistake(struct parse *p, enum parse_rank rank, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

bool parse_at(const struct parse *p, enum token_type type);

/* Goes over the token if it is of the type. */
bool parse_take(struct parse *p, enum token_type type);

/* The same; another is a syntax error. 0 or -1. */
int parse_expect(struct parse *p, enum token_type type);

/* Counts one operator or function: 0, or -1 if it is one too many. */
int parse_count(struct parse *p);

/* Into and out of a bracket or call; -1 if that is too deep. */
int parse_enter(struct parse *p);
void parse_leave(struct parse *p);

/*
 * The closing bracket of what was read as `piece`, which then is bracketed;
 * it may not have been before.
 */
int parse_bracket(struct parse *p, struct piece *piece);

/* A node in the arena with its arguments copied; NULL with *e set. */
struct expr *parse_node(struct parse *p, enum expr_op op,
    const struct expr *const *args, size_t nargs);

/* name .name [index]...; `head` (may be NULL) stands before. */
int parse_path(struct parse *p, const struct expr_path *head,
    struct expr_path *out);

/* value, path, function(operand, ...), (operand) */
int parse_operand(struct parse *p, struct piece *out);

/* A path in brackets may go on behind them, but in updates: (a.b).c */
int parse_go_on(struct parse *p, struct piece *piece);

/* What was read of an update, put in order; then as parse_close(). */
int parse_update(struct parse *p, const struct expr_change *changes, size_t n,
    const struct expr_update **out);

/* A list that grows while it is read. */
struct parse_list {
	struct parse_item *first, *last;
	size_t count;
};

struct parse_item {
	struct parse_item *next;
	const struct expr *tree;
};

int parse_append(struct parse *p, struct parse_list *list,
    const struct expr *tree);
struct expr *parse_list_node(struct parse *p, enum expr_op op,
    const struct parse_list *list);

#endif
