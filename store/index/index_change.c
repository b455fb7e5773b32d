/*
 * Indexes and tables that come and go: an index that is added is filled item
 * by item, one that is dropped is emptied a piece at a time.
 */
#include "index_internal.h"

#include <errno.h>

enum { PIECE = 128 };		/* keys that are looked up at once */

int
index_fill(struct index_view *batch, const struct table *t,
    const struct table_index *ix, const struct text *key,
    const struct value *item, struct err *e)
{
	int come;

	if (index_reserve(batch, 0, e) < 0)
		return -1;
	arena_reset(&batch->index->scratch);
	if (!ix)
		return *t->ttl ? index_due_change(batch, t, key, NULL, item,
		    e) : 0;
	come = index_entry_put(batch, t, ix, key, item, e);
	if (come <= 0)
		return come;
	return index_count(batch, t->id, ix->id, 1,
	    (int64_t)index_projected_size(t, ix, item), e);
}

/* The first keys of a range, `max` at most. */
static int
collect(struct index_view *v, enum index_db db, const struct key_range *r,
    struct text *keys, size_t max, size_t *count, struct err *e)
{
	struct index_tree tree = index_tree_of(v, db);
	struct arena *a = &v->index->scratch;
	struct index_walk c;
	struct text key;
	MDB_val value;
	int rc = index_walk_open(&c, &tree);

	*count = 0;
	if (rc)
		return index_fail(v->index, rc, "drop", e);
	rc = index_walk_seek(&c, &r->low, &key, &value);
	while (rc == 0 && *count < max && key_range_has(r, &key)) {
		keys[*count] = (struct text){arena_copy(a, key.p, key.n),
		    key.n};
		if (!keys[(*count)++].p)
			rc = ENOMEM;
		else
			rc = index_walk_next(&c, &key, &value);
	}
	index_walk_close(&c);
	return rc && rc != MDB_NOTFOUND ?
	    index_fail(v->index, rc, "drop", e) : 0;
}

/* Removes a range of a tree: *max counts down, and is 0 if more may be left. */
static int
drop_range(struct index_view *batch, enum index_db db, uint64_t table_id,
    uint32_t index_id, size_t *max, struct err *e)
{
	struct index_tree tree = index_tree_of(batch, db);
	struct text keys[PIECE];
	struct key_range r;
	size_t count, want, i;
	int rc;

	do {
		arena_reset(&batch->index->scratch);
		want = *max < PIECE ? *max : PIECE;
		if (index_reserve(batch, 0, e) < 0 ||
		    key_range_ids(&batch->index->scratch, table_id, index_id,
		    index_id == 0, &r, e) < 0 ||
		    collect(batch, db, &r, keys, want, &count, e) < 0)
			return -1;
		for (i = 0; i < count; i++) {
			rc = index_tree_delete(&tree, &keys[i]);
			if (rc)
				return index_fail(batch->index, rc, "drop", e);
		}
		*max -= count;
	} while (*max > 0 && count == want);
	return 0;
}

int
index_drop(struct index_view *batch, uint64_t table_id, uint32_t index_id,
    size_t max, bool *left, struct err *e)
{
	size_t more = max;

	if (drop_range(batch, DB_ITEMS, table_id, index_id, &more, e) < 0)
		return -1;
	if (index_id == 0 && more > 0 &&
	    drop_range(batch, DB_FILES, table_id, 0, &more, e) < 0)
		return -1;
	*left = more == 0;
	return *left ? 0 : index_count_forget(batch, table_id, index_id, e);
}
