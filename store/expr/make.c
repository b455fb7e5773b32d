/*
 * The nodes of make.h.  Runs in the daemon wherever a request is decoded.
 */
#include "make.h"

#include "check.h"
#include "node.h"
#include "scope.h"

#include <limits.h>
#include <string.h>

int
expr_make_path(struct arena *a, const struct expr_path *path,
    const struct expr **out, struct err *e)
{
	struct expr *x = arena_alloc(a, sizeof *x);

	if (!x)
		return scope_no_memory(e);
	*x = (struct expr){.op = EXPR_PATH};
	x->path = *path;
	*out = x;
	return 0;
}

int
expr_make_value(struct arena *a, const struct value *v,
    const struct expr **out, struct err *e)
{
	*out = node_value(a, v);
	return *out ? 0 : scope_no_memory(e);
}

/* The checks of a function's call, or of an operator. */
static void
check_node(struct parse *p, const struct expr *x)
{
	const char *name = expr_op_name(x->op);
	const struct check_function *f = check_find(name, strlen(name));

	if (f)
		check_call(p, f, x);
	else if (x->op != EXPR_AND && x->op != EXPR_OR && x->op != EXPR_NOT)
		check_operator(p, x);
}

int
expr_make(struct arena *a, const char *kind, enum expr_op op,
    const struct expr *const *args, size_t nargs, const struct expr **out,
    struct err *e)
{
	struct expr_scope scope = {.arena = a};
	struct parse p = {.scope = &scope, .kind = kind, .rank = UINT_MAX,
	    .e = e};
	struct expr *x = parse_node(&p, op, args, nargs);

	if (!x)
		return -1;
	check_node(&p, x);
	*out = x;
	return parse_close(&p);
}

int
expr_make_update(struct arena *a, const char *kind,
    const struct expr_change *changes, size_t n,
    const struct expr_update **out, struct err *e)
{
	struct expr_scope scope = {.arena = a};
	struct parse p = {.scope = &scope, .kind = kind, .rank = UINT_MAX,
	    .e = e};

	return parse_update(&p, changes, n, out);
}
