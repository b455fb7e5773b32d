/*
 * What the recorder writes and the replayer reads: the file operations of a
 * program below one directory, in order, and what it sent over sockets.
 *
 * A record is this struct as it lies in memory, then the bytes of `first`,
 * those of `second`, and zeros up to a multiple of 8.  Files and directories
 * are told by inode number; a RECORD_NEW says that a number means something
 * new from there on.
 */
#ifndef CRASH_RECORD_H
#define CRASH_RECORD_H

#include <stdint.h>

enum record_kind {
	RECORD_START,		/* a program starts; a: inode of the root; */
				/* b: 1 if others may run beside it */
	RECORD_NEW,		/* a: inode; b: what; c: its mode, or 0; first: */
				/* where a link leads */
	RECORD_WRITE,		/* a: inode, b: offset, first: the bytes */
	RECORD_TRUNCATE,	/* a: inode, b: new length */
	RECORD_ALLOCATE,	/* a: inode, b: at least this length */
	RECORD_NAME,		/* a/first now is b (0: nothing); if c: */
				/* and c/second now is d, in one step */
	RECORD_SYNC_BEGIN,	/* a: inode (0: all), b: ticket, c: data only */
	RECORD_SYNC_END,	/* the same; d: 1 done, 0 failed */
	RECORD_SENT,		/* first: what goes to a socket */
	RECORD_DURABLE,		/* all so far is on the disk */
	RECORD_MODE		/* a: inode, b: its new mode */
};

enum { RECORD_FILE, RECORD_DIRECTORY, RECORD_LINK };

struct record {
	uint32_t kind;
	uint32_t first, second;		/* bytes that follow */
	uint32_t pid;
	uint64_t a, b, c, d;
};

/* Bytes of zeros at its end. */
static inline uint32_t
record_padding(const struct record *r)
{
	return -(r->first + r->second) & 7;
}

#endif
