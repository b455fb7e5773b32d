/*
 * Statements as requests, for partiql.h.  Runs in the daemon once the table of
 * a statement is known.
 *
 * What stands between the outermost ANDs of a WHERE clause are its terms.  An
 * item is found by an equality for each attribute of the key, a partition by
 * one for each hash part; the terms that find it are its key, all others its
 * condition.
 */
#include "reader.h"

#include "store/expr/make.h"
#include "store/value/fault.h"

#include <stdlib.h>
#include <string.h>

#define KIND "WHERE clause"

struct terms {
	struct arena *arena;
	const struct expr **list;	/* NULL: used up */
	size_t count;
	struct err *e;
};

static int
no_memory(struct err *e)
{
	return err_set(e, FAULT_LIMIT,
	    "the statement takes too much memory");
}

static int
fail(struct err *e, const char *text)
{
	return err_set(e, FAULT_VALIDATION, "%s", text);
}

/* --- terms ------------------------------------------------------------------------------- */

static size_t
count_terms(const struct expr *x)
{
	size_t i, n = 0;

	if (!x || x->op != EXPR_AND)
		return x != NULL;
	for (i = 0; i < x->nargs; i++)
		n += count_terms(x->args[i]);
	return n;
}

static void
collect(const struct expr *x, struct terms *out)
{
	size_t i;

	if (x->op == EXPR_AND)
		for (i = 0; i < x->nargs; i++)
			collect(x->args[i], out);
	else
		out->list[out->count++] = x;
}

static int
find_terms(struct arena *a, const struct expr *where, struct terms *out,
    struct err *e)
{
	*out = (struct terms){.arena = a, .e = e};
	out->list = arena_array(a, count_terms(where) + 1,
	    sizeof *out->list);
	if (!out->list)
		return no_memory(e);
	if (where)
		collect(where, out);
	return 0;
}

/* A test of the attribute `name` itself, all else in it values. */
static bool
is_about(const struct expr *x, const char *name)
{
	const struct text *t;
	size_t i, paths = 0;

	if (x->op < EXPR_EQ || x->op > EXPR_CONTAINS)
		return false;
	for (i = 0; i < x->nargs; i++) {
		if (x->args[i]->op == EXPR_VALUE)
			continue;
		if (x->args[i]->op != EXPR_PATH || paths++ ||
		    x->args[i]->path.count > 1)
			return false;
		t = &x->args[i]->path.steps[0].name;
		if (t->n != strlen(name) || memcmp(t->p, name, t->n) != 0)
			return false;
	}
	return paths == 1;
}

/* The first equality of the attribute; NULL if there is none. */
static const struct expr **
find_equality(const struct terms *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (t->list[i] && t->list[i]->op == EXPR_EQ &&
		    is_about(t->list[i], name))
			return &t->list[i];
	return NULL;
}

/* The value of an equality. */
static const struct value *
value_of(const struct expr *x)
{
	return &x->args[x->args[0]->op == EXPR_PATH]->value;
}

/* All that are left, as one condition; NULL if none is. */
static int
join(const struct terms *t, const struct expr **out)
{
	size_t i, n = 0;

	*out = NULL;
	for (i = 0; i < t->count; i++)
		if (t->list[i])
			t->list[n++] = t->list[i];
	if (n == 0)
		return 0;
	if (n == 1)
		*out = t->list[0];
	return n == 1 ? 0 : expr_make(t->arena, KIND, EXPR_AND, t->list, n,
	                        out, t->e);
}

/* --- one item ----------------------------------------------------------------------------- */

/* Moves the equality of a key's part to the Key: 1, 0 if there is none. */
static int
take_part(struct terms *t, const char *name, struct value *key, bool once)
{
	const struct expr **x = find_equality(t, name);

	if (!x)
		return 0;
	key->members[key->count++] = (struct member){
	    {name, strlen(name)}, *value_of(*x)};
	*x = NULL;
	if (once && find_equality(t, name))
		return err_set(t->e, FAULT_VALIDATION, "Multiple conditions on "
		    "same key %s. Only single item Update/Insert/Delete are "
		    "supported", name);
	return 1;
}

/*
 * The Key, out of the terms, where each part is to be `once`: 1, 0 if one is
 * missing, -1.
 */
