/*
 * Operands: values, document paths and calls of functions.  Runs in the daemon
 * wherever a request is decoded.
 *
 *	operand  = value | path | call | "(" operand ")"
 *	call     = word "(" operand *("," operand) ")"
 *	path     = name *("." name | "[" int "]")
 *	name     = word | "#" placeholder
 */
#include "check.h"
#include "parse.h"
#include "scope.h"

#include <string.h>

/* --- paths ---------------------------------------------------------------- */

/* A path while it is read; steps past the limit are only counted. */
struct steps {
	struct expr_step steps[EXPR_STEPS_MAX];
	size_t count;
};

static void
add_step(struct steps *s, struct expr_step step)
{
	if (s->count < EXPR_STEPS_MAX)
		s->steps[s->count] = step;
	s->count++;
}

/* A name, by itself or through a placeholder. */
static int
read_name(struct parse *p, struct steps *s)
{
	struct token t = p->lex.token;
	struct expr_step step = {.name = {t.p, t.n}};
	const struct text *name;

	if (t.type == TOKEN_WORD) {
		if (expr_reserved(t.p, t.n))
			parse_mistake(p, RANK_WORD, "Attribute name is a "
			    "reserved keyword; reserved keyword: %.*s",
			    (int)t.n, t.p);
	} else if (t.type == TOKEN_NAME) {
		name = scope_name(p->scope, t.p, t.n);
		if (name)
			step.name = *name;
		else
			parse_mistake(p, RANK_NAME, "An expression attribute "
			    "name used in the document path is not defined; "
			    "attribute name: %.*s", (int)t.n, t.p);
	} else {
		return parse_syntax(p);
	}
	lex_next(&p->lex);
	add_step(s, step);
	return 0;
}

/* The number and the bracket behind it. */
static int
read_index(struct parse *p, struct steps *s)
{
	struct token t = p->lex.token;
	uint64_t index = 0;
	size_t i;

	if (parse_expect(p, TOKEN_INT) < 0)
		return -1;
	for (i = 0; i < t.n && i < 11; i++)
		index = 10 * index + (uint64_t)(t.p[i] - '0');
	if (index > INT32_MAX)
		parse_mistake(p, RANK_WORD, "List index is not within the "
		    "allowable range; index: [%.*s]", (int)t.n, t.p);
	add_step(s, (struct expr_step){.indexed = true,
	    .index = (uint32_t)index});
	return parse_expect(p, TOKEN_UNINDEX);
}

static int
read_steps(struct parse *p, struct steps *s)
{
	for (;;) {
		if (parse_take(p, TOKEN_DOT)) {
			if (read_name(p, s) < 0)
				return -1;
		} else if (parse_take(p, TOKEN_INDEX)) {
			if (read_index(p, s) < 0)
				return -1;
		} else {
			return 0;
		}
	}
}

int
parse_path(struct parse *p, const struct expr_path *head,
    struct expr_path *out)
{
	struct steps s = {.count = 0};
	struct expr_step *copy;
	size_t i, n;

	for (i = 0; head && i < head->count; i++)
		add_step(&s, head->steps[i]);
	if ((!head && read_name(p, &s) < 0) || read_steps(p, &s) < 0)
		return -1;
	if (s.count > EXPR_STEPS_MAX)
		parse_mistake(p, RANK_NAME, "The document path has too many "
		    "nesting levels; nesting levels: %zu", s.count);
	n = s.count < EXPR_STEPS_MAX ? s.count : EXPR_STEPS_MAX;
	copy = arena_array(p->scope->arena, n, sizeof *copy);
	if (!copy)
		return scope_no_memory(p->e);
	memcpy(copy, s.steps, n * sizeof *copy);
	*out = (struct expr_path){copy, n};
	return 0;
}

