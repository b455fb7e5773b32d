/*
 * Limits of throughput: an operation on a table that has used up what it may
 * is refused, so that clients back off, and what the others used is counted.
 *
 * A batch is refused if none of its tables has anything left; else what did not
 * fit is given back, which the batches see to.
 */
#include "store/op/op_internal.h"

#include "store/base/clock.h"
#include "store/engine/meter.h"
#include "store/engine/parts.h"

/* More than `used`; `ix` NULL: of the table itself. */
static bool
has_left(struct op *op, const struct table *t, const struct table_index *ix,
    bool write, double used, int64_t now_ms)
{
	const struct meter_name name = {t->id, ix ? ix->id : 0, write};
	uint64_t limit = table_limit(t, ix, write);

	return !limit ||
	    meter_has(store_meters(op->store), &name, limit, used,
	        now_ms);
}

static int
refuse(const struct table *t, bool index, struct err *e)
{
	if (!t->terms.provisioned)
		return err_set(e, FAULT_THROUGHPUT, "Throughput exceeds the "
		    "maximum OnDemandThroughput configured on table or index");
	if (index)
		return err_set(e, FAULT_THROUGHPUT, "The level of configured "
		    "provisioned throughput for one or more global secondary "
		    "indexes of the table was exceeded. Consider increasing "
		    "your provisioning level for the under-provisioned global "
		    "secondary indexes with the UpdateTable API");
	return err_set(e, FAULT_THROUGHPUT, "The level of configured "
	    "provisioned throughput for the table was exceeded. Consider "
	    "increasing your provisioning level with the UpdateTable API.");
}

/* A write needs all indexes, a read the one it is of. */
static int
check(struct op *op, const struct table *t, const struct access *a,
    bool write, int64_t now_ms, struct err *e)
{
	const struct table_index *ix = a->index.p
	    ? table_index_named(t, a->index.p, a->index.n)
	    : NULL;
	size_t i;

	op->metered = true;
	if (!write && ix && ix->global)
		return has_left(op, t, ix, false, 0, now_ms)
		    ? 0
		    : refuse(t, true, e);
	if (!has_left(op, t, NULL, write, 0, now_ms))
		return refuse(t, false, e);
	for (i = 0; write && i < t->nindexes; i++)
		if (t->indexes[i].global &&
		    !has_left(op, t, &t->indexes[i], true, 0, now_ms))
			return refuse(t, true, e);
	return 0;
}

/* What doesn't fit is given back, instead of nothing being done. */
static bool
gives_back(const struct op *op)
{
	return op->request.info->op == OP_BATCH_WRITE_ITEM ||
	    op->request.info->op == OP_BATCH_GET_ITEM;
}

int
op_meter_check(struct op *op, struct err *e)
{
	bool write = op->request.info->class == OP_WRITE;
	int64_t now_ms = clock_mono_ms();
	const struct table *t;
	struct catalog *c;
	struct access a;
	size_t i, refused = 0;
	bool all;

	if (!store_is_limited(op->store) ||
	    op->request.info->family != OP_FAMILY_DATA ||
	    op->request.info->op >= OP_CREATE_TABLE)
		return 0;
	c = store_catalog_hold(op->store);
	for (i = 0; request_access(&op->request, i, &a); i++) {
		t = a.table.p ? catalog_named(c, a.table.p, a.table.n) : NULL;
		if (t && table_is_limited(t) &&
		    check(op, t, &a, write, now_ms, e) < 0)
			refused++;
	}
	store_catalog_release(op->store, c);
	all = refused == i;
	return refused && (all || !gives_back(op)) ? -1 : 0;
}

bool
op_meter_has(struct op *op, const struct op_used *u, bool write)
{
	const struct table *t = u->table;
	int64_t now_ms = clock_mono_ms();
	double own = u->units;
	size_t i;

	if (!op->metered)
		return true;
	for (i = 0; i < t->nindexes; i++)
		if (!t->indexes[i].global)
			own += u->indexes[i];
		else if (write && !has_left(op, t, &t->indexes[i], true,
		                      u->indexes[i], now_ms))
			return false;
	return has_left(op, t, NULL, write, own, now_ms);
}

static void
take(struct op *op, const struct table *t, const struct table_index *ix,
    bool write, double units, int64_t now_ms)
{
	const struct meter_name name = {t->id, ix ? ix->id : 0, write};
	uint64_t limit = table_limit(t, ix, write);

	if (limit && units > 0)
		meter_take(store_meters(op->store), &name, limit, units,
		    now_ms);
}

void
op_meter_take(struct op *op, const struct op_used *u)
{
	const struct table *t = u->table;
	int64_t now_ms = clock_mono_ms();
	double own = u->units;
	size_t i;

	if (!op->metered)
		return;
	for (i = 0; i < t->nindexes; i++)
		if (t->indexes[i].global)
			take(op, t, &t->indexes[i], u->write, u->indexes[i],
			    now_ms);
		else
			own += u->indexes[i];
	take(op, t, NULL, u->write, own, now_ms);
}
