/*
 * What is new in one state against another, written to a pack: blobs and
 * trees, as deltas against later states of the same paths where that is
 * smaller.  States are given from the newest to the oldest, so that the
 * newest is whole and quick to read.  What needn't be looked into is copied as
 * it lies in a pack.
 */
#ifndef HISTORY_THIN_EMIT_H
#define HISTORY_THIN_EMIT_H

#include "history_internal.h"
#include "history_message.h"
#include "pack_source.h"

struct emit;

/*
 * NULL with *e; all is borrowed.  What is in none of `from` is read from `v`.
 * `progress` is told of all objects that are there.
 */
struct emit *emit_new(struct history_view *v, struct pack_sources *from,
    struct pack_out *out, const struct history_progress *progress,
    struct err *e);
void emit_free(struct emit *em);

/*
 * All in tree `new` that isn't in tree `old` (NULL: all).  `m`, if not NULL,
 * is told what differs, table by table.  0 or -1 with *e.
 */
int emit_state(struct emit *em, const git_oid *new, const git_oid *old,
    struct message *m, struct err *e);

#endif
