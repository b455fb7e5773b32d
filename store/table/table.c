/*
 * Tables in memory: copied, freed, looked up.  table_read.c and
 * table_write.c know their JSON.
 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

static void
free_indexes(struct table *t)
{
	size_t i;

	for (i = 0; i < t->nindexes; i++)
		free(t->indexes[i].nonkey);
	free(t->indexes);
}

void
table_free(struct table *t)
{
	if (!t)
		return;
	free_indexes(t);
	free(t->terms.tags);
	free(t->more);
	free(t);
}

static int
copy_index(struct table_index *to, const struct table_index *from)
{
	char (*nonkey)[sizeof *from->nonkey] = NULL;

	if (from->nnonkey) {
		nonkey = calloc(from->nnonkey, sizeof *nonkey);
		if (!nonkey)
			return -1;
		memcpy(nonkey, from->nonkey, from->nnonkey * sizeof *nonkey);
	}
	*to = *from;
	to->nonkey = nonkey;
	return 0;
}

/* The indexes of `t` into `copy`, which counts those it has so far. */
static int
copy_indexes(struct table *copy, const struct table *t)
{
	if (t->nindexes == 0)
		return 0;
	copy->indexes = calloc(t->nindexes, sizeof *copy->indexes);
	if (!copy->indexes)
		return -1;
	for (; copy->nindexes < t->nindexes; copy->nindexes++)
		if (copy_index(&copy->indexes[copy->nindexes],
		    &t->indexes[copy->nindexes]) < 0)
			return -1;
	return 0;
}

struct table *
table_copy(const struct table *t)
{
	struct table *copy = malloc(sizeof *copy);

	if (!copy)
		return NULL;
	*copy = *t;
	copy->indexes = NULL;
	copy->nindexes = 0;
	copy->terms = (struct table_terms){.tags = NULL};
	copy->more = t->more ? strdup(t->more) : NULL;
	if ((t->more && !copy->more) || copy_indexes(copy, t) < 0 ||
	    table_terms_copy(&copy->terms, &t->terms) < 0) {
		table_free(copy);
		return NULL;
	}
	return copy;
}

static bool
is_name(const char *is, const char *name, size_t n)
{
	return strlen(is) == n && memcmp(is, name, n) == 0;
}

const struct table_index *
table_index_named(const struct table *t, const char *name, size_t n)
{
	const struct table_index *ix;

	for (ix = t->indexes; ix < t->indexes + t->nindexes; ix++)
		if (is_name(ix->name, name, n))
			return ix;
	return NULL;
}

static bool
is_part(const struct key_part *parts, size_t count, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (is_name(parts[i].name, name, n))
			return true;
	return false;
}

static bool
is_key(const struct key_schema *s, const char *name, size_t n)
{
	return is_part(s->hash, s->nhash, name, n) ||
	    is_part(s->range, s->nrange, name, n);
}

bool
table_projects(const struct table *t, const struct table_index *ix,
    const char *name, size_t n)
{
	size_t i;

	if (ix->projection == PROJECT_ALL || is_key(&t->key, name, n) ||
	    is_key(&ix->key, name, n))
		return true;
	for (i = 0; i < ix->nnonkey; i++)
		if (is_name(ix->nonkey[i], name, n))
			return true;
	return false;
}
