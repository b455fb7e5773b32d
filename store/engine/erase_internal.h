/*
 * What the files of an erasure share.
 */
#ifndef ENGINE_ERASE_INTERNAL_H
#define ENGINE_ERASE_INTERNAL_H

#include "erase.h"

/*
 * The document's files in conflicts/ and in what spare/ still holds of dropped
 * tables: 0 and how many in *count, or -1 with *e.
 */
int erase_aside(int store_fd, const struct erasure *x, uint64_t *count,
    struct err *e);

#endif
