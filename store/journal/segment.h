/*
 * A segment of the journal as it lies on the disk: its lines, how they are
 * written, checked and found again.  Part of bothy-store; writes no file.
 */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H

#include "journal.h"

#include "store/base/buf.h"
#include "store/base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum {
	SEGMENT_HEAD = 53,	/* bytes of a line before its payload */
	SEGMENT_TAIL = 2,	/* and after it */
	SEGMENT_NAME_SIZE = 15	/* "00000001.jsonl" */
};

/* The file name of a segment, and its number (0: not a segment's name). */
void segment_name(char name[SEGMENT_NAME_SIZE], uint32_t number);
uint32_t segment_number(const char *name);

/* What stands in a line's head. */
struct segment_head {
	uint32_t crc;
	uint32_t len;		/* of the payload, 1 to JOURNAL_LINE_MAX */
	uint64_t position;	/* of the line */
	uint32_t batch;		/* bytes from the begin of its batch to it */
};

/* Bytes of a whole line with a payload of `len`. */
static inline uint64_t
segment_line_bytes(size_t len)
{
	return (uint64_t)len + SEGMENT_HEAD + SEGMENT_TAIL;
}

/* Appends a line; 0, or -1 without memory. */
int segment_add(struct buf *b, uint64_t position, uint32_t batch,
    const struct iovec *iov, size_t niov);

/*
 * Walks over the lines of one file, reading it piece by piece.  `at` may be
 * set to any byte between two calls.
 */
struct segment_reader {
	int fd;			/* borrowed */
	uint64_t base;		/* position of the file's first byte */
	uint64_t at;		/* byte in the file where the next begins */
	uint64_t end;		/* no line reaches beyond this byte */
	struct buf window;	/* bytes of the file from window_at on */
	uint64_t window_at;
};

void segment_reader_init(struct segment_reader *r, int fd, uint64_t base,
    uint64_t end);
void segment_reader_release(struct segment_reader *r);

enum segment_found {
	SEGMENT_FAILED = -1,	/* errno: EIO, ENOMEM */
	SEGMENT_NONE,		/* no sound line at `at`: the end, or damage */
	SEGMENT_LINE
};

/*
 * The line at `at`: its head, and its payload (h->len bytes, borrowed until
 * the next call); `at` moves behind it.  A line is sound if its form, length,
 * position and checksum are.
 */
enum segment_found segment_next(struct segment_reader *r,
    struct segment_head *h, const char **payload);

/*
 * The base that a file shows by its first line (a sound line at byte 0, at
 * whatever position): SEGMENT_LINE and *base, SEGMENT_NONE or SEGMENT_FAILED.
 */
enum segment_found segment_base(int fd, uint64_t size, uint64_t *base);

/* A reader's base, where a file's begin is damaged and shows none. */
#define SEGMENT_ANYWHERE UINT64_MAX

/*
 * Looks behind byte `at` of the reader, where no sound line was found, for one
 * that proves that `at` had been synced: one whose batch began after it.
 * SEGMENT_LINE and *where (a byte in the file), SEGMENT_NONE, SEGMENT_FAILED.
 * With the base SEGMENT_ANYWHERE, `at` is 0, and any base will do.
 */
enum segment_found segment_beyond(struct segment_reader *r, uint64_t *where);

/* 1 if all bytes from `at` to `size` are zero, 0 if not, -1 with errno. */
int segment_blank(int fd, uint64_t at, uint64_t size);

#endif