static int
take_key(struct terms *t, const struct expr_keys *keys, bool once,
    const struct value **out)
{
	struct value *key = arena_array(t->arena, 1, sizeof *key);
	struct text twice;
	int rc;

	if (!key)
		return no_memory(t->e);
	key->type = VALUE_M;
	key->members = arena_array(t->arena, 2, sizeof *key->members);
	if (!key->members)
		return no_memory(t->e);
	rc = take_part(t, keys->hash[0].name, key, once);
	if (rc > 0 && keys->nrange)
		rc = take_part(t, keys->range[0].name, key, once);
	if (rc <= 0)
		return rc;
	value_sort_map(key, &twice);
	*out = key;
	return 1;
}

/* attribute_[not_]exists(the hash key), and or or `rest` (may be NULL). */
static int
with_presence(struct arena *a, const struct expr_keys *keys, bool there,
    const struct expr *rest, const struct expr **out, struct err *e)
{
	struct expr_step *step = arena_array(a, 1, sizeof *step);
	const char *name = keys->hash[0].name;
	const struct expr *args[2];
	struct expr_path path = {step, 1};

	if (!step)
		return no_memory(e);
	step->name = (struct text){name, strlen(name)};
	if (expr_make_path(a, &path, &args[0], e) < 0 ||
	    expr_make(a, KIND, there ? EXPR_EXISTS : EXPR_NOT_EXISTS, args, 1,
	        &args[0], e) < 0)
		return -1;
	args[1] = rest;
	*out = args[0];
	return rest ? expr_make(a, KIND, there ? EXPR_AND : EXPR_OR, args, 2,
	                  out, e)
	            : 0;
}

/*
 * UPDATE and EXISTS want an item; DELETE of none is done, whatever its
 * condition.
 */
static int
complete(const struct partiql *q, struct arena *a,
    const struct expr_keys *keys, const struct expr *rest,
    const struct expr **out, struct err *e)
{
	*out = rest;
	if (q->kind == PARTIQL_SELECT ||
	    (q->kind == PARTIQL_DELETE && !rest))
		return 0;
	return with_presence(a, keys, q->kind != PARTIQL_DELETE, rest, out,
	    e);
}

static int
no_key(const struct partiql *q, struct err *e)
{
	return fail(e, q->kind == PARTIQL_EXISTS
	        ? "EXISTS() must contain a single item read with additional "
	          "condition"
	        : "Where clause does not contain a mandatory equality on all "
	          "key attributes");
}

int
partiql_item(const struct partiql *q, struct arena *a,
    const struct expr_keys *keys, struct item_request *out, struct err *e)
{
	static const enum item_kind kinds[] = {
		[PARTIQL_SELECT] = ITEM_GET, [PARTIQL_INSERT] = ITEM_PUT,
		[PARTIQL_UPDATE] = ITEM_UPDATE,
		[PARTIQL_DELETE] = ITEM_DELETE, [PARTIQL_EXISTS] = ITEM_CHECK,
	};
	struct request_trees *trees = arena_array(a, 1, sizeof *trees);
	const struct expr *rest;
	struct terms t;
	int rc;

	if (!trees)
		return no_memory(e);
	*out = (struct item_request){.kind = kinds[q->kind],
	    .table = q->table, .item = q->item, .returns = q->returns,
	    .trees = trees, .insert = q->kind == PARTIQL_INSERT};
	if (q->kind == PARTIQL_INSERT)
		return 1;
	if (find_terms(a, q->where, &t, e) < 0)
		return -1;
	rc = q->index.p || q->norder ? 0 : take_key(&t, keys,
	    q->kind != PARTIQL_SELECT, &out->key);
	if (rc == 0 && q->kind != PARTIQL_SELECT)
		rc = no_key(q, e);
	if (rc <= 0)
		return rc;
	trees->update = q->update;
	trees->projection = q->columns;
	if (join(&t, &rest) < 0)
		return -1;
	if (q->kind == PARTIQL_EXISTS && !rest)
		return no_key(q, e);
	return complete(q, a, keys, rest, &trees->condition, e) < 0 ? -1 : 1;
}

/* --- a range ------------------------------------------------------------------------------- */

static bool
narrows(enum expr_op op)
{
	return op == EXPR_EQ || (op >= EXPR_LT && op <= EXPR_BETWEEN) ||
	    op == EXPR_BEGINS_WITH;
}

