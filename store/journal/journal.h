/*
 * The journal: what was decided, in order, on the disk before anyone hears of
 * it.  Part of bothy-store.  It knows lines of bytes, not what they mean.
 *
 * A line is one commit unit.  It is reached by its position: the number of
 * bytes of all lines before it since the store began.  Positions grow by the
 * line and are never used again.  Lines lie in segments that are preallocated,
 * journal/00000001.jsonl and so on; each is a line of JSON by itself (see
 * segment.h), so that jq and grep read a journal too.
 *
 * Sequence: journal_open; journal_read from the redo mark, to replay; then
 * journal_add..., journal_sync, over and over; journal_close.
 *
 * Threads: journal_add and journal_sync belong to one thread, the writer.  All
 * else may be called by any thread meanwhile.
 *
 * Failures.  A write or sync that failed is never tried again: from then on
 * journal_add and journal_sync give FAULT_READ_ONLY, and reads go on.  What
 * the failed batch held may be there after the next start or not; nothing of
 * it was acknowledged.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "mark.h"

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum {
	JOURNAL_SEGMENT_BYTES = 16 << 20,	/* unless told otherwise */
	JOURNAL_LINE_MAX = 64 << 20,		/* bytes of a line's payload */
	JOURNAL_OVERHEAD = 55	/* bytes that a line has besides its payload */
};

struct journal;

struct journal_options {
	uint32_t segment_bytes;	/* 0: JOURNAL_SEGMENT_BYTES; at least 4096 */
	uint64_t begin;		/* first position, if there is no journal yet */
	bool read_only;		/* writes nothing; bears a damaged journal */
};

/*
 * Opens journal/ below the store's directory, and makes it if there is none.
 *
 * A torn tail, which nobody was told of, is cut.  The newest segment is then
 * written anew into another file and synced with its directory, so that
 * nothing is ever read that a second crash could take back.  Damage below
 * lines that were synced, a gap, or a mark that lies outside is an error
 * (EUCLEAN) that names file and byte.  From the redo mark on every line is
 * checked here; older ones are checked when they are read.
 *
 * With `read_only` the lines before the damage can be read, and
 * journal_damage tells of it.
 *
 * 0 and *out, which journal_close frees; or -1 and the error.
 */
int journal_open(int store_fd, const struct journal_options *o,
    struct journal **out, struct err *e);

/* Writes nothing: what was added and not synced is forgotten.  NULL is fine. */
void journal_close(struct journal *j);

/* What is wrong with a journal that was opened read-only, or NULL. */
const struct err *journal_damage(const struct journal *j);

/* --- writing: one thread ------------------------------------------------ */

/*
 * Adds a line to the open batch; its payload, one JSON value without a
 * newline in it, is copied.  Once it is added its place on the disk is sure.
 * *next (may be NULL) gets the position behind it, which journal_end will
 * have reached when it is synced.
 *
 * 0; or -1, the batch as it was: FAULT_BUSY (the batch is full: sync, then add
 * again), FAULT_LIMIT (longer than JOURNAL_LINE_MAX), FAULT_NO_ROOM (the disk
 * is full; try again later), FAULT_READ_ONLY, EINVAL (a newline), ENOMEM.
 */
int journal_add(struct journal *j, const struct iovec *iov, size_t niov,
    uint64_t *next, struct err *e);

/*
 * Takes the newest lines of the open batch back, down to `position`, which an
 * earlier journal_add gave or journal_end is.
 */
void journal_drop(struct journal *j, uint64_t position);

/*
 * Writes the open batch and lets it be on its way to the disk, so that the
 * caller can do something meanwhile.  Then comes journal_sync, with nothing
 * added or dropped between, and tells what failed.
 */
void journal_send(struct journal *j);

/*
 * Writes the open batch and syncs it once.  0: all that was added is on the
 * disk.  -1: nothing of it may be acknowledged (FAULT_READ_ONLY; `e` says
 * why), now or later.  An empty batch is 0 at once.
 */
