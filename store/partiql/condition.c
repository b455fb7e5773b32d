/*
 * Conditions, as the trees of expr.h.  Runs in the daemon wherever a statement
 * is read.
 *
 *	condition = all *(OR all)
 *	all       = one *(AND one)
 *	one       = NOT one | test
 *	test      = operand [("=" | "<>" | "!=" | "<" | "<=" | ">" | ">=") operand
 *	            | [NOT] BETWEEN operand AND operand
 *	            | [NOT] IN ("[" | "(") operand *("," operand) ("]" | ")")
 *	            | IS [NOT] (MISSING | NULL)]
 *	operand   = value | path | call | "(" condition ")"
 *	call      = name "(" operand *("," operand) ")"
 *	path      = name *("." name | "[" number "]")
 *
 * An operand that stands alone has to be a condition by itself: a call, or
 * one in brackets.
 */
#include "reader.h"

#include "store/expr/make.h"

#include <string.h>

#define KIND "WHERE clause"

static int read_condition(struct reader *r, const struct expr **out);
static int read_operand(struct reader *r, const struct expr **out);

static int
make(struct reader *r, enum expr_op op, const struct expr *const *args,
    size_t n, const struct expr **out)
{
	return expr_make(r->arena, KIND, op, args, n, out, r->e);
}

static bool
is_condition(const struct expr *x)
{
	return x->op >= EXPR_AND;
}

/* --- paths ------------------------------------------------------------------------ */

/* The number and the bracket behind it. */
static int
read_index(struct reader *r, struct expr_step *out)
{
	struct text t = r->scan.token.text;
	uint64_t index = 0;
	size_t i;

	if (reader_at(r, SCAN_STAR))
		return reader_fail(r, "Wildcard path component like a[*].b "
		    "are not supported");
	if (reader_expect(r, SCAN_NUMBER) < 0)
		return -1;
	for (i = 0; i < t.n && i < 11 && t.p[i] >= '0' && t.p[i] <= '9'; i++)
		index = 10 * index + (uint64_t)(t.p[i] - '0');
	if (index > INT32_MAX || i < t.n)
		return reader_fail(r, "List index is not within the allowable "
		    "range; index: [%.*s]", t.n < 40 ? (int)t.n : 40, t.p);
	*out = (struct expr_step){.indexed = true, .index = (uint32_t)index};
	return reader_expect(r, SCAN_UNLIST);
}

static int
read_name(struct reader *r, struct expr_step *out)
{
	struct text name = r->scan.token.text;

	if (reader_expect(r, SCAN_NAME) < 0)
		return -1;
	if (name.n == 0)
		return reader_fail(r,
		    "Path component cannot be an empty string");
	*out = (struct expr_step){.name = name};
	return 0;
}

int
reader_path(struct reader *r, struct expr_path *out)
{
	struct expr_step steps[EXPR_STEPS_MAX], *copy;
	size_t n = 1;

	if (read_name(r, &steps[0]) < 0)
		return -1;
	for (;; n++) {
		bool name = reader_take(r, SCAN_DOT);

		if (!name && !reader_take(r, SCAN_LIST))
			break;
		if (n == EXPR_STEPS_MAX)
			return reader_fail(r, "The document path has too many "
			    "nesting levels; nesting levels: %zu", n + 1);
		if ((name ? read_name(r, &steps[n])
		          : read_index(r, &steps[n])) < 0)
			return -1;
	}
	copy = arena_array(r->arena, n, sizeof *copy);
	if (!copy)
		return reader_no_memory(r);
	memcpy(copy, steps, n * sizeof *copy);
	*out = (struct expr_path){copy, n};
	return 0;
}

int
reader_leaf(struct reader *r, const struct expr **out)
{
	struct expr_path path;
	struct value v;

	if (reader_at_value(r))
		return reader_value(r, &v) < 0
		    ? -1
		    : expr_make_value(r->arena, &v, out, r->e);
	if (reader_at(r, SCAN_MISSING))
		return reader_fail(r,
		    "MISSING must be compared using IS operator");
	return reader_path(r, &path) < 0
	    ? -1
	    : expr_make_path(r->arena, &path, out, r->e);
}

/* --- lists of operands --------------------------------------------------------------- */

