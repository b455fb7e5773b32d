/*
 * Deltas as packs hold them: one object told as pieces of another
 * (gitformat-pack(5), "Deltified representation").
 *
 *   size of the base | size of the result      (7 bits a byte, lowest first)
 *   1 oooo sss, then the offset and size bytes whose bits are set: copy
 *   0 nnnnnnn, then n bytes: insert
 */
#ifndef HISTORY_PACK_DELTA_H
#define HISTORY_PACK_DELTA_H

#include "store/base/buf.h"

/*
 * Appends the delta that makes `to` from `from`.  Of trees, which differ in a
 * few ids here and there; of other bytes, which differ in one place.  0; or -1
 * if it isn't worth it, out of memory, or not a tree.
 */
int pack_delta_trees(const void *from, size_t from_n, const void *to,
    size_t to_n, struct buf *out);
int pack_delta_bytes(const void *from, size_t from_n, const void *to,
    size_t to_n, struct buf *out);

#endif
