/*
 * The bounded list of errors of errlist.h.
 */
#include "errlist.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void
errlist_init(struct errlist *l)
{
	*l = (struct errlist){0};
}

void
errlist_release(struct errlist *l)
{
	free(l->items);
	errlist_init(l);
}

static bool
same(const struct err *a, const struct err *b)
{
	return a->line == b->line && a->col == b->col &&
	    strcmp(a->file, b->file) == 0 && strcmp(a->text, b->text) == 0;
}

/* Room for one more, or NULL: then it only counts as dropped. */
static struct err *
next_slot(struct errlist *l)
{
	struct err *items;
	size_t room;

	if (l->count == ERRLIST_MAX)
		return NULL;
	if (l->count < l->room)
		return &l->items[l->count];
	room = l->room ? l->room * 2 : 4;
	if (room > ERRLIST_MAX)
		room = ERRLIST_MAX;
	items = realloc(l->items, room * sizeof *items);
	if (!items)
		return NULL;
	l->items = items;
	l->room = room;
	return &l->items[l->count];
}

int
errlist_add_err(struct errlist *l, const struct err *e)
{
	struct err *slot;
	size_t i;

	for (i = 0; i < l->count; i++)
		if (same(&l->items[i], e))
			return -1;
	slot = next_slot(l);
	if (slot) {
		*slot = *e;
		l->count++;
	} else {
		l->dropped++;
	}
	return -1;
}

int
errlist_add(struct errlist *l, const char *file, int line, int col,
    const char *fmt, ...)
{
	struct err e = {0};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.text, sizeof e.text, fmt, ap);
	va_end(ap);
	err_at(&e, file, line, col);
	return errlist_add_err(l, &e);
}

/* qsort has no context: the rank of a file is put before the comparison. */
struct ranked {
	struct err err;
	size_t index;
	bool first;
};

static int
compare(const void *pa, const void *pb)
{
	const struct ranked *a = pa, *b = pb;
	int d;

	if (a->first != b->first)
		return a->first ? -1 : 1;
	d = strcmp(a->err.file, b->err.file);
	if (d == 0)
		d = (a->err.line > b->err.line) - (a->err.line < b->err.line);
	if (d == 0)
		d = (a->err.col > b->err.col) - (a->err.col < b->err.col);
	if (d == 0)
		d = a->index < b->index ? -1 : 1;
	return d;
}

void
errlist_sort(struct errlist *l, const char *first)
{
	struct ranked *r;
	size_t i;

	if (l->count < 2)
		return;
	r = calloc(l->count, sizeof *r);
	if (!r)
		return;
	for (i = 0; i < l->count; i++) {
		r[i].err = l->items[i];
		r[i].index = i;
		r[i].first = strcmp(l->items[i].file, first) == 0;
	}
	qsort(r, l->count, sizeof *r, compare);
	for (i = 0; i < l->count; i++)
		l->items[i] = r[i].err;
	free(r);
}

void
errlist_print(const struct errlist *l, FILE *out)
{
	size_t i;

	for (i = 0; i < l->count; i++) {
		const struct err *e = &l->items[i];

		if (e->file[0] && e->line)
			fprintf(out, "%s:%d:%d: %s\n", e->file, e->line,
			    e->col, e->text);
		else if (e->file[0])
			fprintf(out, "%s: %s\n", e->file, e->text);
		else
			fprintf(out, "%s\n", e->text);
	}
	if (l->dropped)
		fprintf(out, "and more: these are the first %zu\n",
		    l->count);
}

void
errlist_json(const struct errlist *l, struct buf *out)
{
	size_t i;

	buf_putc(out, '[');
	for (i = 0; i < l->count; i++) {
		const struct err *e = &l->items[i];

		buf_puts(out, i ? ",{\"file\":" : "{\"file\":");
		buf_json(out, e->file, strlen(e->file));
		buf_printf(out, ",\"line\":%d,\"col\":%d,\"message\":",
		    e->line, e->col);
		buf_json(out, e->text, strlen(e->text));
		buf_putc(out, '}');
	}
	buf_putc(out, ']');
}
