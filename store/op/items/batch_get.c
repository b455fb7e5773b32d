/*
 * BatchGetItem: items of several tables, all from one snapshot, until the reply
 * is full or a table's throughput used up; the keys that are left are given
 * back.
 */
#include "store/op/op_internal.h"

#include <string.h>

enum { REPLY_BYTES = 16 << 20 };	/* of items */

/* The items of one table. */
struct batch_part {
	const struct item_group *group;
	struct item_plan *plans;
	size_t done;		/* of its items */
};

struct batch {
	struct batch_part *parts;
	size_t count, bytes;
	bool full;
	struct op_used *used;	/* room for each part's table */
};

/* --- planning ------------------------------------------------------------------- */

/* No key twice. */
static int
plan_part(struct op *op, struct store_view *v, struct batch_part *part,
    struct err *e)
{
	const struct item_group *g = part->group;
	struct item_plan *plans = arena_array(&op->arena, g->count,
	    sizeof *plans);
	size_t i;

	if (!plans)
		return op_no_memory(e);
	for (i = 0; i < g->count; i++) {
		if (op_plan_item(&op->arena, v->catalog, &g->items[i],
		        &plans[i], e) < 0)
			return -1;
		if (op_planned(plans, i, &plans[i].key))
			return err_set(e, FAULT_VALIDATION, "Provided list of "
			    "item keys contains duplicates");
	}
	part->plans = plans;
	return 0;
}

static int
plan(struct op *op, struct store_view *v, struct batch *b, struct err *e)
{
	const struct request *q = &op->request;
	size_t i;

	b->count = q->ngroups;
	b->parts = arena_array(&op->arena, b->count, sizeof *b->parts);
	b->used = arena_array(&op->arena, b->count, sizeof *b->used);
	if (!b->parts || !b->used)
		return op_no_memory(e);
	for (i = 0; i < b->count; i++) {
		b->parts[i].group = &q->groups[i];
		if (plan_part(op, v, &b->parts[i], e) < 0)
			return -1;
		b->used[i].table = b->parts[i].plans[0].table;
	}
	return 0;
}

/* --- reading -------------------------------------------------------------------- */

static int
read_part(struct op *op, struct store_view *v, struct batch *b,
    struct batch_part *part, struct op_used *used, struct reply *r,
    struct err *e)
{
	const struct item_group *g = part->group;
	struct index_record record;
	size_t size;
	int rc;

	reply_name(r, &g->table);
	reply_list(r, NULL);
	for (; !b->full && part->done < g->count; part->done++) {
		const struct item_plan *p = &part->plans[part->done];

		rc = index_get(v->index, &p->key, &record, e);
		if (rc < 0)
			return -1;
		size = rc ? record.size : 0;
		b->full = b->bytes + size > REPLY_BYTES;
		if (b->full || !op_meter_has(op, used, false))
			break;
		b->bytes += size;
		used->units += op_read_units(size,
		    p->request->consistent == CHOICE_YES);
		if (rc && op_write_projected(r, NULL, &op->arena,
		              p->projection, &record.item, e) < 0)
			return -1;
	}
	reply_close(r);
	return 0;
}

/* What the keys of a part share, so that the rest can be sent as it is. */
static void
write_common(struct reply *r, const struct item_request *q)
{
	size_t i;

	if (q->projection.p)
		reply_text(r, "ProjectionExpression", q->projection.p,
		    q->projection.n);
	if (q->names) {
		reply_object(r, "ExpressionAttributeNames");
		for (i = 0; i < q->names->count; i++) {
			const struct member *m = &q->names->members[i];

			reply_name(r, &m->name);
			reply_text(r, NULL, m->value.text.p, m->value.text.n);
		}
		reply_close(r);
	}
	if (q->nto_get) {
		reply_list(r, "AttributesToGet");
		for (i = 0; i < q->nto_get; i++)
			reply_text(r, NULL, q->to_get[i].p, q->to_get[i].n);
		reply_close(r);
	}
	if (q->consistent != CHOICE_ABSENT)
		reply_bool(r, "ConsistentRead", q->consistent == CHOICE_YES);
}

static void
write_rest(struct reply *r, const struct batch *b)
{
	size_t i, k;

	reply_object(r, "UnprocessedKeys");
	for (i = 0; i < b->count; i++) {
		const struct item_group *g = b->parts[i].group;

		if (b->parts[i].done == g->count)
			continue;
		reply_name(r, &g->table);
		reply_object(r, NULL);
		reply_list(r, "Keys");
		for (k = b->parts[i].done; k < g->count; k++)
			reply_item(r, NULL, g->items[k].key);
		reply_close(r);
		write_common(r, &g->items[0]);
		reply_close(r);
	}
	reply_close(r);
}

static int
batch_get(struct op *op, struct store_view *v, struct reply *r,
    struct err *e)
{
	struct batch b = {.bytes = 0};
	size_t i;

	if (plan(op, v, &b, e) < 0)
		return -1;
	op_open(op, r);
	reply_object(r, "Responses");
	for (i = 0; i < b.count; i++)
		if (read_part(op, v, &b, &b.parts[i], &b.used[i], r, e) < 0)
			return -1;
	reply_close(r);
	write_rest(r, &b);
	op_used_list(op, r, b.used, b.count, false);
	return 0;
}

void
op_batch_get(struct op *op, struct store_view *v)
{
	op_within(op, v, batch_get);
}
