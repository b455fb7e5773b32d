/*
 * The growing children of gather.h.  Runs where a configuration is loaded.
 */
#include "gather.h"

#include <stdlib.h>
#include <string.h>

struct gather_entry {
	struct node *key, *value;
	size_t rank;	/* 0: written here; n: from the nth merged map; then
			 * the place among the map's children */
	bool dropped;	/* a merge key, or hidden by an entry of lower rank */
};

/* --- growing -------------------------------------------------------------- */

static int
add(struct gather *g, struct node *key, struct node *value, size_t rank)
{
	size_t room = g->room ? g->room * 2 : 8;
	struct gather_entry *entries;

	if (g->count == g->room) {
		entries = realloc(g->entries, room * sizeof *entries);
		if (!entries)
			return -1;
		g->entries = entries;
		g->room = room;
	}
	g->entries[g->count++] = (struct gather_entry){key, value, rank,
	    false};
	return 0;
}

int
gather_add(struct gather *g, struct node *key, struct node *value)
{
	return add(g, key, value, 0);
}

void
gather_release(struct gather *g)
{
	free(g->entries);
	*g = (struct gather){0};
}

static int
fail_memory(const struct gather *g, struct errlist *errors)
{
	return errlist_add(errors, g->node->file, 0, 0,
	    "needs too much memory; make it smaller");
}

/* --- merge keys ----------------------------------------------------------- */

static int
merge_map(struct gather *g, const struct node *from, size_t rank)
{
	size_t i;

	for (i = 0; i < from->count; i++)
		if (add(g, from->keys[i], from->items[i], rank) < 0)
			return -1;
	return 0;
}

/* True for a map, or a list of maps. */
static bool
can_merge(const struct node *from)
{
	size_t i;

	for (i = 0; from->type == NODE_LIST && i < from->count; i++)
		if (from->items[i]->type != NODE_MAP)
			return false;
	return from->type != NODE_SCALAR;
}

/* Of a list of maps the first wins. */
static int
merge(struct gather *g, const struct node *from, struct errlist *errors)
{
	size_t i;

	if (!can_merge(from))
		return errlist_add(errors, from->file, from->line, from->col,
		    "<<: takes a map or a list of maps");
	if (from->type == NODE_MAP)
		return merge_map(g, from, 1) < 0 ? fail_memory(g, errors) : 0;
	for (i = 0; i < from->count; i++)
		if (merge_map(g, from->items[i], i + 1) < 0)
			return fail_memory(g, errors);
	return 0;
}

static int
merge_all(struct gather *g, struct errlist *errors)
{
	size_t i, written = g->count;

	for (i = 0; i < written; i++) {
		const struct node *key = g->entries[i].key;

		if (!key->plain || strcmp(key->text, "<<") != 0)
			continue;
		g->entries[i].dropped = true;
		if (merge(g, g->entries[i].value, errors) < 0)
			return -1;
	}
	return 0;
}

/* --- doubles -------------------------------------------------------------- */

static int
by_key(const void *pa, const void *pb)
{
	const struct gather_entry *a = *(struct gather_entry *const *)pa;
	const struct gather_entry *b = *(struct gather_entry *const *)pb;
	int d = strcmp(a->key->text, b->key->text);

	if (d == 0)
		d = (a->rank > b->rank) - (a->rank < b->rank);
	if (d == 0)
		d = (a > b) - (a < b);
	return d;
}

/* Drops entries that a lower rank hides; a key written twice is an error. */
static void
drop_hidden(struct gather_entry **sorted, size_t n, struct errlist *errors)
{
	const struct gather_entry *kept = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		struct gather_entry *e = sorted[i];

		if (!kept || strcmp(kept->key->text, e->key->text) != 0) {
			kept = e;
			continue;
		}
		e->dropped = true;
		if (e->rank == 0)
			errlist_add(errors, e->key->file, e->key->line,
			    e->key->col, "'%s' is here twice; it is already "
			    "in line %d", e->key->text, kept->key->line);
	}
}

/* --- the node ------------------------------------------------------------- */

/* Children in the order of the file, and `order` by the sorted entries. */
static void
fill_map(struct gather *g, struct gather_entry **sorted)
{
	struct node *map = g->node;
	size_t i, n;

	for (i = 0; i < g->count; i++) {
		struct gather_entry *e = &g->entries[i];

		if (e->dropped)
			continue;
		map->keys[map->count] = e->key;
		map->items[map->count] = e->value;
		e->rank = map->count++;
	}
	for (i = n = 0; n < map->count; i++)
		if (!sorted[i]->dropped)
			map->order[n++] = (uint32_t)sorted[i]->rank;
}

static int
finish_map(struct gather *g, struct zone *a, struct errlist *errors)
{
	struct node *map = g->node;
	struct gather_entry **sorted;
	size_t i, n = 0;

	if (merge_all(g, errors) < 0)
		return -1;
	sorted = calloc(g->count + 1, sizeof(struct gather_entry *));
	map->keys = zone_alloc(a, g->count * sizeof(struct node *));
	map->items = zone_alloc(a, g->count * sizeof(struct node *));
	map->order = zone_alloc(a, g->count * sizeof(uint32_t));
	if (!sorted || !map->keys || !map->items || !map->order) {
		free(sorted);
		return fail_memory(g, errors);
	}
	for (i = 0; i < g->count; i++)
		if (!g->entries[i].dropped)
			sorted[n++] = &g->entries[i];
	qsort(sorted, n, sizeof(struct gather_entry *), by_key);
	drop_hidden(sorted, n, errors);
	fill_map(g, sorted);
	free(sorted);
	return 0;
}

static int
finish_list(struct gather *g, struct zone *a, struct errlist *errors)
{
	struct node *list = g->node;

	list->items = zone_alloc(a, g->count * sizeof(struct node *));
	if (!list->items)
		return fail_memory(g, errors);
	for (; list->count < g->count; list->count++)
		list->items[list->count] = g->entries[list->count].value;
	return 0;
}

int
gather_finish(struct gather *g, struct zone *a, struct errlist *errors)
{
	return g->node->type == NODE_MAP ? finish_map(g, a, errors) :
	    finish_list(g, a, errors);
}
