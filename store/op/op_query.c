/*
 * Query and Scan: a range of a table or index, read from one snapshot until
 * the limit, a megabyte, or the end.
 */
#include "op_internal.h"

#include "store/expr/legacy.h"

#include <string.h>

enum { PAGE_BYTES = 1 << 20 };	/* of items that are looked at */

struct page {
	struct op *op;
	const struct read_request *q;
	const struct table *table;
	const struct table_index *index;	/* NULL: the table itself */
	const struct expr *keys;		/* KeyConditionExpression */
	const struct expr *filter;
	const struct expr_projection *projection;
	struct key_range range;
	bool backward, count_only;
	/* what came of it */
	uint64_t count, scanned;
	size_t bytes;
	struct value last;			/* LastEvaluatedKey; count 0 */
};

/* --- planning --------------------------------------------------------------------------- */

static int
find_index(struct page *p, struct store_view *v, struct err *e)
{
	const struct read_request *q = p->q;

	p->table = op_table(v->catalog, &q->table, e);
	if (!p->table || !q->index.p)
		return p->table ? 0 : -1;
	p->index = table_index_named(p->table, q->index.p, q->index.n);
	if (!p->index)
		return err_set(e, FAULT_VALIDATION, "The table does not have "
		    "the specified index: %.*s", (int)q->index.n, q->index.p);
	if (p->index->filling)
		return err_set(e, FAULT_VALIDATION, "Cannot read from "
		    "backfilling global secondary index: %s", p->index->name);
	if (p->index->global && q->consistent == CHOICE_YES)
		return err_set(e, FAULT_VALIDATION, "Consistent reads are not "
		    "supported on global secondary indexes");
	return 0;
}

static int
parse(struct page *p, bool query, struct err *e)
{
	const struct read_request *q = p->q;
	struct arena *a = &p->op->arena;
	struct expr_scope s;

	if (expr_scope_init(&s, a, q->names, q->values, e) < 0)
		return -1;
	if (q->key_conditions.list &&
	    legacy_keys(a, q->key_conditions.list, q->key_conditions.count,
	        &p->keys, e) < 0)
		return -1;
	if (q->conditions.list &&
	    legacy_filter(a, q->conditions.list, q->conditions.count,
	        q->joint == JOINT_OR, &p->filter, e) < 0)
		return -1;
	if (q->to_get && legacy_projection(a, q->to_get, q->nto_get,
	                     &p->projection, e) < 0)
		return -1;
	if (q->projection.p &&
	    expr_parse_projection(&s, q->projection.p, q->projection.n,
	        &p->projection, e) < 0)
		return -1;
	if (q->filter.p && expr_parse_filter(&s, q->filter.p, q->filter.n,
	                       &p->filter, e) < 0)
		return -1;
	if (q->key_condition.p &&
	    expr_parse_key(&s, q->key_condition.p, q->key_condition.n,
	        &p->keys, e) < 0)
		return -1;
	if (query && !p->keys)
		return err_set(e, FAULT_VALIDATION, "Either the KeyConditions "
		    "or KeyConditionExpression parameter must be specified in "
		    "the request.");
	return expr_scope_finish(&s, e);
}

static int
check(struct page *p, bool query, struct err *e)
{
	const struct key_schema *k = p->index ? &p->index->key
	                                      : &p->table->key;
	struct expr_keys keys;

	op_keys(k, &keys);
	if (p->projection &&
	    expr_check_projection(p->projection, &keys, p->index, e) < 0)
		return -1;
	if (!p->filter)
		return 0;
	if (expr_check_paths(p->filter, &keys, p->index, e) < 0)
		return -1;
	return query ? expr_check_filter(p->filter, &keys,
	                   p->q->conditions.list ? "QueryFilter"
	                                         : "Filter Expression",
	                   e)
	             : 0;
}

static enum key_op
key_op(enum expr_op op)
{
	switch (op) {
	case EXPR_LT:
		return KEY_LT;
	case EXPR_LE:
		return KEY_LE;
	case EXPR_GT:
		return KEY_GT;
	case EXPR_GE:
		return KEY_GE;
	case EXPR_BEGINS_WITH:
		return KEY_BEGINS;
	case EXPR_BETWEEN:
		return KEY_BETWEEN;
	default:
		return KEY_EQ;
	}
}

