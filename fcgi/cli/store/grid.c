/*
 * Rows for table.h (storegrid.h).
 */
#include "grid.h"

#include "fcgi/cli/table.h"

#include <stdlib.h>
#include <string.h>

static const char *const keys[STOREGRID_COLUMNS] = {"0", "1", "2", "3", "4",
    "5", "6", "7", "8", "9", "10", "11"};

struct storegrid {
	const char *const *titles;
	json_t *rows, *row;		/* the last one, borrowed */
};

struct storegrid *
storegrid_new(const char *const *titles)
{
	struct storegrid *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	g->titles = titles;
	g->rows = json_array();
	return g;
}

void
storegrid_free(struct storegrid *g)
{
	if (!g)
		return;
	json_decref(g->rows);
	free(g);
}

void
storegrid_row(struct storegrid *g)
{
	g->row = json_object();
	json_array_append_new(g->rows, g->row);
}

size_t
storegrid_rows(const struct storegrid *g)
{
	return json_array_size(g->rows);
}

void
storegrid_text(struct storegrid *g, size_t column, const char *p, size_t n)
{
	json_object_set_new(g->row, keys[column], json_stringn(p, n));
}

void
storegrid_string(struct storegrid *g, size_t column, const char *s)
{
	storegrid_text(g, column, s, strlen(s));
}

void
storegrid_integer(struct storegrid *g, size_t column, long long n)
{
	json_object_set_new(g->row, keys[column], json_integer(n));
}

void
storegrid_print(const struct storegrid *g)
{
	struct column columns[STOREGRID_COLUMNS + 1] = {{NULL, NULL}};
	size_t i;

	for (i = 0; i < STOREGRID_COLUMNS && g->titles[i]; i++)
		columns[i] = (struct column){keys[i], g->titles[i]};
	table_print(g->rows, columns, false);
}
