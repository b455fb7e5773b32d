/*
 * The conditions of legacy.h as trees.  Runs in the daemon wherever a request
 * is decoded.
 */
#include "legacy.h"

#include "node.h"
#include "scope.h"
#include "store/value/fault.h"

#include <string.h>

#define INVALID "One or more parameter values were invalid: "

/* --- operators ------------------------------------------------------------ */

enum {
	SCALARS = 1 << VALUE_S | 1 << VALUE_N | 1 << VALUE_B,
	ANY = (1 << VALUE_TYPES) - 1
};

/* What an operator takes, and what stands for it in the tree. */
struct operator {
	const char *name;
	size_t least, most;		/* values */
	unsigned types;			/* bits of enum value_type */
	enum expr_op op;
};

static const struct operator operators[LEGACY_OPS] = {
	[LEGACY_EQ] = {"EQ", 1, 1, ANY, EXPR_EQ},
	[LEGACY_NE] = {"NE", 1, 1, ANY, EXPR_NE},
	[LEGACY_LE] = {"LE", 1, 1, SCALARS, EXPR_LE},
	[LEGACY_LT] = {"LT", 1, 1, SCALARS, EXPR_LT},
	[LEGACY_GE] = {"GE", 1, 1, SCALARS, EXPR_GE},
	[LEGACY_GT] = {"GT", 1, 1, SCALARS, EXPR_GT},
	[LEGACY_NOT_NULL] = {"NOT_NULL", 0, 0, ANY, EXPR_EXISTS},
	[LEGACY_NULL] = {"NULL", 0, 0, ANY, EXPR_NOT_EXISTS},
	[LEGACY_CONTAINS] = {"CONTAINS", 1, 1,
	    SCALARS | 1 << VALUE_BOOL | 1 << VALUE_NULL, EXPR_CONTAINS},
	[LEGACY_NOT_CONTAINS] = {"NOT_CONTAINS", 1, 1,
	    SCALARS | 1 << VALUE_BOOL | 1 << VALUE_NULL, EXPR_CONTAINS},
	[LEGACY_BEGINS_WITH] = {"BEGINS_WITH", 1, 1,
	    1 << VALUE_S | 1 << VALUE_B, EXPR_BEGINS_WITH},
	[LEGACY_IN] = {"IN", 1, SIZE_MAX, SCALARS, EXPR_IN},
	[LEGACY_BETWEEN] = {"BETWEEN", 2, 2, SCALARS, EXPR_BETWEEN},
};

enum legacy_op
legacy_op_parse(const char *p, size_t n)
{
	enum legacy_op op;

	for (op = LEGACY_EQ; op < LEGACY_OPS; op++)
		if (strlen(operators[op].name) == n &&
		    memcmp(operators[op].name, p, n) == 0)
			break;
	return op;
}

/* --- nodes ---------------------------------------------------------------- */

/* `name` op `values`; NULL without memory. */
static const struct expr *
test_node(struct arena *a, enum expr_op op, const struct text *name,
    const struct value *values, size_t n)
{
	const struct expr **args;
	struct expr *x = node_make(a, op, n + 1, &args);
	size_t i;

	if (!x || !(args[0] = node_path(a, name)))
		return NULL;
	for (i = 0; i < n; i++)
		if (!(args[i + 1] = node_value(a, &values[i])))
			return NULL;
	return x;
}

/* The attribute is there, and doesn't contain the value. */
static const struct expr *
not_contains_node(struct arena *a, const struct expr *contains,
    const struct text *name)
{
	const struct expr **args, **inner;
	struct expr *both = node_make(a, EXPR_AND, 2, &args), *negation;

	negation = node_make(a, EXPR_NOT, 1, &inner);
	if (!both || !negation || !(args[0] = test_node(a, EXPR_EXISTS, name,
	    NULL, 0)))
		return NULL;
	inner[0] = contains;
	args[1] = negation;
	return both;
}

/* --- checks --------------------------------------------------------------- */

static int
check_values(const struct operator *o, const struct value *values, size_t n,
    struct err *e)
{
	size_t i;

	if (n < o->least || n > o->most)
		return err_set(e, FAULT_VALIDATION, INVALID "Invalid number "
		    "of argument(s) for the %s ComparisonOperator", o->name);
	for (i = 1; i < n; i++)
		if (values[i].type != values[0].type)
			return err_set(e, FAULT_VALIDATION, INVALID
			    "AttributeValues inside AttributeValueList must "
			    "be of same type");
	for (i = 0; i < n; i++)
		if (!(o->types & 1U << values[i].type))
			return err_set(e, FAULT_VALIDATION, INVALID
			    "ComparisonOperator %s is not valid for %s "
			    "AttributeValue type", o->name,
			    value_type_name(values[i].type));
	if (o->op == EXPR_BETWEEN && value_compare(&values[0], &values[1]) > 0)
		return err_set(e, FAULT_VALIDATION, "The BETWEEN condition "
		    "was provided a range where the lower bound is greater "
		    "than the upper bound");
	return 0;
}

