/*
 * The checks of check.h.  Runs in the daemon wherever a request is decoded.
 */
#include "check.h"

#include "path.h"

#include <string.h>

/* --- functions ------------------------------------------------------------ */

static const struct check_function functions[] = {
	{"attribute_exists", EXPR_EXISTS, 1, true, false},
	{"attribute_not_exists", EXPR_NOT_EXISTS, 1, true, false},
	{"attribute_type", EXPR_TYPE, 2, true, false},
	{"begins_with", EXPR_BEGINS_WITH, 2, true, false},
	{"contains", EXPR_CONTAINS, 2, true, false},
	{"size", EXPR_SIZE, 1, false, false},
	{"if_not_exists", EXPR_IF_NOT_EXISTS, 2, false, true},
	{"list_append", EXPR_LIST_APPEND, 2, false, true},
};

const struct check_function *
check_find(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof functions / sizeof *functions; i++)
		if (strlen(functions[i].name) == n &&
		    memcmp(functions[i].name, p, n) == 0)
			return &functions[i];
	return NULL;
}

const char *
expr_op_name(enum expr_op op)
{
	static const char *const names[EXPR_OPS] = {
		[EXPR_SIZE] = "size", [EXPR_PLUS] = "+", [EXPR_MINUS] = "-",
		[EXPR_IF_NOT_EXISTS] = "if_not_exists",
		[EXPR_LIST_APPEND] = "list_append",
		[EXPR_AND] = "AND", [EXPR_OR] = "OR", [EXPR_NOT] = "NOT",
		[EXPR_EQ] = "=", [EXPR_NE] = "<>", [EXPR_LT] = "<",
		[EXPR_LE] = "<=", [EXPR_GT] = ">", [EXPR_GE] = ">=",
		[EXPR_BETWEEN] = "BETWEEN", [EXPR_IN] = "IN",
		[EXPR_EXISTS] = "attribute_exists",
		[EXPR_NOT_EXISTS] = "attribute_not_exists",
		[EXPR_TYPE] = "attribute_type",
		[EXPR_BEGINS_WITH] = "begins_with",
		[EXPR_CONTAINS] = "contains",
	};

	return op < EXPR_OPS && names[op] ? names[op] : "";
}

static void
misuse(struct parse *p, const struct expr *call)
{
	parse_mistake(p, RANK_MISUSE, "The function is not allowed to be "
	    "used this way in an expression; function: %s",
	    expr_op_name(call->op));
}

static bool
is_condition(enum expr_op op)
{
	return op >= EXPR_AND;
}

void
check_is_operand(struct parse *p, const struct piece *piece)
{
	if (piece->kind == PIECE_CALL && is_condition(piece->tree->op))
		misuse(p, piece->tree);
}

void
check_is_condition(struct parse *p, const struct piece *piece)
{
	if (piece->kind == PIECE_CALL && piece->tree->op != EXPR_NONE &&
	    !is_condition(piece->tree->op))
		misuse(p, piece->tree);
}

/* --- types of operands ---------------------------------------------------- */

enum { SCALARS = 1 << VALUE_S | 1 << VALUE_N | 1 << VALUE_B,
	SETS = 1 << VALUE_SS | 1 << VALUE_NS | 1 << VALUE_BS };

/* The type that is known without an item, or VALUE_TYPES. */
static enum value_type
static_type(const struct expr *x)
{
	if (x->op == EXPR_VALUE)
		return x->value.type;
	return x->op == EXPR_SIZE ? VALUE_N : VALUE_TYPES;
}

/* True if one of `allowed` (bits), or not known. */
static bool
check_type(struct parse *p, const struct expr *of, const struct expr *arg,
    unsigned allowed)
{
	enum value_type type = static_type(arg);

	if (type == VALUE_TYPES || (allowed & 1U << type))
		return true;
	parse_mistake(p, RANK_TYPE, "Incorrect operand type for operator or "
	    "function; operator or function: %s, operand type: %s",
	    expr_op_name(of->op), value_type_name(type));
	return false;
}

static void
check_types(struct parse *p, const struct expr *x, unsigned allowed)
{
	size_t i;

	for (i = 0; i < x->nargs; i++)
		if (!check_type(p, x, x->args[i], allowed))
			return;
}

static void
check_path(struct parse *p, const struct expr *x)
{
	if (x->args[0]->op != EXPR_PATH)
		parse_mistake(p, RANK_TYPE, "Operator or function requires a "
		    "document path; operator or function: %s",
		    expr_op_name(x->op));
}

/* The second operand of attribute_type. */
static void
check_type_name(struct parse *p, const struct expr *x)
{
	const struct expr *name = x->args[1];
	const struct text *text = &name->value.text;

	if (name->op != EXPR_VALUE && name->op != EXPR_SIZE) {
		parse_mistake(p, RANK_TYPE, "Incorrect operand type for "
		    "operator or function; operator or function: %s, operand "
		    "type: {NS,SS,L,BS,N,M,B,BOOL,NULL,S}",
		    expr_op_name(x->op));
		return;
	}
	if (!check_type(p, x, name, 1 << VALUE_S))
		return;
	if (static_type(name) == VALUE_S &&
	    value_type_parse(text->p, text->n) == VALUE_TYPES)
		parse_mistake(p, RANK_TYPE, "Invalid attribute type name "
		    "found; type: %.*s, valid types: "
		    "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
		    text->n > 100 ? 100 : (int)text->n, text->p);
}

/* --- distinct operands ---------------------------------------------------- */

