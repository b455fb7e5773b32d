/*
 * The table of a restore: made where it is gone, closed while a long restore
 * changes it piece by piece, opened again.
 *
 * That it is closed stands in the journal: after a crash it stays closed until
 * the restore is done again, or the table deleted.
 */
#include "restore.h"
#include "store/op/op_wait.h"

#include <stdio.h>
#include <string.h>

struct making {
	struct restore_table *table;
	bool closed;			/* what it is to be */
};

static int
no_memory(struct err *e)
{
	return err_set(e, FAULT_LIMIT, "out of memory");
}

/* --- in the writer -------------------------------------------------------- */

static int
run_make(struct commit_job *job, struct commit *c, struct err *e)
{
	const struct making *m = op_wait_of(job)->ctx;
	const char *name = m->table->name;
	struct table *t;
	size_t i;

	if (catalog_named(commit_catalog(c), name, strlen(name)))
		return err_set(e, FAULT_IN_USE, "Table already exists: %s",
		    name);
	t = table_copy(m->table->target.table);
	if (!t)
		return no_memory(e);
	snprintf(t->name, sizeof t->name, "%s", name);
	t->created_ms = commit_now_ms(c);
	t->stream_since_ms = t->stream != STREAM_OFF ? t->created_ms : 0;
	t->stream_was = STREAM_OFF;
	t->ttl_filling = false;
	t->restoring = m->closed;
	for (i = 0; i < t->nindexes; i++)
		t->indexes[i].filling = false;
	if (commit_table_id(c, &t->id, e) < 0) {
		table_free(t);
		return -1;
	}
	commit_table(c, t);
	return 0;
}

/* Nothing may have been written since the preview. */
static int
check_late(struct restore_table *t, struct commit *c, struct err *e)
{
	struct past_table late;
	struct past p;
	int rc = op_restore_late(t, c, &p, &late, e);

	past_close(&late);
	return rc;
}

static int
run_settle(struct commit_job *job, struct commit *c, struct err *e)
{
	const struct making *m = op_wait_of(job)->ctx;
	const char *name = m->table->name;
	const struct table *old = catalog_named(commit_catalog(c), name,
	    strlen(name));
	struct table *t;

	if (!old)
		return err_set(e, FAULT_CONFLICT, "%s was dropped meanwhile",
		    name);
	if (m->closed && m->table->id && check_late(m->table, c, e) < 0) {
		if (e->code == FAULT_INTERNAL)
			e->code = FAULT_CONFLICT;
		return -1;
	}
	if (old->restoring == m->closed)
		return 0;
	t = table_copy(old);
	if (!t)
		return no_memory(e);
	t->restoring = m->closed;
	t->unfilled = t->unfilled && m->closed;
	commit_table(c, t);
	return 0;
}

/* --- outside -------------------------------------------------------------- */

static int
run(struct restore_table *t, bool closed,
    int (*fn)(struct commit_job *job, struct commit *c, struct err *e),
    struct err *e)
{
	struct making m = {t, closed};
	struct arena a;
	int rc;

	arena_init(&a, OP_ARENA_MAX);
	rc = op_wait_run(t->restore->op->store, &a, RESTORE_ITEM_ROOM, fn, &m,
	    e);
	arena_release(&a);
	return rc;
}

int
op_restore_make(struct restore_table *t, bool closed, struct err *e)
{
	return run(t, closed, run_make, e);
}

int
op_restore_shut(struct restore_table *t, struct err *e)
{
	return run(t, true, run_settle, e);
}

int
op_restore_reopen(struct restore_table *t, struct err *e)
{
	return run(t, false, run_settle, e);
}

const struct table *
op_restore_schema(struct restore_table *t, struct err *e)
{
	struct op *op = t->restore->op;
	const struct table *schema;

	if (op->catalog)
		store_catalog_release(op->store, op->catalog);
	op->catalog = store_catalog_hold(op->store);
	schema = catalog_named(op->catalog, t->name, strlen(t->name));
	if (!schema)
		err_set(e, FAULT_CONFLICT, "%s was dropped meanwhile",
		    t->name);
	return schema;
}
