/*
 * Work that goes on after its operation was answered: a restore, an export, an
 * import.  Whoever runs operations takes it from op->later once op_run has
 * returned, and calls run() in a thread that may wait; op->later_full tells the
 * operations that no more can be taken.
 */
#ifndef OP_OP_LATER_H
#define OP_OP_LATER_H

#include "store/base/err.h"
#include "store/engine/store.h"

#include <stdatomic.h>

struct op_later {
	/* Does it, and frees it; gives up early once *stop is set. */
	void (*run)(struct op_later *l, const atomic_bool *stop);
	struct store *store;
	struct op_later *next;		/* the caller's */
};

/*
 * At a start, before anybody is served: drops every table that a daemon was
 * filling when it was killed, for nobody will.  `tell` hears of each; `why` is
 * NULL, or what hindered it.
 */
void op_later_sweep(struct store *s,
    void (*tell)(void *ctx, const char *table, const struct err *why),
    void *ctx);

#endif
