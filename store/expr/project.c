/*
 * Parts of items: projections, and what an update has touched.  Runs in the
 * daemon's reading threads and in its writer.  Paths stand in order, so that
 * those which share their beginning are neighbours and one walk over the item
 * serves them all; what is named whole is shared with the item.
 */
#include "expr.h"

#include "path.h"
#include "scope.h"

/* The paths from `from` to `to`, equal in all steps before `depth`. */
struct span {
	const struct expr_path *paths;
	size_t from, to, depth;
};

static const struct expr_step *
step(const struct span *s, size_t i)
{
	return &s->paths[i].steps[s->depth];
}

/* The first paths of `s` that are equal in one step more. */
static struct span
next_group(const struct span *s)
{
	struct span g = {s->paths, s->from, s->from + 1, s->depth + 1};

	while (g.to < s->to &&
	    path_compare_steps(step(s, g.from), step(s, g.to)) == 0)
		g.to++;
	return g;
}

/* What a step leads to, or NULL. */
static const struct value *
follow(const struct value *v, const struct expr_step *s)
{
	struct expr_path path = {s, 1};

	return expr_find(&path, v);
}

static int
pick(struct arena *a, const struct span *s, const struct value *v,
    struct value *out, struct err *e);

/* One group, below `v`: 1 with *out, 0 if nothing is there, -1. */
static int
pick_group(struct arena *a, const struct span *g, const struct value *v,
    struct value *out, struct err *e)
{
	const struct expr_path *path = &g->paths[g->from];

	v = follow(v, &path->steps[g->depth - 1]);
	if (!v)
		return 0;
	if (path->count > g->depth)
		return pick(a, g, v, out, e);
	*out = *v;
	return 1;
}

static int
pick_members(struct arena *a, const struct span *s, const struct value *v,
    struct value *out, struct err *e)
{
	struct span rest = *s, g;
	struct member *m = arena_array(a, s->to - s->from, sizeof *m);
	size_t n = 0;
	int found;

	if (!m)
		return scope_no_memory(e);
	for (; rest.from < rest.to; rest.from = g.to) {
		g = next_group(&rest);
		found = pick_group(a, &g, v, &m[n].value, e);
		if (found < 0)
			return -1;
		if (found)
			m[n++].name = step(s, g.from)->name;
	}
	*out = (struct value){.type = VALUE_M, .count = n, .members = m};
	return n > 0;
}

static int
pick_items(struct arena *a, const struct span *s, const struct value *v,
    struct value *out, struct err *e)
{
	struct span rest = *s, g;
	struct value *items = arena_array(a, s->to - s->from, sizeof *items);
	size_t n = 0;
	int found;

	if (!items)
		return scope_no_memory(e);
	for (; rest.from < rest.to; rest.from = g.to) {
		g = next_group(&rest);
		found = pick_group(a, &g, v, &items[n], e);
		if (found < 0)
			return -1;
		n += (size_t)found;
	}
	*out = (struct value){.type = VALUE_L, .count = n, .items = items};
	return n > 0;
}

/* All paths of the span, below `v`; no deeper than paths are long. */
static int
pick(struct arena *a, const struct span *s, const struct value *v,
    struct value *out, struct err *e)
{
	if (step(s, s->from)->indexed)
		return pick_items(a, s, v, out, e);
	return pick_members(a, s, v, out, e);
}

static int
project(struct arena *a, const struct expr_path *paths, size_t n,
    const struct value *item, struct value *part, struct err *e)
{
	struct span all = {paths, 0, n, 0};

	*part = (struct value){.type = VALUE_M};
	if (!item || n == 0)
		return 0;
	return pick(a, &all, item, part, e) < 0 ? -1 : 0;
}

/* Each under its own name. */
static int
project_named(struct arena *a, const struct expr_projection *p,
    const struct value *item, struct value *part, struct err *e)
{
	struct member *m = arena_array(a, p->count, sizeof *m);
	const struct value *v;
	size_t i, n = 0;

	if (!m)
		return scope_no_memory(e);
	for (i = 0; i < p->count; i++) {
		v = expr_find(&p->paths[i], item);
		if (v)
			m[n++] = (struct member){p->names[i], *v};
	}
	*part = (struct value){.type = VALUE_M, .count = n, .members = m};
	return 0;
}

int
expr_project(struct arena *a, const struct expr_projection *p,
    const struct value *item, struct value *part, struct err *e)
{
	if (p->names)
		return project_named(a, p, item, part, e);
	return project(a, p->paths, p->count, item, part, e);
}

int
expr_touched(struct arena *a, const struct expr_update *u,
    const struct value *item, struct value *part, struct err *e)
{
	struct expr_path *paths = arena_array(a, u->count, sizeof *paths);
	size_t i;

	if (!paths)
		return scope_no_memory(e);
	for (i = 0; i < u->count; i++)
		paths[i] = u->changes[i].path;
	return project(a, paths, u->count, item, part, e);
}
