/*
 * Key conditions: what they may consist of, and what they ask of a table's or
 * an index's key.  Runs in the daemon when a query is decoded and begun.
 */
#include "expr.h"

#include "store/base/buf.h"
#include "store/value/fault.h"

#include <string.h>

#define INVALID "Invalid KeyConditionExpression: KeyConditionExpressions "

static bool
is_name(const struct text *t, const char *name)
{
	return t->n == strlen(name) && memcmp(t->p, name, t->n) == 0;
}

/* --- whatever the table --------------------------------------------------- */

/* The names met so far. */
struct names {
	const struct text *names[EXPR_OPERATORS_MAX + 1];
	size_t count;
};

static int
check_kind(const struct expr *x, struct err *e)
{
	switch (x->op) {
	case EXPR_OR:
	case EXPR_NOT:
	case EXPR_IN:
	case EXPR_NE:
	case EXPR_EXISTS:
	case EXPR_NOT_EXISTS:
	case EXPR_TYPE:
	case EXPR_CONTAINS:
		return err_set(e, FAULT_VALIDATION, "Invalid operator used in "
		    "KeyConditionExpression: %s", expr_op_name(x->op));
	case EXPR_BETWEEN:
	case EXPR_BEGINS_WITH:
		if (x->args[0]->op == EXPR_VALUE)
			return err_set(e, FAULT_VALIDATION, "Invalid condition "
			    "in KeyConditionExpression: %s operator must have "
			    "the key attribute as its first operand",
			    expr_op_name(x->op));
		return 0;
	default:
		return 0;
	}
}

static int
add_name(struct names *seen, const struct text *name, struct err *e)
{
	size_t i;

	for (i = 0; i < seen->count; i++)
		if (text_compare(seen->names[i], name) == 0)
			return err_set(e, FAULT_VALIDATION, INVALID "must "
			    "only contain one condition per key");
	if (seen->count < sizeof seen->names / sizeof *seen->names)
		seen->names[seen->count++] = name;
	return 0;
}

/* One test: one attribute by its plain name, all else values. */
static int
check_test(const struct expr *x, struct names *seen, struct err *e)
{
	const struct text *name = NULL;
	const struct expr *arg;
	size_t i;

	for (i = 0; i < x->nargs; i++) {
		arg = x->args[i];
		if (arg->op == EXPR_SIZE)
			return err_set(e, FAULT_VALIDATION, INVALID "cannot "
			    "contain nested operations");
		if (arg->op != EXPR_PATH)
			continue;
		if (name)
			return err_set(e, FAULT_VALIDATION, "Invalid condition "
			    "in KeyConditionExpression: Multiple attribute "
			    "names used in one condition");
		if (arg->path.count > 1)
			return err_set(e, FAULT_VALIDATION, INVALID "cannot "
			    "have conditions on nested attributes");
		name = &arg->path.steps[0].name;
	}
	if (!name)
		return err_set(e, FAULT_VALIDATION, "Invalid condition in "
		    "KeyConditionExpression: No key attribute specified");
	return add_name(seen, name, e);
}

static int
check(const struct expr *x, struct names *seen, struct err *e)
{
	size_t i;

	if (check_kind(x, e) < 0)
		return -1;
	if (x->op != EXPR_AND)
		return check_test(x, seen, e);
	for (i = 0; i < x->nargs; i++)
		if (check(x->args[i], seen, e) < 0)
			return -1;
	return 0;
}

int
expr_check_key(const struct expr *key, struct err *e)
{
	struct names seen = {.count = 0};

	return check(key, &seen, e);
}

/* --- taken apart ---------------------------------------------------------- */

/* One condition: `name` op `low` (and `high`). */
struct test {
	const struct text *name;
	enum expr_op op;
	const struct value *low, *high;
};

/* As many as a key can have parts; `count` goes on. */
struct tests {
	struct test tests[2 * EXPR_KEY_PARTS];
	size_t count;
};

