/*
 * Documents laid out (storerows.h).
 */
#include "rows.h"

#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The column of a name, made if there is room; or STOREROWS_COLUMNS. */
static size_t
column_of(struct storerows *s, const struct text *name)
{
	char *copy;
	size_t i;

	for (i = 0; i < s->count; i++)
		if (text_compare(&s->columns[i], name) == 0)
			return i;
	copy = i < STOREROWS_COLUMNS ? malloc(name->n + 1) : NULL;
	if (!copy)
		return STOREROWS_COLUMNS;
	memcpy(copy, name->p, name->n);
	copy[name->n] = '\0';
	s->titles[s->count] = copy;
	s->columns[s->count++] = (struct text){copy, name->n};
	return i;
}

void
storerows_init(struct storerows *s, bool json, const struct storewords *t)
{
	size_t i;

	*s = (struct storerows){.json = json};
	if (json)
		return;
	s->grid = storegrid_new(s->titles);
	for (i = 0; i < t->key.nhash; i++)
		column_of(s, &t->key.hash[i].name);
	for (i = 0; i < t->key.nrange; i++)
		column_of(s, &t->key.range[i].name);
}

void
storerows_add(struct storerows *s, const struct json_node *document)
{
	const struct json_node *n;
	size_t i;

	if (s->json) {
		storetext_line(&document->raw);
		return;
	}
	if (!s->grid)
		return;
	storegrid_row(s->grid);
	for (n = document->first; n; n = n->next) {
		i = column_of(s, &n->name);
		if (i == STOREROWS_COLUMNS)
			s->wide = true;
		else
			storetext_cell(s->grid, i, n);
	}
}

void
storerows_end(struct storerows *s)
{
	bool any = s->grid && storegrid_rows(s->grid);
	size_t i;

	if (any)
		storegrid_print(s->grid);
	fflush(stdout);
	if (!s->json && !any && !s->cut)
		fputs("bothy: there are none\n", stderr);
	if (s->more)
		fputs("bothy: there are more; --limit N shows so many, "
		    "--limit 0 all\n", stderr);
	if (s->wide)
		fputs("bothy: there are more attributes; --json shows all\n",
		    stderr);
	for (i = 0; i < s->count; i++)
		free((char *)(uintptr_t)s->columns[i].p);
	storegrid_free(s->grid);
}
