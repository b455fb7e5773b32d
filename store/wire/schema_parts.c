/*
 * Lists and maps of parameters, for schema.h: things of one size, as many as
 * come.
 */
#include "schema_internal.h"

#include "store/base/map.h"
#include "store/value/fault.h"

#include <string.h>

enum { LIST_FIRST = 4 };

/* --- lists ---------------------------------------------------------------- */

/* Things of one size, as many as come. */
struct growing {
	char *list;
	size_t size, count, room;
};

/* A cleared place for one more; it holds until the next. */
static void *
grow(struct decoder *d, struct growing *g)
{
	size_t room = g->room ? g->room * 2 : LIST_FIRST;
	char *list;

	if (g->count == g->room) {
		list = arena_array(d->arena, room, g->size);
		if (!list) {
			schema_no_memory(d);
			return NULL;
		}
		if (g->list)
			memcpy(list, g->list, g->count * g->size);
		g->list = list;
		g->room = room;
	}
	return g->list + g->size * g->count++;
}

/* An empty list is not an absent one: it has a place too. */
static int
none_is_a_list(struct decoder *d, struct growing *g)
{
	if (g->list)
		return 0;
	if (!grow(d, g))
		return -1;
	g->count = 0;
	return 0;
}

static void
put_list(const struct param *p, void *target, const struct growing *g)
{
	memcpy(schema_at(target, p->at), &g->list, sizeof g->list);
	memcpy((char *)schema_at(target, p->at) + sizeof g->list, &g->count,
	    sizeof g->count);
}

static int
read_part(struct decoder *d, const struct param *p, const struct json_token *t,
    const struct place *at, struct growing *g)
{
	void *part = grow(d, g);

	if (!part)
		return -1;
	switch (p->kind) {
	case PARAM_TEXTS:
		if (t->type != JSON_STRING)
			return schema_fail_scalar(d, t, "String");
		*(struct text *)part = t->text;
		return 0;
	case PARAM_VALUES:
	case PARAM_ITEMS:
		if (p->kind == PARAM_ITEMS && !d->plain && t->type < JSON_LIST)
			return schema_fail_parameterized(d, t);
		return schema_take(d, t, p->kind == PARAM_ITEMS, p->name, NULL,
		    part) < 0 ? -1 : 0;
	default:
		return schema_read_struct(d, p->of, part, t, at);
	}
}

static size_t
part_size(const struct param *p)
{
	switch (p->kind) {
	case PARAM_TEXTS:
		return sizeof(struct text);
	case PARAM_VALUES:
	case PARAM_ITEMS:
		return sizeof(struct value);
	case PARAM_MAP_LISTS:
		return sizeof(struct named_list);
	default:
		return p->of->size;
	}
}

/* The parts of the list that `t` opened; where it ends is in *end. */
static int
read_parts(struct decoder *d, const struct param *p, const struct place *at,
    struct growing *g)
{
	struct place numbered = *at;
	struct place place = {&numbered, {"member", 6}, 0, true};
	struct json_token t;

	*g = (struct growing){.size = p->kind == PARAM_MAP_LISTS ?
	    p->of->size : part_size(p)};
	for (;;) {
		if (json_next(&d->json, &t) < 0)
			return -1;
		if (t.type == JSON_CLOSE)
			break;
		numbered.index = g->count + 1;
		if (read_part(d, p, &t, &place, g) < 0)
			return -1;
	}
	return none_is_a_list(d, g);
}

int
schema_read_list(struct decoder *d, const struct param *p, void *target,
    const struct json_token *t, const struct place *at)
{
	struct growing g;
	struct text raw;

	if (schema_expect_list(d, t) < 0 || read_parts(d, p, at, &g) < 0)
		return -1;
	raw = (struct text){t->start, (size_t)(d->json.at - t->start)};
	schema_check_count(d, p, at, g.count, &raw);
	put_list(p, target, &g);
	return 0;
}

/* --- maps ----------------------------------------------------------------- */

static const struct text *
name_at(const struct growing *g, size_t i)
{
	return (const struct text *)(const void *)(g->list + i * g->size);
}

/* No name twice among things that begin with theirs. */
static int
check_names(struct decoder *d, const struct growing *g)
{
	const struct text *name;
	struct map seen;
	void *old = NULL;
	size_t i;
	int rc = 0;

	map_init(&seen);
	for (i = 0; rc == 0 && i < g->count; i++) {
		name = name_at(g, i);
		if (map_set(&seen, name->p, name->n, d, &old) < 0)
			rc = schema_no_memory(d);
		else if (old)
			rc = schema_fail_twice(d, name);
	}
	map_release(&seen);
	return rc;
}

