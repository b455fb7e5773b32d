/*
 * Items in the index, with what follows from them: secondary entries, expiry,
 * counters.
 *
 *   item    8 bytes position | 4 bytes size by DynamoDB's rules | the item
 *   entry   4 bytes: where in its key the key of the item begins
 */
#include "index_internal.h"

#include "store/value/fault.h"

#include <string.h>

enum { RECORD_HEAD = 12, ENTRY_SIZE = 4 };

int
index_read_record(const MDB_val *value, struct index_record *out,
    struct err *e)
{
	const char *p = value->mv_data;

	if (value->mv_size < RECORD_HEAD)
		return err_set(e, FAULT_INTERNAL, "index: a record is cut off");
	out->position = index_load64(p);
	out->size = index_load32(p + 8);
	out->item = (struct text){p + RECORD_HEAD,
	    value->mv_size - RECORD_HEAD};
	return 0;
}

int
index_get(struct index_view *v, const struct text *key,
    struct index_record *out, struct err *e)
{
	struct index_tree items = index_tree_of(v, DB_ITEMS);
	MDB_val value;
	int rc = index_tree_get(&items, key, &value);

	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc)
		return index_fail(v->index, rc, "get", e);
	return index_read_record(&value, out, e) < 0 ? -1 : 1;
}

bool
index_needs_old(const struct table *t)
{
	return t->nindexes > 0 || *t->ttl;
}

/* --- secondary entries ---------------------------------------------------- */

size_t
index_projected_size(const struct table *t, const struct table_index *ix,
    const struct value *item)
{
	const struct member *m;
	size_t n = 0;

	if (ix->projection == PROJECT_ALL)
		return value_item_size(item);
	for (m = item->members; m < item->members + item->count; m++)
		if (table_projects(t, ix, m->name.p, m->name.n))
			n += m->name.n + value_size(&m->value);
	return n;
}

int
index_entry_put(struct index_view *batch, const struct table *t,
    const struct table_index *ix, const struct text *key,
    const struct value *item, struct err *e)
{
	struct index_tree items = index_tree_of(batch, DB_ITEMS);
	unsigned char bytes[ENTRY_SIZE];
	MDB_val value = {sizeof bytes, bytes}, there;
	struct text entry;
	int r, rc;

	r = key_entry(&batch->index->scratch, t, ix, item, key, &entry, e);
	if (r <= 0)
		return r;
	if (ix->filling && index_tree_get(&items, &entry, &there) == 0)
		return 0;
	index_store32(bytes, (uint32_t)(entry.n - (key->n - key_head(key))));
	rc = index_tree_put(&items, &entry, &value);
	return rc ? index_fail(batch->index, rc, ix->name, e) : 1;
}

static int
entry_delete(struct index_view *batch, const struct table *t,
    const struct table_index *ix, const struct text *key,
    const struct value *item, struct err *e)
{
	struct index_tree items = index_tree_of(batch, DB_ITEMS);
	struct text entry;
	int r, rc;

	r = key_entry(&batch->index->scratch, t, ix, item, key, &entry, e);
	if (r <= 0)
		return r;
	rc = index_tree_delete(&items, &entry);
	if (rc == MDB_NOTFOUND)
		return 0;
	return rc ? index_fail(batch->index, rc, ix->name, e) : 1;
}

/* 1 if the index holds the item, whose key in it has not changed. */
static int
entry_there(struct index_view *batch, const struct table *t,
    const struct table_index *ix, const struct text *key,
    const struct value *item, struct err *e)
{
	struct index_tree items = index_tree_of(batch, DB_ITEMS);
	struct text entry;
	MDB_val value;
	int r;

	r = key_entry(&batch->index->scratch, t, ix, item, key, &entry, e);
	if (r <= 0 || !ix->filling)
		return r;
	return index_tree_get(&items, &entry, &value) == 0;
}

/* From `old` to `item`, either of which may be NULL. */
static int
entry_change(struct index_view *batch, const struct table *t,
    const struct table_index *ix, const struct text *key,
    const struct value *old, const struct value *item, struct err *e)
{
	int gone = 0, come = 0;
	int64_t bytes = 0;

	if (old && item && key_entry_same(ix, old, item)) {
		gone = come = entry_there(batch, t, ix, key, item, e);
	} else {
		if (old)
			gone = entry_delete(batch, t, ix, key, old, e);
		if (item && gone >= 0)
			come = index_entry_put(batch, t, ix, key, item, e);
	}
	if (gone < 0 || come < 0)
		return -1;
	if (gone)
		bytes -= (int64_t)index_projected_size(t, ix, old);
	if (come)
		bytes += (int64_t)index_projected_size(t, ix, item);
	if (gone == come && bytes == 0)
		return 0;
	return index_count(batch, t->id, ix->id, come - gone, bytes, e);
}

static int
follow(struct index_view *batch, const struct table *t,
    const struct text *key, const struct value *old,
    const struct value *item, struct err *e)
{
	size_t i;

	for (i = 0; i < t->nindexes; i++) {
		arena_reset(&batch->index->scratch);
		if (entry_change(batch, t, &t->indexes[i], key, old, item,
		    e) < 0)
			return -1;
	}
	return *t->ttl ? index_due_change(batch, t, key, old, item, e) : 0;
}

/* --- items ---------------------------------------------------------------- */

/* Puts the record: 1 if there was one, with *old_size; 0; -1. */
static int
put_record(struct index_view *batch, const struct text *key,
    const struct index_record *record, size_t *old_size, struct err *e)
{
	struct index_tree items = index_tree_of(batch, DB_ITEMS);
	MDB_val value = {RECORD_HEAD + record->item.n, NULL};
	struct index_record old = {0};
	unsigned char *p;
	int there = index_reserve(batch, value.mv_size, e), rc;

	if (there == 0)
		there = index_get(batch, key, &old, e);
	if (there < 0)
		return -1;
	*old_size = old.size;
	rc = index_tree_put(&items, key, &value);
	if (rc)
		return index_fail(batch->index, rc, "put", e);
	p = value.mv_data;
	index_store64(p, record->position);
	index_store32(p + 8, (uint32_t)record->size);
	memcpy(p + RECORD_HEAD, record->item.p, record->item.n);
	return there;
}

int
index_put(struct index_view *batch, const struct table *t,
    const struct text *key, const struct value *old,
    const struct value *item, const struct text *bytes, uint64_t position,
    struct err *e)
{
	struct index_record record = {*bytes, position,
	    value_item_size(item)};
	size_t old_size;
	int there = put_record(batch, key, &record, &old_size, e);

	if (there < 0)
		return -1;
	if (index_count(batch, t->id, 0, !there,
	    (int64_t)record.size - (int64_t)old_size, e) < 0)
		return -1;
	return follow(batch, t, key, old, item, e);
}

int
index_delete(struct index_view *batch, const struct table *t,
    const struct text *key, const struct value *old, struct err *e)
{
	struct index_tree items = index_tree_of(batch, DB_ITEMS);
	struct index_record record = {0};
	int there = index_reserve(batch, 0, e), rc;

	if (there == 0)
		there = index_get(batch, key, &record, e);
	if (there <= 0)
		return there;
	rc = index_tree_delete(&items, key);
	if (rc)
		return index_fail(batch->index, rc, "delete", e);
	if (index_count(batch, t->id, 0, -1, -(int64_t)record.size, e) < 0 ||
	    follow(batch, t, key, old, NULL, e) < 0)
		return -1;
	return 1;
}