/* The operator as it is with its operands changed over. */
static enum expr_op
mirrored(enum expr_op op)
{
	switch (op) {
	case EXPR_LT:
		return EXPR_GT;
	case EXPR_LE:
		return EXPR_GE;
	case EXPR_GT:
		return EXPR_LT;
	case EXPR_GE:
		return EXPR_LE;
	default:
		return op;
	}
}

static struct test
read_test(const struct expr *x)
{
	struct test t = {.op = x->op};
	size_t i;

	for (i = 0; i < x->nargs; i++) {
		if (x->args[i]->op == EXPR_PATH)
			t.name = &x->args[i]->path.steps[0].name;
		else if (!t.low)
			t.low = &x->args[i]->value;
		else
			t.high = &x->args[i]->value;
	}
	if (x->args[0]->op != EXPR_PATH)
		t.op = mirrored(t.op);
	return t;
}

static void
collect(const struct expr *x, struct tests *out)
{
	size_t i;

	if (x->op == EXPR_AND) {
		for (i = 0; i < x->nargs; i++)
			collect(x->args[i], out);
		return;
	}
	if (out->count < sizeof out->tests / sizeof *out->tests)
		out->tests[out->count] = read_test(x);
	out->count++;
}

static const struct test *
test_of(const struct tests *tests, const struct expr_key_part *part)
{
	size_t i;

	for (i = 0; i < tests->count; i++)
		if (tests->tests[i].name &&
		    is_name(tests->tests[i].name, part->name))
			return &tests->tests[i];
	return NULL;
}

/* --- against a key -------------------------------------------------------- */

static bool
indexable(enum expr_op op)
{
	return op == EXPR_EQ || (op >= EXPR_LT && op <= EXPR_BETWEEN) ||
	    op == EXPR_BEGINS_WITH;
}

static int
check_value(const struct expr_key_part *part, const struct value *v,
    size_t max, struct err *e)
{
	if (v->type != part->type)
		return err_set(e, FAULT_VALIDATION, "One or more parameter "
		    "values were invalid: Condition parameter type does not "
		    "match schema type");
	if (v->type == VALUE_N)
		return 0;
	if (v->text.n == 0)
		return err_set(e, FAULT_VALIDATION, "One or more parameter "
		    "values are not valid. The AttributeValue for a key "
		    "attribute cannot contain an empty %s value. Key: %s",
		    v->type == VALUE_S ? "string" : "binary", part->name);
	if (v->text.n > max && max == VALUE_HASH_KEY_MAX)
		return err_set(e, FAULT_VALIDATION, "One or more parameter "
		    "values were invalid: Size of hashkey has exceeded the "
		    "maximum size limit of2048 bytes");
	if (v->text.n > max)
		return err_set(e, FAULT_VALIDATION, "One or more parameter "
		    "values were invalid: Aggregated size of all range keys "
		    "has exceeded the size limit of 1024 bytes");
	return 0;
}

static int
check_part(const struct expr_key_part *part, const struct test *t, size_t max,
    struct err *e)
{
	if (!indexable(t->op) || !t->low)
		return err_set(e, FAULT_VALIDATION, "Attempted conditional "
		    "constraint is not an indexable operation");
	if (check_value(part, t->low, max, e) < 0)
		return -1;
	return t->high ? check_value(part, t->high, max, e) : 0;
}

static int
missed(const struct expr_key_part *part, struct err *e)
{
	return err_set(e, FAULT_VALIDATION, "Query condition missed key "
	    "schema element: %s", part->name);
}

/*
 * Of a key with several hash parts, those that have no equality; of one with
 * a single part, DynamoDB speaks otherwise (find_hash).
 */
static int
check_hash_gaps(const struct tests *tests, const struct expr_keys *keys,
    struct err *e)
{
	struct buf gaps;
	const struct test *t;
	size_t i;

