/*
 * SELECT, for partiql.h.  Runs in the daemon wherever a statement is read.
 */
#include "reader.h"

#include "store/base/buf.h"

#include <stdlib.h>
#include <string.h>

struct column {
	struct text name;
	struct expr_path path;
};

static int
compare_columns(const void *x, const void *y)
{
	const struct column *a = x, *b = y;

	return text_compare(&a->name, &b->name);
}

/* The last name of a path, and the indexes behind it: a.b[0] is "b[0]". */
static int
name_column(struct reader *r, struct column *c)
{
	const struct expr_path *p = &c->path;
	size_t last = p->count - 1, i;
	struct buf b;

	while (p->steps[last].indexed)
		last--;
	c->name = p->steps[last].name;
	if (last == p->count - 1)
		return 0;
	buf_init(&b, REQUEST_ARENA_MAX);
	buf_add(&b, c->name.p, c->name.n);
	for (i = last + 1; i < p->count; i++)
		buf_printf(&b, "[%u]", (unsigned)p->steps[i].index);
	c->name = (struct text){NULL, b.len};
	if (buf_ok(&b))
		c->name.p = arena_copy(r->arena, b.data, b.len);
	buf_release(&b);
	return c->name.p ? 0 : reader_no_memory(r);
}

/* The columns in the order of their names, as a projection. */
static int
make_projection(struct reader *r, struct column *list, size_t n,
    const struct expr_projection **out)
{
	struct expr_projection *p = arena_alloc(r->arena, sizeof *p);
	struct expr_path *paths = arena_array(r->arena, n, sizeof *paths);
	struct text *names = arena_array(r->arena, n, sizeof *names);
	size_t i;

	if (!p || !paths || !names)
		return reader_no_memory(r);
	qsort(list, n, sizeof *list, compare_columns);
	for (i = 0; i < n; i++) {
		paths[i] = list[i].path;
		names[i] = list[i].name;
		if (i && text_compare(&names[i - 1], &names[i]) == 0)
			return reader_fail(r, "Duplicate identifiers in "
			    "select clause: %.*s",
			    names[i].n < 255 ? (int)names[i].n : 255,
			    names[i].p);
	}
	*p = (struct expr_projection){paths, n, names};
	*out = p;
	return 0;
}

static int
read_column(struct reader *r, struct column *out)
{
	unsigned line, col;

	if (reader_at(r, SCAN_NAME) && r->scan.after.type == SCAN_OPEN) {
		reader_place(r, &line, &col);
		return reader_fail(r, "Unexpected path component at %u:%u:%zu",
		    line, col, r->scan.token.n);
	}
	if (reader_at(r, SCAN_STAR))
		return reader_fail(r, "Other attributes should not be present "
		    "in the projection when '*' is used.");
	return reader_path(r, &out->path) < 0 ? -1 : name_column(r, out);
}

static int
read_columns(struct reader *r, struct partiql *q)
{
	size_t n = 0, room = 8;
	struct column *list, *more;

	if (reader_take(r, SCAN_STAR)) {
		if (reader_at(r, SCAN_COMMA))
			return reader_fail(r, "Other attributes should not be "
			    "present in the projection when '*' is used.");
		return 0;
	}
	list = arena_array(r->arena, room, sizeof *list);
	do {
		if (list && n == room) {
			more = arena_array(r->arena, 2 * room, sizeof *list);
			if (more)
				memcpy(more, list, n * sizeof *list);
			list = more;
			room *= 2;
		}
		if (!list)
			return reader_no_memory(r);
		if (read_column(r, &list[n++]) < 0)
			return -1;
	} while (reader_take(r, SCAN_COMMA));
	return make_projection(r, list, n, &q->columns);
}

enum { ORDER_MAX = 2 * EXPR_KEY_PARTS };

static int
read_order(struct reader *r, struct partiql *q)
{
	struct partiql_order *list;

	if (!reader_take(r, SCAN_ORDER))
		return 0;
	if (!reader_take_word(r, "by"))
		return reader_syntax(r);
	list = arena_array(r->arena, ORDER_MAX, sizeof *list);
	if (!list)
		return reader_no_memory(r);
	q->order = list;
	do {
		if (q->norder == ORDER_MAX)
			return reader_syntax(r);
		list[q->norder].name = r->scan.token.text;
		if (reader_expect(r, SCAN_NAME) < 0)
			return -1;
		list[q->norder].descending = reader_take_word(r, "desc");
		if (!list[q->norder++].descending)
			reader_take_word(r, "asc");
	} while (reader_take(r, SCAN_COMMA));
	return 0;
}

int
reader_select(struct reader *r, struct partiql *q)
{
	q->kind = PARTIQL_SELECT;
	if (reader_expect(r, SCAN_SELECT) < 0 || read_columns(r, q) < 0 ||
	    reader_expect(r, SCAN_FROM) < 0 || reader_table(r, q) < 0)
		return -1;
	if (reader_at(r, SCAN_COMMA))
		return reader_fail(r, "Only select from a single table or "
		    "index is supported.");
	if (reader_at(r, SCAN_NAME))
		return reader_fail(r, "Aliasing is not supported");
	return reader_where(r, q) < 0 ? -1 : read_order(r, q);
}