int
reader_append(struct reader *r, struct reader_list *l, const struct expr *x)
{
	size_t room = l->room ? 2 * l->room : 8;
	const struct expr **list;

	if (l->count == l->room) {
		list = arena_array(r->arena, room, sizeof *list);
		if (!list)
			return reader_no_memory(r);
		if (l->count)
			memcpy(list, l->list, l->count * sizeof *list);
		l->list = list;
		l->room = room;
	}
	l->list[l->count++] = x;
	return 0;
}

/* operand *("," operand), and what closes them. */
static int
read_operands(struct reader *r, enum scan_type close, struct reader_list *out)
{
	const struct expr *x;

	if (reader_enter(r) < 0)
		return -1;
	do {
		if (read_operand(r, &x) < 0)
			return -1;
		if (is_condition(x))
			return reader_syntax(r);
		if (reader_append(r, out, x) < 0)
			return -1;
	} while (reader_take(r, SCAN_COMMA));
	reader_leave(r);
	return reader_expect(r, close);
}

/* --- calls ------------------------------------------------------------------------------ */

static int
read_call(struct reader *r, const struct expr **out)
{
	static const struct {
		const char *name;
		enum expr_op op;
	} calls[] = {
		{"begins_with", EXPR_BEGINS_WITH},
		{"contains", EXPR_CONTAINS},
		{"attribute_type", EXPR_TYPE},
		{"size", EXPR_SIZE},
	};
	const struct scan_token t = r->scan.token;
	struct reader_list args = {0};
	size_t i, n = sizeof calls / sizeof *calls;

	for (i = 0; i < n; i++)
		if (scan_is(&t, calls[i].name))
			break;
	if (scan_is(&t, "exists"))
		return reader_fail(r, "EXISTS can only be used in "
		    "ExecuteTransaction write requests.");
	if (i == n)
		return reader_fail(r, "Unrecognized function: %.*s",
		    t.n < 64 ? (int)t.n : 64, t.p);
	scan_next(&r->scan);
	scan_next(&r->scan);
	return read_operands(r, SCAN_CLOSE, &args) < 0
	    ? -1
	    : make(r, calls[i].op, args.list, args.count, out);
}

static int
read_operand(struct reader *r, const struct expr **out)
{
	if (reader_at(r, SCAN_NAME) && r->scan.after.type == SCAN_OPEN)
		return read_call(r, out);
	if (!reader_take(r, SCAN_OPEN))
		return reader_leaf(r, out);
	if (reader_enter(r) < 0 || read_condition(r, out) < 0)
		return -1;
	reader_leave(r);
	return reader_expect(r, SCAN_CLOSE);
}

/* --- tests -------------------------------------------------------------------------------- */

static int
negate(struct reader *r, bool not, const struct expr **x)
{
	return not ? make(r, EXPR_NOT, x, 1, x) : 0;
}

static int
read_comparison(struct reader *r, enum expr_op op, const struct expr **x)
{
	const struct expr *args[2] = {*x, NULL};

	scan_next(&r->scan);
	if (read_operand(r, &args[1]) < 0)
		return -1;
	if (is_condition(args[1]))
		return reader_syntax(r);
	return make(r, op, args, 2, x);
}

static int
read_between(struct reader *r, const struct expr **x)
{
	const struct expr *args[3] = {*x, NULL, NULL};

	scan_next(&r->scan);
	if (read_operand(r, &args[1]) < 0 || reader_expect(r, SCAN_AND) < 0 ||
	    read_operand(r, &args[2]) < 0)
		return -1;
	if (is_condition(args[1]) || is_condition(args[2]))
		return reader_syntax(r);
	return make(r, EXPR_BETWEEN, args, 3, x);
}

static int
read_in(struct reader *r, const struct expr **x)
{
	struct reader_list args = {0};
	enum scan_type close;

	scan_next(&r->scan);
	close = reader_at(r, SCAN_OPEN) ? SCAN_CLOSE : SCAN_UNLIST;
	if ((*x)->op != EXPR_PATH ||
	    (!reader_take(r, SCAN_OPEN) && !reader_take(r, SCAN_LIST)) ||
	    reader_at(r, close))
		return reader_fail(r, "IN operator must have a left hand "
		    "argument of type Variable Reference and right hand "
		    "argument of type Seq with at least one member");
	return reader_append(r, &args, *x) < 0 ||
	        read_operands(r, close, &args) < 0
	    ? -1
	    : make(r, EXPR_IN, args.list, args.count, x);
}

