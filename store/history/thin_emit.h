/*
 * What is new in one state against another, written to a pack: blobs and
 * trees, as deltas against later states of the same paths where that is
 * smaller.  States are given from the newest to the oldest, so that the
 * newest is whole and quick to read.
 */
#ifndef HISTORY_THIN_EMIT_H
#define HISTORY_THIN_EMIT_H

#include "history_internal.h"
#include "history_message.h"

struct emit;

/* NULL with *e; `v` and `out` are borrowed. */
struct emit *emit_new(struct history_view *v, struct pack_out *out,
    struct err *e);
void emit_free(struct emit *em);

/*
 * All in tree `new` that isn't in tree `old` (NULL: all).  `m`, if not NULL,
 * is told what differs, table by table.  0 or -1 with *e.
 */
int emit_state(struct emit *em, const git_oid *new, const git_oid *old,
    struct message *m, struct err *e);

#endif
