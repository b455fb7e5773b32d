/*
 * Whether the index may be trusted.  It is written without syncs, so after a
 * power cut it is damaged in ways that LMDB doesn't see.  `index/stamp`, synced
 * before the first unsynced write of a run, tells what it was then:
 *
 *   bothy-index 1
 *   boot 6c9e...-...               /proc/sys/kernel/random/boot_id
 *   mount 2147484123               STATX_MNT_ID_UNIQUE, or "unknown"
 *   inode 1234                     of data.mdb
 *   state open                     or clean: all was synced, and closed
 *
 * A clean index is trusted.  One that is open is, after a kill, only if boot,
 * inode and mount are the same and known: what was written then still lies in
 * the kernel's memory.  Boot and inode alone are fooled by a file system that
 * was mounted again.
 *
 * A run with one that is trusted: stamp_trusted, index_open,
 * stamp_write(STAMP_OPEN), batches, index_sync, index_close,
 * stamp_write(STAMP_CLEAN).  Else: index_wipe, which takes the stamp away,
 * index_open, the batches that make it whole, and only then
 * stamp_write(STAMP_OPEN): a kill in between must leave one that isn't trusted.
 */
#ifndef INDEX_STAMP_H
#define INDEX_STAMP_H

#include "store/base/err.h"

#include <stdbool.h>

enum stamp_state { STAMP_OPEN, STAMP_CLEAN };

/*
 * `path` is the directory of the index.  If it is false, *why says why: there
 * is no index, or the text of what was found.
 */
bool stamp_trusted(const char *path, struct err *why);

/* Puts the stamp in place and syncs it; data.mdb is there. */
int stamp_write(const char *path, enum stamp_state state, struct err *e);

/* Takes it away for good: 0, or -1 and *e. */
int stamp_remove(const char *path, struct err *e);

/*
 * Refuses to have a store on a file system that doesn't keep what is synced, or
 * whose locks, leases or renames can't be relied on: NFS, SMB, FUSE, overlay,
 * tmpfs and their like.
 */
int stamp_check_place(const char *path, struct err *e);

/* The same of a file system's magic number (statfs.f_type). */
int stamp_check_magic(const char *path, unsigned long magic, struct err *e);

#endif
