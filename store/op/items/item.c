/*
 * One item's operation: its table, key and expressions, and for a write what
 * it does to what lies there.  The same for an operation of its own, for a
 * part of a batch and of a transaction.
 */
#include "store/op/op_internal.h"

#include "store/expr/legacy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct table *
op_table(const struct catalog *c, const struct text *name, struct err *e)
{
	const struct table *t = catalog_named(c, name->p, name->n);

	if (!t)
		err_set(e, FAULT_NOT_FOUND, "Requested resource not found");
	else if (t->restoring) {
		err_set(e, FAULT_IN_USE, "Table is being restored: %s; if "
		    "that was cut off, restore it again", t->name);
		return NULL;
	}
	return t;
}

void
op_keys(const struct key_schema *k, struct expr_keys *out)
{
	size_t i;

	*out = (struct expr_keys){.nhash = k->nhash, .nrange = k->nrange};
	for (i = 0; i < k->nhash; i++)
		out->hash[i] = (struct expr_key_part){k->hash[i].name,
		    k->hash[i].type};
	for (i = 0; i < k->nrange; i++)
		out->range[i] = (struct expr_key_part){k->range[i].name,
		    k->range[i].type};
}

/* --- planning ------------------------------------------------------------------------- */

static int
plan_key(struct arena *a, struct item_plan *p, struct err *e)
{
	const struct item_request *r = p->request;

	if (r->kind == ITEM_PUT) {
		if (key_check_item(p->table, r->item, e) < 0 ||
		    key_members(a, p->table, NULL, r->item, &p->members, e) <
		        0)
			return -1;
		if (value_item_size(r->item) > VALUE_ITEM_MAX)
			return err_set(e, FAULT_VALIDATION, "Item size has "
			    "exceeded the maximum allowed size");
		p->fresh = *r->item;
	} else {
		if (key_check(p->table, r->key, e) < 0)
			return -1;
		p->members = *r->key;
	}
	return key_item(a, p->table, &p->members, &p->key, e);
}

/* The attributes that an update must leave alone. */
static int
plan_guard(struct arena *a, struct item_plan *p, struct err *e)
{
	const struct table *t = p->table;
	const char **keys = arena_array(a, 2, sizeof *keys);
	struct expr_indexed *indexed = arena_array(a,
	    t->nindexes * 2 * TABLE_KEY_PARTS + 1, sizeof *indexed);
	size_t n = 0, i, k;

	if (!keys || !indexed)
		return op_no_memory(e);
	keys[0] = t->key.hash[0].name;
	keys[1] = t->key.range[0].name;
	for (i = 0; i < t->nindexes; i++) {
		const struct key_schema *key = &t->indexes[i].key;

		for (k = 0; k < key->nhash; k++)
			indexed[n++] = (struct expr_indexed){
			    key->hash[k].name, key->hash[k].type,
			    t->indexes[i].name};
		for (k = 0; k < key->nrange; k++)
			indexed[n++] = (struct expr_indexed){
			    key->range[k].name, key->range[k].type,
			    t->indexes[i].name};
	}
	p->guard = (struct expr_guard){keys, 1 + (t->key.nrange > 0), indexed,
	    n};
	return expr_check_update(p->update, &p->guard, e);
}

/* The parameters of before expressions, as the same trees. */
static int
plan_legacy(struct arena *a, struct item_plan *p, struct err *e)
{
	const struct item_request *r = p->request;

	if (r->updates &&
	    legacy_updates(a, r->updates, r->nupdates, &p->update, e) < 0)
		return -1;
	if (r->expected.list && legacy_expected(a, r->expected.list,
	                            r->expected.count, r->joint == JOINT_OR, &p->condition,
	                            e) < 0)
		return -1;
	if (r->to_get &&
	    legacy_projection(a, r->to_get, r->nto_get, &p->projection, e) < 0)
		return -1;
	return 0;
}

static int
plan_expressions(struct arena *a, struct item_plan *p, struct err *e)
{
	const struct item_request *r = p->request;
	struct expr_scope s;

	if (r->trees) {
		p->condition = r->trees->condition;
		p->update = r->trees->update;
		p->projection = r->trees->projection;
		return 0;
	}
	if (expr_scope_init(&s, a, r->names, r->values, e) < 0 ||
	    plan_legacy(a, p, e) < 0)
		return -1;
	if (r->projection.p &&
	    expr_parse_projection(&s, r->projection.p, r->projection.n,
	        &p->projection, e) < 0)
		return -1;
	if (r->update.p && expr_parse_update(&s, r->update.p, r->update.n,
	                       &p->update, e) < 0)
		return -1;
	if (r->condition.p &&
	    expr_parse_condition(&s, r->condition.p, r->condition.n,
	        &p->condition, e) < 0)
		return -1;
	return expr_scope_finish(&s, e);
}

/* Of one key, the table's or that of an index. */
static int
check_paths(const struct key_schema *k, bool index, const struct expr *cond,
    const struct expr_projection *projection, struct err *e)
{
	struct expr_keys keys;

	op_keys(k, &keys);
	if (cond && expr_check_paths(cond, &keys, index, e) < 0)
		return -1;
	return projection
	    ? expr_check_projection(projection, &keys, index, e)
	    : 0;
}

