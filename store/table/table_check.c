/*
 * What must hold of a table as a whole, whoever it comes from.
 */
#include "table_internal.h"

#include "store/value/fault.h"

#include <stdio.h>
#include <string.h>

int
table_refuse(const struct table *t, struct err *e, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_set(e, FAULT_VALIDATION, "table %s: %s",
	    *t->name ? t->name : "(without name)", text);
}

static const struct key_part *
part_at(const struct key_schema *s, size_t i)
{
	return i < s->nhash ? &s->hash[i] : &s->range[i - s->nhash];
}

/* In its own key an attribute is there once, in others of the same type. */
static int
check_part(const struct table *t, const struct key_part *part,
    const struct key_schema *own, const struct key_schema *other,
    struct err *e)
{
	const struct key_part *p;
	size_t i;

	for (i = 0; i < other->nhash + other->nrange; i++) {
		p = part_at(other, i);
		if (p == part || strcmp(p->name, part->name) != 0)
			continue;
		if (other == own)
			return table_refuse(t, e, "%s is twice in one key",
			    part->name);
		if (p->type != part->type)
			return table_refuse(t, e, "%s has two types",
			    part->name);
	}
	return 0;
}

static int
check_schema(const struct table *t, const struct key_schema *s, struct err *e)
{
	const struct key_part *part;
	size_t i, k;

	if (s->nhash == 0)
		return table_refuse(t, e, "a key has no partition key");
	for (i = 0; i < s->nhash + s->nrange; i++) {
		part = part_at(s, i);
		if (check_part(t, part, s, &t->key, e) < 0)
			return -1;
		for (k = 0; k < t->nindexes; k++)
			if (check_part(t, part, s, &t->indexes[k].key, e) < 0)
				return -1;
	}
	return 0;
}

static int
check_local(const struct table *t, const struct table_index *ix,
    struct err *e)
{
	if (t->key.nrange == 0)
		return table_refuse(t, e, "local index %s, but the table has "
		    "no sort key", ix->name);
	if (ix->key.nhash != 1 || ix->key.nrange != 1 ||
	    strcmp(ix->key.hash[0].name, t->key.hash[0].name) != 0)
		return table_refuse(t, e, "local index %s has not the table's "
		    "partition key and one sort key", ix->name);
	return 0;
}

static int
check_index(const struct table *t, const struct table_index *ix,
    struct err *e)
{
	const struct table_index *other;

	if (!*ix->name)
		return table_refuse(t, e, "an index has no name");
	if (ix->id == 0)
		return table_refuse(t, e, "index %s has no id", ix->name);
	for (other = t->indexes; other < ix; other++)
		if (other->id == ix->id || strcmp(other->name, ix->name) == 0)
			return table_refuse(t, e, "indexes %s and %s have one "
			    "name or id", other->name, ix->name);
	if ((ix->nnonkey > 0) != (ix->projection == PROJECT_INCLUDE))
		return table_refuse(t, e, "index %s: projected attributes go "
		    "with INCLUDE", ix->name);
	if (check_schema(t, &ix->key, e) < 0)
		return -1;
	return ix->global ? 0 : check_local(t, ix, e);
}

int
table_check(const struct table *t, struct err *e)
{
	size_t local = 0, nonkey = 0, i;

	if (!*t->name)
		return table_refuse(t, e, "it has no name");
	if (check_schema(t, &t->key, e) < 0)
		return -1;
	if (t->key.nhash > 1 || t->key.nrange > 1)
		return table_refuse(t, e, "its key has more than a partition "
		    "key and a sort key");
	for (i = 0; i < t->nindexes; i++) {
		if (check_index(t, &t->indexes[i], e) < 0)
			return -1;
		local += t->indexes[i].global ? 0 : 1;
		nonkey += t->indexes[i].nnonkey;
	}
	if (local > TABLE_LOCAL_MAX || t->nindexes - local > TABLE_GLOBAL_MAX)
		return table_refuse(t, e, "more than %d local or %d global "
		    "indexes", TABLE_LOCAL_MAX, TABLE_GLOBAL_MAX);
	if (nonkey > TABLE_NONKEY_MAX)
		return table_refuse(t, e, "more than %d projected attributes",
		    TABLE_NONKEY_MAX);
	return 0;
}
