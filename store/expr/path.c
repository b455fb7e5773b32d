/*
 * Order and clashes of document paths.  Runs in the daemon wherever a request
 * is decoded.  In order, a path that begins others stands right before them,
 * and where indexes meet names, two such are neighbours: so that neighbours
 * are all that must be looked at.
 */
#include "path.h"

#include <stdlib.h>

int
path_compare_steps(const struct expr_step *a, const struct expr_step *b)
{
	if (a->indexed != b->indexed)
		return a->indexed ? -1 : 1;
	if (a->indexed)
		return (a->index > b->index) - (a->index < b->index);
	return text_compare(&a->name, &b->name);
}

int
path_compare(const struct expr_path *a, const struct expr_path *b)
{
	size_t i;
	int order;

	for (i = 0; i < a->count && i < b->count; i++) {
		order = path_compare_steps(&a->steps[i], &b->steps[i]);
		if (order != 0)
			return order;
	}
	return (a->count > b->count) - (a->count < b->count);
}

void
path_print(struct buf *b, const struct expr_path *path)
{
	const struct expr_step *s;
	size_t i;

	buf_putc(b, '[');
	for (i = 0; i < path->count; i++) {
		s = &path->steps[i];
		buf_puts(b, i ? ", " : "");
		if (s->indexed)
			buf_printf(b, "[%u]", (unsigned)s->index);
		else
			buf_add(b, s->name.p, s->name.n);
	}
	buf_putc(b, ']');
}

/* --- clashes -------------------------------------------------------------- */

/* What is wrong with two neighbours: "overlap", "conflict" or NULL. */
static const char *
clash(const struct expr_path *a, const struct expr_path *b)
{
	size_t i;

	for (i = 0; i < a->count && i < b->count; i++) {
		if (a->steps[i].indexed != b->steps[i].indexed)
			return "conflict";
		if (path_compare_steps(&a->steps[i], &b->steps[i]) != 0)
			return NULL;
	}
	return "overlap";
}

static void
tell(struct parse *p, const char *how, const struct path_entry *a,
    const struct path_entry *b)
{
	bool swap = a->place > b->place;
	struct buf one, two;

	buf_init(&one, sizeof p->mistake.text);
	buf_init(&two, sizeof p->mistake.text);
	path_print(&one, swap ? &b->path : &a->path);
	path_print(&two, swap ? &a->path : &b->path);
	parse_mistake(p, RANK_OVERLAP, "Two document paths %s with each "
	    "other; must remove or rewrite one of these paths; path one: %s, "
	    "path two: %s", how, buf_str(&one), buf_str(&two));
	buf_release(&two);
	buf_release(&one);
}

static int
compare(const void *x, const void *y)
{
	const struct path_entry *a = x, *b = y;
	int order = path_compare(&a->path, &b->path);

	return order ? order : (a->place > b->place) - (a->place < b->place);
}

void
path_sort(struct parse *p, struct path_entry *entries, size_t n)
{
	const struct path_entry *conflict = NULL, *at;
	const char *how;

	if (n > 1)
		qsort(entries, n, sizeof *entries, compare);
	for (at = entries; at + 1 < entries + n; at++) {
		how = clash(&at[0].path, &at[1].path);
		if (how && *how == 'o') {
			tell(p, how, &at[0], &at[1]);
			return;
		}
		if (how && !conflict)
			conflict = at;
	}
	if (conflict)
		tell(p, "conflict", &conflict[0], &conflict[1]);
}
