/*
 * Updates over items.  Runs in the daemon's writer; never changes the old
 * item: maps and lists on the way to what changes are made anew, all else is
 * shared.
 *
 * First all operands are evaluated, against the old item; then the changes,
 * which stand in the order of their paths, are merged with the item in one
 * walk.  So indexes are those of the old lists: what is removed moves nothing
 * before the end, and what is set behind the end of a list comes to its end.
 */
#include "expr.h"

#include "path.h"
#include "scope.h"
#include "sets.h"
#include "store/value/fault.h"

#include <string.h>

struct apply {
	struct arena *arena;
	const struct expr_update *update;
	const struct value **operands;	/* beside the changes; NULL: none */
	struct err *e;
};

static int
wrong_path(struct apply *a)
{
	return err_set(a->e, FAULT_VALIDATION, "The document path provided in "
	    "the update expression is invalid for update");
}

static int
wrong_type(struct apply *a)
{
	return err_set(a->e, FAULT_VALIDATION, a->update->legacy ?
	    "Type mismatch for attribute to update" :
	    "An operand in the update expression has an incorrect data type");
}

/* --- operands ------------------------------------------------------------- */

static const struct value *evaluate(struct apply *a, const struct expr *x,
    const struct value *item);

static const struct value *
evaluate_path(struct apply *a, const struct expr *x, const struct value *item)
{
	const struct value *v = expr_find(&x->path, item);

	if (!v)
		err_set(a->e, FAULT_VALIDATION, "The provided expression "
		    "refers to an attribute that does not exist in the item");
	return v;
}

/* +, - and list_append. */
static const struct value *
evaluate_sum(struct apply *a, const struct expr *x, const struct value *item)
{
	enum value_type type = x->op == EXPR_LIST_APPEND ? VALUE_L : VALUE_N;
	const struct value *one = evaluate(a, x->args[0], item);
	const struct value *two = one ? evaluate(a, x->args[1], item) : NULL;
	struct value *out;

	if (!one || !two)
		return NULL;
	if (one->type != type || two->type != type) {
		wrong_type(a);
		return NULL;
	}
	out = arena_alloc(a->arena, sizeof *out);
	if (!out) {
		scope_no_memory(a->e);
		return NULL;
	}
	if ((type == VALUE_L ?
	    sets_append(a->arena, one, two, out, a->e) :
	    sets_sum(a->arena, one, two, x->op == EXPR_MINUS, out, a->e)) < 0)
		return NULL;
	return out;
}

/* What an operand stands for; NULL with the error set. */
static const struct value *
evaluate(struct apply *a, const struct expr *x, const struct value *item)
{
	const struct value *v;

	switch (x->op) {
	case EXPR_VALUE:
		return &x->value;
	case EXPR_IF_NOT_EXISTS:
		v = expr_find(&x->args[0]->path, item);
		return v ? v : evaluate(a, x->args[1], item);
	case EXPR_PLUS:
	case EXPR_MINUS:
	case EXPR_LIST_APPEND:
		return evaluate_sum(a, x, item);
	default:
		return evaluate_path(a, x, item);
	}
}

static int
evaluate_all(struct apply *a, const struct value *item)
{
	const struct expr_change *c;
	size_t i;

	for (i = 0; i < a->update->count; i++) {
		c = &a->update->changes[i];
		if (!c->operand)
			continue;
		a->operands[i] = evaluate(a, c->operand, item);
		if (!a->operands[i])
			return -1;
	}
	return 0;
}

/* --- one change ----------------------------------------------------------- */

/* 1: *out is what stands there now; 0: nothing does; -1. */
static int
set(struct apply *a, const struct expr_change *c, const struct value *v,
    struct value *out)
{
	if (c->path.count - 1 + value_depth(v) > VALUE_DEPTH_MAX)
		return err_set(a->e, FAULT_VALIDATION, "Nesting Levels have "
		    "exceeded supported limits: Attributes in the item have "
		    "nested levels beyond supported limit");
	*out = *v;
	return 1;
}

static int
add(struct apply *a, const struct value *old, const struct value *v,
    struct value *out)
{
	int rc;

	if (!old) {
		*out = *v;
		return 1;
	}
	if (old->type != v->type)
		return wrong_type(a);
	if (v->type == VALUE_N)
		rc = sets_sum(a->arena, old, v, false, out, a->e);
	else if (v->type == VALUE_L)
		rc = sets_append(a->arena, old, v, out, a->e);
	else
		rc = sets_union(a->arena, old, v, out, a->e);
	return rc < 0 ? -1 : 1;
}

static int
subtract(struct apply *a, const struct value *old, const struct value *v,
    struct value *out)
{
	if (!old)
		return 0;
	if (old->type != v->type)
		return wrong_type(a);
	if (sets_minus(a->arena, old, v, out, a->e) < 0)
		return -1;
	return out->count > 0;
}

static int
change(struct apply *a, size_t i, const struct value *old, struct value *out)
{
	const struct expr_change *c = &a->update->changes[i];

	switch (c->action) {
	case EXPR_SET:
		return set(a, c, a->operands[i], out);
	case EXPR_ADD:
		return add(a, old, a->operands[i], out);
	case EXPR_DELETE:
		return subtract(a, old, a->operands[i], out);
	default:
		return 0;
	}
}

/* --- the walk ------------------------------------------------------------- */

/* The changes from `from` to `to`, whose paths are equal before `depth`. */
struct range {
	size_t from, to, depth;
};

static const struct expr_step *
step(const struct apply *a, const struct range *r)
{
	return &a->update->changes[r->from].path.steps[r->depth];
}

