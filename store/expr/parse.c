/*
 * The parser's state of parse.h: errors and their ranks, limits, brackets,
 * nodes.  Runs in the daemon wherever a request is decoded.
 */
#include "parse.h"

#include "scope.h"
#include "store/value/fault.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- errors --------------------------------------------------------------- */

static void set(const struct parse *p, struct err *e, const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));

static void
set(const struct parse *p, struct err *e, const char *fmt, va_list ap)
{
	char text[sizeof e->text];

	vsnprintf(text, sizeof text, fmt, ap);
	err_set(e, FAULT_VALIDATION, "Invalid %s: %s", p->kind, text);
}

int
parse_fail(struct parse *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(p, p->e, fmt, ap);
	va_end(ap);
	return -1;
}

void
parse_tell_syntax(struct parse *p)
{
	const struct token *t = &p->lex.token;
	struct token near = lex_near(&p->lex);

	if (t->type == TOKEN_END)
		parse_fail(p, "Syntax error; token: \"<EOF>\", near: "
		    "\"%.*s\"", (int)near.n, near.p);
	else
		parse_fail(p, "Syntax error; token: \"%.*s\", near: "
		    "\"%.*s\"", (int)t->n, t->p, (int)near.n, near.p);
}

void
parse_mistake(struct parse *p, enum parse_rank rank, const char *fmt, ...)
{
	unsigned order = rank < RANK_NAME ? (unsigned)rank :
	    (unsigned)rank + RANKS * p->conditions;
	va_list ap;

	if (order >= p->rank)
		return;
	p->rank = order;
	va_start(ap, fmt);
	set(p, &p->mistake, fmt, ap);
	va_end(ap);
}

/* --- begin and end -------------------------------------------------------- */

int
parse_open(struct parse *p, struct expr_scope *s, const char *kind,
    const char *text, size_t n, struct err *e)
{
	p->scope = s;
	p->kind = kind;
	p->update = strcmp(kind, "UpdateExpression") == 0;
	p->depth = p->operators = p->conditions = 0;
	p->rank = UINT_MAX;
	p->e = e;
	if (n == 0)
		return parse_fail(p, "The expression can not be empty;");
	if (n > EXPR_TEXT_MAX && p->update)
		return parse_fail(p, "Expression size has exceeded the "
		    "maximum allowed size;");
	if (n > EXPR_TEXT_MAX)
		return parse_fail(p, "Expression size has exceeded the "
		    "maximum allowed size; expression size: %zu", n);
	lex_open(&p->lex, text, n);
	return 0;
}

int
parse_close(struct parse *p)
{
	if (!parse_at(p, TOKEN_END))
		return parse_syntax(p);
	if (p->rank == UINT_MAX)
		return 0;
	*p->e = p->mistake;
	return -1;
}

/* --- tokens and limits ---------------------------------------------------- */

bool
parse_at(const struct parse *p, enum token_type type)
{
	return p->lex.token.type == type;
}

bool
parse_take(struct parse *p, enum token_type type)
{
	if (!parse_at(p, type))
		return false;
	lex_next(&p->lex);
	return true;
}

int
parse_expect(struct parse *p, enum token_type type)
{
	return parse_take(p, type) ? 0 : parse_syntax(p);
}

int
parse_count(struct parse *p)
{
	if (++p->operators > EXPR_OPERATORS_MAX)
		return parse_fail(p, "The expression contains too many "
		    "operators; operator count: %u", p->operators);
	return 0;
}

int
parse_enter(struct parse *p)
{
	if (p->depth == EXPR_DEPTH_MAX)
		return parse_syntax(p);
	p->depth++;
	return 0;
}

void
parse_leave(struct parse *p)
{
	p->depth--;
}

int
parse_bracket(struct parse *p, struct piece *piece)
{
	if (parse_expect(p, TOKEN_CLOSE) < 0)
		return -1;
	if (piece->bracketed)
		return parse_fail(p, "The expression has redundant "
		    "parentheses;");
	piece->bracketed = true;
	return 0;
}

/* --- nodes ---------------------------------------------------------------- */

struct expr *
parse_node(struct parse *p, enum expr_op op, const struct expr *const *args,
    size_t nargs)
{
	struct expr *x = arena_alloc(p->scope->arena, sizeof *x);
	const struct expr **copy;

	copy = arena_array(p->scope->arena, nargs, sizeof *copy);
	if (!x || !copy) {
		scope_no_memory(p->e);
		return NULL;
	}
	if (nargs)
		memcpy(copy, args, nargs * sizeof *copy);
	*x = (struct expr){.op = op, .nargs = nargs, .args = copy};
	return x;
}

int
parse_append(struct parse *p, struct parse_list *list,
    const struct expr *tree)
{
	struct parse_item *item = arena_alloc(p->scope->arena, sizeof *item);

	if (!item)
		return scope_no_memory(p->e);
	*item = (struct parse_item){.tree = tree};
	if (list->last)
		list->last->next = item;
	else
		list->first = item;
	list->last = item;
	list->count++;
	return 0;
}

struct expr *
parse_list_node(struct parse *p, enum expr_op op,
    const struct parse_list *list)
{
	struct expr *x = arena_alloc(p->scope->arena, sizeof *x);
	const struct parse_item *item;
	const struct expr **args;
	size_t i = 0;

	args = arena_array(p->scope->arena, list->count, sizeof *args);
	if (!x || !args) {
		scope_no_memory(p->e);
		return NULL;
	}
	for (item = list->first; item; item = item->next)
		args[i++] = item->tree;
	*x = (struct expr){.op = op, .nargs = i, .args = args};
	return x;
}
