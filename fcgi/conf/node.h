/*
 * The tree that a YAML file becomes: scalars, lists and maps that know their
 * place.
 *
 * Aliases are shared pointers, so the tree is a graph without cycles; `weight`
 * counts its nodes as if they were copied, and the reader refuses a tree that
 * is too heavy.  Nodes live in the loader's zone.
 */
#ifndef CONF_NODE_H
#define CONF_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum node_type { NODE_SCALAR, NODE_LIST, NODE_MAP };

/* How far vars.c has come with a scalar. */
enum node_state { NODE_RAW, NODE_BUSY, NODE_DONE, NODE_BAD };

struct node {
	enum node_type type;
	const char *file;	/* relative to the site */
	int line, col;		/* from 1 */

	const char *text;	/* scalar: without NULs, UTF-8 */
	bool plain;		/* scalar: written without quotes */

	struct node **items;	/* list: elements; map: values */
	struct node **keys;	/* map: scalars, all different */
	uint32_t *order;	/* map: 0..count by the bytes of the key */
	size_t count;

	size_t weight;		/* nodes below and this one, aliases copied */

	enum node_state state;	/* variables: see vars.c */
	bool walked;		/* everything below has been expanded */
	bool secret;		/* text holds ${secret:NAME} */
	struct node *value;	/* NODE_DONE: what this scalar stands for */
};

/* Position of a key in a map, or -1. */
long node_index(const struct node *map, const char *key, size_t len);

/* The value of a key, or NULL. */
struct node *node_get(const struct node *map, const char *key);

/* A scalar that is YAML's null: nothing, ~ or null without quotes. */
bool node_null(const struct node *n);

/* "a value", "a list", "a map", for messages. */
const char *node_kind(const struct node *n);

#endif
