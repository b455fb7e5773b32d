/*
 * A page of a query or scan: read from one snapshot until the limit, a
 * megabyte, or the end.
 */
#include "query.h"

enum {
	PAGE_BYTES = 1 << 20,	/* of items, or of entries of an index */
	WALK_BYTES = 8 << 20	/* of the items behind the entries */
};

/* --- items -------------------------------------------------------------------- */

static bool
narrows(const struct page *p)
{
	return p->index && p->index->projection != PROJECT_ALL;
}

/* The part of an item that the index has. */
static int
narrow(struct page *p, const struct value *item, struct value *out,
    struct err *e)
{
	size_t i;

	*out = (struct value){.type = VALUE_M};
	out->members = arena_array(&p->op->arena, item->count,
	    sizeof *out->members);
	if (!out->members)
		return op_no_memory(e);
	for (i = 0; i < item->count; i++)
		if (table_projects(p->table, p->index, item->members[i].name.p,
		        item->members[i].name.n))
			out->members[out->count++] = item->members[i];
	return 0;
}

/* As it is asked for; `view` is what the index has of it. */
static int
write_item(struct page *p, struct reply *r, const struct text *bytes,
    const struct value *item, const struct value *view, struct err *e)
{
	struct value part;

	if (p->projection) {
		if (expr_project(&p->op->arena, p->projection, item, &part,
		        e) < 0)
			return -1;
		reply_item(r, NULL, &part);
	} else if (p->reaches_back || !narrows(p))
		reply_item_bytes(r, NULL, bytes->p, bytes->n);
	else
		reply_item(r, NULL, view);
	return 0;
}

/* One that must be looked into. */
static int
take_decoded(struct page *p, struct reply *r, const struct index_entry *entry,
    struct err *e)
{
	const struct text *bytes = &entry->record.item;
	struct value item, view;

	if (typed_read_item(&p->op->arena, bytes->p, bytes->n, &item, e) < 0)
		return -1;
	view = item;
	if (narrows(p) && narrow(p, &item, &view, e) < 0)
		return -1;
	p->bytes += narrows(p) ? value_item_size(&view) : entry->record.size;
	if (p->filter && !expr_true(p->filter, &view))
		return 0;
	p->count++;
	if (p->reaches_back)
		p->back_units += op_read_units(entry->record.size,
		    p->q->consistent == CHOICE_YES);
	return p->count_only ? 0 : write_item(p, r, bytes, &item,
	                           &view, e);
}

static int
take_entry(struct page *p, struct reply *r, const struct index_entry *entry,
    struct err *e)
{
	const struct text *bytes = &entry->record.item;

	p->scanned++;
	p->walked += entry->record.size;
	if (p->filter || p->projection || narrows(p))
		return take_decoded(p, r, entry, e);
	p->bytes += entry->record.size;
	p->count++;
	if (!p->count_only)
		reply_item_bytes(r, NULL, bytes->p, bytes->n);
	return 0;
}

/* --- pages ---------------------------------------------------------------------- */

static int
keep_last(struct page *p, const struct index_entry *entry, struct err *e)
{
	struct arena *a = &p->op->arena;
	const struct text *bytes = &entry->record.item;
	char *copy = arena_copy(a, bytes->p, bytes->n);
	struct value item;

	if (p->single)
		return 0;
	if (!copy)
		return op_no_memory(e);
	if (typed_read_item(a, copy, bytes->n, &item, e) < 0)
		return -1;
	return key_members(a, p->table, p->index, &item, &p->last, e);
}

static bool
full(const struct page *p)
{
	return (p->q->limit && p->scanned >= p->q->limit) ||
	    p->bytes >= PAGE_BYTES || p->walked >= WALK_BYTES;
}

int
op_page_read(struct page *p, struct store_view *v, struct reply *r,
    struct err *e)
{
	struct index_cursor *c = index_cursor_open(v->index, p->index,
	    &p->range, p->backward, e);
	struct index_entry entry;
	int rc = 0;

	if (!c)
		return -1;
	while ((rc = index_cursor_next(c, &entry, e)) > 0) {
		rc = take_entry(p, r, &entry, e);
		if (rc == 0 && full(p)) {
			rc = keep_last(p, &entry, e);
			break;
		}
		if (rc < 0)
			break;
	}
	index_cursor_close(c);
	return rc < 0 ? -1 : 0;
}

void
op_page_capacity(struct page *p, struct reply *r)
{
	double units = op_read_units(p->bytes,
	    p->q->consistent == CHOICE_YES);
	struct op_used u;

	if (!op_counts(p->op))
		return;
	u = (struct op_used){.table = p->table, .units = p->back_units};
	if (p->index)
		u.indexes[p->index - p->table->indexes] = units;
	else
		u.units = units;
	op_used_reply(p->op, r, "ConsumedCapacity", &u, false);
}

static int
write_page(struct op *op, struct store_view *v, struct reply *r, bool query,
    struct err *e)
{
	struct page p = {.op = op, .q = &op->request.read, .query = query,
	    .action = op->request.info->action};

	if (op_page_plan(&p, v, e) < 0)
		return -1;
	op_open(op, r);
	if (!p.count_only)
		reply_list(r, "Items");
	if (op_page_read(&p, v, r, e) < 0)
		return -1;
	if (!p.count_only)
		reply_close(r);
	reply_integer(r, "Count", (int64_t)p.count);
	reply_integer(r, "ScannedCount", (int64_t)p.scanned);
	if (p.last.count)
		reply_item(r, "LastEvaluatedKey", &p.last);
	op_page_capacity(&p, r);
	return 0;
}

/* --- the operations ---------------------------------------------------------------- */

static int
query(struct op *op, struct store_view *v, struct reply *r, struct err *e)
{
	return write_page(op, v, r, true, e);
}

static int
scan(struct op *op, struct store_view *v, struct reply *r, struct err *e)
{
	return write_page(op, v, r, false, e);
}

void
op_query(struct op *op, struct store_view *v)
{
	op_within(op, v, query);
}

void
op_scan(struct op *op, struct store_view *v)
{
	op_within(op, v, scan);
}
