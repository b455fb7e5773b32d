/*
 * Inside of expr/: trees made by hand, without a text.  NULL without memory.
 */
#ifndef EXPR_NODE_H
#define EXPR_NODE_H

#include "expr.h"

/* A node with room for arguments, which *args are. */
struct expr *node_make(struct arena *a, enum expr_op op, size_t nargs,
    const struct expr ***args);

/* An attribute by its name; a value. */
const struct expr *node_path(struct arena *a, const struct text *name);
const struct expr *node_value(struct arena *a, const struct value *v);

/* The path of an attribute: 0, or -1 without memory. */
int node_fill_path(struct arena *a, const struct text *name,
    struct expr_path *out);

#endif
