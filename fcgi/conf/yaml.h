/*
 * YAML text -> the tree of node.h.  The only file that knows libyaml.
 *
 * YAML 1.1 as far as a configuration needs it: maps, lists, scalars, anchors
 * and aliases, merge keys (<<).  Refused, each with its place: text that is
 * not UTF-8, tags, keys that are no single word or come twice, more than one
 * document, and what passes the limits below, in time and memory that follow
 * the size of the text.
 */
#ifndef CONF_YAML_H
#define CONF_YAML_H

#include "errlist.h"
#include "node.h"
#include "zone.h"

#include <stddef.h>

enum {
	YAML_MAX_DEPTH = 64,		/* lists and maps inside one another */
	YAML_MAX_WEIGHT = 100000,	/* nodes, with aliases copied */
	YAML_MAX_SCALAR = 64 * 1024	/* bytes of one */
};

/*
 * The root of `bytes`, whose name in errors is `file` (kept, not copied); or
 * NULL with at least one error added.
 */
struct node *yaml_read(struct zone *a, const char *file, const char *bytes,
    size_t n, struct errlist *errors);

#endif
