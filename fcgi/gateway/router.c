/*
 * The walk of router.h over the snapshot's trie.  Runs in the gateway, on
 * every request; recursion is as deep as the longest route has segments.
 */
#include "router.h"

#include <string.h>

/* One request on its way through the trie. */
struct walk {
	const struct snapshot *s;
	const char *path;
	unsigned wanted[3];	/* methods to try in a leaf, best first */
	size_t nwanted;
	unsigned allow;		/* methods of leaves that the path reached */
	/* the segments that {name}s took, from the root to here */
	struct route_param taken[SNAP_MAX_SEGMENTS];
	size_t ntaken;
	size_t left;		/* nodes that may still be visited */
	struct route_match *m;
	uint32_t greedy;	/* best {name+} route so far, number + 1 */
};

/* --- methods -------------------------------------------------------------- */

static unsigned
method_number(const char *method)
{
	unsigned i;

	for (i = 0; i < SNAP_ANY; i++)
		if (strcmp(snapshot_method_name(i), method) == 0)
			return i;
	return SNAP_ANY;
}

static void
want(struct walk *w, const char *method)
{
	unsigned number = method_number(method);

	if (number != SNAP_ANY)
		w->wanted[w->nwanted++] = number;
	if (number == SNAP_HEAD)
		w->wanted[w->nwanted++] = SNAP_GET;
	w->wanted[w->nwanted++] = SNAP_ANY;
}

/* The route in a leaf that fits the method, number + 1; else 0, and noted. */
static uint32_t
leaf_route(struct walk *w, uint32_t number)
{
	const struct snap_leaf *leaf = snapshot_leaf(w->s, number);
	unsigned i;

	if (!leaf)
		return 0;
	for (i = 0; i < w->nwanted; i++)
		if (leaf->route[w->wanted[i]])
			return leaf->route[w->wanted[i]];
	for (i = 0; i < SNAP_METHODS; i++)
		if (leaf->route[i])
			w->allow |= 1u << i;
	return 0;
}

/* --- what was found ------------------------------------------------------- */

/* Fills the match from a route number + 1; false for a damaged image. */
static bool
take_route(struct walk *w, uint32_t number, const char *rest)
{
	const struct snap_route *r = snapshot_route(w->s, number - 1);
	struct route_match *m = w->m;
	size_t i;

	if (!r || r->params.count > SNAP_MAX_PARAMS ||
	    r->params.count > w->ntaken + (rest ? 1 : 0))
		return false;
	m->function = r->function;
	m->key = snapshot_str(w->s, r->key);
	m->kind = r->kind;
	m->nparams = r->params.count;
	m->rest_at = rest ? (size_t)(rest - w->path) : 0;
	for (i = 0; i < m->nparams; i++) {
		const struct snap_param *p = snapshot_param(w->s, r->params,
		    i);

		if (!p)
			return false;
		if (i < w->ntaken)
			m->params[i] = w->taken[i];
		else
			m->params[i] = (struct route_param){.value = rest,
			    .len = strlen(rest)};
		m->params[i].name = snapshot_str(w->s, p->name);
		m->params[i].variable = snapshot_str(w->s, p->variable);
	}
	return true;
}

/* --- the trie ------------------------------------------------------------- */

/* The child by a literal segment, or 0: binary search as snaptrie.c sorts. */
static uint32_t
literal_child(const struct walk *w, const struct snap_node *node,
    const char *s, size_t n)
{
	const struct snap_edge *edges, *e;
	size_t low = 0, high, mid, least;
	int d;

	edges = snapshot_edges(w->s, node->children, &high);
	while (low < high) {
		mid = low + (high - low) / 2;
		e = &edges[mid];
		least = e->len < n ? e->len : n;
		/* strncmp stops at the end of a string in the image */
		d = strncmp(snapshot_str(w->s, e->segment), s, least);
		if (d == 0)
			d = (e->len > n) - (e->len < n);
		if (d == 0)
			return e->node;
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

/*
 * `at` is a slash of the path, or its end.  True once a full match is in
 * w->m; a {name+} route on the way is kept in case there is none.
 */
static bool
descend(struct walk *w, uint32_t number, const char *at, size_t depth)
{
	const struct snap_node *node = snapshot_node(w->s, number);
	uint32_t child, route;
	size_t n;

	if (!node || depth > SNAP_MAX_SEGMENTS || w->left-- == 0)
		return false;	/* only in a damaged image */
	if (*at == '\0') {
		route = leaf_route(w, node->leaf);
		return route && take_route(w, route, NULL);
	}
	at++;
	n = strcspn(at, "/");
	child = literal_child(w, node, at, n);
	if (child && descend(w, child, at + n, depth + 1))
		return true;
	if (node->param && n > 0 && w->ntaken < SNAP_MAX_SEGMENTS) {
		w->taken[w->ntaken++] = (struct route_param){.value = at,
		    .len = n};
		if (descend(w, node->param, at + n, depth + 1))
			return true;
		w->ntaken--;
	}
	if (node->greedy && !w->greedy) {
		route = leaf_route(w, node->greedy);
		if (route && take_route(w, route, at))
			w->greedy = route;
	}
	return false;
}

/* Field by field: `taken` is large, and filled as far as ntaken says. */
static void
begin(struct walk *w, const struct snapshot *s, const char *path,
    struct route_match *m)
{
	w->s = s;
	w->path = path;
	w->nwanted = w->ntaken = 0;
	w->left = snapshot_nodes(s);
	w->allow = w->greedy = 0;
	w->m = m;
}

enum route_result
router_match(const struct snapshot *s, const char *method, const char *path,
    struct route_match *m)
{
	uint32_t number = snapshot_default(s);
	struct walk w;

	begin(&w, s, path, m);
	m->allow = 0;
	want(&w, method);
	if (path[0] == '/' && (descend(&w, 0, path, 0) || w.greedy))
		return ROUTE_FOUND;
	if (number && take_route(&w, number, NULL))
		return ROUTE_FOUND;
	m->allow = w.allow;
	return w.allow ? ROUTE_METHOD : ROUTE_NONE;
}

unsigned
router_methods(const struct snapshot *s, const char *path)
{
	struct route_match m;
	struct walk w;

	begin(&w, s, path, &m);
	if (path[0] == '/')
		descend(&w, 0, path, 0);
	return w.allow;
}

void
router_allow(unsigned methods, struct buf *out)
{
	const char *separator = "";
	unsigned i;

	if (methods & 1u << SNAP_ANY)
		methods = (1u << SNAP_ANY) - 1;
	if (methods & 1u << SNAP_GET)
		methods |= 1u << SNAP_HEAD;
	for (i = 0; i < SNAP_ANY; i++) {
		if (!(methods & 1u << i))
			continue;
		buf_puts(out, separator);
		buf_puts(out, snapshot_method_name(i));
		separator = ", ";
	}
}