	if (keys->nhash < 2)
		return 0;
	buf_init(&gaps, sizeof e->text);
	for (i = 0; i < keys->nhash; i++) {
		t = test_of(tests, &keys->hash[i]);
		if (!t || t->op != EXPR_EQ)
			buf_printf(&gaps, "%s%s", gaps.len ? ", " : "",
			    keys->hash[i].name);
	}
	if (gaps.len == 0)
		return 0;
	err_set(e, FAULT_VALIDATION, "HASH key attributes %s must have "
	    "equality conditions specified in the query", buf_str(&gaps));
	buf_release(&gaps);
	return -1;
}

static int
find_hash(const struct tests *tests, const struct expr_keys *keys,
    struct expr_key_range *out, struct err *e)
{
	const struct expr_key_part *part;
	const struct test *t;
	size_t i;

	if (check_hash_gaps(tests, keys, e) < 0)
		return -1;
	for (i = 0; i < keys->nhash; i++) {
		part = &keys->hash[i];
		t = test_of(tests, part);
		if (!t)
			return missed(part, e);
		if (check_part(part, t, VALUE_HASH_KEY_MAX, e) < 0)
			return -1;
		if (t->op != EXPR_EQ)
			return err_set(e, FAULT_VALIDATION,
			    "Query key condition not supported");
		out->hash[i] = t->low;
	}
	return 0;
}

/* Parts before `last` that have no equality: a gap in the range key. */
static int
check_gaps(const struct tests *tests, const struct expr_keys *keys,
    size_t last, struct err *e)
{
	struct buf gaps;
	const struct test *t;
	size_t i;

	buf_init(&gaps, sizeof e->text);
	for (i = 0; i < last; i++) {
		t = test_of(tests, &keys->range[i]);
		if (!t || t->op != EXPR_EQ)
			buf_printf(&gaps, "%s%s", gaps.len ? ", " : "",
			    keys->range[i].name);
	}
	if (gaps.len == 0)
		return 0;
	err_set(e, FAULT_VALIDATION, "RANGE key attributes %s must have "
	    "equality conditions specified in the query because a condition "
	    "is present on key attribute %s", buf_str(&gaps),
	    keys->range[last].name);
	buf_release(&gaps);
	return -1;
}

static int
find_range(const struct tests *tests, const struct expr_keys *keys,
    struct expr_key_range *out, struct err *e)
{
	size_t i, found = 0, last = 0;
	const struct test *t;

	for (i = 0; i < keys->nrange; i++) {
		t = test_of(tests, &keys->range[i]);
		if (!t)
			continue;
		if (check_part(&keys->range[i], t, VALUE_RANGE_KEY_MAX, e) < 0)
			return -1;
		found++;
		last = i;
		if (t->op == EXPR_EQ) {
			out->equal[out->nequal++] = t->low;
			continue;
		}
		out->op = t->op;
		out->low = t->low;
		out->high = t->high;
	}
	if (found && check_gaps(tests, keys, last, e) < 0)
		return -1;
	/* One of them names no part of this key. */
	if (found + keys->nhash < tests->count)
		return missed(&keys->range[found], e);
	return 0;
}

/* Of a key with one attribute in each half, DynamoDB speaks as it always did. */
static int
check_count(size_t count, const struct expr_keys *keys, struct err *e)
{
	size_t parts = keys->nhash + keys->nrange;

	if (count <= parts)
		return 0;
	if (keys->nhash > 1 || keys->nrange > 1)
		return err_set(e, FAULT_VALIDATION, "The number of query "
		    "conditions (%zu) exceeds the number of key attributes "
		    "defined in the schema (%zu)", count, parts);
	return err_set(e, FAULT_VALIDATION, count > 2 ?
	    "Conditions can be of length 1 or 2 only" :
	    "Query key condition not supported");
}

int
expr_key_find(const struct expr *key, const struct expr_keys *keys,
    struct expr_key_range *out, struct err *e)
{
	struct tests tests = {.count = 0};

	*out = (struct expr_key_range){.op = EXPR_NONE};
	collect(key, &tests);
	if (check_count(tests.count, keys, e) < 0)
		return -1;
	if (find_hash(&tests, keys, out, e) < 0)
		return -1;
	return find_range(&tests, keys, out, e);
}
