/*
 * Trees for who reads another language than DynamoDB's expressions (PartiQL):
 * the nodes of expr.h, with the checks that a parsed text of its own would
 * have had.  `kind` says in errors what was being read: "Invalid <kind>: ...".
 *
 * Failure is -1 with *e set as in expr.h.
 */
#ifndef EXPR_MAKE_H
#define EXPR_MAKE_H

#include "expr.h"

/* A leaf: the path, or the value. */
int expr_make_path(struct arena *a, const struct expr_path *path,
    const struct expr **out, struct err *e);
int expr_make_value(struct arena *a, const struct value *v,
    const struct expr **out, struct err *e);

/* Any other node; the arguments are copied, what they are is checked. */
int expr_make(struct arena *a, const char *kind, enum expr_op op,
    const struct expr *const *args, size_t nargs, const struct expr **out,
    struct err *e);

/*
 * Changes in any order, at least one.  Of EXPR_ADD and EXPR_DELETE the
 * operands are checked by who calls.
 */
int expr_make_update(struct arena *a, const char *kind,
    const struct expr_change *changes, size_t n,
    const struct expr_update **out, struct err *e);

#endif
