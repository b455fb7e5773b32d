/*
 * The updates and projections of legacy.h as trees.  Runs in the daemon
 * wherever a request is decoded.
 */
#include "legacy.h"

#include "node.h"
#include "path.h"
#include "scope.h"
#include "store/value/fault.h"

#include <stdlib.h>

#define INVALID "One or more parameter values were invalid: "

enum { SETS = 1 << VALUE_SS | 1 << VALUE_NS | 1 << VALUE_BS };

static int
check_update(const struct legacy_update *u, struct err *e)
{
	unsigned sums = SETS | 1 << VALUE_N | 1 << VALUE_L;

	if (!u->value && u->action != LEGACY_DELETE)
		return err_set(e, FAULT_VALIDATION, INVALID "Only DELETE "
		    "action is allowed when no attribute value is specified");
	if (u->value && u->action == LEGACY_DELETE &&
	    !(SETS & 1U << u->value->type))
		return err_set(e, FAULT_VALIDATION, INVALID "DELETE action "
		    "with value is not supported for the type %s",
		    value_type_name(u->value->type));
	if (u->action == LEGACY_ADD && !(sums & 1U << u->value->type))
		return err_set(e, FAULT_VALIDATION, INVALID "ADD action is "
		    "not supported for the type %s",
		    value_type_name(u->value->type));
	return 0;
}

static int
compile_update(struct arena *a, const struct legacy_update *u,
    struct expr_change *out, struct err *e)
{
	if (check_update(u, e) < 0)
		return -1;
	out->action = u->action == LEGACY_PUT ? EXPR_SET :
	    u->action == LEGACY_ADD ? EXPR_ADD :
	    u->value ? EXPR_DELETE : EXPR_REMOVE;
	out->operand = u->value ? node_value(a, u->value) : NULL;
	if ((u->value && !out->operand) ||
	    node_fill_path(a, &u->name, &out->path) < 0)
		return scope_no_memory(e);
	return 0;
}

static int
compare_changes(const void *x, const void *y)
{
	const struct expr_change *a = x, *b = y;

	return path_compare(&a->path, &b->path);
}

static int
compare_paths(const void *x, const void *y)
{
	return path_compare(x, y);
}

static int
twice(const struct text *name, struct err *e)
{
	return err_set(e, FAULT_VALIDATION, INVALID "Duplicate value in "
	    "attribute name: %.*s", name->n > 255 ? 255 : (int)name->n,
	    name->p);
}

int
legacy_updates(struct arena *a, const struct legacy_update *list, size_t n,
    const struct expr_update **out, struct err *e)
{
	struct expr_change *changes = arena_array(a, n, sizeof *changes);
	struct expr_update *u = arena_alloc(a, sizeof *u);
	size_t i;

	if (!changes || !u)
		return scope_no_memory(e);
	for (i = 0; i < n; i++)
		if (compile_update(a, &list[i], &changes[i], e) < 0)
			return -1;
	if (n > 1)
		qsort(changes, n, sizeof *changes, compare_changes);
	for (i = 1; i < n; i++)
		if (compare_changes(&changes[i - 1], &changes[i]) == 0)
			return twice(&changes[i].path.steps[0].name, e);
	*u = (struct expr_update){changes, n, true};
	*out = u;
	return 0;
}

int
legacy_projection(struct arena *a, const struct text *names, size_t n,
    const struct expr_projection **out, struct err *e)
{
	struct expr_path *paths = arena_array(a, n, sizeof *paths);
	struct expr_projection *p = arena_alloc(a, sizeof *p);
	size_t i;

	if (!paths || !p)
		return scope_no_memory(e);
	if (n == 0 || n > LEGACY_TO_GET_MAX)
		return err_set(e, FAULT_VALIDATION, "1 validation error "
		    "detected: Value at 'attributesToGet' failed to satisfy "
		    "constraint: Member must have length %s than or equal to "
		    "%d", n ? "less" : "greater", n ? LEGACY_TO_GET_MAX : 1);
	for (i = 0; i < n; i++)
		if (node_fill_path(a, &names[i], &paths[i]) < 0)
			return scope_no_memory(e);
	if (n > 1)
		qsort(paths, n, sizeof *paths, compare_paths);
	for (i = 1; i < n; i++)
		if (path_compare(&paths[i - 1], &paths[i]) == 0)
			return twice(&paths[i].steps[0].name, e);
	*p = (struct expr_projection){.paths = paths, .count = n};
	*out = p;
	return 0;
}
