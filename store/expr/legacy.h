/*
 * The parameters that DynamoDB had before expressions, compiled into the tree
 * of expr.h: Expected, AttributeUpdates, KeyConditions, QueryFilter,
 * ScanFilter, ConditionalOperator, AttributesToGet.  Their JSON was taken
 * apart by who calls; names and values are borrowed.
 *
 * Failure is -1 with *e set as in expr.h.
 */
#ifndef EXPR_LEGACY_H
#define EXPR_LEGACY_H

#include "expr.h"

enum {
	LEGACY_TO_GET_MAX = 255,	/* AttributesToGet */
	LEGACY_KEYS_MAX = 2		/* KeyConditions */
};

/* ComparisonOperator. */
enum legacy_op {
	LEGACY_ABSENT,			/* the member was not there */
	LEGACY_EQ, LEGACY_NE, LEGACY_LE, LEGACY_LT, LEGACY_GE, LEGACY_GT,
	LEGACY_NOT_NULL, LEGACY_NULL, LEGACY_CONTAINS, LEGACY_NOT_CONTAINS,
	LEGACY_BEGINS_WITH, LEGACY_IN, LEGACY_BETWEEN,
	LEGACY_OPS
};

/* "EQ", ...; LEGACY_OPS if there is none of that name. */
enum legacy_op legacy_op_parse(const char *p, size_t n);

/* A member of KeyConditions, QueryFilter, ScanFilter or Expected. */
struct legacy_condition {
	struct text name;
	enum legacy_op op;		/* LEGACY_ABSENT: only in Expected */
	const struct value *values;	/* AttributeValueList */
	size_t nvalues;
	bool has_values;		/* the list was there, if only empty */
	/* of Expected alone */
	const struct value *value;	/* Value, or NULL */
	bool has_exists, exists;	/* Exists */
};

enum legacy_action { LEGACY_PUT, LEGACY_ADD, LEGACY_DELETE };

/* A member of AttributeUpdates. */
struct legacy_update {
	struct text name;
	enum legacy_action action;	/* LEGACY_PUT if absent */
	const struct value *value;	/* NULL if absent */
};

/*
 * QueryFilter and ScanFilter; `any` is ConditionalOperator OR.  No conditions
 * give *out = NULL: everything passes.
 */
int legacy_filter(struct arena *a, const struct legacy_condition *list,
    size_t n, bool any, const struct expr **out, struct err *e);

/* Expected, likewise. */
int legacy_expected(struct arena *a, const struct legacy_condition *list,
    size_t n, bool any, const struct expr **out, struct err *e);

/* KeyConditions: for expr_key_find. */
int legacy_keys(struct arena *a, const struct legacy_condition *list,
    size_t n, const struct expr **out, struct err *e);

/* AttributeUpdates. */
int legacy_updates(struct arena *a, const struct legacy_update *list,
    size_t n, const struct expr_update **out, struct err *e);

/* AttributesToGet. */
int legacy_projection(struct arena *a, const struct text *names, size_t n,
    const struct expr_projection **out, struct err *e);

#endif
