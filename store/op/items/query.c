/*
 * Query and Scan, planned: the table or index, the expressions against its
 * keys and what it projects, the range of its keys.
 */
#include "query.h"

#include "store/expr/legacy.h"

#include <string.h>

#define INVALID "One or more parameter values were invalid: "

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
parse(struct page *p, struct err *e)
{
	const struct read_request *q = p->q;
	struct arena *a = &p->op->arena;
	struct expr_scope s;

	if (q->trees) {
		p->keys = q->trees->keys;
		p->filter = q->trees->condition;
		p->projection = q->trees->projection;
		return 0;
	}
	if (expr_scope_init(&s, a, q->names, q->values, e) < 0)
		return -1;
	if (q->conditions.list &&
	    legacy_filter(a, q->conditions.list, q->conditions.count,
	        q->joint == JOINT_OR, &p->filter, e) < 0)
		return -1;
	if (q->to_get && legacy_projection(a, q->to_get, q->nto_get,
	                     &p->projection, e) < 0)
		return -1;
	if (q->key_condition.p &&
	    expr_parse_key(&s, q->key_condition.p, q->key_condition.n,
	        &p->keys, e) < 0)
		return -1;
	if (q->filter.p && expr_parse_filter(&s, q->filter.p, q->filter.n,
	                       &p->filter, e) < 0)
		return -1;
	if (q->projection.p &&
	    expr_parse_projection(&s, q->projection.p, q->projection.n,
	        &p->projection, e) < 0)
		return -1;
	if (expr_scope_finish(&s, e) < 0 ||
	    (p->keys && expr_check_key(p->keys, e) < 0))
		return -1;
	return q->key_conditions.list ? legacy_keys(a, q->key_conditions.list,
	                                    q->key_conditions.count, &p->keys, e)
	                              : 0;
}

/* --- the range -------------------------------------------------------------------------- */

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
	const struct wish w = {.action = p->action,
	    .table = p->q->table,
	    .index = p->q->index,
	    .key = hash->text};

	return p->op->token ? token_allows(p->op->token, &w, e) : 0;
}

static const struct key_schema *
schema_of(const struct page *p)
{
	return p->index ? &p->index->key : &p->table->key;
}

static int
narrow(struct page *p, const struct expr_key_range *found, struct err *e)
{
	struct arena *a = &p->op->arena;
	struct value v[2];
	size_t i;

	for (i = 0; i < found->nequal; i++)
		if (key_range_sort(a, &p->range, KEY_EQ, found->equal[i], e) <
		    0)
			return -1;
	if (found->op == EXPR_NONE)
		return 0;
	v[0] = *found->low;
	v[1] = found->high ? *found->high : *found->low;
	return key_range_sort(a, &p->range, key_op(found->op), v, e);
}

static int
query_range(struct page *p, struct err *e)
{
	const struct key_schema *k = schema_of(p);
	struct expr_key_range found;
	struct expr_keys keys;
	size_t i;

	op_keys(k, &keys);
	if (expr_key_find(p->keys, &keys, &found, e) < 0)
		return -1;
	for (i = 0; i < k->nhash; i++)
		p->hash[i] = *found.hash[i];
	if (allow_partition(p, &p->hash[0], e) < 0 ||
	    key_range_hash(&p->op->arena, p->table, p->index, p->hash,
	        &p->partition, e) < 0)
		return -1;
	p->range = p->partition;
	p->narrowed = found.nequal > 0 || found.op != EXPR_NONE;
	p->single = !p->index && found.nequal == k->nrange;
	p->backward = p->q->forward == CHOICE_NO;
	return narrow(p, &found, e);
}

static int
range(struct page *p, struct err *e)
{
	const struct read_request *q = p->q;

	if (p->query)
		return query_range(p, e);
	return key_range_scan(&p->op->arena, p->table, p->index, q->segment,
	    q->segments ? q->segments : 1, &p->range, e);
}

