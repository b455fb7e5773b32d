/*
 * Fuzz target: fcgi/conf/yaml.c on any bytes, and variables in what it gives.
 */
#include "fcgi/conf/vars.h"
#include "fcgi/conf/yaml.h"

#include "fuzz.h"

#include <string.h>

enum { ZONE_MAX = 16 * 1024 * 1024 };

static void
check_map(const struct node *n)
{
	const char *before = NULL, *key;
	size_t i;

	for (i = 0; i < n->count; i++) {
		require(n->keys[i]->type == NODE_SCALAR);
		require(node_index(n, n->keys[i]->text,
		    strlen(n->keys[i]->text)) == (long)i);
		key = n->keys[n->order[i]]->text;
		require(!before || strcmp(before, key) < 0);
		before = key;
	}
}

/* What a tree must be like: finite, placed, sorted, and weighed right. */
static size_t
check_tree(const struct node *n, size_t depth)
{
	size_t weight = 1, i;

	require(depth <= YAML_MAX_DEPTH + 1);
	require(n->line >= 1 && n->col >= 1);
	if (n->type == NODE_SCALAR) {
		require(strlen(n->text) <= YAML_MAX_SCALAR);
		return 1;
	}
	if (n->type == NODE_MAP)
		check_map(n);
	for (i = 0; i < n->count; i++)
		weight += check_tree(n->items[i], depth + 1);
	/* what a merge hid is weighed, but not there */
	require(weight <= n->weight && n->weight <= YAML_MAX_WEIGHT);
	return weight;
}

/* The value of every scalar is known or an error, and has no variable left. */
static void
check_values(struct vars *v, struct node *n)
{
	const struct node *value = vars_resolve(v, n);
	size_t i;

	require(value || v->errors->count || zone_failed(v->zone));
	if (value && value->type == NODE_SCALAR)
		require(strlen(value->text) <= YAML_MAX_SCALAR);
	for (i = 0; i < n->count; i++)
		check_values(v, n->items[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zone *zone = zone_new(ZONE_MAX);
	struct errlist errors;
	struct vars *v = calloc(1, sizeof *v);
	struct node *root;

	if (!zone || !v)
		abort();
	errlist_init(&errors);
	root = yaml_read(zone, "f", (const char *)data, size, &errors);
	require((root == NULL) == (errors.count > 0));
	if (root) {
		check_tree(root, 0);
		*v = (struct vars){.zone = zone, .errors = &errors,
		    .root = root, .stage = "dev", .directory = "/nowhere",
		    .site_fd = -1};
		map_init(&v->env);
		vars_walk(v, root);
		check_values(v, root);
		map_release(&v->env);
	}
	errlist_release(&errors);
	zone_free(zone);
	free(v);
	return 0;
}
