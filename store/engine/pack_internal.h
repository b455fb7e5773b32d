/*
 * What the parts of the pack writer share: one pack that is being written,
 * and the index that is made from its entries.
 */
#ifndef ENGINE_PACK_INTERNAL_H
#define ENGINE_PACK_INTERNAL_H

#include "store/base/buf.h"
#include "store/base/err.h"

#include <git2.h>
#include <stdint.h>

enum { PACK_SUM_SIZE = 20, PACK_NAME_SIZE = 64 };

struct pack_entry {
	git_oid id;
	uint32_t crc;		/* of the entry as it lies in the pack */
	uint32_t offset;
	uint32_t depth;
};

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
