/*
 * Nodes of node.h.  Runs in the daemon wherever a request is decoded.
 */
#include "node.h"

struct expr *
node_make(struct arena *a, enum expr_op op, size_t nargs,
    const struct expr ***args)
{
	struct expr *x = arena_alloc(a, sizeof *x);

	*args = arena_array(a, nargs, sizeof **args);
	if (!x || !*args)
		return NULL;
	*x = (struct expr){.op = op, .nargs = nargs, .args = *args};
	return x;
}

int
node_fill_path(struct arena *a, const struct text *name,
    struct expr_path *out)
{
	struct expr_step *step = arena_alloc(a, sizeof *step);

	if (!step)
		return -1;
	*step = (struct expr_step){.name = *name};
	*out = (struct expr_path){step, 1};
	return 0;
}

const struct expr *
node_path(struct arena *a, const struct text *name)
{
	struct expr *x = arena_alloc(a, sizeof *x);

	if (!x)
		return NULL;
	*x = (struct expr){.op = EXPR_PATH};
	return node_fill_path(a, name, &x->path) < 0 ? NULL : x;
}

const struct expr *
node_value(struct arena *a, const struct value *v)
{
	struct expr *x = arena_alloc(a, sizeof *x);

	if (x) {
		*x = (struct expr){.op = EXPR_VALUE};
		x->value = *v;
	}
	return x;
}
