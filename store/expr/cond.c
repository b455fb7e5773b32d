/*
 * The grammar of conditions, and with it ConditionExpression,
 * FilterExpression and KeyConditionExpression.  Runs in the daemon wherever a
 * request is decoded.
 *
 *	any       = all *("OR" all)
 *	all       = negated *("AND" negated)
 *	negated   = *"NOT" unit
 *	unit      = "(" any ")" | operand test | call
 *	test      = ("=" | "<>" | "<" | "<=" | ">" | ">=") operand
 *	          | "BETWEEN" operand "AND" operand
 *	          | "IN" "(" operand *("," operand) ")"
 *
 * What an opening bracket begins, a condition or an operand, is known only
 * behind the closing one.  So within brackets a bare operand passes as `any`
 * (`bare`), and who closes the bracket looks whether a test follows.
 */
#include "check.h"
#include "parse.h"

static int any(struct parse *p, bool bare, struct piece *out);

/* --- tests ---------------------------------------------------------------- */

static enum expr_op
comparator(enum token_type type)
{
	switch (type) {
	case TOKEN_EQ:
		return EXPR_EQ;
	case TOKEN_NE:
		return EXPR_NE;
	case TOKEN_LT:
		return EXPR_LT;
	case TOKEN_LE:
		return EXPR_LE;
	case TOKEN_GT:
		return EXPR_GT;
	case TOKEN_GE:
		return EXPR_GE;
	default:
		return EXPR_NONE;
	}
}

/* One more operand of a test. */
static int
add_operand(struct parse *p, struct parse_list *list)
{
	struct piece operand = {.tree = NULL};

	if (parse_operand(p, &operand) < 0)
		return -1;
	check_is_operand(p, &operand);
	return parse_append(p, list, operand.tree);
}

static int
between(struct parse *p, struct parse_list *list)
{
	if (add_operand(p, list) < 0 || parse_expect(p, TOKEN_AND) < 0)
		return -1;
	return add_operand(p, list);
}

static int
in(struct parse *p, struct parse_list *list)
{
	if (parse_expect(p, TOKEN_OPEN) < 0)
		return -1;
	do {
		if (add_operand(p, list) < 0)
			return -1;
	} while (parse_take(p, TOKEN_COMMA));
	return parse_expect(p, TOKEN_CLOSE);
}

/* Makes a condition of an operand and the test at the token, if any. */
static int
test(struct parse *p, struct piece *piece)
{
	enum expr_op op = comparator(p->lex.token.type);
	struct parse_list list = {0};
	int rc;

	if (parse_at(p, TOKEN_BETWEEN))
		op = EXPR_BETWEEN;
	else if (parse_at(p, TOKEN_IN))
		op = EXPR_IN;
	if (op == EXPR_NONE)
		return 0;
	check_is_operand(p, piece);
	lex_next(&p->lex);
	if (parse_count(p) < 0 || parse_append(p, &list, piece->tree) < 0)
		return -1;
	if (op == EXPR_BETWEEN)
		rc = between(p, &list);
	else if (op == EXPR_IN)
		rc = in(p, &list);
	else
		rc = add_operand(p, &list);
	if (rc < 0 || !(piece->tree = parse_list_node(p, op, &list)))
		return -1;
	piece->kind = PIECE_WHOLE;
	piece->bracketed = false;
	check_operator(p, piece->tree);
	p->conditions++;
	return 0;
}

/* --- brackets, NOT, AND, OR ----------------------------------------------- */

static int
bracket(struct parse *p, struct piece *out)
{
	if (parse_enter(p) < 0)
		return -1;
	lex_next(&p->lex);
	if (any(p, true, out) < 0 || parse_bracket(p, out) < 0)
		return -1;
	parse_leave(p);
	return out->kind == PIECE_OPERAND ? parse_go_on(p, out) : 0;
}

static int
unit(struct parse *p, bool bare, struct piece *out)
{
	if (parse_at(p, TOKEN_OPEN) ? bracket(p, out) < 0 :
	    parse_operand(p, out) < 0)
		return -1;
	if (out->kind != PIECE_WHOLE && test(p, out) < 0)
		return -1;
	if (out->kind == PIECE_OPERAND && !bare)
		return parse_syntax(p);
	return 0;
}

/* As a condition: what it is, and that it is one. */
static void
whole(struct parse *p, struct piece *piece)
{
	if (piece->kind != PIECE_CALL)
		return;
	check_is_condition(p, piece);
	piece->kind = PIECE_WHOLE;
	p->conditions++;
}

static int
negated(struct parse *p, bool bare, struct piece *out)
{
	const struct expr *arg;
	size_t n = 0;

	while (parse_take(p, TOKEN_NOT)) {
		if (parse_count(p) < 0)
			return -1;
		n++;
	}
	if (unit(p, bare && n == 0, out) < 0)
		return -1;
	while (n-- > 0) {
		whole(p, out);
		arg = out->tree;
		out->tree = parse_node(p, EXPR_NOT, &arg, 1);
		out->bracketed = false;
		if (!out->tree)
			return -1;
	}
	return 0;
}

/* `rule`, and more of it behind tokens of `type`. */
static int
chain(struct parse *p, bool bare, enum token_type type, enum expr_op op,
    int (*rule)(struct parse *p, bool bare, struct piece *out),
    struct piece *out)
{
	struct parse_list list = {0};

	if (rule(p, bare, out) < 0)
		return -1;
	if (out->kind == PIECE_OPERAND || !parse_at(p, type))
		return 0;
	whole(p, out);
	if (parse_append(p, &list, out->tree) < 0)
		return -1;
	while (parse_take(p, type)) {
		if (parse_count(p) < 0 || rule(p, false, out) < 0)
			return -1;
		whole(p, out);
		if (parse_append(p, &list, out->tree) < 0)
			return -1;
	}
	out->tree = parse_list_node(p, op, &list);
	out->bracketed = false;
	return out->tree ? 0 : -1;
}

static int
all(struct parse *p, bool bare, struct piece *out)
{
	return chain(p, bare, TOKEN_AND, EXPR_AND, negated, out);
}

static int
any(struct parse *p, bool bare, struct piece *out)
{
	return chain(p, bare, TOKEN_OR, EXPR_OR, all, out);
}

/* --- expressions ---------------------------------------------------------- */

static int
condition(struct expr_scope *s, const char *kind, const char *text, size_t n,
    const struct expr **out, struct err *e)
{
	struct parse p;
	struct piece piece = {.tree = NULL};

	if (parse_open(&p, s, kind, text, n, e) < 0 ||
	    any(&p, false, &piece) < 0)
		return -1;
	whole(&p, &piece);
	*out = piece.tree;
	return parse_close(&p);
}

int
expr_parse_condition(struct expr_scope *s, const char *text, size_t n,
    const struct expr **out, struct err *e)
{
	return condition(s, "ConditionExpression", text, n, out, e);
}

int
expr_parse_filter(struct expr_scope *s, const char *text, size_t n,
    const struct expr **out, struct err *e)
{
	return condition(s, "FilterExpression", text, n, out, e);
}

int
expr_parse_key(struct expr_scope *s, const char *text, size_t n,
    const struct expr **out, struct err *e)
{
	return condition(s, "KeyConditionExpression", text, n, out, e);
}
