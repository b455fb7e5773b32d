/*
 * DynamoDB's expressions: condition, filter, update, projection and key
 * condition.  One lexer, one grammar, one tree; evaluated over struct value,
 * an item being a VALUE_M.  The older parameters that say the same without a
 * language are compiled into the same tree by legacy.h.
 *
 * Sequence, for one request:
 *
 *	expr_scope_init(&s, arena, names, values, e)
 *	expr_parse_...(&s, text, n, &tree, e)		for each expression
 *	expr_scope_finish(&s, e)			all placeholders used?
 *	expr_check_...(tree, keys, e)			once the table is known
 *	expr_true, expr_apply, expr_project		as often as wanted
 *
 * Trees lie in the scope's arena and borrow from the expression's text and the
 * two maps; they are not written to after parsing, and threads may share them.
 * Evaluating allocates nothing; applying and projecting make new maps and
 * lists in the arena that is given to them and share what stayed.
 *
 * Failure is -1 with *e set: FAULT_VALIDATION with DynamoDB's text, or ENOMEM
 * when an arena is full.  No recursion goes deeper than EXPR_DEPTH_MAX.
 */
#ifndef EXPR_EXPR_H
#define EXPR_EXPR_H

#include "store/base/arena.h"
#include "store/base/err.h"
#include "store/value/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	EXPR_TEXT_MAX = 4096,		/* bytes of an expression */
	EXPR_OPERATORS_MAX = 300,	/* operators and functions in one */
	EXPR_IN_MAX = 100,		/* operands behind IN */
	EXPR_PLACEHOLDER_MAX = 255,	/* bytes of "#n" and ":v" */
	EXPR_NAME_MAX = 65535,		/* bytes of an attribute's name */
	EXPR_MAPS_MAX = 2 * 1024 * 1024,	/* names and values together */
	EXPR_STEPS_MAX = VALUE_DEPTH_MAX,	/* in one path */
	EXPR_DEPTH_MAX = 320,		/* brackets and calls in one another */
	EXPR_KEY_PARTS = 4		/* attributes in either half of a key */
};

/* --- the tree ------------------------------------------------------------- */

struct expr_step {
	bool indexed;
	uint32_t index;			/* [index] */
	struct text name;		/* .name */
};

/* a.b[3].c; the first step is a name. */
struct expr_path {
	const struct expr_step *steps;
	size_t count;
};

enum expr_op {
	EXPR_NONE,
	/* operands */
	EXPR_PATH, EXPR_VALUE,
	EXPR_SIZE,				/* args: operand */
	EXPR_PLUS, EXPR_MINUS,			/* args: 2 operands */
	EXPR_IF_NOT_EXISTS,			/* args: path, operand */
	EXPR_LIST_APPEND,			/* args: 2 operands */
	/* conditions */
	EXPR_AND, EXPR_OR,			/* args: 2 or more conditions */
	EXPR_NOT,				/* args: condition */
	EXPR_EQ, EXPR_NE, EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE,
	EXPR_BETWEEN,				/* args: operand, low, high */
	EXPR_IN,				/* args: operand, 1 or more */
	EXPR_EXISTS, EXPR_NOT_EXISTS,		/* args: path */
	EXPR_TYPE,			/* args: operand, value of type S */
	EXPR_BEGINS_WITH, EXPR_CONTAINS,	/* args: 2 operands */
	EXPR_OPS
};

struct expr {
	enum expr_op op;
	size_t nargs;
	union {
		const struct expr *const *args;
		struct expr_path path;		/* EXPR_PATH; nargs is 0 */
		struct value value;		/* EXPR_VALUE; nargs is 0 */
	};
};

/* "=", "BETWEEN", "begins_with", ...: as DynamoDB's messages have it. */
const char *expr_op_name(enum expr_op op);

enum expr_action { EXPR_SET, EXPR_REMOVE, EXPR_ADD, EXPR_DELETE };

struct expr_change {
	enum expr_action action;
	struct expr_path path;
	const struct expr *operand;	/* NULL for EXPR_REMOVE */
};

/*
 * In the order of the paths, step by step, indexes before names; no path is,
 * or begins, another.
 */
struct expr_update {
	const struct expr_change *changes;
	size_t count;
	bool legacy;			/* from AttributeUpdates */
};

/*
 * The same order, and as distinct.  With `names` (PartiQL) what stands at a
 * path becomes the attribute of that name: then it is the names, beside the
 * paths, that are in order and distinct.
 */
struct expr_projection {
	const struct expr_path *paths;
	size_t count;
	const struct text *names;	/* NULL: nested as in the item */
};

/* --- parsing -------------------------------------------------------------- */

struct expr_scope {
	struct arena *arena;
	const struct value *names;	/* "#n" -> S, or NULL */
	const struct value *values;	/* ":v" -> any, or NULL */
	bool *name_used, *value_used;	/* beside their members */
};

