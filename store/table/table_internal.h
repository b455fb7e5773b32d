/*
 * What table_write.c, table_read.c and table_check.c share: the words of the
 * JSON, each list ended by NULL, and errors.
 */
#ifndef TABLE_TABLE_INTERNAL_H
#define TABLE_TABLE_INTERNAL_H

#include "table.h"

extern const char *const table_projections[];	/* by enum projection */
extern const char *const table_views[];		/* by enum stream_view */

/* "table NAME: " and printf text, FAULT_VALIDATION.  Always -1. */
int table_refuse(const struct table *t, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What must hold of a table as a whole: 0, or -1 with an error. */
int table_check(const struct table *t, struct err *e);

#endif
