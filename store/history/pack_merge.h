/*
 * Packs, copied into one: entries move as they lie, without being inflated.
 */
#ifndef HISTORY_PACK_MERGE_H
#define HISTORY_PACK_MERGE_H

#include "pack_write.h"

/*
 * Copies each object of pack `name` ("pack-<sum>" in `dir_fd`) to `out`, its
 * checksum compared; what is a delta goes through `odb`.  0 or -1 with *e.
 */
int pack_copy(int dir_fd, const char *name, git_odb *odb,
    struct pack_out *out, struct err *e);

#endif
