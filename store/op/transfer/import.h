/*
 * What an import reads: files found and cut into documents, for import.c.
 */
#ifndef OP_OP_IMPORT_H
#define OP_OP_IMPORT_H

#include "store/op/op_internal.h"

/*
 * One document's text; or what hindered its reading (`bad`, p NULL).  `where`
 * is "path" or "path:line".  0 to go on, -1 with *e ends it.
 */
typedef int op_import_fn(void *ctx, const char *where, const char *p,
    size_t n, const struct err *bad, struct err *e);

/*
 * A file of lines, or every .json in a directory and those below it, in the
 * order of their names; names that begin with a point are passed over.  A file
 * is told of as `name`, unless that is NULL.
 */
int op_import_read(const char *path, const char *name, op_import_fn *fn,
    void *ctx, struct err *e);

#endif