static int
path_operand(struct parse *p, const struct expr_path *head,
    struct piece *out)
{
	out->tree = parse_node(p, EXPR_PATH, NULL, 0);
	out->kind = PIECE_OPERAND;
	out->bracketed = false;
	return out->tree ? parse_path(p, head, &out->tree->path) : -1;
}

/* --- values --------------------------------------------------------------- */

static int
value_operand(struct parse *p, struct piece *out)
{
	struct token t = p->lex.token;
	const struct value *v = scope_value(p->scope, t.p, t.n);

	if (!v)
		parse_mistake(p, p->update ? RANK_VALUE : RANK_NAME,
		    "An expression attribute value used in expression is not "
		    "defined; attribute value: %.*s", (int)t.n, t.p);
	out->tree = parse_node(p, EXPR_VALUE, NULL, 0);
	if (!out->tree)
		return -1;
	out->tree->value = v ? *v : (struct value){.type = VALUE_TYPES};
	out->kind = PIECE_OPERAND;
	out->bracketed = false;
	lex_next(&p->lex);
	return 0;
}

/* --- calls ---------------------------------------------------------------- */

/* The function of a name, if it may be called in this expression. */
static const struct check_function *
find_function(struct parse *p, const struct token *name)
{
	const struct check_function *f = check_find(name->p, name->n);

	if (!f)
		parse_mistake(p, RANK_FUNCTION, "Invalid function name; "
		    "function: %.*s", (int)name->n, name->p);
	else if (f->update != p->update)
		parse_mistake(p, RANK_MISUSE, "The function is not allowed in "
		    "%s expression; function: %s",
		    p->update ? "an update" : "a condition", f->name);
	else
		return f;
	return NULL;
}

static int
arguments(struct parse *p, struct parse_list *list)
{
	struct piece arg;

	do {
		if (parse_operand(p, &arg) < 0)
			return -1;
		check_is_operand(p, &arg);
		if (parse_append(p, list, arg.tree) < 0)
			return -1;
	} while (parse_take(p, TOKEN_COMMA));
	return parse_expect(p, TOKEN_CLOSE);
}

static int
call_operand(struct parse *p, struct piece *out)
{
	struct token name = p->lex.token;
	const struct check_function *f = find_function(p, &name);
	struct parse_list list = {0};

	lex_next(&p->lex);
	lex_next(&p->lex);
	if (parse_count(p) < 0 || parse_enter(p) < 0 ||
	    arguments(p, &list) < 0)
		return -1;
	parse_leave(p);
	out->tree = parse_list_node(p, f ? f->op : EXPR_NONE, &list);
	if (!out->tree)
		return -1;
	out->kind = PIECE_CALL;
	out->bracketed = false;
	if (f)
		check_call(p, f, out->tree);
	return 0;
}

/* --- any ------------------------------------------------------------------ */

static int
bracketed_operand(struct parse *p, struct piece *out)
{
	if (parse_enter(p) < 0)
		return -1;
	lex_next(&p->lex);
	if (parse_operand(p, out) < 0 || parse_bracket(p, out) < 0)
		return -1;
	parse_leave(p);
	return parse_go_on(p, out);
}

int
parse_go_on(struct parse *p, struct piece *piece)
{
	struct expr_path head;

	if (p->update || piece->tree->op != EXPR_PATH ||
	    !(parse_at(p, TOKEN_DOT) || parse_at(p, TOKEN_INDEX)))
		return 0;
	head = piece->tree->path;
	return path_operand(p, &head, piece);
}

int
parse_operand(struct parse *p, struct piece *out)
{
	switch (p->lex.token.type) {
	case TOKEN_VALUE:
		return value_operand(p, out);
	case TOKEN_OPEN:
		return bracketed_operand(p, out);
	case TOKEN_WORD:
		if (p->lex.after.type == TOKEN_OPEN)
			return call_operand(p, out);
		return path_operand(p, NULL, out);
	case TOKEN_NAME:
		return path_operand(p, NULL, out);
	default:
		return parse_syntax(p);
	}
}
