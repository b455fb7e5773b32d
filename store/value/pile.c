/*
 * The stack of pile.h.
 */
#include "pile.h"

#include <string.h>

void
pile_init(struct pile *p, struct arena *a)
{
	p->arena = a;
	p->members = p->first;
	p->count = 0;
	p->room = PILE_FIRST;
}

static int
grow(struct pile *p)
{
	struct member *more = arena_alloc(p->arena,
	    2 * p->room * sizeof *more);

	if (!more)
		return -1;
	memcpy(more, p->members, p->count * sizeof *more);
	p->members = more;
	p->room *= 2;
	return 0;
}

int
pile_push(struct pile *p, const struct text *name, const struct value *v)
{
	if (p->count == p->room && grow(p) < 0)
		return -1;
	p->members[p->count++] = (struct member){
	    .name = name ? *name : (struct text){NULL, 0}, .value = *v};
	return 0;
}

static int
take_map(struct pile *p, const struct member *from, struct value *out,
    struct text *twice)
{
	size_t size = out->count * sizeof *from;

	out->members = arena_alloc(p->arena, size);
	if (!out->members)
		return -1;
	memcpy(out->members, from, size);
	return value_sort_map(out, twice) < 0;
}

static int
take_list(struct pile *p, const struct member *from, struct value *out)
{
	size_t i;

	out->items = arena_alloc(p->arena, out->count * sizeof *out->items);
	if (!out->items)
		return -1;
	for (i = 0; i < out->count; i++)
		out->items[i] = from[i].value;
	return 0;
}

static int
take_set(struct pile *p, const struct member *from, struct value *out,
    struct text *twice)
{
	size_t i;

	out->texts = arena_alloc(p->arena, out->count * sizeof *out->texts);
	if (!out->texts)
		return -1;
	for (i = 0; i < out->count; i++)
		out->texts[i] = from[i].value.text;
	return value_sort_set(out, twice) < 0;
}

int
pile_take(struct pile *p, size_t mark, struct value *out, struct text *twice)
{
	const struct member *from = p->members + mark;
	int rc = 0;

	out->count = p->count - mark;
	if (out->count == 0)
		out->members = NULL;
	else if (out->type == VALUE_M)
		rc = take_map(p, from, out, twice);
	else if (out->type == VALUE_L)
		rc = take_list(p, from, out);
	else
		rc = take_set(p, from, out, twice);
	if (rc == 0)
		p->count = mark;
	return rc;
}
