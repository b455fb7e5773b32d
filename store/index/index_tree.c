/*
 * The maps of index_tree.h: get, put, delete.  The cursor is in
 * index_walk.c.
 */
#include "index_tree_internal.h"

#include <string.h>

void
index_tree_put_id(unsigned char *p, uint64_t id)
{
	size_t i;

	for (i = 0; i < INDEX_ID_SIZE; i++)
		p[i] = (unsigned char)(id >> (56 - 8 * i));
}

uint64_t
index_tree_id(const MDB_val *value)
{
	const unsigned char *p = value->mv_data;
	uint64_t id = 0;
	size_t i;

	for (i = 0; i < INDEX_ID_SIZE; i++)
		id = id << 8 | p[i];
	return id;
}

size_t
index_tree_offset(unsigned depth)
{
	return depth == 0 ? 0 : INDEX_PART_MAX +
	    (depth - 1) * (size_t)(INDEX_PART_MAX - INDEX_ID_SIZE);
}

MDB_dbi
index_tree_dbi(const struct index_tree *t, unsigned depth)
{
	return depth ? t->more : t->dbi;
}

bool
index_tree_part(struct index_part *part, unsigned depth, uint64_t id,
    const struct text *key)
{
	size_t at = index_tree_offset(depth), n = 0, room, left = key->n - at;

	if (depth) {
		index_tree_put_id(part->bytes, id);
		n = INDEX_ID_SIZE;
	}
	room = INDEX_PART_MAX - n;
	part->ends = left <= room;
	memcpy(part->bytes + n, key->p + at, part->ends ? left : room);
	n += part->ends ? left : room;
	if (!part->ends)
		part->bytes[n++] = 0;
	part->val = (MDB_val){n, part->bytes};
	return part->ends;
}

enum { CHANGE_SPENDS = 2 * 4096 };	/* a leaf, and what is above it */

static void
spend(const struct index_tree *t, size_t bytes)
{
	if (t->spent)
		*t->spent += CHANGE_SPENDS + 2 * bytes;	/* halves split */
}

/* A short key needs no copy. */
static bool
is_short(const struct text *key, MDB_val *val)
{
	union {
		const char *in;
		void *out;
	} p = {.in = key->p};

	*val = (MDB_val){key->n, p.out};
	return key->n <= INDEX_PART_MAX;
}

int
index_tree_get(const struct index_tree *t, const struct text *key,
    MDB_val *value)
{
	struct index_part part;
	unsigned depth = 0;
	uint64_t id = 0;
	int rc;

	if (is_short(key, &part.val))
		return mdb_get(t->txn, t->dbi, &part.val, value);
	while (depth < INDEX_LEVELS_MAX) {
		index_tree_part(&part, depth, id, key);
		rc = mdb_get(t->txn, index_tree_dbi(t, depth), &part.val,
		    value);
		if (rc || part.ends)
			return rc;
		id = index_tree_id(value);
		depth++;
	}
	return MDB_BAD_VALSIZE;
}

/* The level that an unfinished part leads to, made if it isn't there. */
static int
enter(const struct index_tree *t, MDB_dbi dbi, struct index_part *part,
    uint64_t *id)
{
	unsigned char bytes[INDEX_ID_SIZE];
	MDB_val value;
	int rc = mdb_get(t->txn, dbi, &part->val, &value);

	if (rc == 0)
		*id = index_tree_id(&value);
	if (rc != MDB_NOTFOUND)
		return rc;
	*id = (*t->next_id)++;
	index_tree_put_id(bytes, *id);
	value = (MDB_val){sizeof bytes, bytes};
	return mdb_put(t->txn, dbi, &part->val, &value, 0);
}

int
index_tree_put(const struct index_tree *t, const struct text *key,
    MDB_val *value)
{
	unsigned flags = value->mv_data ? 0 : MDB_RESERVE;
	struct index_part part;
	unsigned depth = 0;
	uint64_t id = 0;
	int rc;

	spend(t, value->mv_size);
	if (is_short(key, &part.val))
		return mdb_put(t->txn, t->dbi, &part.val, value, flags);
	if (key->n > INDEX_KEY_MAX)
		return MDB_BAD_VALSIZE;
	while (!index_tree_part(&part, depth, id, key)) {
		rc = enter(t, index_tree_dbi(t, depth), &part, &id);
		if (rc)
			return rc;
		spend(t, 0);
		depth++;
	}
	return mdb_put(t->txn, index_tree_dbi(t, depth), &part.val, value,
	    flags);
}

/* 0 if the level holds something, MDB_NOTFOUND if it is empty. */
static int
holds(const struct index_tree *t, uint64_t id)
{
	unsigned char bytes[INDEX_ID_SIZE];
	MDB_val at = {sizeof bytes, bytes}, value;
	MDB_cursor *c;
	int rc = mdb_cursor_open(t->txn, t->more, &c);

	if (rc)
		return rc;
	index_tree_put_id(bytes, id);
	rc = mdb_cursor_get(c, &at, &value, MDB_SET_RANGE);
	if (rc == 0 && memcmp(at.mv_data, bytes, sizeof bytes) != 0)
		rc = MDB_NOTFOUND;
	mdb_cursor_close(c);
	return rc;
}

int
index_tree_delete(const struct index_tree *t, const struct text *key)
{
	uint64_t ids[INDEX_LEVELS_MAX] = {0};
	struct index_part part;
	unsigned depth = 0;
	MDB_val value;
	int rc;

	spend(t, 0);
	if (is_short(key, &part.val))
		return mdb_del(t->txn, t->dbi, &part.val, NULL);
	if (key->n > INDEX_KEY_MAX)
		return MDB_NOTFOUND;
	while (!index_tree_part(&part, depth, ids[depth], key)) {
		rc = mdb_get(t->txn, index_tree_dbi(t, depth), &part.val,
		    &value);
		if (rc)
			return rc;
		ids[++depth] = index_tree_id(&value);
	}
	rc = mdb_del(t->txn, index_tree_dbi(t, depth), &part.val, NULL);
	while (rc == 0 && depth > 0) {
		rc = holds(t, ids[depth]);
		if (rc != MDB_NOTFOUND)
			return rc;
		depth--;
		index_tree_part(&part, depth, ids[depth], key);
		rc = mdb_del(t->txn, index_tree_dbi(t, depth), &part.val, NULL);
	}
	return rc;
}
