/*
 * Inside of expr/: what DynamoDB says of functions, operators and their
 * operands before it has seen any item.  Each takes what was parsed and keeps
 * the mistakes it finds (parse_mistake).
 */
#ifndef EXPR_CHECK_H
#define EXPR_CHECK_H

#include "parse.h"

/* A function by its name; NULL if there is none. */
struct check_function {
	const char *name;
	enum expr_op op;
	size_t nargs;
	bool condition;			/* it is one; else an operand */
	bool update;			/* of update expressions */
};

const struct check_function *check_find(const char *p, size_t n);

/* Of a call to `f`, all of it. */
void check_call(struct parse *p, const struct check_function *f,
    const struct expr *call);

/* A call stands where only an operand, or only a condition, may. */
void check_is_operand(struct parse *p, const struct piece *piece);
void check_is_condition(struct parse *p, const struct piece *piece);

/* Comparators, BETWEEN, IN, + and -. */
void check_operator(struct parse *p, const struct expr *x);

/* ADD and DELETE. */
void check_change(struct parse *p, enum expr_action action,
    const struct expr *value);

#endif