/* The first changes of `r` that are equal in one step more. */
static struct range
next_group(const struct apply *a, const struct range *r)
{
	struct range g = {r->from, r->from + 1, r->depth}, at = *r;

	while (g.to < r->to) {
		at.from = g.to;
		if (path_compare_steps(step(a, r), step(a, &at)) != 0)
			break;
		g.to++;
	}
	g.depth++;
	return g;
}

static int merge(struct apply *a, const struct range *r,
    const struct value *old, struct value *out);

/* A group over what stands at its step (or NULL): as change(). */
static int
merge_group(struct apply *a, const struct range *g, const struct value *old,
    struct value *out)
{
	if (a->update->changes[g->from].path.count == g->depth)
		return change(a, g->from, old, out);
	if (!old)
		return wrong_path(a);
	return merge(a, g, old, out) < 0 ? -1 : 1;
}

static int
merge_members(struct apply *a, const struct range *r, const struct value *old,
    struct value *out)
{
	struct range rest = *r, g;
	const struct member *m = old->members;
	const struct value *there;
	const struct text *name;
	struct member *all;
	size_t i = 0, n = 0;
	int kept;

	all = arena_array(a->arena, old->count + (r->to - r->from),
	    sizeof *all);
	if (!all)
		return scope_no_memory(a->e);
	for (; rest.from < rest.to; rest.from = g.to) {
		g = next_group(a, &rest);
		name = &step(a, &rest)->name;
		while (i < old->count && text_compare(&m[i].name, name) < 0)
			all[n++] = m[i++];
		there = i < old->count &&
		    text_compare(&m[i].name, name) == 0 ? &m[i++].value : NULL;
		kept = merge_group(a, &g, there, &all[n].value);
		if (kept < 0)
			return -1;
		if (kept)
			all[n++].name = *name;
	}
	while (i < old->count)
		all[n++] = m[i++];
	*out = (struct value){.type = VALUE_M, .count = n, .members = all};
	return 0;
}

static int
merge_items(struct apply *a, const struct range *r, const struct value *old,
    struct value *out)
{
	struct range rest = *r, g;
	struct value *all;
	size_t i = 0, n = 0, index;
	int kept;

	all = arena_array(a->arena, old->count + (r->to - r->from),
	    sizeof *all);
	if (!all)
		return scope_no_memory(a->e);
	for (; rest.from < rest.to; rest.from = g.to) {
		g = next_group(a, &rest);
		index = step(a, &rest)->index;
		while (i < old->count && i < index)
			all[n++] = old->items[i++];
		kept = merge_group(a, &g, index < old->count ?
		    &old->items[i++] : NULL, &all[n]);
		if (kept < 0)
			return -1;
		n += (size_t)kept;
	}
	while (i < old->count)
		all[n++] = old->items[i++];
	*out = (struct value){.type = VALUE_L, .count = n, .items = all};
	return 0;
}

/* All changes of the range over `old`; no deeper than paths are long. */
static int
merge(struct apply *a, const struct range *r, const struct value *old,
    struct value *out)
{
	bool indexed = step(a, r)->indexed;

	if (old->type != (indexed ? VALUE_L : VALUE_M))
		return wrong_path(a);
	return indexed ? merge_items(a, r, old, out) :
	    merge_members(a, r, old, out);
}

/* --- the whole ------------------------------------------------------------ */

/* What the indexes have in their keys must be of their types. */
static int
check_indexed(const struct expr_guard *g, const struct expr_update *u,
    const struct value *item, struct err *e)
{
	const struct expr_indexed *x;
	const struct expr_path *path;
	const struct value *v;
	size_t i, j, n;

	for (i = 0; i < g->nindexed; i++) {
		x = &g->indexed[i];
		n = strlen(x->name);
		for (j = 0; j < u->count; j++) {
			path = &u->changes[j].path;
			if (path->steps[0].name.n != n ||
			    memcmp(path->steps[0].name.p, x->name, n) != 0)
				continue;
			v = value_member(item, x->name, n);
			if (v && v->type != x->type)
				return err_set(e, FAULT_VALIDATION, "The "
				    "update expression attempted to update "
				    "the secondary index key to unsupported "
				    "type");
			if (v && v->type != VALUE_N && v->text.n == 0)
				return err_set(e, FAULT_VALIDATION, "One or "
				    "more parameter values are not valid. The "
				    "update expression attempted to update a "
				    "secondary index key to a value that is "
				    "not supported. The AttributeValue for a "
				    "key attribute cannot contain an empty %s "
				    "value.", v->type == VALUE_S ? "string" :
				    "binary");
		}
	}
	return 0;
}

bool
expr_creates(const struct expr_update *u)
{
	size_t i;

	for (i = 0; i < u->count; i++)
		if (u->changes[i].action == EXPR_SET ||
		    u->changes[i].action == EXPR_ADD)
			return true;
	return u->count == 0;
}

int
expr_apply(struct arena *arena, const struct expr_update *u,
    const struct value *old, const struct value *key,
    const struct expr_guard *g, struct value *item, struct err *e)
{
	struct apply a = {.arena = arena, .update = u, .e = e};
	struct range all = {0, u->count, 0};

	a.operands = arena_array(arena, u->count, sizeof *a.operands);
	if (!a.operands)
		return scope_no_memory(e);
	if (!old)
		old = key;
	if (evaluate_all(&a, old) < 0)
		return -1;
	*item = *old;
	if (u->count > 0 && merge(&a, &all, old, item) < 0)
		return -1;
	if (g && check_indexed(g, u, item, e) < 0)
		return -1;
	if (value_item_size(item) > VALUE_ITEM_MAX)
		return err_set(e, FAULT_VALIDATION, "Item size to update has "
		    "exceeded the maximum allowed size");
	return 0;
}
