/*
 * Ordered maps from byte strings of nearly any length to bytes, on LMDB, whose
 * keys end at 511 bytes.
 *
 * A level is a database, or those keys of the database `more` that begin with
 * the level's 8-byte id.  In a level stands
 *
 *   a key of up to 510 bytes, the id counted   -> the value
 *   its first 510 bytes and a 00               -> 8 bytes, the id of the level
 *                                                 that holds the rests
 *
 * so that all keys with one beginning have one place in the order, right
 * behind the key that ends there, and their rests are ordered in it.  A level
 * is there as long as it holds something.
 *
 * All calls give an LMDB code: 0, MDB_NOTFOUND, or an error.
 */
#ifndef INDEX_INDEX_TREE_H
#define INDEX_INDEX_TREE_H

#include "store/value/value.h"

#include <lmdb.h>
#include <stdint.h>

enum {
	INDEX_PART_MAX = 510,		/* of a level's key, its id counted */
	INDEX_ID_SIZE = 8,
	INDEX_LEVELS_MAX = 64,
	INDEX_KEY_MAX = INDEX_PART_MAX +
	    (INDEX_LEVELS_MAX - 1) * (INDEX_PART_MAX - INDEX_ID_SIZE)
};

struct index_tree {
	MDB_txn *txn;
	MDB_dbi dbi;		/* the first level */
	MDB_dbi more;		/* all others, of all trees */
	uint64_t *next_id;	/* of a new level; NULL where nothing is put */
	size_t *spent;		/* bytes of pages that changes may have made */
};

int index_tree_get(const struct index_tree *t, const struct text *key,
    MDB_val *value);

/* Puts `value`, or if value->mv_data is NULL leaves it to be filled there. */
int index_tree_put(const struct index_tree *t, const struct text *key,
    MDB_val *value);

int index_tree_delete(const struct index_tree *t, const struct text *key);

/*
 * A cursor: where it stands, level by level.  Invariants while it stands:
 *   1. `key` holds the parts of the levels above `depth` in full:
 *      INDEX_PART_MAX bytes of the first, of the others less by the id.
 *   2. ids[i] is the id of level i, 0 < i <= depth.
 *   3. `top` stands at the first level's entry; `below`, if depth > 0, at that
 *      of level `depth`.
 */
struct index_walk {
	struct index_tree tree;
	MDB_cursor *top, *below;
	unsigned depth;
	uint64_t ids[INDEX_LEVELS_MAX];
	unsigned char *key;	/* INDEX_KEY_MAX bytes, once one is so long */
};

int index_walk_open(struct index_walk *c, const struct index_tree *t);
void index_walk_close(struct index_walk *c);

/* To the first key at or behind `key`; to the last one before it. */
int index_walk_seek(struct index_walk *c, const struct text *key,
    struct text *found, MDB_val *value);
int index_walk_before(struct index_walk *c, const struct text *key,
    struct text *found, MDB_val *value);

/* To the neighbour; the cursor stands after a call that gave 0. */
int index_walk_next(struct index_walk *c, struct text *found, MDB_val *value);
int index_walk_previous(struct index_walk *c, struct text *found,
    MDB_val *value);

#endif
