/*
 * Buckets: directories below buckets/ in the store's directory (or what that is
 * a link to, which its owner decides), to which tables are exported and from
 * which they are imported.  Nothing is ever opened outside of one: no way up,
 * no link is followed below buckets/.
 */
#ifndef OP_OP_BUCKET_H
#define OP_OP_BUCKET_H

#include "store/op/op_internal.h"

enum { BUCKET_PATH = 1600 };		/* of a file below its bucket */

/*
 * The directory of a bucket; -1 with an error: FAULT_NOT_FOUND, there is none.
 */
int op_bucket_open(struct store *s, const struct text *name, struct err *e);

/* A directory below it, made with those above it; -1 with an error. */
int op_bucket_make(int bucket_fd, const char *path, struct err *e);

/* A whole file in a directory, new and synced: 0, or -1 and *e. */
int op_bucket_write(int dir_fd, const char *name, const void *p, size_t n,
    struct err *e);

/*
 * Calls `each` for every file whose path in the bucket begins with `prefix`, in
 * the order of their names, open for reading: 0, or what isn't 0 and ended it.
 * Names that begin with a point are passed over.
 */
typedef int op_bucket_fn(void *ctx, const char *path, int fd, struct err *e);
int op_bucket_each(int bucket_fd, const struct text *prefix,
    op_bucket_fn *each, void *ctx, struct err *e);

#endif
