/*
 * Whether an item or a Key fits the keys of a table and its indexes, with the
 * texts that DynamoDB gives.
 */
#include "key_internal.h"

#include "store/value/fault.h"

#include <errno.h>
#include <string.h>

static const struct value *
member(const struct value *item, const struct key_part *part)
{
	return value_member(item, part->name, strlen(part->name));
}

static bool
is_empty(const struct value *v)
{
	return v->type != VALUE_N && v->text.n == 0;
}

static const char *
empty_name(const struct value *v)
{
	return v->type == VALUE_S ? "string" : "binary";
}

/* The parts together within the limits; all are there or not looked at. */
static int
check_sizes(const struct key_schema *s, const struct value *item,
    struct err *e)
{
	size_t hash = 0, range = 0, i;
	const struct value *v;

	for (i = 0; i < s->nhash + s->nrange; i++) {
		v = member(item, key_schema_part(s, i));
		if (v && i < s->nhash)
			hash += v->text.n;
		else if (v)
			range += v->text.n;
	}
	if (hash > VALUE_HASH_KEY_MAX)
		return err_set(e, FAULT_VALIDATION,
		    "One or more parameter values were invalid: Size of "
		    "hashkey has exceeded the maximum size limit of%d bytes",
		    VALUE_HASH_KEY_MAX);
	if (range > VALUE_RANGE_KEY_MAX)
		return err_set(e, FAULT_VALIDATION,
		    "One or more parameter values were invalid: Aggregated "
		    "size of all range keys has exceeded the size limit of %d "
		    "bytes", VALUE_RANGE_KEY_MAX);
	return 0;
}

static int
check_part(const struct key_part *part, const struct value *v, struct err *e)
{
	if (!v)
		return err_set(e, FAULT_VALIDATION,
		    "One or more parameter values were invalid: Missing the "
		    "key %s in the item", part->name);
	if (v->type != part->type)
		return err_set(e, FAULT_VALIDATION,
		    "One or more parameter values were invalid: Type mismatch "
		    "for key %s expected: %s actual: %s", part->name,
		    value_type_name(part->type), value_type_name(v->type));
	if (is_empty(v))
		return err_set(e, FAULT_VALIDATION,
		    "One or more parameter values are not valid. The "
		    "AttributeValue for a key attribute cannot contain an "
		    "empty %s value. Key: %s", empty_name(v), part->name);
	return 0;
}

static int
check_index_part(const struct table_index *ix, const struct key_part *part,
    const struct value *v, struct err *e)
{
	if (!v)
		return 0;
	if (v->type != part->type)
		return err_set(e, FAULT_VALIDATION,
		    "One or more parameter values were invalid: Type mismatch "
		    "for Index Key %s Expected: %s Actual: %s IndexName: %s",
		    part->name, value_type_name(part->type),
		    value_type_name(v->type), ix->name);
	if (is_empty(v))
		return err_set(e, FAULT_VALIDATION,
		    "One or more parameter values are not valid. A value "
		    "specified for a secondary index key is not supported. "
		    "The AttributeValue for a key attribute cannot contain an "
		    "empty %s value. IndexName: %s, IndexKey: %s",
		    empty_name(v), ix->name, part->name);
	return 0;
}

int
key_check_own(const struct table *t, const struct value *item, struct err *e)
{
	const struct key_part *part;
	size_t i;

	for (i = 0; i < t->key.nhash + t->key.nrange; i++) {
		part = key_schema_part(&t->key, i);
		if (check_part(part, member(item, part), e) < 0)
			return -1;
	}
	return check_sizes(&t->key, item, e);
}

/* The parts of an index's key that aren't as they were in `old`. */
static int
check_index(const struct table_index *ix, const struct value *old,
    const struct value *item, struct err *e)
{
	const struct key_part *part;
	const struct value *was, *is;
	bool changed = false;
	size_t i;

	for (i = 0; i < ix->key.nhash + ix->key.nrange; i++) {
		part = key_schema_part(&ix->key, i);
		is = member(item, part);
		was = old ? member(old, part) : NULL;
		if (!is || (was && value_equal(was, is)))
			continue;
		if (check_index_part(ix, part, is, e) < 0)
			return -1;
		changed = true;
	}
	return changed ? check_sizes(&ix->key, item, e) : 0;
}

int
key_check_update(const struct table *t, const struct value *old,
    const struct value *item, struct err *e)
{
	size_t i;

	if (key_check_own(t, item, e) < 0)
		return -1;
	for (i = 0; i < t->nindexes; i++)
		if (check_index(&t->indexes[i], old, item, e) < 0)
			return -1;
	return 0;
}

int
key_check_item(const struct table *t, const struct value *item, struct err *e)
{
	return key_check_update(t, NULL, item, e);
}

int
key_check(const struct table *t, const struct value *key, struct err *e)
{
	size_t parts = t->key.nhash + t->key.nrange, i;
	const struct key_part *part;
	const struct value *v;

	for (i = 0; i < parts; i++) {
		part = key_schema_part(&t->key, i);
		v = member(key, part);
		if (!v || v->type != part->type || key->count != parts)
			return err_set(e, FAULT_VALIDATION,
			    "The provided key element does not match the "
			    "schema");
		if (check_part(part, v, e) < 0)
			return -1;
	}
	return check_sizes(&t->key, key, e);
}

/* Adds the parts of a schema that aren't there yet. */
static int
add_members(const struct key_schema *s, const struct value *item,
    struct value *out, struct err *e)
{
	const struct key_part *part;
	const struct value *v;
	struct member *m;
	size_t i, n;

	for (i = 0; i < s->nhash + s->nrange; i++) {
		part = key_schema_part(s, i);
		n = strlen(part->name);
		v = member(item, part);
		if (!v)
			return err_set(e, FAULT_VALIDATION,
			    "The provided key element does not match the "
			    "schema");
		for (m = out->members; m < out->members + out->count; m++)
			if (m->name.n == n && !memcmp(m->name.p, part->name, n))
				break;
		*m = (struct member){{part->name, n}, *v};
		if (m == out->members + out->count)
			out->count++;
	}
	return 0;
}

int
key_members(struct arena *a, const struct table *t,
    const struct table_index *ix, const struct value *item,
    struct value *out, struct err *e)
{
	struct text twice;

	*out = (struct value){.type = VALUE_M};
	out->members = arena_array(a, (size_t)4 * TABLE_KEY_PARTS,
	    sizeof *out->members);
	if (!out->members)
		return err_set(e, ENOMEM, "no memory for a key");
	if (add_members(&t->key, item, out, e) < 0 ||
	    (ix && add_members(&ix->key, item, out, e) < 0))
		return -1;
	return value_sort_map(out, &twice);
}
