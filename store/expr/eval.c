/*
 * Conditions over items.  Runs in the daemon, in the reading threads for
 * filters and in the writer for conditions; never allocates, never fails.
 *
 * What isn't there compares as false, but for "<>"; so do values of different
 * types, and such as have no order.
 */
#include "expr.h"

#include <stdio.h>
#include <string.h>

/* --- operands ------------------------------------------------------------- */

/* A number made for one comparison. */
struct scratch {
	struct value value;
	char digits[24];
};

static const struct value *
step(const struct value *v, const struct expr_step *s)
{
	if (!s->indexed)
		return value_member(v, s->name.p, s->name.n);
	return v->type == VALUE_L && s->index < v->count ?
	    &v->items[s->index] : NULL;
}

const struct value *
expr_find(const struct expr_path *p, const struct value *item)
{
	size_t i;

	for (i = 0; i < p->count && item; i++)
		item = step(item, &p->steps[i]);
	return item;
}

/* DynamoDB counts a string's length in UTF-16. */
static size_t
utf16_length(const struct text *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++) {
		unsigned char c = (unsigned char)t->p[i];

		if ((c & 0xc0) != 0x80)
			n += c >= 0xf0 ? 2 : 1;
	}
	return n;
}

static const struct value *
size(const struct value *of, struct scratch *s)
{
	size_t n;
	int len;

	if (!of)
		return NULL;
	switch (of->type) {
	case VALUE_S:
		n = utf16_length(&of->text);
		break;
	case VALUE_B:
		n = of->text.n;
		break;
	case VALUE_M:
	case VALUE_L:
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS:
		n = of->count;
		break;
	default:
		return NULL;
	}
	len = snprintf(s->digits, sizeof s->digits, "%zu", n);
	s->value = (struct value){
		.type = VALUE_N, .text = {s->digits, (size_t)len}
	};
	return &s->value;
}

static const struct value *
operand(const struct expr *x, const struct value *item, struct scratch *s)
{
	switch (x->op) {
	case EXPR_VALUE:
		return &x->value;
	case EXPR_PATH:
		return expr_find(&x->path, item);
	case EXPR_SIZE:
		return size(operand(x->args[0], item, s), s);
	default:
		return NULL;
	}
}

/* --- tests ---------------------------------------------------------------- */

static bool
equal(const struct value *a, const struct value *b)
{
	return a && b && a->type == b->type && value_equal(a, b);
}

static bool
ordered(const struct value *a, const struct value *b)
{
	return a && b && a->type == b->type && (a->type == VALUE_S ||
	    a->type == VALUE_N || a->type == VALUE_B);
}

static bool
compare(enum expr_op op, const struct value *a, const struct value *b)
{
	int order;

	if (op == EXPR_EQ)
		return equal(a, b);
	if (op == EXPR_NE)
		return !equal(a, b);
	if (!ordered(a, b))
		return false;
	order = value_compare(a, b);
	switch (op) {
	case EXPR_LT:
		return order < 0;
	case EXPR_LE:
		return order <= 0;
	case EXPR_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

static bool
begins_with(const struct value *a, const struct value *b)
{
	return ordered(a, b) && a->type != VALUE_N &&
	    a->text.n >= b->text.n &&
	    (b->text.n == 0 || memcmp(a->text.p, b->text.p, b->text.n) == 0);
}

/* The type of a set's members. */
static enum value_type
member_type(enum value_type set)
{
	if (set == VALUE_SS)
		return VALUE_S;
	return set == VALUE_NS ? VALUE_N : VALUE_B;
}

static bool
set_contains(const struct value *set, const struct value *v)
{
	size_t i;

	if (v->type != member_type(set->type))
		return false;
	for (i = 0; i < set->count; i++)
		if (text_compare(&set->texts[i], &v->text) == 0)
			return true;
	return false;
}

static bool
contains(const struct value *a, const struct value *b)
{
	size_t i;

	if (!a || !b)
		return false;
	switch (a->type) {
	case VALUE_S:
	case VALUE_B:
		return a->type == b->type && (b->text.n == 0 ||
		    memmem(a->text.p, a->text.n, b->text.p, b->text.n));
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS:
		return set_contains(a, b);
	case VALUE_L:
		for (i = 0; i < a->count; i++)
			if (equal(&a->items[i], b))
				return true;
		return false;
	default:
		return false;
	}
}

static bool
is_type(const struct value *v, const struct value *name)
{
	return v && value_type_parse(name->text.p, name->text.n) == v->type;
}

/* --- conditions ----------------------------------------------------------- */

static bool
between(const struct expr *x, const struct value *item)
{
	struct scratch s[3];
	const struct value *v = operand(x->args[0], item, &s[0]);

	return compare(EXPR_GE, v, operand(x->args[1], item, &s[1])) &&
	    compare(EXPR_LE, v, operand(x->args[2], item, &s[2]));
}

static bool
in(const struct expr *x, const struct value *item)
{
	struct scratch s[2];
	const struct value *v = operand(x->args[0], item, &s[0]);
	size_t i;

	for (i = 1; i < x->nargs; i++)
		if (equal(v, operand(x->args[i], item, &s[1])))
			return true;
	return false;
}

/* A test with one or two operands. */
static bool
test(const struct expr *x, const struct value *item)
{
	struct scratch s[2];
	const struct value *a, *b;

	a = operand(x->args[0], item, &s[0]);
	b = x->nargs > 1 ? operand(x->args[1], item, &s[1]) : NULL;
	switch (x->op) {
	case EXPR_EXISTS:
		return a != NULL;
	case EXPR_NOT_EXISTS:
		return a == NULL;
	case EXPR_TYPE:
		return is_type(a, b);
	case EXPR_BEGINS_WITH:
		return begins_with(a, b);
	case EXPR_CONTAINS:
		return contains(a, b);
	default:
		return compare(x->op, a, b);
	}
}

bool
expr_true(const struct expr *cond, const struct value *item)
{
	size_t i;

	switch (cond->op) {
	case EXPR_AND:
		for (i = 0; i < cond->nargs; i++)
			if (!expr_true(cond->args[i], item))
				return false;
		return true;
	case EXPR_OR:
		for (i = 0; i < cond->nargs; i++)
			if (expr_true(cond->args[i], item))
				return true;
		return false;
	case EXPR_NOT:
		return !expr_true(cond->args[0], item);
	case EXPR_BETWEEN:
		return between(cond, item);
	case EXPR_IN:
		return in(cond, item);
	default:
		return test(cond, item);
	}
}
