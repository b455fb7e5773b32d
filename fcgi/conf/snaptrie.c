/*
 * Checked routes -> the trie that the router walks: one node per segment,
 * children found by a map while it grows, edges sorted at the end.  Runs
 * where a snapshot is made.
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
	struct map children;	/* parent's number and segment; its entries
				 * stand in the order of `edges` */
	struct draft_edge *edges;
};

/* --- growing -------------------------------------------------------------- */

/* Numbers of new nodes and leaves; snaptrie_build made room for all. */
static uint32_t
new_node(struct draft *d)
{
	return (uint32_t)d->t->nnodes++;
}

static uint32_t
new_leaf(struct draft *d)
{
	return (uint32_t)d->t->nleaves++;
}

/* The child of `parent` by a literal segment, made if need be; 0: no memory. */
static uint32_t
literal_child(struct draft *d, uint32_t parent, const char *s, size_t n)
{
	char key[sizeof parent + SNAP_MAX_PATH];
	const struct map_entry *e;
	uint32_t node;

	if (n > SNAP_MAX_PATH)
		return 0;
	memcpy(key, &parent, sizeof parent);
	memcpy(key + sizeof parent, s, n);
	e = map_find(&d->children, key, sizeof parent + n);
	if (e)
		return d->edges[e - d->children.entries].node;
	if (map_set(&d->children, key, sizeof parent + n, NULL, NULL) < 0)
		return 0;
	node = new_node(d);
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

/* Notes a route in a leaf, made if it is 0; its number. */
static uint32_t
add_to_leaf(struct draft *d, uint32_t leaf, uint32_t method, size_t route)
{
	if (leaf == 0)
		leaf = new_leaf(d);
	d->t->leaves[leaf].route[method] = (uint32_t)route + 1;
	return leaf;
}

static int
add_route(struct draft *d, const struct conf_route *r, size_t number)
{
	struct snap_node *nodes = d->t->nodes;
	const char *s = r->path;
	uint32_t node = 0;
	size_t n;

	if (r->kind == SNAP_KIND_DEFAULT) {
		d->t->default_route = (uint32_t)number + 1;
		return 0;
	}
	while (*s == '/') {
		n = strcspn(++s, "/");
		if (n > 2 && s[0] == '{' && s[n - 2] == '+') {
			nodes[node].greedy = add_to_leaf(d, nodes[node].greedy,
			    r->method, number);
			return 0;
		}
		node = n > 1 && s[0] == '{' ? param_child(d, node) :
		    literal_child(d, node, s, n);
		if (node == 0)
			return -1;
		s += n;
	}
	nodes[node].leaf = add_to_leaf(d, nodes[node].leaf, r->method,
	    number);
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
lay_edges(struct snap_trie *t, struct draft_edge *edges)
{
	size_t i;

	t->edges = calloc(t->nedges + 1, sizeof *t->edges);
	t->segments = calloc(t->nedges + 1, sizeof *t->segments);
	if (!t->edges || !t->segments)
		return -1;
	qsort(edges, t->nedges, sizeof *edges, by_segment);
	for (i = 0; i < t->nedges; i++) {
		struct snap_list *l = &t->nodes[edges[i].parent].children;

		if (l->count++ == 0)
			l->at = (uint32_t)i;
		t->segments[i] = edges[i].segment;
		t->edges[i].len = edges[i].len;
		t->edges[i].node = edges[i].node;
	}
	return 0;
}

/* Segments of all routes: no trie of them has more nodes below its root. */
static size_t
count_segments(const struct conf *c)
{
	const char *s;
	size_t n = 0, i;

	for (i = 0; i < c->nroutes; i++)
		for (s = c->routes[i].path; *s; s++)
			n += *s == '/';
	return n;
}

int
snaptrie_build(const struct conf *c, struct snap_trie *t)
{
	size_t segments = count_segments(c), i;
	struct draft d = {.t = t};
	int rc = -1;

	*t = (struct snap_trie){.nnodes = 1, .nleaves = 1};
	map_init(&d.children);
	t->nodes = calloc(segments + 1, sizeof *t->nodes);
	t->leaves = calloc(c->nroutes + 1, sizeof *t->leaves);
	d.edges = calloc(segments + 1, sizeof *d.edges);
	if (!t->nodes || !t->leaves || !d.edges)
		goto out;
	for (i = 0; i < c->nroutes; i++)
		if (add_route(&d, &c->routes[i], i) < 0)
			goto out;
	rc = lay_edges(t, d.edges);
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