/* IS [NOT] MISSING, IS [NOT] NULL */
static int
read_is(struct reader *r, const struct expr **x)
{
	static const struct value null = {.type = VALUE_S,
	    .text = {"NULL", 4}};
	const struct expr *args[2] = {*x, NULL};
	bool not;

	if ((*x)->op != EXPR_PATH)
		return reader_fail(r, "The left hand side argument to IS must "
		    "be a Variable Reference, Literal, or Path");
	scan_next(&r->scan);
	not = reader_take(r, SCAN_NOT);
	if (reader_take(r, SCAN_MISSING))
		return make(r, not ? EXPR_EXISTS : EXPR_NOT_EXISTS, args, 1,
		    x);
	if (!reader_take(r, SCAN_NULL))
		return reader_fail(r, "Unsupported data type for IS operator: "
		    "%.*s. Supported data types are [MISSING, NULL]",
		    r->scan.token.n < 64 ? (int)r->scan.token.n : 64,
		    r->scan.token.p);
	return expr_make_value(r->arena, &null, &args[1], r->e) < 0 ||
	        make(r, EXPR_TYPE, args, 2, x) < 0
	    ? -1
	    : negate(r, not, x);
}

static enum expr_op
comparator(enum scan_type t)
{
	switch (t) {
	case SCAN_EQ:
		return EXPR_EQ;
	case SCAN_NE:
		return EXPR_NE;
	case SCAN_LT:
		return EXPR_LT;
	case SCAN_LE:
		return EXPR_LE;
	case SCAN_GT:
		return EXPR_GT;
	case SCAN_GE:
		return EXPR_GE;
	default:
		return EXPR_NONE;
	}
}

/* What follows an operand, if anything does. */
static int
read_rest(struct reader *r, const struct expr **x)
{
	enum expr_op op = comparator(r->scan.token.type);
	bool not = false;

	if (op != EXPR_NONE)
		return read_comparison(r, op, x);
	if (reader_at(r, SCAN_IS))
		return read_is(r, x);
	if (reader_at(r, SCAN_NOT) && (r->scan.after.type == SCAN_IN ||
	                                  r->scan.after.type == SCAN_BETWEEN))
		not = reader_take(r, SCAN_NOT);
	if (reader_at(r, SCAN_BETWEEN))
		return read_between(r, x) < 0 ? -1 : negate(r, not, x);
	if (reader_at(r, SCAN_IN))
		return read_in(r, x) < 0 ? -1 : negate(r, not, x);
	return 0;
}

static int
read_test(struct reader *r, const struct expr **out)
{
	if (read_operand(r, out) < 0)
		return -1;
	return is_condition(*out) ? 0 : read_rest(r, out);
}

/* --- conditions --------------------------------------------------------------------------- */

static int
read_one(struct reader *r, const struct expr **out)
{
	bool not = reader_take(r, SCAN_NOT);

	if (!not)
		return read_test(r, out);
	if (reader_enter(r) < 0 || read_one(r, out) < 0)
		return -1;
	reader_leave(r);
	if (!is_condition(*out))
		return reader_fail(r, "The argument to NOT must be a Type or "
		    "Expression");
	return negate(r, true, out);
}

/*
 * One, or several with `sign` between them.  A single one may be an operand,
 * which who put it in brackets goes on with.
 */
static int
read_series(struct reader *r, enum scan_type sign, enum expr_op op,
    int (*each)(struct reader *r, const struct expr **out),
    const struct expr **out)
{
	struct reader_list list = {0};

	if (each(r, out) < 0)
		return -1;
	if (!reader_at(r, sign))
		return 0;
	for (;;) {
		if (!is_condition(*out))
			return reader_fail(r, "The arguments to AND/OR must "
			    "be Expressions");
		if (reader_append(r, &list, *out) < 0)
			return -1;
		if (!reader_take(r, sign))
			return make(r, op, list.list, list.count, out);
		if (each(r, out) < 0)
			return -1;
	}
}

static int
read_all(struct reader *r, const struct expr **out)
{
	return read_series(r, SCAN_AND, EXPR_AND, read_one, out);
}

static int
read_condition(struct reader *r, const struct expr **out)
{
	return read_series(r, SCAN_OR, EXPR_OR, read_all, out);
}

int
reader_condition(struct reader *r, const struct expr **out)
{
	if (read_condition(r, out) < 0)
		return -1;
	return is_condition(*out) ? 0
	                          : reader_fail(r, "WHERE clause must contain "
	                                "an expression that resolves to a "
	                                "boolean");
}