int journal_sync(struct journal *j, struct err *e);

/*
 * Makes the next segment ready if there is none, fills it with zeros when it
 * will be wanted soon, and gives what the full ones have left over back to the
 * file system.  For a thread that has time: call it at the start and whenever
 * journal_wants_segment.  A writer that finds no
 * segment ready makes it itself, and waits some milliseconds for that.
 * 0; or -1: FAULT_NO_ROOM (call again later), or what else open and fsync
 * give; the journal goes on with what it has.
 */
int journal_prepare(struct journal *j, struct err *e);
bool journal_wants_segment(const struct journal *j);

/* --- reading: any thread ------------------------------------------------ */

struct journal_line {
	uint64_t position, next;	/* of it, and of the line behind it */
	const char *payload;		/* borrowed until the call is over */
	size_t len;
};

/*
 * Calls `each` for every synced line from `from` on, until it gives other than
 * 0 or there is none left.  *next (may be NULL) is where to go on.
 *
 * 0 at the end, what `each` gave, or -1 and the error: FAULT_TRIMMED (`from`
 * lies before the first line kept), EINVAL (no line begins there), EUCLEAN
 * (damage, with file and byte), EIO, ENOMEM.
 */
int journal_read(struct journal *j, uint64_t from,
    int (*each)(void *ctx, const struct journal_line *line), void *ctx,
    uint64_t *next, struct err *e);

/* Where the first line kept begins, and where the last synced one ends. */
uint64_t journal_begin(const struct journal *j);
uint64_t journal_end(const struct journal *j);

/*
 * Where the segment after the one with `position` begins: a mark moved there
 * lets a whole segment go.  journal_end if there is none.
 */
uint64_t journal_boundary(const struct journal *j, uint64_t position);

/* --- marks: any thread -------------------------------------------------- */

/* The marks as they are on the disk. */
void journal_marks(const struct journal *j, struct mark *m);

/*
 * Puts new marks on the disk.  None may be less than it was, or beyond
 * journal_end (EINVAL).  0; or -1 and the error, and the old ones go on
 * (FAULT_READ_ONLY: no mark is ever written again).
 */
int journal_set_marks(struct journal *j, const struct mark *m, struct err *e);

/*
 * Removes the segments that lie wholly below all three marks on the disk.
 * 0, or -1 and the error; what is left is tried again by the next call.
 */
int journal_release(struct journal *j, struct err *e);

/* --- erasure -------------------------------------------------------------- */

/*
 * The writer's: what it adds from here on, and what it has added and not
 * synced, goes into another segment than what was synced before.
 */
int journal_turn(struct journal *j, struct err *e);

/*
 * What is to stand in a line instead, of the same length, into `out`: 1; 0 for
 * what stands there; -1 with *e.  May be asked twice.
 */
struct buf;
typedef int journal_edit_fn(void *ctx, const struct journal_line *line,
    struct buf *out, struct err *e);

/*
 * Writes lines before `upto` anew; all of them lie in segments that are not
 * written to any more (journal_turn), and below the redo mark, so that no
 * replay misses what is left out.  Any thread, one at a time.  0; or -1 and
 * the error: each line is as it was or as `edit` has it.  *changed: how many.
 */
int journal_rewrite(struct journal *j, uint64_t upto, journal_edit_fn *edit,
    void *ctx, uint64_t *changed, struct err *e);

/* --- figures ------------------------------------------------------------ */

struct journal_stat {
	uint64_t begin, end;	/* as journal_begin and journal_end */
	uint64_t disk_bytes;	/* of all segments */
	uint32_t segments;	/* the prepared one among them */
	int failed;		/* errno of what stopped writing, or 0 */
};

void journal_stat(const struct journal *j, struct journal_stat *s);

/* Bytes that lines may still take, without a new segment. */
uint64_t journal_room(const struct journal *j);

#endif
