/*
 * Looking things up in the tree of node.h.
 */
#include "node.h"

#include <string.h>

long
node_index(const struct node *map, const char *key, size_t len)
{
	size_t low = 0, high = map->count, mid;
	const char *text;
	int d;

	while (low < high) {
		mid = low + (high - low) / 2;
		text = map->keys[map->order[mid]]->text;
		d = strncmp(text, key, len);
		if (d == 0 && text[len] == '\0')
			return (long)map->order[mid];
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

struct node *
node_get(const struct node *map, const char *key)
{
	long i = node_index(map, key, strlen(key));

	return i < 0 ? NULL : map->items[i];
}

bool
node_null(const struct node *n)
{
	return n->type == NODE_SCALAR && n->plain &&
	    (n->text[0] == '\0' || strcmp(n->text, "~") == 0 ||
	    strcmp(n->text, "null") == 0 || strcmp(n->text, "Null") == 0 ||
	    strcmp(n->text, "NULL") == 0);
}

const char *
node_kind(const struct node *n)
{
	if (n->type == NODE_LIST)
		return "a list";
	if (n->type == NODE_MAP)
		return "a map";
	return node_null(n) ? "nothing" : "a single value";
}