static int
allow_partition(struct page *p, const struct value *hash, struct err *e)
{
	const struct wish w = {.action = p->op->request.info->action,
	    .table = p->q->table,
	    .index = p->q->index,
	    .key = hash->text};

	return p->op->token ? token_allows(p->op->token, &w, e) : 0;
}

static int
query_range(struct page *p, struct err *e)
{
	const struct key_schema *k = p->index ? &p->index->key
	                                      : &p->table->key;
	struct arena *a = &p->op->arena;
	struct value hash[TABLE_KEY_PARTS], v[2];
	struct expr_key_range found;
	struct expr_keys keys;
	size_t i;

	op_keys(k, &keys);
	if (expr_key_find(p->keys, &keys, &found, e) < 0)
		return -1;
	for (i = 0; i < k->nhash; i++)
		hash[i] = *found.hash[i];
	if (allow_partition(p, &hash[0], e) < 0 ||
	    key_range_hash(a, p->table, p->index, hash, &p->range, e) < 0)
		return -1;
	for (i = 0; i < found.nequal; i++)
		if (key_range_sort(a, &p->range, KEY_EQ, found.equal[i], e) <
		    0)
			return -1;
	if (found.op == EXPR_NONE)
		return 0;
	v[0] = *found.low;
	v[1] = found.high ? *found.high : *found.low;
	return key_range_sort(a, &p->range, key_op(found.op), v, e);
}

/* Behind the ExclusiveStartKey, which has to be a key of what is read. */
static int
start_after(struct page *p, struct err *e)
{
	const struct value *start = p->q->start;
	struct arena *a = &p->op->arena;
	struct text base, key;
	struct value members;
	int rc;

	if (!start)
		return 0;
	if (key_members(a, p->table, p->index, start, &members, e) < 0 ||
	    members.count != start->count ||
	    key_item(a, p->table, start, &base, e) < 0)
		return err_set(e, FAULT_VALIDATION, "The provided starting "
		    "key is invalid");
	key = base;
	if (p->index) {
		rc = key_entry(a, p->table, p->index, start, &base, &key, e);
		if (rc <= 0)
			return err_set(e, FAULT_VALIDATION, "The provided "
			    "starting key is invalid");
	}
	if (!key_range_has(&p->range, &key) && p->keys)
		return err_set(e, FAULT_VALIDATION, "The provided starting "
		    "key is outside query boundaries based on provided "
		    "conditions");
	return key_range_after(a, &p->range, &key, p->backward, e);
}

/* --- reading --------------------------------------------------------------------------------- */

/* An item as an index projects it, unless a projection is asked for. */
static int
write_projected_by_index(struct page *p, struct reply *r,
    const struct value *item, struct err *e)
{
	struct arena *a = &p->op->arena;
	struct value part = {.type = VALUE_M};
	size_t i;

	part.members = arena_array(a, item->count + 1, sizeof *part.members);
	if (!part.members)
		return op_no_memory(e);
	for (i = 0; i < item->count; i++)
		if (table_projects(p->table, p->index, item->members[i].name.p,
		        item->members[i].name.n))
			part.members[part.count++] = item->members[i];
	reply_item(r, NULL, &part);
	return 0;
}

static bool
whole_items(const struct page *p)
{
	return !p->index || p->index->projection == PROJECT_ALL ||
	    (!p->index->global && p->q->select == SELECT_ALL_ATTRIBUTES);
}

static int
write_item(struct page *p, struct reply *r, const struct index_entry *entry,
    const struct value *item, struct err *e)
{
	struct value part;

	if (p->projection) {
		if (expr_project(&p->op->arena, p->projection, item, &part,
		        e) < 0)
			return -1;
		reply_item(r, NULL, &part);
		return 0;
	}
	if (!whole_items(p))
		return write_projected_by_index(p, r, item, e);
	reply_item_bytes(r, NULL, entry->record.item.p,
	    entry->record.item.n);
	return 0;
}

