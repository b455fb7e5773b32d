/*
 * Inside of expr/: sums of values.
 */
#ifndef EXPR_SETS_H
#define EXPR_SETS_H

#include "expr.h"

/* Two sets of one type.  The difference may be empty (count 0). 0 or -1. */
int sets_union(struct arena *a, const struct value *x, const struct value *y,
    struct value *out, struct err *e);
int sets_minus(struct arena *a, const struct value *x, const struct value *y,
    struct value *out, struct err *e);

/* Two lists, one behind the other. */
int sets_append(struct arena *a, const struct value *x, const struct value *y,
    struct value *out, struct err *e);

/* Two numbers: x + y, or x - y if `minus`. */
int sets_sum(struct arena *a, const struct value *x, const struct value *y,
    bool minus, struct value *out, struct err *e);

#endif
