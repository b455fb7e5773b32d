/*
 * Children of a list or a map while their number is not known yet; then the
 * list or map itself, with merge keys carried out and doubles found.
 */
#ifndef CONF_GATHER_H
#define CONF_GATHER_H

#include "errlist.h"
#include "node.h"
#include "zone.h"

#include <stddef.h>

struct gather_entry;

/* Begin with {.node = n}, a list or a map without children. */
struct gather {
	struct node *node;
	struct gather_entry *entries;
	size_t count, room;
};

/* Adds a child; `key` is NULL for a list.  0, or -1 without memory. */
int gather_add(struct gather *g, struct node *key, struct node *value);

/*
 * Gives the node its children.  A key that was written twice adds an error and
 * is passed over.  0; or -1 with an error added: no memory, or `<<` with what
 * can't be merged.
 */
int gather_finish(struct gather *g, struct zone *a, struct errlist *errors);

void gather_release(struct gather *g);

#endif
