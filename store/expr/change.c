/*
 * The grammars of UpdateExpression and ProjectionExpression.  Runs in the
 * daemon wherever a request is decoded.
 *
 *	update     = 1*section
 *	section    = "SET" path "=" sum *("," path "=" sum)
 *	           | "REMOVE" path *("," path)
 *	           | ("ADD" | "DELETE") path value *("," path value)
 *	sum        = term [("+" | "-") term]
 *	term       = operand | "(" sum ")"
 *	projection = path *("," path)
 */
#include "check.h"
#include "parse.h"
#include "path.h"
#include "scope.h"

#include <string.h>

/* What was read so far, in the order written. */
struct changes {
	struct expr_change *list;
	size_t count, room;
};

static int
add_change(struct parse *p, struct changes *c, struct expr_change change)
{
	size_t room = c->room ? 2 * c->room : 8;
	struct expr_change *list;

	if (c->count == c->room) {
		list = arena_array(p->scope->arena, room, sizeof *list);
		if (!list)
			return scope_no_memory(p->e);
		if (c->count)
			memcpy(list, c->list, c->count * sizeof *list);
		c->list = list;
		c->room = room;
	}
	c->list[c->count++] = change;
	return 0;
}

/* The paths in order, with their places; clashes become mistakes. */
static struct path_entry *
sort(struct parse *p, const struct expr_change *changes, size_t n)
{
	struct path_entry *entries;
	size_t i;

	entries = arena_array(p->scope->arena, n, sizeof *entries);
	if (!entries) {
		scope_no_memory(p->e);
		return NULL;
	}
	for (i = 0; i < n; i++)
		entries[i] = (struct path_entry){changes[i].path, i};
	path_sort(p, entries, n);
	return entries;
}

/* --- sums ----------------------------------------------------------------- */

static int sum(struct parse *p, struct piece *out);

static int
term(struct parse *p, struct piece *out)
{
	if (!parse_at(p, TOKEN_OPEN))
		return parse_operand(p, out);
	if (parse_enter(p) < 0)
		return -1;
	lex_next(&p->lex);
	if (sum(p, out) < 0 || parse_bracket(p, out) < 0)
		return -1;
	parse_leave(p);
	return 0;
}

static int
sum(struct parse *p, struct piece *out)
{
	const struct expr *args[2];
	enum expr_op op = EXPR_PLUS;

	if (term(p, out) < 0)
		return -1;
	if (parse_at(p, TOKEN_MINUS))
		op = EXPR_MINUS;
	else if (!parse_at(p, TOKEN_PLUS))
		return 0;
	if (out->kind == PIECE_WHOLE)
		return parse_syntax(p);
	args[0] = out->tree;
	lex_next(&p->lex);
	if (parse_count(p) < 0 || parse_operand(p, out) < 0)
		return -1;
	args[1] = out->tree;
	out->tree = parse_node(p, op, args, 2);
	if (!out->tree)
		return -1;
	out->kind = PIECE_WHOLE;
	out->bracketed = false;
	check_operator(p, out->tree);
	return 0;
}

/* --- sections ------------------------------------------------------------- */

/* What stands behind the path. */
static int
read_operand(struct parse *p, struct expr_change *c)
{
	struct piece piece;

	switch (c->action) {
	case EXPR_SET:
		if (parse_expect(p, TOKEN_EQ) < 0 || sum(p, &piece) < 0)
			return -1;
		c->operand = piece.tree;
		return 0;
	case EXPR_REMOVE:
		return 0;
	default:
		if (!parse_at(p, TOKEN_VALUE))
			return parse_syntax(p);
		if (parse_operand(p, &piece) < 0)
			return -1;
		check_change(p, c->action, piece.tree);
		c->operand = piece.tree;
		return 0;
	}
}

static int
section(struct parse *p, enum expr_action action, struct changes *out)
{
	struct expr_change c = {.action = action};

	do {
		if (parse_path(p, NULL, &c.path) < 0 ||
		    read_operand(p, &c) < 0 || add_change(p, out, c) < 0)
			return -1;
	} while (parse_take(p, TOKEN_COMMA));
	return 0;
}

enum { SECTIONS = 4 };

static const struct {
	enum token_type token;
	enum expr_action action;
	const char *name;
} kinds[SECTIONS] = {
	{TOKEN_SET, EXPR_SET, "SET"},
	{TOKEN_REMOVE, EXPR_REMOVE, "REMOVE"},
	{TOKEN_ADD, EXPR_ADD, "ADD"},
	{TOKEN_DELETE, EXPR_DELETE, "DELETE"},
};

static int
sections(struct parse *p, struct changes *out)
{
	bool seen[SECTIONS] = {false};
	size_t i;

	do {
		for (i = 0; i < SECTIONS; i++)
			if (parse_take(p, kinds[i].token))
				break;
		if (i >= SECTIONS)
			return parse_syntax(p);
		if (seen[i])
			parse_mistake(p, RANK_SECTION, "The \"%s\" section can "
			    "only be used once in an update expression;",
			    kinds[i].name);
		seen[i] = true;
		if (section(p, kinds[i].action, out) < 0)
			return -1;
	} while (!parse_at(p, TOKEN_END));
	return 0;
}

/* --- expressions ---------------------------------------------------------- */

int
parse_update(struct parse *p, const struct expr_change *changes, size_t n,
    const struct expr_update **out)
{
	struct arena *a = p->scope->arena;
	const struct path_entry *order = sort(p, changes, n);
	struct expr_update *u = arena_alloc(a, sizeof *u);
	struct expr_change *sorted = arena_array(a, n, sizeof *sorted);
	size_t i;

	if (!order || !u || !sorted)
		return scope_no_memory(p->e);
	for (i = 0; i < n; i++)
		sorted[i] = changes[order[i].place];
	*u = (struct expr_update){.changes = sorted, .count = n};
	*out = u;
	return parse_close(p);
}

int
expr_parse_update(struct expr_scope *s, const char *text, size_t n,
    const struct expr_update **out, struct err *e)
{
	struct parse p;
	struct changes c = {0};

	if (parse_open(&p, s, "UpdateExpression", text, n, e) < 0 ||
	    sections(&p, &c) < 0)
		return -1;
	return parse_update(&p, c.list, c.count, out);
}

int
expr_parse_projection(struct expr_scope *s, const char *text, size_t n,
    const struct expr_projection **out, struct err *e)
{
	struct parse p;
	struct changes c = {0};
	struct expr_projection *projection;
	struct expr_path *sorted;
	const struct path_entry *order;
	size_t i;

	if (parse_open(&p, s, "ProjectionExpression", text, n, e) < 0 ||
	    section(&p, EXPR_REMOVE, &c) < 0)
		return -1;
	order = sort(&p, c.list, c.count);
	projection = arena_alloc(s->arena, sizeof *projection);
	sorted = arena_array(s->arena, c.count, sizeof *sorted);
	if (!order || !projection || !sorted)
		return scope_no_memory(e);
	for (i = 0; i < c.count; i++)
		sorted[i] = order[i].path;
	*projection = (struct expr_projection){.paths = sorted,
	    .count = c.count};
	*out = projection;
	return parse_close(&p);
}