/*
 * `names` and `values` are ExpressionAttributeNames (a map of S) and
 * ExpressionAttributeValues, NULL where the request has none; both checked.
 */
int expr_scope_init(struct expr_scope *s, struct arena *a,
    const struct value *names, const struct value *values, struct err *e);

/* The names of ExpressionAttributeValues alone, as expr_scope_init has them. */
int expr_check_placeholders(const struct value *values, struct err *e);

/* Refuses placeholders that no expression used. */
int expr_scope_finish(const struct expr_scope *s, struct err *e);

/* ConditionExpression and FilterExpression differ in what errors call them. */
int expr_parse_condition(struct expr_scope *s, const char *text, size_t n,
    const struct expr **out, struct err *e);
int expr_parse_filter(struct expr_scope *s, const char *text, size_t n,
    const struct expr **out, struct err *e);
int expr_parse_update(struct expr_scope *s, const char *text, size_t n,
    const struct expr_update **out, struct err *e);
int expr_parse_projection(struct expr_scope *s, const char *text, size_t n,
    const struct expr_projection **out, struct err *e);

/* A condition on keys; expr_check_key: it only holds what keys can be asked. */
int expr_parse_key(struct expr_scope *s, const char *text, size_t n,
    const struct expr **out, struct err *e);
int expr_check_key(const struct expr *key, struct err *e);

/* --- against a table's keys ----------------------------------------------- */

struct expr_key_part {
	const char *name;
	enum value_type type;		/* VALUE_S, VALUE_N or VALUE_B */
};

/* The key of a table or of an index. */
struct expr_keys {
	struct expr_key_part hash[EXPR_KEY_PARTS], range[EXPR_KEY_PARTS];
	size_t nhash, nrange;
};

/*
 * A key condition, taken apart: all hash parts; then the first `nequal` range
 * parts by value; then, unless op is EXPR_NONE, one more range part by EXPR_LT,
 * LE, GT, GE, BEGINS_WITH (low is the operand) or BETWEEN (low, high).
 */
struct expr_key_range {
	const struct value *hash[EXPR_KEY_PARTS];
	const struct value *equal[EXPR_KEY_PARTS];
	size_t nequal;
	enum expr_op op;
	const struct value *low, *high;
};

/* `key` is of expr_parse_key or legacy_keys. */
int expr_key_find(const struct expr *key, const struct expr_keys *keys,
    struct expr_key_range *out, struct err *e);

/*
 * Key attributes are scalars: a path that goes below one is refused.  `index`:
 * `keys` are those of an index (another text).
 */
int expr_check_paths(const struct expr *cond, const struct expr_keys *keys,
    bool index, struct err *e);
int expr_check_projection(const struct expr_projection *p,
    const struct expr_keys *keys, bool index, struct err *e);

/*
 * A filter of a query may not name key attributes.  `what` is "Filter
 * Expression", or "QueryFilter" for the older parameter.
 */
int expr_check_filter(const struct expr *filter, const struct expr_keys *keys,
    const char *what, struct err *e);

/* An attribute that some index has in its key. */
struct expr_indexed {
	const char *name;
	enum value_type type;
	const char *index;
};

/* What an update must leave alone, and what it must leave of one type. */
struct expr_guard {
	const char *const *keys;	/* attributes of the table's key */
	size_t nkeys;
	const struct expr_indexed *indexed;
	size_t nindexed;
};

/* What can be said before the item is known. */
int expr_check_update(const struct expr_update *u, const struct expr_guard *g,
    struct err *e);

/* --- evaluating ----------------------------------------------------------- */

/* `item` may be NULL: an item without attributes.  Can't fail. */
bool expr_true(const struct expr *cond, const struct value *item);

/* What stands at the path, or NULL. */
const struct value *expr_find(const struct expr_path *p,
    const struct value *item);

/*
 * The item after the update.  `old` is the item before, NULL if there is none;
 * then the new one begins with `key`, the attributes of its key.  `g` (checked
 * by expr_check_update before) may be NULL.  All operands are evaluated before
 * anything changes.
 */
int expr_apply(struct arena *a, const struct expr_update *u,
    const struct value *old, const struct value *key,
    const struct expr_guard *g, struct value *item, struct err *e);

/*
 * True if the update can make an item where none is; one that only removes
 * leaves an absent item absent.
 */
bool expr_creates(const struct expr_update *u);

/*
 * The part of `item` (old or new; NULL gives no attributes) that the update
 * names: ReturnValues UPDATED_OLD and UPDATED_NEW.
 */
int expr_touched(struct arena *a, const struct expr_update *u,
    const struct value *item, struct value *part, struct err *e);

/*
 * The part of `item` that the projection names, nested as in the item unless
 * it has names of its own; lists close up, in their order.
 */
int expr_project(struct arena *a, const struct expr_projection *p,
    const struct value *item, struct value *part, struct err *e);

/* True if `name` (any case) is one of DynamoDB's 573 reserved words. */
bool expr_reserved(const char *name, size_t n);

#endif