int
op_check_paths(const struct table *t, const struct expr *cond,
    const struct expr_projection *projection, struct err *e)
{
	size_t i;

	if (!cond && !projection)
		return 0;
	if (check_paths(&t->key, false, cond, projection, e) < 0)
		return -1;
	for (i = 0; i < t->nindexes; i++)
		if (check_paths(&t->indexes[i].key, true, cond, projection,
		        e) < 0)
			return -1;
	return 0;
}

int
op_plan_item(struct arena *a, const struct catalog *c,
    const struct item_request *r, struct item_plan *p, struct err *e)
{
	*p = (struct item_plan){.request = r};
	p->fresh.type = p->members.type = VALUE_M;
	if (plan_expressions(a, p, e) < 0)
		return -1;
	p->table = op_table(c, &r->table, e);
	if (!p->table)
		return -1;
	if (plan_key(a, p, e) < 0 ||
	    op_check_paths(p->table, p->condition, p->projection, e) < 0)
		return -1;
	return p->update ? plan_guard(a, p, e) : 0;
}

/* --- keys of plans ------------------------------------------------------------------- */

bool
op_planned(const struct item_plan *plans, size_t n, const struct text *key)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (text_compare(&plans[i].key, key) == 0)
			return true;
	return false;
}

bool
op_key_fits(const struct table *t, const struct value *item)
{
	const struct key_part *hash = &t->key.hash[0];
	const struct key_part *range = &t->key.range[0];
	const struct value *v = value_member(item, hash->name,
	    strlen(hash->name));

	if (!v || v->type != hash->type)
		return false;
	if (t->key.nrange == 0)
		return true;
	v = value_member(item, range->name, strlen(range->name));
	return v && v->type == range->type;
}

/* --- writing ------------------------------------------------------------------------------ */

static int
update(struct arena *a, struct item_plan *p, struct err *e)
{
	static const struct expr_update NOTHING;
	const struct value *old = p->old.there ? &p->old.item : NULL;

	if (expr_apply(a, p->update ? p->update : &NOTHING, old, &p->members,
	        &p->guard, &p->fresh, e) < 0)
		return -1;
	if (value_item_size(&p->fresh) > VALUE_ITEM_MAX)
		return err_set(e, FAULT_VALIDATION, "Item size to update has "
		    "exceeded the maximum allowed size");
	if (value_depth(&p->fresh) > VALUE_DEPTH_MAX)
		return err_set(e, FAULT_VALIDATION, "Nesting Levels have "
		    "exceeded supported limits");
	return key_check_update(p->table, old, &p->fresh, e);
}

/* From an item that isn't there, any path can be removed. */
static bool
only_removes(const struct expr_update *u)
{
	size_t i;

	for (i = 0; u && i < u->count; i++)
		if (u->changes[i].action != EXPR_REMOVE)
			return false;
	return u && u->count > 0;
}

int
op_write_item(struct commit *c, struct arena *a, struct item_plan *p,
    struct err *e)
{
	const struct item_request *r = p->request;
	const struct table *t = op_table(commit_catalog(c), &r->table, e);

	if (!t)
		return -1;
	if (t->id != p->table->id)	/* gone since, and made again */
		return err_set(e, FAULT_NOT_FOUND,
		    "Requested resource not found");
	if (commit_get(c, &p->key, &p->old, e) < 0)
		return -1;
	p->failed = r->insert && p->old.there;
	if (p->failed)
		return err_set(e, FAULT_DUPLICATE,
		    "Duplicate primary key exists in table");
	p->failed = p->condition &&
	    !expr_true(p->condition, p->old.there ? &p->old.item : NULL);
	if (p->failed)
		return err_set(e, FAULT_CONDITION,
		    "The conditional request failed");
	switch (r->kind) {
	case ITEM_PUT:
		return commit_put(c, t, &p->key, &p->old, &p->fresh, e);
	case ITEM_UPDATE:
		if (!p->old.there && only_removes(p->update)) {
			p->fresh = (struct value){.type = VALUE_M};
			return 0;
		}
		if (update(a, p, e) < 0)
			return -1;
		if (!p->old.there && p->update && !expr_creates(p->update)) {
			p->fresh = (struct value){.type = VALUE_M};
			return 0;
		}
		return commit_put(c, t, &p->key, &p->old, &p->fresh, e);
	case ITEM_DELETE:
		return p->old.there ? commit_delete(c, t, &p->key, &p->members,
		                          &p->old, e)
		                    : 0;
	case ITEM_GET:
	case ITEM_CHECK:
		break;
	}
	return 0;
}

/* --- what is read ------------------------------------------------------------------------- */

int
op_fulfils(struct arena *a, const struct item_plan *p,
    const struct text *bytes, struct err *e)
{
	struct value item;

	if (!p->condition)
		return 1;
	if (typed_read_item(a, bytes->p, bytes->n, &item, e) < 0)
		return -1;
	return expr_true(p->condition, &item);
}

int
op_write_projected(struct reply *r, const char *name, struct arena *a,
    const struct expr_projection *p, const struct text *bytes, struct err *e)
{
	struct value item, part;

	if (!p) {
		reply_item_bytes(r, name, bytes->p, bytes->n);
		return 0;
	}
	if (typed_read_item(a, bytes->p, bytes->n, &item, e) < 0 ||
	    expr_project(a, p, &item, &part, e) < 0)
		return -1;
	reply_item(r, name, &part);
	return 0;
}
