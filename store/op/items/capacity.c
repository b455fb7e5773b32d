/*
 * Capacity units, as DynamoDB counts them: a reading unit is 4 KB read
 * consistently or 8 KB otherwise, a writing unit 1 KB.
 *
 * A write takes units of the table, by the larger of the item before and
 * after; and of each index whose entry, the item as the index projects it,
 * changes:
 *
 *	it comes or goes	that entry
 *	its key stays		the larger of both
 *	its key changes		both: one goes, one comes
 */
#include "store/op/op_internal.h"

#include <string.h>

enum { READ_UNIT = 4096, WRITE_UNIT = 1024 };

static size_t
units(size_t bytes, size_t unit)
{
	return bytes ? (bytes + unit - 1) / unit : 1;
}

double
op_read_units(size_t bytes, bool consistent)
{
	double n = (double)units(bytes, READ_UNIT);

	return consistent ? n : n / 2;
}

double
op_write_units(size_t bytes)
{
	return (double)units(bytes, WRITE_UNIT);
}

/* --- what an index has of an item ------------------------------------------- */

static bool
projected(const struct table *t, const struct table_index *ix,
    const struct member *m)
{
	return table_projects(t, ix, m->name.p, m->name.n);
}

size_t
op_projected_size(const struct table *t, const struct table_index *ix,
    const struct value *item)
{
	size_t i, size = 0;

	if (ix->projection == PROJECT_ALL)
		return value_item_size(item);
	for (i = 0; i < item->count; i++)
		if (projected(t, ix, &item->members[i]))
			size += item->members[i].name.n +
			    value_size(&item->members[i].value);
	return size;
}

/* Both project to the same; their members stand in order. */
static bool
same_entry(const struct table *t, const struct table_index *ix,
    const struct value *a, const struct value *b)
{
	size_t i = 0, k = 0;

	for (;;) {
		while (i < a->count && !projected(t, ix, &a->members[i]))
			i++;
		while (k < b->count && !projected(t, ix, &b->members[k]))
			k++;
		if (i == a->count || k == b->count)
			return i == a->count && k == b->count;
		if (text_compare(&a->members[i].name, &b->members[k].name) ||
		    !value_equal(&a->members[i].value, &b->members[k].value))
			return false;
		i++;
		k++;
	}
}

static bool
has_part(const struct value *item, const struct key_part *part)
{
	const struct value *v = value_member(item, part->name,
	    strlen(part->name));

	return v && v->type == part->type;
}

static bool
in_index(const struct table_index *ix, const struct value *item)
{
	const struct key_schema *s = &ix->key;
	size_t i;

	for (i = 0; i < s->nhash; i++)
		if (!has_part(item, &s->hash[i]))
			return false;
	for (i = 0; i < s->nrange; i++)
		if (!has_part(item, &s->range[i]))
			return false;
	return true;
}

/* What the change from `old` to `fresh` takes of an index. */
static double
index_units(const struct table *t, const struct table_index *ix,
    const struct value *old, const struct value *fresh)
{
	bool was = in_index(ix, old), is = in_index(ix, fresh);
	double before, after;

	if ((!was && !is) || (was && is && same_entry(t, ix, old, fresh)))
		return 0;
	before = was ? op_write_units(op_projected_size(t, ix, old)) : 0;
	after = is ? op_write_units(op_projected_size(t, ix, fresh)) : 0;
	if (was && is && key_entry_same(ix, old, fresh))
		return before > after ? before : after;
	return before + after;
}

bool
op_counts(const struct op *op)
{
	return op->metered || op->request.capacity != CAPACITY_NONE;
}

/* --- sums --------------------------------------------------------------------- */

struct op_used *
op_used_of(struct op_used *list, size_t *n, const struct table *t)
{
	size_t i;

	for (i = 0; i < *n; i++)
		if (list[i].table == t)
			return &list[i];
	list[*n] = (struct op_used){.table = t};
	return &list[(*n)++];
}

size_t
op_plan_size(const struct item_plan *p)
{
	size_t before = p->old.there ? value_item_size(&p->old.item) : 0;
	size_t after = p->fresh.count ? value_item_size(&p->fresh) : 0;

	return before > after ? before : after;
}

void
op_used_write(struct op_used *u, const struct item_plan *p, double factor)
{
	static const struct value NOTHING = {.type = VALUE_M};
	const struct value *old = p->old.there ? &p->old.item : &NOTHING;
	size_t i;

	u->write = true;
	u->units += factor * op_write_units(op_plan_size(p));
	if (p->request->kind == ITEM_CHECK)
		return;
	for (i = 0; i < u->table->nindexes; i++)
		u->indexes[i] += index_units(u->table, &u->table->indexes[i],
		    old, &p->fresh);
}

void
op_used_reply(struct op *op, struct reply *r, const char *name,
    const struct op_used *u, bool kinds)
{
	const struct text table = {u->table->name, strlen(u->table->name)};
	struct capacity_index indexes[TABLE_INDEXES_MAX];
	struct capacity c = {.table = u->units, .indexes = indexes};
	double sum = u->units;
	size_t i;

	op_meter_take(op, u);
	if (op->request.capacity == CAPACITY_NONE)
		return;
	for (i = 0; i < u->table->nindexes; i++) {
		const struct table_index *ix = &u->table->indexes[i];

		if (u->indexes[i] > 0)
			indexes[c.nindexes++] = (struct capacity_index){
			    ix->name, ix->global, u->indexes[i]};
		sum += u->indexes[i];
	}
	if (u->write)
		c.write = sum;
	else
		c.read = sum;
	reply_capacity(r, name, &table, &c,
	    op->request.capacity == CAPACITY_INDEXES, kinds);
}

void
op_used_list(struct op *op, struct reply *r, const struct op_used *list,
    size_t n, bool kinds)
{
	bool told = op->request.capacity != CAPACITY_NONE;
	size_t i;

	if (told)
		reply_list(r, "ConsumedCapacity");
	for (i = 0; i < n; i++)
		op_used_reply(op, r, NULL, &list[i], kinds);
	if (told)
		reply_close(r);
}

void
op_capacity(struct op *op, struct reply *r, const struct table *t,
    const struct table_index *ix, double read, double write)
{
	struct op_used u;

	if (!op_counts(op))
		return;
	u = (struct op_used){.table = t, .write = write > 0};
	if (ix)
		u.indexes[ix - t->indexes] = read + write;
	else
		u.units = read + write;
	op_used_reply(op, r, "ConsumedCapacity", &u, false);
}