static int
take_entry(struct page *p, struct reply *r, const struct index_entry *entry,
    struct err *e)
{
	struct value item;
	bool decode = p->filter || p->projection || !whole_items(p);

	p->scanned++;
	p->bytes += entry->record.size;
	if (decode && typed_read_item(&p->op->arena, entry->record.item.p,
	                  entry->record.item.n, &item, e) < 0)
		return -1;
	if (p->filter && !expr_true(p->filter, &item))
		return 0;
	p->count++;
	return p->count_only ? 0 : write_item(p, r, entry, &item, e);
}

static int
keep_last(struct page *p, const struct index_entry *entry, struct err *e)
{
	struct arena *a = &p->op->arena;
	char *copy = arena_copy(a, entry->record.item.p, entry->record.item.n);
	struct value item;

	if (!copy)
		return op_no_memory(e);
	if (typed_read_item(a, copy, entry->record.item.n, &item, e) < 0)
		return -1;
	return key_members(a, p->table, p->index, &item, &p->last, e);
}

static bool
full(const struct page *p)
{
	return (p->q->limit && p->scanned >= p->q->limit) ||
	    p->bytes >= PAGE_BYTES;
}

static int
read_page(struct page *p, struct store_view *v, struct reply *r,
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

/* --- the operations ---------------------------------------------------------------------------- */

static int
select_what(struct page *p, struct err *e)
{
	enum select s = p->q->select;

	p->count_only = s == SELECT_COUNT;
	if (s == SELECT_ALL_PROJECTED && !p->index)
		return err_set(e, FAULT_VALIDATION, "ALL_PROJECTED_ATTRIBUTES "
		    "can be used only when Querying using an IndexName");
	if (s == SELECT_ALL_ATTRIBUTES && p->index && p->index->global &&
	    p->index->projection != PROJECT_ALL)
		return err_set(e, FAULT_VALIDATION, "One or more parameter "
		    "values were invalid: Select type ALL_ATTRIBUTES is not "
		    "supported for global secondary index %s because its "
		    "projection type is not ALL", p->index->name);
	return 0;
}

static int
plan(struct page *p, struct store_view *v, bool query, struct err *e)
{
	const struct read_request *q = p->q;

	if (parse(p, query, e) < 0 || find_index(p, v, e) < 0 ||
	    select_what(p, e) < 0 || check(p, query, e) < 0)
		return -1;
	p->backward = query && q->forward == CHOICE_NO;
	if (query ? query_range(p, e)
	          : key_range_scan(&p->op->arena, p->table, p->index,
	                q->segment, q->segments ? q->segments : 1, &p->range,
	                e))
		return -1;
	return start_after(p, e);
}

static void
read_range(struct op *op, struct store_view *v, bool query)
{
	struct page p = {.op = op, .q = &op->request.read};
	struct reply r;
	struct err e;
	int rc;

	if (store_read_begin(v, &e) < 0) {
		op_fail(op, &e);
		return;
	}
	p.last.type = VALUE_M;
	rc = plan(&p, v, query, &e);
	op_open(op, &r);
	if (rc == 0 && p.q->select != SELECT_COUNT)
		reply_list(&r, "Items");
	if (rc == 0)
		rc = read_page(&p, v, &r, &e);
	if (rc == 0 && p.q->select != SELECT_COUNT)
		reply_close(&r);
	if (rc == 0) {
		reply_integer(&r, "Count", (int64_t)p.count);
		reply_integer(&r, "ScannedCount", (int64_t)p.scanned);
		if (p.last.count)
			reply_item(&r, "LastEvaluatedKey", &p.last);
		op_capacity(op, &r, p.table, p.index,
		    op_read_units(p.bytes, p.q->consistent == CHOICE_YES), 0);
	}
	store_read_end(v);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &r);
}

void
op_query(struct op *op, struct store_view *v)
{
	read_range(op, v, true);
}

void
op_scan(struct op *op, struct store_view *v)
{
	read_range(op, v, false);
}
