/*
 * Tables that are made before a reply and filled behind it: between
 * transfer/import_table.c, transfer/import_fill.c and past/restore_from.c.
 */
#ifndef OP_OP_UNFILLED_H
#define OP_OP_UNFILLED_H

#include "table.h"

/* 0; or -1 and *e: as much is to be done later as may be. */
int op_unfilled_check(const struct op *op, struct err *e);

/* Drops one that won't be filled, if it is still there: 0, or -1 and *e. */
int op_unfilled_drop(struct store *s, uint64_t id, struct err *e);

#endif
