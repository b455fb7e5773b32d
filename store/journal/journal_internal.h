/*
 * What the files of the journal share: its state in memory.  For journal*.c.
 */
#ifndef JOURNAL_JOURNAL_INTERNAL_H
#define JOURNAL_JOURNAL_INTERNAL_H

#include "journal.h"
#include "segment.h"

#include <pthread.h>
#include <stdatomic.h>

/* A segment that holds lines. */
struct segment {
	uint32_t number;
	uint64_t base;		/* position of its first byte */
	uint64_t bytes;		/* length of the file */
};

/* A file that the writer writes to, or will. */
struct segment_file {
	int fd;			/* -1: none */
	uint32_t number;
	uint64_t bytes;
	uint64_t written;	/* bytes that were made zeros before any line */
};

/*
 * Invariants:
 *
 *  1. All lines before `end` are on the disk, whatever happens; nobody is
 *     shown another.
 *  2. segments[] is in order without a gap: each ends where the next begins,
 *     the last one at `end`.  The first begins at or below all three marks.
 *  3. Only the last of segments[] is written to: it is `active`, unless there
 *     is none yet or it had no room left when the journal was opened.
 *  4. `next` is empty, allocated, and on the disk by name and length.  Its
 *     number is `number` + 1.
 *  5. The open batch has its place: it fits into what `active` has left or,
 *     with `to_next`, into `next`.
 *  6. Once `failed` is set, nothing is written to a segment.
 *  7. `to_next` is set under `next_lock`; who makes `next` zeros holds that
 *     for each piece, and writes none once it is set.
 *
 * `lock` guards segments, `active`, `next` and the standing marks; it is never
 * held over a system call that could wait.  Who makes `next` holds
 * `next_lock`, who writes marks `mark_lock`; both come before `lock`.
 */
struct journal {
	int dir_fd;			/* journal/ */
	bool read_only;
	uint32_t segment_bytes;
	struct err damage;		/* read_only; text "": none */

	_Atomic uint64_t end;		/* position */
	_Atomic int failed;		/* errno of a write or sync, or 0 */

	pthread_mutex_t lock, next_lock, mark_lock;
	struct segment *segments;
	size_t count, room;
	uint32_t number;		/* of the last segment, 0 before it */
	struct segment_file active, next;
	uint64_t active_used;		/* bytes of lines in it */
	uint64_t raw;			/* of them, where no zeros were */
	struct mark marks;		/* as they are on the disk */
	struct mark_file mark_file;

	struct buf batch;		/* the writer's: lines from `end` on */
	atomic_bool to_next;		/* the batch goes into `next` */
	bool sent;			/* the batch is on its way */
};

/* Index of the segment that holds `position`, with `lock` held; or count. */
size_t journal_find(const struct journal *j, uint64_t position);

/*
 * Adds a segment behind the others; the caller holds `lock`, or is alone.
 * 0, or -1 without memory.
 */
int journal_append_segment(struct journal *j, const struct segment *s);

/* Room for one more, so that the next append can't fail. */
int journal_reserve_segment(struct journal *j);

/* 0; or -1 and FAULT_READ_ONLY if nothing may be written any more. */
int journal_refuse(const struct journal *j, struct err *e);

/* Sees to a `next` of at least `bytes`: 0, or -1 and the error. */
int journal_make_next(struct journal *j, uint64_t bytes, struct err *e);

/* The same for the open batch, which goes into it then. */
int journal_take_next(struct journal *j, uint64_t bytes, struct err *e);

/*
 * Gives a new file its blocks and its length: 0, or -1 with errno.  Where the
 * file system can't, it is filled with zeros.
 */
int journal_allocate(int fd, uint64_t bytes);

/* Makes FAULT_NO_ROOM of what a full disk gives; -1. */
int journal_no_room(struct err *e);

/* pwrite of all: 0, or -1 with errno. */
int journal_write_at(int fd, const void *p, size_t n, uint64_t at);

/* --- at the start ------------------------------------------------------- */

/* A file found in journal/. */
struct found_segment {
	struct segment s;	/* base only if `lines` */
	bool lines;		/* begins with a sound line */
};

/* All of them by number; those from `first` to `newest` count. */
struct found {
	struct found_segment *files;
	size_t count, room;
	size_t newest;		/* the last with lines; count if none has */
	size_t first;		/* the one with the least mark */
};

/* Fills in what lies in journal/ (journal_recover.c): 0 or -1. */
int journal_recover(struct journal *j, uint64_t begin, struct err *e);

/*
 * Puts what was found on the disk for good, and opens it for writing
 * (journal_settle.c): 0, or -1 and the error.
 */
int journal_settle(struct journal *j, const struct found *f, struct err *e);

#endif
