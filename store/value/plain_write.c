/*
 * Values -> plain JSON (plain.h): one writer for the text of a file and for
 * one line.
 */
#include "plain.h"

#include "parts.h"

#include <string.h>

struct writer {
	struct buf *b;
	bool pretty;
	unsigned level;		/* of indentation */
};

static void write_value(struct writer *w, const struct value *v);

/* --- layout --------------------------------------------------------------- */

static void
new_line(struct writer *w)
{
	unsigned i;

	if (!w->pretty)
		return;
	buf_putc(w->b, '\n');
	for (i = 0; i < w->level; i++)
		buf_add(w->b, "  ", 2);
}

static void
open_level(struct writer *w, char c)
{
	buf_putc(w->b, c);
	w->level++;
}

/* Before the `i`th part of a list or object. */
static void
next_part(struct writer *w, size_t i)
{
	if (i)
		buf_putc(w->b, ',');
	new_line(w);
}

static void
close_level(struct writer *w, size_t parts, char c)
{
	w->level--;
	if (parts)
		new_line(w);
	buf_putc(w->b, c);
}

static void
write_name(struct writer *w, const char *name, size_t n)
{
	buf_json(w->b, name, n);
	buf_add(w->b, ": ", w->pretty ? 2 : 1);
}

/* {"$...": and later its end. */
static void
open_mark(struct writer *w, const char *mark)
{
	open_level(w, '{');
	next_part(w, 0);
	write_name(w, mark, strlen(mark));
}

static void
close_mark(struct writer *w)
{
	close_level(w, 1, '}');
}

/* --- values --------------------------------------------------------------- */

static void
write_binary(struct writer *w, const struct text *bytes)
{
	open_mark(w, "$binary");
	part_write_binary(w->b, bytes);
	close_mark(w);
}

/* Names are in order: those with `$` stand together. */
static bool
needs_mark(const struct value *map)
{
	size_t i;

	for (i = 0; i < map->count; i++)
		if (map->members[i].name.n && *map->members[i].name.p == '$')
			return true;
	return false;
}

static void
write_map(struct writer *w, const struct value *map)
{
	bool marked = needs_mark(map);
	size_t i;

	if (marked)
		open_mark(w, "$map");
	open_level(w, '{');
	for (i = 0; i < map->count; i++) {
		next_part(w, i);
		write_name(w, map->members[i].name.p,
		    map->members[i].name.n);
		write_value(w, &map->members[i].value);
	}
	close_level(w, map->count, '}');
	if (marked)
		close_mark(w);
}

static void
write_list(struct writer *w, const struct value *list)
{
	size_t i;

	open_level(w, '[');
	for (i = 0; i < list->count; i++) {
		next_part(w, i);
		write_value(w, &list->items[i]);
	}
	close_level(w, list->count, ']');
}

static void
write_member(struct writer *w, enum value_type set, const struct text *member)
{
	if (set == VALUE_BS)
		write_binary(w, member);
	else if (set == VALUE_NS)
		buf_add(w->b, member->p, member->n);
	else
		buf_json(w->b, member->p, member->n);
}

static void
write_set(struct writer *w, const struct value *set)
{
	size_t i;

	open_mark(w, "$set");
	open_level(w, '[');
	for (i = 0; i < set->count; i++) {
		next_part(w, i);
		write_member(w, set->type, &set->texts[i]);
	}
	close_level(w, set->count, ']');
	close_mark(w);
}

static void
write_value(struct writer *w, const struct value *v)
{
	switch (v->type) {
	case VALUE_N:
		buf_add(w->b, v->text.p, v->text.n);
		break;
	case VALUE_B:
		write_binary(w, &v->text);
		break;
	case VALUE_BOOL:
		buf_puts(w->b, v->truth ? "true" : "false");
		break;
	case VALUE_NULL:
		buf_puts(w->b, "null");
		break;
	case VALUE_M:
		write_map(w, v);
		break;
	case VALUE_L:
		write_list(w, v);
		break;
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS:
		write_set(w, v);
		break;
	default:
		buf_json(w->b, v->text.p, v->text.n);
	}
}

int
plain_write(struct buf *b, const struct value *v)
{
	struct writer w = {.b = b, .pretty = true};

	write_value(&w, v);
	return buf_putc(b, '\n');
}

int
plain_write_line(struct buf *b, const struct value *v)
{
	struct writer w = {.b = b};

	write_value(&w, v);
	return buf_ok(b) ? 0 : -1;
}
