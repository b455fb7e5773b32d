/*
 * The restore of a table that changes more than one unit of the journal should
 * hold: the table is closed, changed piece by piece, and opened.  Who reads
 * sees all of it or is told to wait; other tables go on meanwhile.
 */
#include "restore.h"
#include "store/op/op_wait.h"

static int
run(struct commit_job *job, struct commit *c, struct err *e)
{
	struct restore_work *w = op_wait_of(job)->ctx;
	const struct table *t = catalog_id(commit_catalog(c), w->schema->id);
	int rc = t ? op_restore_set(w, c, t, e)
	           : err_set(e, FAULT_CONFLICT, "%s was dropped meanwhile",
	                 w->table->name);

	if (rc < 0 && e->code == FAULT_INTERNAL)
		e->code = FAULT_CONFLICT;
	return rc;
}

static int
flush(struct restore_work *w, struct err *e)
{
	const struct restore_table *t = w->table;

	if (w->items.count == 0)
		return 0;
	if (op_wait_run(t->restore->op->store, &w->arena, w->bytes, run, w,
	        e) < 0)
		return -1;
	w->done += w->items.count;
	op_progress(t->restore->op, "restore", w->done,
	    t->added + t->removed + t->changed);
	map_release(&w->items);
	map_init(&w->items);
	arena_reset(&w->arena);
	w->bytes = 0;
	return 0;
}

/* Who asked may go: a table that is closed is to be opened all the same. */
static int
take_delta(void *ctx, const struct past_delta *d, struct err *e)
{
	struct restore_work *w = ctx;

	if (op_leaving(w->table->restore->op, e))
		return -1;
	if (op_restore_take(w, d, e) < 0)
		return -1;
	return w->bytes < RESTORE_PIECE ? 0 : flush(w, e);
}

/* The closed table as it is now; nobody but us changes it any more. */
static int
change(struct restore_work *w, struct err *e)
{
	struct restore_table *t = w->table;
	struct past_table present;
	struct past now;
	int rc;

	if (past_find(t->restore->op->store, NULL, &now, e) < 0)
		return -1;
	rc = past_open(&now, t->name, &present, e);
	if (rc == 0)
		rc = past_diff(&present, &t->target, t->restore->only,
		    take_delta, w, e);
	past_close(&present);
	return rc == 0 ? flush(w, e) : -1;
}

int
op_restore_long(struct restore_work *w, struct err *e)
{
	struct restore_table *t = w->table;
	int rc = t->id ? op_restore_shut(t, e) : op_restore_make(t, true, e);

	if (rc < 0)
		return -1;
	w->schema = op_restore_schema(t, e);
	return w->schema && change(w, e) == 0 ? op_restore_reopen(t, e) : -1;
}
