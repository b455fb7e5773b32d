/*
 * The versions of one document, walked: what log and blame are made of.
 */
#ifndef HISTORY_HISTORY_LOG_H
#define HISTORY_HISTORY_LOG_H

#include "history_read.h"

/* A version as history_log tells it; 0 goes on, 1 ends, -1 failed. */
typedef int history_each_fn(void *ctx, const struct history_version *v,
    struct err *e);

/* The versions from main's tip down to the root, newest first. */
int history_versions(struct history_view *v, struct history_paths p,
    history_each_fn *fn, void *ctx, struct err *e);

#endif
