/*
 * Inside of store/op: what the operations on statements share.
 *
 *   statement.c         ExecuteStatement; a statement, read and planned
 *   statement_next.c    NextToken
 *   statement_batch.c   BatchExecuteStatement
 *   statement_all.c     ExecuteTransaction
 */
#ifndef OP_STATEMENT_H
#define OP_STATEMENT_H

#include "store/op/op_internal.h"

#include "store/partiql/partiql.h"

int op_statement_read(struct op *op, const struct statement_request *r,
    struct partiql *out, struct err *e);

/* What the token doesn't allow; `item` NULL: of no item by its key. 0 or -1. */
int op_statement_allow(struct op *op, const struct catalog *c,
    const struct partiql *q, const struct item_request *item, struct err *e);

/*
 * The statement as an item's operation that the token allows: 1; 0 if it is a
 * SELECT of no item by its key; or -1.
 */
int op_statement_item(struct op *op, const struct catalog *c,
    const struct statement_request *r, const struct partiql *q,
    struct item_request *out, struct err *e);

/* The same, planned. */
int op_statement_plan(struct op *op, const struct catalog *c,
    const struct statement_request *r, const struct partiql *q,
    struct item_plan *out, struct err *e);

/* Appends what the statement says, with its parameters: for hashes. */
void op_statement_write(const struct statement_request *r, struct buf *out);

/*
 * NextToken: where the reading of this statement goes on, in which of its
 * ranges and behind which key (`last` with count 0, NULL: at its begin).  To be
 * told as a member of the reply; and back.  0, or -1 and *e.
 */
int op_next_write(struct op *op, struct reply *r, size_t range,
    const struct value *last, struct err *e);
int op_next_read(struct op *op, size_t *range, const struct value **start,
    struct err *e);

#endif
