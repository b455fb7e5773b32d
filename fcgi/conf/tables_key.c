/*
 * Keys of tables in deploy.yaml, in both forms, and looking at what was
 * written; for tables.c.
 */
#include "tables_internal.h"

#include <string.h>

/* --- looking at nodes ----------------------------------------------------- */

struct node *
tables_member(struct maker *m, const struct node *map, const char *name)
{
	struct node *n = map && map->type == NODE_MAP ? node_get(map, name) :
	    NULL;

	return n ? vars_resolve(m->c->vars, n) : NULL;
}

const char *
tables_text_of(const struct node *n)
{
	return n && n->type == NODE_SCALAR ? n->text : NULL;
}

const char *
tables_text(struct maker *m, const struct node *map, const char *name)
{
	return tables_text_of(tables_member(m, map, name));
}

bool
tables_says(struct maker *m, const struct node *map, const char *name,
    const char *word)
{
	const char *s = tables_text(m, map, name);

	return s && strcmp(s, word) == 0;
}

struct node *
tables_element(struct maker *m, const struct node *list, size_t i)
{
	return vars_resolve(m->c->vars, list->items[i]);
}

size_t
tables_count(const struct node *n, enum node_type type)
{
	return n && n->type == type ? n->count : 0;
}

/* --- attributes and keys -------------------------------------------------- */

static struct attribute *
find_attribute(struct maker *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->nattributes; i++)
		if (strcmp(m->attributes[i].name, name) == 0)
			return &m->attributes[i];
	return NULL;
}

/* The attribute, new or as it was said before; NULL after an error. */
static struct attribute *
say_type(struct maker *m, const struct node *at, const char *name,
    const char *type)
{
	struct attribute *a = find_attribute(m, name);

	if (a && strcmp(a->type, type) != 0) {
		check_fail(m->c, at, "the attribute '%.64s' is %s here and %s "
		    "in line %d; it has one type in all keys of %s", name,
		    type, a->type, a->at->line, m->name);
		return NULL;
	}
	if (a)
		return a;
	if (m->nattributes == ATTRIBUTES_MAX) {
		check_fail(m->c, at, "%s has more than %d attributes in its "
		    "keys", m->name, ATTRIBUTES_MAX);
		return NULL;
	}
	a = &m->attributes[m->nattributes++];
	*a = (struct attribute){at, name, type, false};
	return a;
}

static void
add_part(struct maker *m, const struct node *at, struct schema *s,
    struct attribute *a, bool range)
{
	size_t *n = range ? &s->nrange : &s->nhash, i;
	const struct attribute **parts = range ? s->range : s->hash;

	a->used = true;
	for (i = 0; i < s->nhash + s->nrange; i++) {
		if ((i < s->nhash ? s->hash[i] : s->range[i - s->nhash]) == a) {
			check_fail(m->c, at, "the attribute '%.64s' is twice "
			    "in one key", a->name);
			return;
		}
	}
	if (*n < PARTS_MAX)
		parts[(*n)++] = a;
	else
		check_fail(m->c, at, "a key has at most %d %s parts",
		    PARTS_MAX, range ? "RANGE" : "HASH");
}

/* Another was refused already. */
static bool
is_type(const char *s)
{
	return s && s[0] && strchr("SNB", s[0]) && s[1] == '\0';
}

void
tables_short_key(struct maker *m, const struct node *n, struct schema *s)
{
	struct attribute *a;
	const char *type;
	size_t i;

	if (!n || n->type != NODE_MAP)
		return;
	if (n->count == 0) {
		check_fail(m->c, n, "a key has a partition key at least: "
		    "{id: S}");
		return;
	}
	for (i = 0; i < n->count; i++) {
		type = tables_text_of(vars_resolve(m->c->vars, n->items[i]));
		a = is_type(type) ? say_type(m, n->keys[i],
		    n->keys[i]->text, type) : NULL;
		if (a)
			add_part(m, n->keys[i], s, a, i > 0);
	}
}

void
tables_key_schema(struct maker *m, const struct node *n, struct schema *s)
{
	const struct node *part, *at;
	struct attribute *a;
	size_t i;

	for (i = 0; i < tables_count(n, NODE_LIST); i++) {
		part = tables_element(m, n, i);
		at = tables_member(m, part, "AttributeName");
		if (!tables_text_of(at) || !tables_text(m, part, "KeyType"))
			continue;
		a = find_attribute(m, at->text);
		if (a)
			add_part(m, at, s, a, tables_says(m, part, "KeyType",
			    "RANGE"));
		else
			check_fail(m->c, at, "the attribute '%.64s' has no "
			    "type in AttributeDefinitions", at->text);
	}
	if (n && n->type == NODE_LIST && s->nhash == 0)
		check_fail(m->c, n, "a key needs a part of KeyType: HASH");
}

void
tables_definitions(struct maker *m)
{
	const struct node *list = tables_member(m, m->node,
	    "AttributeDefinitions");
	const struct node *one, *at;
	const char *type;
	size_t i;

	for (i = 0; i < tables_count(list, NODE_LIST); i++) {
		one = tables_element(m, list, i);
		at = tables_member(m, one, "AttributeName");
		type = tables_text(m, one, "AttributeType");
		if (!tables_text_of(at) || !is_type(type))
			continue;
		if (find_attribute(m, at->text))
			check_fail(m->c, at, "the attribute '%.64s' is "
			    "defined twice", at->text);
		else
			say_type(m, at, at->text, type);
	}
}

void
tables_check_used(struct maker *m)
{
	const struct attribute *a;

	for (a = m->attributes; a < m->attributes + m->nattributes; a++)
		if (!a->used)
			check_fail(m->c, a->at, "the attribute '%.64s' is in "
			    "no key of %s; remove it: items hold any "
			    "attributes", a->name, m->name);
}
