/*
 * Values -> canonical typed JSON (typed.h).
 */
#include "typed.h"

#include "parts.h"

static void write_value(struct buf *b, const struct value *v);

static void
write_map(struct buf *b, const struct value *map)
{
	size_t i;

	buf_putc(b, '{');
	for (i = 0; i < map->count; i++) {
		if (i)
			buf_putc(b, ',');
		buf_json(b, map->members[i].name.p, map->members[i].name.n);
		buf_putc(b, ':');
		write_value(b, &map->members[i].value);
	}
	buf_putc(b, '}');
}

static void
write_list(struct buf *b, const struct value *list)
{
	size_t i;

	buf_putc(b, '[');
	for (i = 0; i < list->count; i++) {
		if (i)
			buf_putc(b, ',');
		write_value(b, &list->items[i]);
	}
	buf_putc(b, ']');
}

static void
write_text(struct buf *b, enum value_type type, const struct text *text)
{
	if (type == VALUE_B || type == VALUE_BS)
		part_write_binary(b, text);
	else
		buf_json(b, text->p, text->n);
}

static void
write_set(struct buf *b, const struct value *set)
{
	size_t i;

	buf_putc(b, '[');
	for (i = 0; i < set->count; i++) {
		if (i)
			buf_putc(b, ',');
		write_text(b, set->type, &set->texts[i]);
	}
	buf_putc(b, ']');
}

static void
write_value(struct buf *b, const struct value *v)
{
	buf_puts(b, "{\"");
	buf_puts(b, value_type_name(v->type));
	buf_puts(b, "\":");
	switch (v->type) {
	case VALUE_BOOL:
		buf_puts(b, v->truth ? "true" : "false");
		break;
	case VALUE_NULL:
		buf_puts(b, "true");
		break;
	case VALUE_M:
		write_map(b, v);
		break;
	case VALUE_L:
		write_list(b, v);
		break;
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS:
		write_set(b, v);
		break;
	default:
		write_text(b, v->type, &v->text);
	}
	buf_putc(b, '}');
}

int
typed_write(struct buf *b, const struct value *v)
{
	write_value(b, v);
	return buf_ok(b) ? 0 : -1;
}

int
typed_write_item(struct buf *b, const struct value *item)
{
	write_map(b, item);
	return buf_ok(b) ? 0 : -1;
}