/* A term about the part that the key's order can serve, with it in front. */
static const struct expr **
find_narrowing(const struct terms *t, const char *name)
{
	const struct expr **x = find_equality(t, name), *one;
	size_t i;

	for (i = 0; !x && i < t->count; i++) {
		one = t->list[i];
		if (!one || !narrows(one->op) || !is_about(one, name))
			continue;
		if ((one->op != EXPR_BETWEEN && one->op != EXPR_BEGINS_WITH) ||
		    one->args[0]->op == EXPR_PATH)
			x = &t->list[i];
	}
	return x;
}

/* Different values of the partition key, in the order of the statement. */
struct hashes {
	struct value list[PARTIQL_PARTITIONS_MAX];
	size_t count;
};

static int
add_hash(struct hashes *h, const struct value *v, struct err *e)
{
	size_t i;

	for (i = 0; i < h->count; i++)
		if (h->list[i].type == v->type && value_equal(&h->list[i], v))
			return 0;
	if (h->count == PARTIQL_PARTITIONS_MAX)
		return fail(e, "Too many decomposed read operations for a "
		    "given query.");
	h->list[h->count++] = *v;
	return 0;
}

/* `name` IN values, or equalities of `name` with OR between them. */
static bool
is_choice(const struct expr *x, const char *name)
{
	size_t i;

	if (x->op == EXPR_IN)
		return is_about(x, name) && x->args[0]->op == EXPR_PATH;
	for (i = 0; x->op == EXPR_OR && i < x->nargs; i++)
		if (x->args[i]->op != EXPR_EQ || !is_about(x->args[i], name))
			return false;
	return x->op == EXPR_OR;
}

/* The term that names the partitions: NULL if none does. */
static const struct expr **
find_hashes(const struct terms *t, const char *name)
{
	const struct expr **x = find_equality(t, name);
	size_t i;

	for (i = 0; !x && i < t->count; i++)
		if (t->list[i] && is_choice(t->list[i], name))
			x = &t->list[i];
	return x;
}

static int
read_hashes(const struct expr *x, struct hashes *out, struct err *e)
{
	size_t i;

	out->count = 0;
	if (x->op == EXPR_EQ)
		return add_hash(out, value_of(x), e);
	for (i = x->op == EXPR_IN; i < x->nargs; i++)
		if (add_hash(out, x->op == EXPR_IN ? &x->args[i]->value
		                                   : value_of(x->args[i]),
		        e) < 0)
			return -1;
	return 0;
}

/*
 * Takes the terms that find partitions and narrow them: the first, of the
 * hashes, apart, and the others into `key`.  1; 0 if no partition is named; -1.
 */
static int
take_range(struct terms *t, const struct expr_keys *keys,
    struct hashes *hashes, struct terms *key)
{
	enum expr_op op = EXPR_EQ;
	const struct expr **x;
	size_t i;

	x = find_hashes(t, keys->hash[0].name);
	if (!x || (keys->nhash > 1 && (*x)->op != EXPR_EQ))
		return 0;
	for (i = 1; i < keys->nhash; i++)
		if (!find_equality(t, keys->hash[i].name))
			return 0;
	if (read_hashes(*x, hashes, t->e) < 0)
		return -1;
	*x = NULL;
	for (i = 1; i < keys->nhash; i++) {
		x = find_equality(t, keys->hash[i].name);
		key->list[key->count++] = *x;
		*x = NULL;
	}
	for (i = 0; i < keys->nrange && op == EXPR_EQ; i++) {
		x = find_narrowing(t, keys->range[i].name);
		if (!x)
			break;
		op = (*x)->op;
		key->list[key->count++] = *x;
		*x = NULL;
	}
	return 1;
}

/* name = value, and the rest of the key: one condition. */
static int
make_key(struct terms *key, const char *name, const struct value *v,
    const struct expr **out)
{
	const struct expr *all[2 * EXPR_KEY_PARTS + 1], *args[2];
	struct expr_step *step = arena_array(key->arena, 1, sizeof *step);
	struct terms t = {.arena = key->arena, .list = all, .e = key->e};
	struct expr_path path = {step, 1};

	if (!step)
		return no_memory(key->e);
	step->name = (struct text){name, strlen(name)};
	if (expr_make_path(key->arena, &path, &args[0], key->e) < 0 ||
	    expr_make_value(key->arena, v, &args[1], key->e) < 0 ||
	    expr_make(key->arena, KIND, EXPR_EQ, args, 2, &all[0], key->e) <
	        0)
		return -1;
	memcpy(all + 1, key->list, key->count * sizeof *all);
	t.count = key->count + 1;
	return join(&t, out);
}

