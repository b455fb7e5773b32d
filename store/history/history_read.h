/*
 * What the parts that read the history share.
 */
#ifndef HISTORY_HISTORY_READ_H
#define HISTORY_HISTORY_READ_H

#include "history_internal.h"

/* The commits of main, newest first: 0 goes on, 1 ends, -1 failed (*e set). */
typedef int history_raw_fn(void *ctx, const struct history_raw *raw);
int history_walk(struct history_view *v, history_raw_fn *fn, void *ctx,
    struct err *e);

int history_resolve_raw(struct history_view *v, const char *name,
    struct history_raw *out, struct err *e);

/* What a name may be that is no tag's; see history.h for the others. */
bool history_is_id(const char *s);

#endif
