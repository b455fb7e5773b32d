/*
 * ItemCollectionMetrics: which collections, items of one partition key in a
 * table with local indexes, a write has touched.  Their sizes are not limited
 * here, so the estimate is always the lowest.
 */
#include "store/op/op_internal.h"

#include <string.h>

static bool
has_local_index(const struct table *t)
{
	size_t i;

	for (i = 0; i < t->nindexes; i++)
		if (!t->indexes[i].global)
			return true;
	return false;
}

static bool
wanted(const struct op *op, const struct item_plan *p)
{
	return op->request.metrics == METRICS_SIZE && !p->left &&
	    p->request->kind != ITEM_CHECK && has_local_index(p->table);
}

static const struct value *
partition(const struct item_plan *p)
{
	const char *hash = p->table->key.hash[0].name;

	return value_member(&p->members, hash, strlen(hash));
}

static void
write_one(struct reply *r, const char *name, const struct item_plan *p)
{
	const char *hash = p->table->key.hash[0].name;
	const struct value *v = partition(p);
	struct member m = {{hash, strlen(hash)}, *v};
	const struct value key = {.type = VALUE_M, .count = 1, .members = &m};

	reply_object(r, name);
	reply_item(r, "ItemCollectionKey", &key);
	reply_list(r, "SizeEstimateRangeGB");
	reply_number(r, NULL, 0);
	reply_number(r, NULL, 1);
	reply_close(r);
	reply_close(r);
}

void
op_metrics(struct op *op, struct reply *r, const struct item_plan *p)
{
	if (wanted(op, p))
		write_one(r, "ItemCollectionMetrics", p);
}

/* --- of many ---------------------------------------------------------------------- */

/* The first of its table, or of its collection, that is told. */
static bool
is_first(struct op *op, const struct item_plan *plans, size_t i,
    bool collection)
{
	const struct value *mine = partition(&plans[i]);
	size_t k;

	for (k = 0; k < i; k++)
		if (plans[k].table == plans[i].table && wanted(op, &plans[k]) &&
		    (!collection || value_equal(partition(&plans[k]), mine)))
			return false;
	return true;
}

static void
write_table(struct op *op, struct reply *r, const struct item_plan *plans,
    size_t n, const struct table *t)
{
	const struct text name = {t->name, strlen(t->name)};
	size_t i;

	reply_name(r, &name);
	reply_list(r, NULL);
	for (i = 0; i < n; i++)
		if (plans[i].table == t && wanted(op, &plans[i]) &&
		    is_first(op, plans, i, true))
			write_one(r, NULL, &plans[i]);
	reply_close(r);
}

void
op_metrics_list(struct op *op, struct reply *r, const struct item_plan *plans,
    size_t n)
{
	size_t i;

	if (op->request.metrics != METRICS_SIZE)
		return;
	reply_object(r, "ItemCollectionMetrics");
	for (i = 0; i < n; i++)
		if (wanted(op, &plans[i]) && is_first(op, plans, i, false))
			write_table(op, r, plans, n, plans[i].table);
	reply_close(r);
}
