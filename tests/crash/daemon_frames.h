/*
 * The ids of daemon_store's requests tell what they are, so that the replies
 * alone, as the recorder notes them, tell what was promised.
 */
#ifndef CRASH_DAEMON_FRAMES_H
#define CRASH_DAEMON_FRAMES_H

#include "store/base/buf.h"

#include <stddef.h>

enum {
	/* less: the operation of that number */
	ID_RUN = 0x10000000,	/* + run: the first request of a run */
	ID_READ = 0x20000000,	/* + n: a document is read */
	ID_OTHER = 0x30000000,	/* + n: tells nothing */
	ID_BACKUP = 0x38000000,	/* + m: a backup is made after that */
	ID_TABLES = 0x3fffffff	/* the last table is made, or there */
};

/*
 * Writes the promises that lie in all that the daemon sent, as document_store
 * has them: 0, or -1 if these are no frames.
 */
int frames_to_promises(const char *p, size_t n, struct buf *out);

#endif