static void
check_distinct(struct parse *p, const struct expr *x)
{
	struct buf path;
	size_t i = 1;

	if (x->args[0]->op != EXPR_PATH)
		return;
	while (i < x->nargs && !(x->args[i]->op == EXPR_PATH &&
	    path_compare(&x->args[0]->path, &x->args[i]->path) == 0))
		i++;
	if (i == x->nargs)
		return;
	buf_init(&path, sizeof p->mistake.text);
	path_print(&path, &x->args[0]->path);
	parse_mistake(p, RANK_DISTINCT, "The first operand must be distinct "
	    "from the remaining operands for this operator or function; "
	    "operator: %s, first operand: %s", expr_op_name(x->op),
	    buf_str(&path));
	buf_release(&path);
}

/* --- a call --------------------------------------------------------------- */

/* list_append may not stand in list_append. */
static void
check_append(struct parse *p, const struct expr *call)
{
	size_t i;

	for (i = 0; i < call->nargs; i++)
		if (call->args[i]->op == EXPR_LIST_APPEND)
			misuse(p, call->args[i]);
	check_types(p, call, 1 << VALUE_L);
}

void
check_call(struct parse *p, const struct check_function *f,
    const struct expr *call)
{
	if (call->nargs != f->nargs) {
		parse_mistake(p, RANK_COUNT, "Incorrect number of operands for "
		    "operator or function; operator or function: %s, number "
		    "of operands: %zu", f->name, call->nargs);
		return;
	}
	if (f->condition)
		check_distinct(p, call);
	switch (f->op) {
	case EXPR_EXISTS:
	case EXPR_NOT_EXISTS:
	case EXPR_IF_NOT_EXISTS:
		check_path(p, call);
		break;
	case EXPR_TYPE:
		check_type_name(p, call);
		break;
	case EXPR_BEGINS_WITH:
		check_types(p, call, 1 << VALUE_S | 1 << VALUE_B);
		break;
	case EXPR_SIZE:
		check_types(p, call, SETS | 1 << VALUE_S | 1 << VALUE_B |
		    1 << VALUE_L | 1 << VALUE_M);
		break;
	case EXPR_LIST_APPEND:
		check_append(p, call);
		break;
	default:
		break;
	}
}

/* --- operators ------------------------------------------------------------ */

static void
add_bound(struct buf *b, const struct value *v)
{
	buf_printf(b, "AttributeValue: {%s:", value_type_name(v->type));
	if (v->type == VALUE_B)
		buf_printf(b, "java.nio.HeapByteBuffer[pos=0 lim=%zu cap=%zu]",
		    v->text.n, v->text.n);
	else
		buf_add(b, v->text.p, v->text.n < 150 ? v->text.n : 150);
	buf_putc(b, '}');
}

static void
wrong_bounds(struct parse *p, const struct expr *x, const char *what)
{
	struct buf low, high;

	buf_init(&low, sizeof p->mistake.text);
	buf_init(&high, sizeof p->mistake.text);
	add_bound(&low, &x->args[1]->value);
	add_bound(&high, &x->args[2]->value);
	parse_mistake(p, RANK_TYPE, "The BETWEEN operator requires %s; lower "
	    "bound operand: %s, upper bound operand: %s", what, buf_str(&low),
	    buf_str(&high));
	buf_release(&high);
	buf_release(&low);
}

static void
check_between(struct parse *p, const struct expr *x)
{
	const struct expr *low = x->args[1], *high = x->args[2];

	check_types(p, x, SCALARS);
	if (low->op != EXPR_VALUE || high->op != EXPR_VALUE ||
	    low->value.type == VALUE_TYPES || high->value.type == VALUE_TYPES)
		return;
	if (low->value.type != high->value.type)
		wrong_bounds(p, x, "same data type for lower and upper bounds");
	else if ((SCALARS & 1U << low->value.type) &&
	    value_compare(&low->value, &high->value) > 0)
		wrong_bounds(p, x, "upper bound to be greater than or equal "
		    "to lower bound");
}

void
check_operator(struct parse *p, const struct expr *x)
{
	if (x->op == EXPR_PLUS || x->op == EXPR_MINUS) {
		check_types(p, x, 1 << VALUE_N);
		return;
	}
	check_distinct(p, x);
	if (x->op == EXPR_BETWEEN)
		check_between(p, x);
	else if (x->op >= EXPR_LT && x->op <= EXPR_GE)
		check_types(p, x, SCALARS);
	else if (x->op == EXPR_IN && x->nargs - 1 > EXPR_IN_MAX)
		parse_mistake(p, RANK_COUNT, "The IN operator is provided "
		    "with too many operands; number of operands: %zu",
		    x->nargs - 1);
}

/* --- changes -------------------------------------------------------------- */

void
check_change(struct parse *p, enum expr_action action,
    const struct expr *value)
{
	static const char *const names[VALUE_TYPES] = {
		[VALUE_S] = "STRING", [VALUE_N] = "NUMBER",
		[VALUE_B] = "BINARY", [VALUE_BOOL] = "BOOLEAN",
		[VALUE_NULL] = "NULL", [VALUE_M] = "MAP", [VALUE_L] = "LIST",
	};
	enum value_type type = static_type(value);
	const char *name = action == EXPR_ADD ? "ADD" : "DELETE";

	if (type == VALUE_TYPES || (SETS & 1U << type) ||
	    (type == VALUE_N && action == EXPR_ADD))
		return;
	parse_mistake(p, RANK_CHANGE, "Incorrect operand type for operator or "
	    "function; operator: %s, operand type: %s, typeSet: "
	    "ALLOWED_FOR_%s_OPERAND", name, names[type], name);
}
