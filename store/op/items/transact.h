/*
 * Inside of store/op: what reading and writing transactions share.
 */
#ifndef OP_TRANSACT_H
#define OP_TRANSACT_H

#include "store/op/op_internal.h"

struct transaction {
	struct item_plan *plans;
	struct cancel_reason *reasons;	/* why each stops it, or no fault */
	size_t count;
	bool repeated;		/* its token was used by this very request */
	bool statements;	/* each has a part in the reply */
	struct op_used *used;	/* room for each item's table */
	struct text hash;	/* of the request, beside its token */
};

/*
 * Plans all items of the request: 0, or -1 and *e; FAULT_CANCELED if a key
 * doesn't fit its table, which is the reason of that item.
 */
int op_transact_plan(struct op *op, const struct catalog *c,
    struct transaction *t, struct err *e);

/* The error of an item is told of the whole transaction. */
bool op_transact_is_whole(const struct item_plan *p, const struct err *e);

/* Why one item stops it; the reason's texts lie in the arena. */
void op_transact_reason(struct op *op, struct transaction *t, size_t i,
    const struct err *e);

/* Submits what was planned as a job of the writer. */
void op_transact_submit(struct op *op, struct transaction *t);

/* transact_get.c: the planned items, and the reply. 0 or -1. */
int op_transact_read(struct op *op, struct store_view *v,
    struct transaction *t, struct reply *r, struct err *e);

/* The failure; a canceled transaction tells each item's reason. */
void op_transact_fail(struct op *op, const struct transaction *t,
    const struct err *e);

#endif
