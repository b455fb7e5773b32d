/*
 * The three marks of a store, kept in journal/mark: how far each use of the
 * journal has come.  What lies below the least of them may go.
 *
 *     redo   all before it lies in files and history, on the disk
 *     feed   the oldest change that the feed still gives
 *     pitr   the oldest moment that can be restored
 *
 * The file has two slots that are written in turn, so that a torn write leaves
 * the mark before.  Used by journal.c; the store sees struct mark alone.
 * Never moved back, and never renewed before what it claims is on the disk:
 * that is the caller's to see to.
 */
#ifndef JOURNAL_MARK_H
#define JOURNAL_MARK_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	MARK_COMMIT_SIZE = 65,	/* SHA-1 or SHA-256 in hex, and a NUL */
	MARK_SLOT = 512,	/* bytes that a write covers */
	MARK_SLOTS_APART = 4096	/* the second slot is in a page of its own */
};

struct mark_point {
	uint64_t position;	/* in the journal: where a line begins */
	int64_t at_ms;		/* wall clock of the change before it, or 0 */
};

struct mark {
	struct mark_point redo, feed, pitr;
	char commit[MARK_COMMIT_SIZE];	/* of the history at redo, or "" */
};

/* The least of the three positions. */
uint64_t mark_least(const struct mark *m);

/* The file, open for writing.  Not for threads to share. */
struct mark_file {
	int fd;			/* -1: not open */
	uint64_t sequence;	/* of the mark that stands: odd or even slot */
	struct mark mark;	/* what stands */
	bool failed;		/* a write failed: never written again */
};

/*
 * Reads journal/mark below the directory of the journal: 1; 0 if there is no
 * such file; or -1 and the error (EUCLEAN: neither slot can be read).
 */
int mark_read(int journal_fd, struct mark *m, struct err *e);

/*
 * Makes the file anew with `m` in it, synced with its directory, and opens it:
 * what was read may not have been on the disk.  Where there is no room for
 * that, the one that is there is written over.  0, or -1 and the error.
 */
int mark_create(struct mark_file *f, int journal_fd, const struct mark *m,
    struct err *e);

/*
 * Writes `m` into the older slot and syncs it: 0; or -1 and the error, after
 * which the mark before may stand or not, and no other is ever written
 * (FAULT_READ_ONLY).
 */
int mark_write(struct mark_file *f, const struct mark *m, struct err *e);

void mark_close(struct mark_file *f);

#endif
