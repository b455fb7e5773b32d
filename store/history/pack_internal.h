/*
 * What the parts of the pack writer share: the packs that are being written
 * (pack_write.c), how one is closed and made visible (pack_publish.c), and the
 * index that is made from its entries (pack_index.c).
 */
#ifndef HISTORY_PACK_INTERNAL_H
#define HISTORY_PACK_INTERNAL_H

#include "pack_write.h"

#include "store/base/buf.h"

/* (zlib takes what it reads as const only if asked to.) */
#define ZLIB_CONST
#include <zlib.h>

enum {
	PACK_SUM_SIZE = 20,
	PACK_OBJECTS_MAX = 250000,
	PACK_BYTES_MAX = 1 << 30
};

struct pack_entry {
	git_oid id;
	uint32_t crc;		/* of the entry as it lies in the pack */
	uint32_t offset;
	uint32_t depth;
};

/*
 * Ends the name of a file that is being written: git, which may look at any
 * time, takes what ends as .idx for an index.
 */
#define PACK_TEMP ".tmp"

/* A pack that is whole but not yet in its place. */
struct pack_done {
	char temp[PACK_NAME_SIZE];	/* without .pack and .idx */
	char name[PACK_NAME_SIZE];
	uint64_t objects, bytes;
};

/*
 * Invariants:
 *   1. The pack being written has `flushed` bytes in the file, and then those
 *      of `tail`; its entries lie at growing offsets, each before flushed +
 *      tail.len.
 *   2. slots[] finds entries by id; a slot is an index + 1, 0 free, and at
 *      most half are taken.
 */
struct pack_out {
	int dir_fd;
	int fd;				/* -1: no pack is begun */
	uint64_t flushed;
	struct buf tail;
	struct pack_entry *entries;
	size_t count, room;
	uint32_t *slots;
	size_t nslots;
	char temp[PACK_NAME_SIZE];
	struct pack_done *done;
	size_t ndone;
	z_stream z;
};

/* Writes what is in memory to the file.  0 or -1 with *e. */
int pack_flush(struct pack_out *p, struct err *e);

/* Writes at a place.  0 or -1 with errno. */
int pack_write_at(int fd, const void *bytes, size_t n, uint64_t at);

/* Closes the pack being written, synced, still under its temporary name. */
int pack_finish(struct pack_out *p, struct err *e);
void pack_remove_temp(const struct pack_out *p, const char *temp);

/*
 * Appends an index, version 2, of `n` entries, which it sorts; `sum` is the
 * pack's own.  0 or -1 with *e.
 */
int pack_index(struct pack_entry *entries, size_t n, const unsigned char *sum,
    struct buf *out, struct err *e);

/* SHA-1 of bytes, and of the first `n` of a file.  0 or -1 with *e. */
int pack_sum(const void *p, size_t n, unsigned char *sum, struct err *e);
int pack_sum_file(int fd, uint64_t n, unsigned char *sum, struct err *e);

#endif