static bool
is_part(const struct expr_key_part *parts, size_t n, const struct text *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strlen(parts[i].name) == name->n &&
		    memcmp(parts[i].name, name->p, name->n) == 0)
			return true;
	return false;
}

/* What ORDER BY says of a partition's order; *hash: of theirs, NULL: nothing. */
static int
read_order(const struct partiql *q, const struct expr_keys *keys,
    enum choice *forward, const struct partiql_order **hash, struct err *e)
{
	const struct partiql_order *o;
	size_t i;

	*hash = NULL;
	for (i = 0; i < q->norder; i++) {
		o = &q->order[i];
		if (is_part(keys->range, keys->nrange, &o->name))
			*forward = o->descending ? CHOICE_NO : CHOICE_YES;
		else if (is_part(keys->hash, keys->nhash, &o->name))
			*hash = o;
		else
			return err_set(e, FAULT_VALIDATION, "Variable "
			    "reference %.*s in ORDER BY clause must be part "
			    "of the primary key",
			    o->name.n < 255 ? (int)o->name.n : 255,
			    o->name.p);
	}
	return 0;
}

static int
check_order(const struct partiql *q, bool query, struct err *e)
{
	if (q->norder && !q->where)
		return fail(e, "Must have WHERE clause in the statement when "
		    "using ORDER BY clause.");
	if (q->norder && !query)
		return fail(e, "Must have at least one non-optional hash key "
		    "condition in WHERE clause when using ORDER BY clause.");
	return 0;
}

static int
compare_hashes(const void *x, const void *y)
{
	const struct value *a = x, *b = y;

	if (a->type != b->type || a->type > VALUE_B)
		return (a->type > b->type) - (a->type < b->type);
	return value_compare(a, b);
}

static int
sort_hashes(struct hashes *h, const struct partiql *q,
    const struct partiql_order *order, struct err *e)
{
	struct value swap;
	size_t i;

	if (h->count < 2 || (!order && !q->norder))
		return 0;
	if (!order)
		return fail(e, "Must have hash key in ORDER BY clause when "
		    "more than one hash key condition specified in WHERE "
		    "clause.");
	qsort(h->list, h->count, sizeof *h->list, compare_hashes);
	for (i = 0; order->descending && i < h->count / 2; i++) {
		swap = h->list[i];
		h->list[i] = h->list[h->count - 1 - i];
		h->list[h->count - 1 - i] = swap;
	}
	return 0;
}

/* A request for each partition, or the one of a scan. */
static int
make_requests(const struct partiql *q, const struct expr_keys *keys,
    const struct hashes *hashes, struct terms *key,
    const struct request_trees *common, enum choice forward,
    struct partiql_ranges *out)
{
	struct request_trees *trees;
	size_t i;

	out->count = out->query ? hashes->count : 1;
	out->list = arena_array(key->arena, out->count, sizeof *out->list);
	trees = arena_array(key->arena, out->count, sizeof *trees);
	if (!out->list || !trees)
		return no_memory(key->e);
	for (i = 0; i < out->count; i++) {
		trees[i] = *common;
		out->list[i] = (struct read_request){.table = q->table,
		    .index = q->index, .forward = forward,
		    .trees = &trees[i]};
		if (out->query && make_key(key, keys->hash[0].name,
		                      &hashes->list[i], &trees[i].keys) < 0)
			return -1;
	}
	return 0;
}

int
partiql_range(const struct partiql *q, struct arena *a,
    const struct expr_keys *keys, struct partiql_ranges *out, struct err *e)
{
	const struct expr *found[2 * EXPR_KEY_PARTS];
	struct request_trees common = {.projection = q->columns};
	struct terms t, key = {.arena = a, .list = found, .e = e};
	const struct partiql_order *order;
	enum choice forward = CHOICE_ABSENT;
	struct hashes *hashes = arena_array(a, 1, sizeof *hashes);
	int rc;

	if (!hashes)
		return no_memory(e);
	if (find_terms(a, q->where, &t, e) < 0)
		return -1;
	rc = take_range(&t, keys, hashes, &key);
	if (rc < 0)
		return -1;
	*out = (struct partiql_ranges){.query = rc > 0};
	if (join(&t, &common.condition) < 0 ||
	    check_order(q, out->query, e) < 0 ||
	    read_order(q, keys, &forward, &order, e) < 0 ||
	    sort_hashes(hashes, q, order, e) < 0)
		return -1;
	return make_requests(q, keys, hashes, &key, &common, forward, out);
}
