/*
 * Tables that nobody fills any more, for unfilled.h and op_later.h.
 */
#include "unfilled.h"

#include "store/op/op_later.h"
#include "store/op/op_wait.h"

#include "store/engine/parts.h"

int
op_unfilled_check(const struct op *op, struct err *e)
{
	return op->later_full
	    ? err_set(e, FAULT_LIMIT, "Subscriber limit exceeded: too many "
	          "restores, exports and imports at the same time; wait until "
	          "one of them is done")
	    : 0;
}

static int
run_drop(struct commit_job *job, struct commit *c, struct err *e)
{
	const uint64_t *id = op_wait_of(job)->ctx;

	(void)e;
	if (catalog_id(commit_catalog(c), *id))
		commit_drop(c, *id);
	return 0;
}

int
op_unfilled_drop(struct store *s, uint64_t id, struct err *e)
{
	struct arena a;
	int rc;

	arena_init(&a, OP_ARENA_MAX);
	rc = op_wait_run(s, &a, TABLE_JOB_ROOM, run_drop, &id, e);
	arena_release(&a);
	return rc;
}

void
op_later_sweep(struct store *s,
    void (*tell)(void *ctx, const char *table, const struct err *why),
    void *ctx)
{
	struct catalog *c;
	struct err e;
	size_t i;

	if (store_is_read_only(s))
		return;
	c = store_catalog_hold(s);
	for (i = 0; i < c->count; i++) {
		const struct table *t = c->entries[i].table;

		if (t->unfilled)
			tell(ctx, t->name,
			    op_unfilled_drop(s, t->id, &e) < 0 ? &e : NULL);
	}
	store_catalog_release(s, c);
}
