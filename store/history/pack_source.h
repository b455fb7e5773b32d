/*
 * The entries of one pack as they lie: header and deflated bytes, their
 * checksum compared.
 *
 * Sequence: pack_source_open, the others, pack_source_close (also where opening
 * failed).
 */
#ifndef HISTORY_PACK_SOURCE_H
#define HISTORY_PACK_SOURCE_H

#include "store/base/buf.h"
#include "store/base/err.h"

#include <git2.h>
#include <stdbool.h>
#include <stdint.h>

struct pack_row {
	uint32_t offset, crc;
	uint32_t number;		/* in the index, which has them by id */
};

struct pack_source {
	const char *name;		/* "pack-<sum>", the caller's */
	size_t n;
	struct pack_row *rows;		/* in the order of offsets */
	struct buf entry;		/* the one that was read last */

	/* Inside. */
	int fd;
	uint64_t end;			/* where the entries end */
	struct buf index;
};

/* 0 or -1 with *e (a pack of over 2 GB, or a broken one). */
int pack_source_open(struct pack_source *s, int dir_fd, const char *name,
    struct err *e);
void pack_source_close(struct pack_source *s);

/* Reads rows[at] into `entry`: 0 or -1 with *e. */
int pack_source_read(struct pack_source *s, size_t at, struct err *e);

/* The type of what was read: of git_object_t, or 6, 7 for a delta. */
int pack_source_type(const struct pack_source *s);

/* The id of rows[at]; which row has an id, or false. */
void pack_source_id(const struct pack_source *s, size_t at, git_oid *id);
bool pack_source_find(const struct pack_source *s, const git_oid *id,
    size_t *at);

/* Several, of which each is looked through. */
struct pack_sources {
	struct pack_source *list;
	size_t n;
};

/* Sets *e for a pack that is not as it should be; -1. */
int pack_source_broken(const struct pack_source *s, struct err *e);

#endif
