/*
 * What was written since the last sync, while it is little.
 *
 * A sync of the whole file system waits for all that anybody has written to
 * it: the pages of the index, and other programs' files.  Where few documents
 * have changed, their files and directories are synced one by one instead.
 *
 * A change is noted once it is made, and before anybody is told that it is: so
 * whoever was told, and then syncs, syncs it.
 */
#ifndef FILES_UNSYNCED_H
#define FILES_UNSYNCED_H

#include "path.h"

#include "store/base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { UNSYNCED_MAX = 16 };	/* with more, all of the file system is quicker */

struct unsynced_set {
	bool all;		/* too much, or nobody knows what */
	size_t count;
	struct unsynced_file {
		char path[PATH_MAX_BYTES];	/* below data/ */
		int fd;			/* O_PATH, or -1: it is gone */
	} files[UNSYNCED_MAX];
};

struct unsynced {
	int dir_fd, spare_fd;	/* data/ and spare/, the caller's */
	pthread_mutex_t lock;
	struct unsynced_set set;
};

/* What was written before is not known: the first sync is of all. */
void unsynced_init(struct unsynced *u);
void unsynced_release(struct unsynced *u);

/* A file was put there, or taken away. */
void unsynced_note(struct unsynced *u, const char *path);

/* Something else was changed: the next sync is of all. */
void unsynced_note_all(struct unsynced *u);

/*
 * All that was noted is on the disk: how many files were synced one by one, 0
 * if the file system was.  -1, and nothing is known any more.
 */
int unsynced_sync(struct unsynced *u, struct err *e);

#endif
