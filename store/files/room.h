/*
 * Room: whether the disk holds what a write will need, asked before it is
 * journaled.  Blocks and inodes are held back for what must go on when the
 * disk is full: the backlog of files, the pack of a checkpoint, the next
 * segment of the journal.  Deletes may use what is held back, since they are
 * the way out.
 *
 * Belongs to one thread, the writer.
 */
#ifndef FILES_ROOM_H
#define FILES_ROOM_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct room {
	int fd;			/* of the store's directory; the caller's */
	char where[256];	/* its path, for the error */
	uint64_t reserve_bytes, reserve_inodes;
	uint64_t free_bytes, free_inodes;	/* less what was granted since */
	uint64_t block;		/* bytes that a small file takes */
	int64_t looked_ms;	/* monotonic */
};

enum { ROOM_LOOK_MS = 50 };	/* how old a look at the disk may be */

void room_init(struct room *r, int store_fd, const char *where);

/* What is held back from now on. */
void room_reserve(struct room *r, uint64_t bytes, uint64_t inodes);

/*
 * Room for `bytes` in the journal and as many again in `documents` files; for
 * deletes, in the journal alone.  0; or -1 with FAULT_NO_ROOM and what is
 * missing, or the errno with which the disk could not be asked.
 */
int room_check(struct room *r, uint64_t bytes, uint64_t documents,
    bool deletes, struct err *e);

/* Looks at the disk at the next check: something was freed. */
void room_forget(struct room *r);

#endif
