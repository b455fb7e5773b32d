/*
 * What index_tree.c and index_walk.c share: a key's part in one level.
 */
#ifndef INDEX_INDEX_TREE_INTERNAL_H
#define INDEX_INDEX_TREE_INTERNAL_H

#include "index_tree.h"

struct index_part {
	unsigned char bytes[INDEX_PART_MAX + 1];
	MDB_val val;		/* of the bytes */
	bool ends;		/* the key ends here: no level below */
};

/* The part of `key` in level `depth`, which has the id; gives part->ends. */
bool index_tree_part(struct index_part *part, unsigned depth, uint64_t id,
    const struct text *key);

/* Bytes of a key that stand in the levels above `depth`. */
size_t index_tree_offset(unsigned depth);

MDB_dbi index_tree_dbi(const struct index_tree *t, unsigned depth);

void index_tree_put_id(unsigned char *p, uint64_t id);
uint64_t index_tree_id(const MDB_val *value);

#endif