static int
misused(const struct legacy_condition *c, const char *what, struct err *e)
{
	return err_set(e, FAULT_VALIDATION, INVALID "%s for Attribute: %.*s",
	    what, c->name.n > 255 ? 255 : (int)c->name.n, c->name.p);
}

/* What may stand together in a member of Expected. */
static int
check_expected(const struct legacy_condition *c, struct err *e)
{
	if (c->has_values && c->value)
		return misused(c, "Value and AttributeValueList cannot be "
		    "used together", e);
	if (c->op != LEGACY_ABSENT) {
		if (c->has_exists)
			return misused(c, "Exists and ComparisonOperator "
			    "cannot be used together", e);
		if (c->has_values || c->value || operators[c->op].most == 0)
			return 0;
		return err_set(e, FAULT_VALIDATION, INVALID "Value or "
		    "AttributeValueList must be used with "
		    "ComparisonOperator: %s for Attribute: %.*s",
		    operators[c->op].name, c->name.n > 255 ? 255 :
		    (int)c->name.n, c->name.p);
	}
	if (c->has_values)
		return misused(c, "AttributeValueList can only be used with a "
		    "ComparisonOperator", e);
	if (!c->value && (!c->has_exists || c->exists))
		return misused(c, c->has_exists ? "Value must be provided "
		    "when Exists is true" : "Value must be provided when "
		    "Exists is null", e);
	if (c->value && c->has_exists && !c->exists)
		return misused(c, "Value cannot be used when Exists is false",
		    e);
	return 0;
}

/* --- conditions ----------------------------------------------------------- */

/* One member; `key`: for expr_key_find, which wants one test a name. */
static int
compile(struct arena *a, const struct legacy_condition *c, bool key,
    const struct expr **out, struct err *e)
{
	const struct operator *o = &operators[c->op];

	if (check_values(o, c->values, c->nvalues, e) < 0)
		return -1;
	*out = test_node(a, o->op, &c->name, c->values, c->nvalues);
	if (*out && c->op == LEGACY_NOT_CONTAINS && !key)
		*out = not_contains_node(a, *out, &c->name);
	return *out ? 0 : scope_no_memory(e);
}

/* A member of Expected as one of the other parameters would have it. */
static struct legacy_condition
plain(const struct legacy_condition *c)
{
	struct legacy_condition p = *c;

	if (p.op == LEGACY_ABSENT)
		p.op = p.has_exists && !p.exists ? LEGACY_NULL : LEGACY_EQ;
	if (p.value) {
		p.values = p.value;
		p.nvalues = 1;
	}
	return p;
}

static int
compile_all(struct arena *a, const struct legacy_condition *list, size_t n,
    enum expr_op op, bool key, const struct expr **out, struct err *e)
{
	const struct expr **args;
	struct expr *x = node_make(a, op, n, &args);
	struct legacy_condition c;
	size_t i;

	if (!x)
		return scope_no_memory(e);
	for (i = 0; i < n; i++) {
		c = plain(&list[i]);
		if (compile(a, &c, key, &args[i], e) < 0)
			return -1;
	}
	*out = n == 1 ? args[0] : x;
	if (n == 0)
		*out = NULL;
	return 0;
}

int
legacy_filter(struct arena *a, const struct legacy_condition *list, size_t n,
    bool any, const struct expr **out, struct err *e)
{
	return compile_all(a, list, n, any ? EXPR_OR : EXPR_AND, false, out,
	    e);
}

int
legacy_expected(struct arena *a, const struct legacy_condition *list,
    size_t n, bool any, const struct expr **out, struct err *e)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (check_expected(&list[i], e) < 0)
			return -1;
	return legacy_filter(a, list, n, any, out, e);
}

int
legacy_keys(struct arena *a, const struct legacy_condition *list, size_t n,
    const struct expr **out, struct err *e)
{
	if (n == 0 || n > LEGACY_KEYS_MAX)
		return err_set(e, FAULT_VALIDATION,
		    "Conditions can be of length 1 or 2 only");
	return compile_all(a, list, n, EXPR_AND, true, out, e);
}
