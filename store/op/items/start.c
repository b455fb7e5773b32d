/*
 * Where a page begins: ExclusiveStartKey, with DynamoDB's texts for one that
 * is none of what is read.
 */
#include "query.h"

#include <string.h>

#define START "The provided starting key is invalid"
#define SCHEMA "The provided key element does not match the schema"

/* --- before the range is known ---------------------------------------------- */

static int
invalid(const char *why, struct err *e)
{
	return err_set(e, FAULT_VALIDATION, START ": %.400s", why);
}

/* How many attributes the keys of table and index have together. */
static size_t
parts_of(const struct page *p)
{
	const struct key_schema *t = &p->table->key;
	const struct key_schema *ix = p->index ? &p->index->key : NULL;
	size_t i, n = t->nhash + t->nrange;

	for (i = 0; ix && i < ix->nhash + ix->nrange; i++) {
		const struct key_part *part = i < ix->nhash ? &ix->hash[i] :
		    &ix->range[i - ix->nhash];

		n += strcmp(part->name, t->hash[0].name) != 0 &&
		    (t->nrange == 0 ||
		        strcmp(part->name, t->range[0].name) != 0);
	}
	return n;
}

static int
check_part(const struct value *start, const struct key_part *part,
    struct err *e)
{
	const struct value *v = value_member(start, part->name,
	    strlen(part->name));

	if (!v)
		return err_set(e, FAULT_VALIDATION, START);
	return v->type == part->type ? 0 : err_set(e, FAULT_VALIDATION,
	    SCHEMA);
}

static const struct key_schema *
schema_of(const struct page *p)
{
	return p->index ? &p->index->key : &p->table->key;
}

static int
check_hash(const struct page *p, struct err *e)
{
	const struct key_schema *s = schema_of(p);
	size_t i;

	for (i = 0; i < s->nhash; i++)
		if (check_part(p->q->start, &s->hash[i], e) < 0)
			return -1;
	return 0;
}

static int
check_range(const struct page *p, struct err *e)
{
	const struct key_schema *s = schema_of(p);
	size_t i;

	for (i = 0; i < s->nrange; i++)
		if (check_part(p->q->start, &s->range[i], e) < 0)
			return -1;
	return 0;
}

int
op_start_check(const struct page *p, struct err *e)
{
	if (!p->q->start)
		return 0;
	if (p->q->start->count != parts_of(p))
		return p->query || p->index ? err_set(e, FAULT_VALIDATION,
		    START) : invalid(SCHEMA, e);
	if (p->query || p->index)
		return check_hash(p, e) < 0 ||
		    (!p->query && check_range(p, e) < 0) ? -1 : 0;
	return 0;
}

/* It is an item's key, too. */
static int
check_item_key(const struct page *p, struct err *e)
{
	struct value members;
	char why[sizeof e->text];

	if (key_members(&p->op->arena, p->table, NULL, p->q->start, &members,
	        e) == 0 && key_check(p->table, &members, e) == 0)
		return 0;
	if (e->code != FAULT_VALIDATION)
		return -1;
	memcpy(why, e->text, sizeof why);
	return invalid(why, e);
}

/* --- within the range ---------------------------------------------------------- */

/* It would pass the condition on the sort key, were it of that partition. */
static bool
matches(const struct page *p, struct arena *a)
{
	const struct key_schema *s = schema_of(p);
	struct value item = *p->q->start;
	size_t i, k;

	item.members = arena_array(a, item.count, sizeof *item.members);
	if (!item.members)
		return false;
	memcpy(item.members, p->q->start->members,
	    item.count * sizeof *item.members);
	for (i = 0; i < item.count; i++)
		for (k = 0; k < s->nhash; k++)
			if (strlen(s->hash[k].name) ==
			    item.members[i].name.n &&
			    memcmp(s->hash[k].name, item.members[i].name.p,
			        item.members[i].name.n) == 0)
				item.members[i].value = p->hash[k];
	return expr_true(p->keys, &item);
}

/* "{p=AttributeValue: {S:x}}": of a table without a sort key. */
static int
alone(const struct page *p, struct err *e)
{
	const struct member *m = &p->q->start->members[0];
	bool shown = m->value.type != VALUE_B && m->value.text.n < 200;

	return err_set(e, FAULT_VALIDATION, "The provided exclusive start key "
	    "is invalid: ExclusiveStartKey: {%.*s=AttributeValue: {%s:%.*s}}",
	    (int)m->name.n, m->name.p, value_type_name(m->value.type),
	    shown ? (int)m->value.text.n : 3,
	    shown ? m->value.text.p : "...");
}

static int
check_query(const struct page *p, const struct text *key, struct err *e)
{
	bool inside = key_range_has(&p->partition, key);

	if (!p->narrowed && !inside)
		return err_set(e, FAULT_VALIDATION, "The provided starting "
		    "key is outside query boundaries based on provided "
		    "conditions");
	if (p->narrowed && !matches(p, &p->op->arena))
		return err_set(e, FAULT_VALIDATION, "The provided starting "
		    "key does not match the range key predicate");
	if (p->single && !p->narrowed)
		return alone(p, e);
	return inside && !p->single ? 0 : err_set(e, FAULT_VALIDATION,
	    "The query can return at most one row and cannot be restarted");
}

static int
check_scan(const struct page *p, const struct text *key, struct err *e)
{
	if (key_range_has(&p->range, key))
		return 0;
	return err_set(e, FAULT_VALIDATION, START ": Invalid "
	    "ExclusiveStartKey. Please use ExclusiveStartKey with correct "
	    "Segment. TotalSegments: %u Segment: %u",
	    (unsigned)p->q->segments, (unsigned)p->q->segment);
}

int
op_start_after(struct page *p, struct err *e)
{
	const struct value *start = p->q->start;
	struct arena *a = &p->op->arena;
	struct text base, key;

	if (!start)
		return 0;
	if (((p->query || p->index) && check_range(p, e) < 0) ||
	    check_item_key(p, e) < 0 ||
	    key_item(a, p->table, start, &base, e) < 0)
		return -1;
	key = base;
	if (p->index && key_entry(a, p->table, p->index, start, &base, &key,
	                    e) <= 0)
		return err_set(e, FAULT_VALIDATION, START);
	if ((p->query ? check_query(p, &key, e) : check_scan(p, &key, e)) < 0)
		return -1;
	return key_range_after(a, &p->range, &key, p->backward, e);
}
