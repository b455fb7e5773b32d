/*
 * Checked routes -> the trie that the router walks: one node per segment,
 * children found by a map while it grows, laid flat and sorted at the end.
 * Runs where a snapshot is made.
 */
#include "snapimage.h"

#include "store/base/map.h"

#include <stdlib.h>
#include <string.h>

/* A child that was made: which node it hangs under, and by which word. */
struct draft_edge {
	uint32_t parent, node;
	const char *segment;	/* in a route's path, `len` bytes */
	uint32_t len;
};

struct draft {
	struct snap_trie *t;
	struct map children;	/* parent's number and segment -> node */
	struct draft_edge *edges;
	size_t room_nodes, room_edges, room_leaves;
};

/* --- growing -------------------------------------------------------------- */

/* Makes room for one more of `size` bytes in a table; its start, or NULL. */
static void *
grow(void *table, size_t count, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 64;
	void *p;

	if (count < *room)
		return table;
	p = realloc(table, more * size);
	if (p)
		*room = more;
	return p;
}

/* The number of a new node, or 0 without memory (the root is made first). */
static uint32_t
new_node(struct draft *d)
{
	struct snap_trie *t = d->t;
	void *p = grow(t->nodes, t->nnodes, &d->room_nodes, sizeof *t->nodes);

	if (!p)
		return 0;
	t->nodes = p;
	t->nodes[t->nnodes] = (struct snap_node){0};
	return (uint32_t)t->nnodes++;
}

static uint32_t
new_leaf(struct draft *d)
{
	struct snap_trie *t = d->t;
	void *p = grow(t->leaves, t->nleaves, &d->room_leaves,
	    sizeof *t->leaves);

	if (!p)
		return 0;
	t->leaves = p;
	t->leaves[t->nleaves] = (struct snap_leaf){0};
	return (uint32_t)t->nleaves++;
}

/* The child of `parent` by a literal segment, made if need be; 0: no memory. */
static uint32_t
literal_child(struct draft *d, uint32_t parent, const char *s, size_t n)
{
	char key[4 + 1024];
	struct map_entry *e;
	uint32_t node;
	void *p;

	if (n > sizeof key - 4)
		return 0;	/* route.c takes no path that long */
	memcpy(key, &parent, 4);
	memcpy(key + 4, s, n);
	e = map_find(&d->children, key, n + 4);
	if (e)
		return (uint32_t)(uintptr_t)e->value;
	p = grow(d->edges, d->t->nedges, &d->room_edges, sizeof *d->edges);
	if (!p)
		return 0;
	d->edges = p;
	node = new_node(d);
	if (node == 0 || map_set(&d->children, key, n + 4,
	    (void *)(uintptr_t)node, NULL) < 0)
		return 0;
	d->edges[d->t->nedges++] = (struct draft_edge){parent, node, s,
	    (uint32_t)n};
	return node;
}

static uint32_t
param_child(struct draft *d, uint32_t parent)
{
	uint32_t node = d->t->nodes[parent].param;

	if (node == 0) {
		node = new_node(d);
		d->t->nodes[parent].param = node;
	}
	return node;
}

/* Notes a route in a leaf, made if it is 0. */
static int
add_to_leaf(struct draft *d, uint32_t *leaf, uint32_t method, size_t route)
{
	if (*leaf == 0)
		*leaf = new_leaf(d);
	if (*leaf == 0)
		return -1;
	d->t->leaves[*leaf].route[method] = (uint32_t)route + 1;
	return 0;
}

static int
add_route(struct draft *d, const struct conf_route *r, size_t number)
{
	const char *s = r->path;
	uint32_t node = 0, leaf = 0;
	size_t n;

	if (r->kind == SNAP_KIND_DEFAULT) {
		d->t->default_route = (uint32_t)number + 1;
		return 0;
	}
	while (*s == '/') {
		n = strcspn(++s, "/");
		if (n > 2 && s[0] == '{' && s[n - 2] == '+') {
			leaf = d->t->nodes[node].greedy;
			if (add_to_leaf(d, &leaf, r->method, number) < 0)
				return -1;
			d->t->nodes[node].greedy = leaf;
			return 0;
		}
		node = n > 1 && s[0] == '{' ? param_child(d, node) :
		    literal_child(d, node, s, n);
		if (node == 0)
			return -1;
		s += n;
	}
	leaf = d->t->nodes[node].leaf;
	if (add_to_leaf(d, &leaf, r->method, number) < 0)
		return -1;
	d->t->nodes[node].leaf = leaf;
	return 0;
}

/* --- laying flat ---------------------------------------------------------- */

/* By parent, then by segment: bytes first, then length, as the router. */
static int
by_segment(const void *pa, const void *pb)
{
	const struct draft_edge *a = pa, *b = pb;
	size_t n = a->len < b->len ? a->len : b->len;
	int d;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	d = memcmp(a->segment, b->segment, n);
	return d ? d : (a->len > b->len) - (a->len < b->len);
}

static int
lay_edges(struct draft *d)
{
	struct snap_trie *t = d->t;
	size_t i;

	t->edges = calloc(t->nedges + 1, sizeof *t->edges);
	t->segments = calloc(t->nedges + 1, sizeof *t->segments);
	if (!t->edges || !t->segments)
		return -1;
	if (t->nedges)
		qsort(d->edges, t->nedges, sizeof *d->edges, by_segment);
	for (i = 0; i < t->nedges; i++) {
		struct snap_list *l = &t->nodes[d->edges[i].parent].children;

		if (l->count++ == 0)
			l->at = (uint32_t)i;
		t->segments[i] = d->edges[i].segment;
		t->edges[i].len = d->edges[i].len;
		t->edges[i].node = d->edges[i].node;
	}
	return 0;
}

int
snaptrie_build(const struct conf *c, struct snap_trie *t)
{
	struct draft d = {.t = t};
	int rc = -1;
	size_t i;

	*t = (struct snap_trie){0};
	map_init(&d.children);
	new_node(&d);	/* number 0, the root */
	new_leaf(&d);	/* number 0, not used */
	if (t->nnodes == 0 || t->nleaves == 0)
		goto out;
	for (i = 0; i < c->nroutes; i++)
		if (add_route(&d, &c->routes[i], i) < 0)
			goto out;
	rc = lay_edges(&d);
out:
	free(d.edges);
	map_release(&d.children);
	return rc;
}

void
snaptrie_release(struct snap_trie *t)
{
	free(t->nodes);
	free(t->edges);
	free(t->segments);
	free(t->leaves);
}
