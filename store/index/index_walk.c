/*
 * The cursor of index_tree.h: walks the levels in order, both ways.
 */
#include "index_tree_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
index_walk_open(struct index_walk *c, const struct index_tree *t)
{
	c->tree = *t;
	c->below = NULL;
	c->key = NULL;
	c->depth = 0;
	return mdb_cursor_open(t->txn, t->dbi, &c->top);
}

void
index_walk_close(struct index_walk *c)
{
	mdb_cursor_close(c->top);
	if (c->below)
		mdb_cursor_close(c->below);
	free(c->key);
}

static bool
is_way_down(const MDB_val *part)
{
	return part->mv_size > INDEX_PART_MAX;
}

/*
 * Moves within the level: MDB_NOTFOUND where it ends.  *part comes in for
 * MDB_SET and MDB_SET_RANGE.
 */
static int
move(struct index_walk *c, MDB_val *part, MDB_val *value, MDB_cursor_op op)
{
	unsigned char id[INDEX_ID_SIZE];
	int rc;

	if (c->depth == 0)
		return mdb_cursor_get(c->top, part, value, op);
	rc = mdb_cursor_get(c->below, part, value, op);
	if (rc)
		return rc;
	index_tree_put_id(id, c->ids[c->depth]);
	return memcmp(part->mv_data, id, sizeof id) ? MDB_NOTFOUND : 0;
}

/* Into the level that the entry leads to; it stands nowhere there yet. */
static int
go_down(struct index_walk *c, const MDB_val *part, const MDB_val *value)
{
	size_t skip = c->depth ? INDEX_ID_SIZE : 0;

	if (c->depth + 1 == INDEX_LEVELS_MAX)
		return MDB_CORRUPTED;
	if (!c->key && !(c->key = malloc(INDEX_KEY_MAX)))
		return ENOMEM;
	memcpy(c->key + index_tree_offset(c->depth),
	    (const unsigned char *)part->mv_data + skip, INDEX_PART_MAX - skip);
	c->ids[++c->depth] = index_tree_id(value);
	return c->below ? 0 :
	    mdb_cursor_open(c->tree.txn, c->tree.more, &c->below);
}

/* Up to the entry that led down here. */
static int
go_up(struct index_walk *c)
{
	struct text key = {(const char *)c->key,
	    index_tree_offset(c->depth) + 1};
	struct index_part part;
	MDB_val value;

	if (--c->depth == 0)
		return 0;
	index_tree_part(&part, c->depth, c->ids[c->depth], &key);
	return move(c, &part.val, &value, MDB_SET);
}

/* To the first or last entry of the level that was entered. */
static int
to_end(struct index_walk *c, MDB_val *part, MDB_val *value, bool last)
{
	unsigned char id[INDEX_ID_SIZE];
	int rc;

	index_tree_put_id(id, c->ids[c->depth] + (last ? 1 : 0));
	*part = (MDB_val){sizeof id, id};
	if (!last)
		return move(c, part, value, MDB_SET_RANGE);
	rc = mdb_cursor_get(c->below, part, value, MDB_SET_RANGE);
	if (rc && rc != MDB_NOTFOUND)
		return rc;
	return move(c, part, value, rc ? MDB_LAST : MDB_PREV);
}

/*
 * From what a move gave to the next key that ends: down as long as the entry
 * leads down, up and on where a level ends.
 */
static int
settle(struct index_walk *c, int rc, MDB_val *part, MDB_val *value,
    bool backward)
{
	while (rc == 0 || rc == MDB_NOTFOUND) {
		if (rc == 0 && !is_way_down(part))
			return 0;
		if (rc == 0) {
			rc = go_down(c, part, value);
			if (rc == 0)
				rc = to_end(c, part, value, backward);
			if (rc == MDB_NOTFOUND)
				rc = MDB_CORRUPTED;
			continue;
		}
		if (c->depth == 0)
			return MDB_NOTFOUND;
		rc = go_up(c);
		if (rc == MDB_NOTFOUND)
			rc = MDB_CORRUPTED;
		else if (rc == 0)
			rc = move(c, part, value,
			    backward ? MDB_PREV : MDB_NEXT);
	}
	return rc;
}

/* The whole key where the cursor stands. */
static void
tell(const struct index_walk *c, const MDB_val *part, struct text *found)
{
	size_t at = index_tree_offset(c->depth), n = part->mv_size;

	if (c->depth == 0) {
		*found = (struct text){part->mv_data, n};
		return;
	}
	n -= INDEX_ID_SIZE;
	memcpy(c->key + at, (const char *)part->mv_data + INDEX_ID_SIZE, n);
	*found = (struct text){(const char *)c->key, at + n};
}

int
index_walk_seek(struct index_walk *c, const struct text *key,
    struct text *found, MDB_val *value)
{
	struct index_part part;
	bool same;
	MDB_val at;
	int rc;

	if (key->n > INDEX_KEY_MAX)
		return MDB_BAD_VALSIZE;
	c->depth = 0;
	do {
		index_tree_part(&part, c->depth, c->ids[c->depth], key);
		at = part.val;
		rc = move(c, &at, value, MDB_SET_RANGE);
		same = rc == 0 && !part.ends && at.mv_size == part.val.mv_size
		    && memcmp(at.mv_data, part.bytes, at.mv_size) == 0;
		if (same)
			rc = go_down(c, &at, value);
	} while (same && rc == 0);
	rc = settle(c, rc, &at, value, false);
	if (rc == 0)
		tell(c, &at, found);
	return rc;
}

int
index_walk_before(struct index_walk *c, const struct text *key,
    struct text *found, MDB_val *value)
{
	MDB_val at;
	int rc = index_walk_seek(c, key, found, value);

	if (rc == 0)
		return index_walk_previous(c, found, value);
	if (rc != MDB_NOTFOUND)
		return rc;
	rc = settle(c, move(c, &at, value, MDB_LAST), &at, value, true);
	if (rc == 0)
		tell(c, &at, found);
	return rc;
}

int
index_walk_next(struct index_walk *c, struct text *found, MDB_val *value)
{
	MDB_val at;
	int rc = settle(c, move(c, &at, value, MDB_NEXT), &at, value, false);

	if (rc == 0)
		tell(c, &at, found);
	return rc;
}

int
index_walk_previous(struct index_walk *c, struct text *found, MDB_val *value)
{
	MDB_val at;
	int rc = settle(c, move(c, &at, value, MDB_PREV), &at, value, true);

	if (rc == 0)
		tell(c, &at, found);
	return rc;
}
