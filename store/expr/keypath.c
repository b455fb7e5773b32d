/*
 * Paths of an expression against a table's keys: none goes below a key
 * attribute, no filter of a query names one, no update touches one.  Runs in
 * the daemon once the table of a request is known.
 */
#include "expr.h"

#include "store/value/fault.h"

#include <string.h>

static bool
begins_with(const struct expr_path *path, const char *name)
{
	const struct text *t = &path->steps[0].name;

	return t->n == strlen(name) && memcmp(t->p, name, t->n) == 0;
}

/* --- walking -------------------------------------------------------------- */

/*
 * The first path that goes through `name`: through it and on if `below`.
 * Depth is that of the tree, bounded by the parser.
 */
static bool
has_path(const struct expr *x, const char *name, bool below)
{
	size_t i;

	if (!x || x->op == EXPR_VALUE)
		return false;
	if (x->op == EXPR_PATH)
		return x->path.count > (below ? 1 : 0) &&
		    begins_with(&x->path, name);
	for (i = 0; i < x->nargs; i++)
		if (has_path(x->args[i], name, below))
			return true;
	return false;
}

static bool
projects(const struct expr_projection *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->count; i++)
		if (p->paths[i].count > 1 && begins_with(&p->paths[i], name))
			return true;
	return false;
}

/* --- expressions that read ------------------------------------------------ */

static int
no_scalar(const char *name, bool index, struct err *e)
{
	return err_set(e, FAULT_VALIDATION, "Key attributes must be scalars; "
	    "list random access '[]' and map lookup '.' are not allowed: "
	    "%s: %s", index ? "IndexKey" : "Key", name);
}

int
expr_check_paths(const struct expr *cond, const struct expr_keys *keys,
    bool index, struct err *e)
{
	size_t i;

	for (i = 0; i < keys->nhash; i++)
		if (has_path(cond, keys->hash[i].name, true))
			return no_scalar(keys->hash[i].name, index, e);
	for (i = 0; i < keys->nrange; i++)
		if (has_path(cond, keys->range[i].name, true))
			return no_scalar(keys->range[i].name, index, e);
	return 0;
}

int
expr_check_projection(const struct expr_projection *p,
    const struct expr_keys *keys, bool index, struct err *e)
{
	size_t i;

	for (i = 0; i < keys->nhash; i++)
		if (projects(p, keys->hash[i].name))
			return no_scalar(keys->hash[i].name, index, e);
	for (i = 0; i < keys->nrange; i++)
		if (projects(p, keys->range[i].name))
			return no_scalar(keys->range[i].name, index, e);
	return 0;
}

static int
filters(const char *name, const char *what, struct err *e)
{
	return err_set(e, FAULT_VALIDATION, "%s can only contain non-primary "
	    "key attributes: Primary key attribute: %s", what, name);
}

int
expr_check_filter(const struct expr *filter, const struct expr_keys *keys,
    const char *what, struct err *e)
{
	size_t i;

	for (i = 0; i < keys->nhash; i++)
		if (has_path(filter, keys->hash[i].name, false))
			return filters(keys->hash[i].name, what, e);
	for (i = 0; i < keys->nrange; i++)
		if (has_path(filter, keys->range[i].name, false))
			return filters(keys->range[i].name, what, e);
	return 0;
}

/* --- updates -------------------------------------------------------------- */

/* The type an operand is sure to have, or VALUE_TYPES. */
static enum value_type
sure_type(const struct expr *x)
{
	if (!x)
		return VALUE_TYPES;
	switch (x->op) {
	case EXPR_VALUE:
		return x->value.type;
	case EXPR_PLUS:
	case EXPR_MINUS:
		return VALUE_N;
	case EXPR_LIST_APPEND:
		return VALUE_L;
	default:
		return VALUE_TYPES;
	}
}

static int
check_key(const struct expr_update *u, const char *name, struct err *e)
{
	size_t i;

	for (i = 0; i < u->count; i++)
		if (begins_with(&u->changes[i].path, name))
			return err_set(e, FAULT_VALIDATION, "One or more "
			    "parameter values were invalid: Cannot update "
			    "attribute %s. This attribute is part of the key",
			    name);
	for (i = 0; i < u->count; i++)
		if (has_path(u->changes[i].operand, name, true))
			return no_scalar(name, false, e);
	return 0;
}

static int
check_indexed(const struct expr_update *u, const struct expr_indexed *index,
    struct err *e)
{
	const struct expr_change *c;
	enum value_type type;
	size_t i;

	for (i = 0; i < u->count; i++) {
		c = &u->changes[i];
		if (has_path(c->operand, index->name, true))
			return no_scalar(index->name, true, e);
		if (!begins_with(&c->path, index->name))
			continue;
		if (c->path.count > 1)
			return no_scalar(index->name, true, e);
		type = sure_type(c->operand);
		if (type != VALUE_TYPES && type != index->type)
			return err_set(e, FAULT_VALIDATION, "One or more "
			    "parameter values were invalid: Type mismatch for "
			    "Index Key %s Expected: %s Actual: %s IndexName: "
			    "%s", index->name, value_type_name(index->type),
			    value_type_name(type), index->index);
	}
	return 0;
}

int
expr_check_update(const struct expr_update *u, const struct expr_guard *g,
    struct err *e)
{
	size_t i;

	for (i = 0; i < g->nkeys; i++)
		if (check_key(u, g->keys[i], e) < 0)
			return -1;
	for (i = 0; i < g->nindexed; i++)
		if (check_indexed(u, &g->indexed[i], e) < 0)
			return -1;
	return 0;
}
