/*
 * Packs, written: objects in, `pack-<sum>.pack` with its `.idx` out
 * (gitformat-pack(5)), each file synced and the directory behind them.
 * Objects go straight to the file, so memory is bounded however many there
 * are: a pack that grows large is closed and the next one begun.
 *
 * Sequence: pack_out_new, pack_out_add..., pack_out_publish, pack_out_free.
 * Until pack_out_publish nobody sees anything; freed without it, nothing
 * stays.
 */
#ifndef HISTORY_PACK_WRITE_H
#define HISTORY_PACK_WRITE_H

#include "store/base/err.h"

#include <git2.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What of the history a pack holds: the commits of the positions
 * (from, to], the newest of which is of `time_s`.  `level` says how often
 * it was merged (thin.h).  Kept in `pack-<sum>.span` beside it; a pack
 * without one is foreign.
 */
struct pack_span {
	uint64_t from, to;
	int64_t time_s;
	unsigned level;
};

/* Where an object lies, for deltas against it. */
struct pack_place {
	uint32_t pack;		/* which of this writer's packs */
	uint32_t offset;
	uint32_t depth;		/* deltas from here to a whole object */
};

enum { PACK_NAME_SIZE = 64 };	/* "pack-<sum>" and '\0' */

struct pack_out;

/* `dir_fd` is objects/pack, open as long as this is. NULL with *e. */
struct pack_out *pack_out_new(int dir_fd, struct err *e);
void pack_out_free(struct pack_out *p);

/*
 * Adds an object, unless the pack has it already; *id is told in either case.
 * 0 or -1 with *e.
 */
int pack_out_add(struct pack_out *p, git_object_t type, const void *bytes,
    size_t n, git_oid *id, struct err *e);

/* The same for an object whose id is known. */
int pack_out_known(struct pack_out *p, git_object_t type, const void *bytes,
    size_t n, const git_oid *id, struct err *e);

/*
 * The same as `delta` (pack_delta.h) against what lies at `base`, if that is
 * in the pack being written: 1, 0 if it isn't (nothing was added), -1 with *e.
 */
int pack_out_delta(struct pack_out *p, const void *delta, size_t n,
    const struct pack_place *base, const git_oid *id, struct err *e);

/* An object as it lies in another pack: its header and deflated bytes. */
int pack_out_raw(struct pack_out *p, const void *raw, size_t n,
    const git_oid *id, struct err *e);

/* True, with its place, if the pack being written has it. */
bool pack_out_has(const struct pack_out *p, const git_oid *id,
    struct pack_place *place);

/*
 * Makes the packs visible and lasting.  *objects and *bytes are told (of pack
 * and index).  A writer that was given nothing makes nothing.
 */
int pack_out_publish(struct pack_out *p, const struct pack_span *span,
    uint64_t *objects, uint64_t *bytes, struct err *e);

/* True if a pack of this name ("pack-<sum>") was made by this writer. */
bool pack_out_made(const struct pack_out *p, const char *name, size_t n);

#endif