/* What one name of the map stands for. */
static int
read_entry(struct decoder *d, const struct param *p, const struct text *name,
    const struct place *map, void *entry)
{
	const struct text shown = p->flags & PARAM_ARN ?
	    schema_name_of(name) : *name;
	const struct place named = {map, shown, 0, true};
	const struct place member = {&named, {"member", 6}, 0, true};
	struct named_list *list = entry;
	struct json_token t;
	struct growing g;

	d->arns |= schema_is_arn(name);
	if (json_next(&d->json, &t) < 0)
		return -1;
	if (p->kind == PARAM_MAP) {
		if (schema_read_struct(d, p->of, entry, &t, &member) < 0)
			return -1;
		*(struct text *)entry = shown;
		return 0;
	}
	if (t.type < JSON_LIST)
		return schema_fail_parameterized(d, &t);
	if (schema_expect_list(d, &t) < 0 || read_parts(d, p, &member, &g) < 0)
		return -1;
	*list = (struct named_list){shown, g.list, g.count};
	return 0;
}

static void
check_map(struct decoder *d, const struct param *p, const struct place *at,
    const struct growing *g, const struct text *raw)
{
	const struct named_list *lists = (const void *)g->list;
	size_t i;

	if ((p->flags & PARAM_REQUIRED) && g->count == 0)
		schema_check_count(d, &(const struct param){.min = 1}, at, 0,
		    raw);
	for (i = 0; i < g->count; i++)
		if (!schema_check_name(d, p, at, name_at(g, i), raw))
			break;
	for (i = 0; p->kind == PARAM_MAP_LISTS && i < g->count; i++)
		if (!schema_check_list(d, p, at, lists[i].count, raw))
			break;
}

int
schema_read_map(struct decoder *d, const struct param *p, void *target,
    const struct json_token *opened, const struct place *at)
{
	struct growing g = {.size = part_size(p)};
	struct json_token name;
	struct text raw;
	void *entry;

	if (schema_expect_object(d, opened, p->kind == PARAM_MAP_LISTS ?
	    SHAPE_MAP_OF_LISTS : SHAPE_MAP, p->of->type) < 0)
		return -1;
	for (;;) {
		if (json_next(&d->json, &name) < 0)
			return -1;
		if (name.type == JSON_CLOSE)
			break;
		entry = grow(d, &g);
		if (!entry || read_entry(d, p, &name.text, at, entry) < 0)
			return -1;
	}
	raw = (struct text){opened->start,
	    (size_t)(d->json.at - opened->start)};
	check_map(d, p, at, &g, &raw);
	if (check_names(d, &g) < 0 || none_is_a_list(d, &g) < 0)
		return -1;
	put_list(p, target, &g);
	return 0;
}

/* ExpressionAttributeNames and ExpressionAttributeValues, as a map. */
int
schema_read_placeholders(struct decoder *d, const struct param *p, void *target,
    const struct json_token *opened)
{
	struct growing g = {.size = sizeof(struct member)};
	struct value *map = arena_array(d->arena, 1, sizeof *map);
	struct json_token name, t;
	struct member *m;
	struct text twice;

	if (!map)
		return schema_no_memory(d);
	if (schema_expect_object(d, opened, p->kind == PARAM_NAMES ?
	    SHAPE_MAP_OF_TEXTS : SHAPE_MAP, p->kind == PARAM_NAMES ?
	    "String" : "AttributeValue") < 0)
		return -1;
	for (;;) {
		if (json_next(&d->json, &name) < 0)
			return -1;
		if (name.type == JSON_CLOSE)
			break;
		if (json_next(&d->json, &t) < 0)
			return -1;
		m = grow(d, &g);
		if (!m)
			return -1;
		m->name = name.text;
		m->value = (struct value){.type = VALUE_S, .text = t.text};
		if (p->kind == PARAM_NAMES && t.type != JSON_STRING)
			return schema_fail_scalar(d, &t, "String");
		if (p->kind == PARAM_BINDS &&
		    schema_take(d, &t, false, p->name, &name.text,
		    &m->value) < 0)
			return -1;
	}
	*map = (struct value){.type = VALUE_M, .count = g.count,
	    .members = (void *)g.list};
	if (p->kind == PARAM_BINDS)
		schema_prefer_keys(d, p, map);
	if (value_sort_map(map, &twice) < 0)
		return schema_fail_twice(d, &twice);
	memcpy(schema_at(target, p->at), &map, sizeof map);
	return 0;
}
