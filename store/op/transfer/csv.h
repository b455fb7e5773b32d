/*
 * A line of comma-separated values (RFC 4180, with another separator if need
 * be) as items of a table: a column a attribute, keys of the types that the
 * table's keys have, all others strings.
 */
#ifndef OP_OP_CSV_H
#define OP_OP_CSV_H

#include "store/op/op_internal.h"

enum { CSV_COLUMNS_MAX = 4096 };

struct csv_names {
	struct text *names;		/* in the arena of who reads them */
	size_t count;
};

/* The fields of a line, quotes undone, in the arena: 0, or -1 and *e. */
int csv_read(struct arena *a, const char *p, size_t n, char separator,
    struct csv_names *out, struct err *e);

/* A line as an item. */
int csv_item(struct arena *a, const struct table *t,
    const struct csv_names *names, const char *p, size_t n, char separator,
    struct value *out, struct err *e);

#endif