/* --- what an index doesn't have ----------------------------------------------------------- */

/* Adds the name to a list of those that the index doesn't project. */
static void
add_missing(const struct page *p, const struct text *name, struct buf *out)
{
	if (!table_projects(p->table, p->index, name->p, name->n))
		buf_printf(out, "%s%.*s", out->len ? ", " : "", (int)name->n,
		    name->p);
}

/* As deep as the filter's brackets. */
static void
add_filtered(const struct page *p, const struct expr *x, struct buf *out)
{
	size_t i;

	if (x->op == EXPR_PATH)
		add_missing(p, &x->path.steps[0].name, out);
	for (i = 0; x->op != EXPR_PATH && i < x->nargs; i++)
		add_filtered(p, x->args[i], out);
}

static void
add_wanted(const struct page *p, struct buf *out)
{
	const struct expr_projection *w = p->projection;
	size_t i;

	for (i = 0; w && i < w->count; i++)
		add_missing(p, &w->paths[i].steps[0].name, out);
}

/*
 * Only what it has can be filtered by a query of an index; asked for can be
 * more of a local one, which reaches back to the table.
 */
static int
check_projected(struct page *p, struct err *e)
{
	struct buf wanted, filtered;
	int rc = 0;

	if (!p->index || p->index->projection == PROJECT_ALL)
		return 0;
	buf_init(&wanted, sizeof e->text / 2);
	buf_init(&filtered, sizeof e->text / 2);
	add_wanted(p, &wanted);
	if (p->query && p->filter)
		add_filtered(p, p->filter, &filtered);
	p->reaches_back = !p->index->global &&
	    (wanted.len || p->q->select == SELECT_ALL_ATTRIBUTES);
	if (p->index->global && wanted.len)
		rc = err_set(e, FAULT_VALIDATION, INVALID "Global secondary "
		    "index %s does not project [%s]", p->index->name,
		    buf_str(&wanted));
	else if (filtered.len)
		rc = err_set(e, FAULT_VALIDATION, INVALID "Secondary index %s "
		    "does not project one or more filter attributes: [%s]",
		    p->index->name, buf_str(&filtered));
	buf_release(&filtered);
	buf_release(&wanted);
	return rc;
}

/* --- against keys --------------------------------------------------------------------------- */

/* No filter of a query names an attribute of the key. */
static int
check_filter(const struct page *p, struct err *e)
{
	struct expr_keys keys;

	if (!p->query || !p->filter || p->q->trees)
		return 0;
	op_keys(schema_of(p), &keys);
	return expr_check_filter(p->filter, &keys, p->q->conditions.list ?
	    "QueryFilter" : "Filter Expression", e);
}

static int
check_select(const struct page *p, struct err *e)
{
	if (p->q->select != SELECT_ALL_ATTRIBUTES || !p->index ||
	    !p->index->global || p->index->projection == PROJECT_ALL)
		return 0;
	return err_set(e, FAULT_VALIDATION, INVALID "Select type "
	    "ALL_ATTRIBUTES is not supported for global secondary index %s "
	    "because its projection type is not ALL", p->index->name);
}

static int
check(struct page *p, struct err *e)
{
	if (op_check_paths(p->table, NULL, p->projection, e) < 0 ||
	    check_filter(p, e) < 0)
		return -1;
	if (check_select(p, e) < 0)
		return -1;
	if (op_check_paths(p->table, p->filter, NULL, e) < 0)
		return -1;
	return check_projected(p, e);
}

int
op_page_plan(struct page *p, struct store_view *v, struct err *e)
{
	p->last.type = VALUE_M;
	p->count_only = p->q->select == SELECT_COUNT;
	if (parse(p, e) < 0 || find_index(p, v, e) < 0 ||
	    op_start_check(p, e) < 0 || range(p, e) < 0 ||
	    (!p->query && check_select(p, e) < 0) ||
	    op_start_after(p, e) < 0)
		return -1;
	return check(p, e);
}
