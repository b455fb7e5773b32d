/*
 * Keys as bytes: what the index is ordered by.
 *
 *   item        table id | 0 | hash | partition key | sort key
 *   secondary   table id | index id | hash | partition key | sort key |
 *               hash | partition key | sort key of the item
 *
 *   id      1 byte below 0xf8; else 0xf8 + n - 1 and n bytes, big-endian
 *   hash    8 bytes of the encoded partition key, so that a scan goes in no
 *           order that a client chooses and a segment is a range of hashes
 *   S, B    the bytes, 00 as 01 01 and 01 as 01 02, then 00
 *   N       number_key() of value/number.h
 *
 * memcmp's order of two keys of one index is DynamoDB's order of their sort
 * keys within one partition key.  No part begins another, so that more may
 * stand behind it; the partition key itself is there, so that two of one hash
 * stay apart.  Keys may be of any length that DynamoDB allows: what the index
 * stands on has no limit (index_tree.h).
 *
 * Everything lies in the arena that is given.  What takes a `struct err *`
 * gives -1 with FAULT_VALIDATION and DynamoDB's text, or ENOMEM.
 */
#ifndef TABLE_KEY_H
#define TABLE_KEY_H

#include "table.h"

enum { KEY_HASH_SIZE = 8 };

/*
 * An item may be put: it has all parts of the table's key, of the right type,
 * not empty, within the limits, and attributes that are keys of an index
 * likewise where they are there.
 */
int key_check_item(const struct table *t, const struct value *item,
    struct err *e);

/*
 * The same of what an update made of `old` (NULL: of nothing).  An attribute
 * that it left alone is older than an index that can't hold it: that is fine.
 */
int key_check_update(const struct table *t, const struct value *old,
    const struct value *item, struct err *e);

/*
 * The table's own key alone: what an item has to have that was there before
 * an index.
 */
int key_check_own(const struct table *t, const struct value *item,
    struct err *e);

/* `key` is a Key of the table: the parts of its key and nothing else. */
int key_check(const struct table *t, const struct value *key, struct err *e);

/*
 * The key of an item, made from the item or from a Key of it, checked by one
 * of the two above: what is missing here is an error as there.
 */
int key_item(struct arena *a, const struct table *t, const struct value *item,
    struct text *out, struct err *e);

/*
 * The key of an item in a secondary index; `base` is its key_item().  1; 0 if
 * it lacks a part, or has one of another type or too long, so that the index
 * doesn't hold it; -1.
 */
int key_entry(struct arena *a, const struct table *t,
    const struct table_index *ix, const struct value *item,
    const struct text *base, struct text *out, struct err *e);

/*
 * The members of an item that make its Key, or LastEvaluatedKey where an
 * index is given: a map in the arena whose values are the item's own and
 * whose names are the table's.
 */
int key_members(struct arena *a, const struct table *t,
    const struct table_index *ix, const struct value *item,
    struct value *out, struct err *e);

/* True if both items have the same key attributes of the index, or lack one. */
bool key_entry_same(const struct table_index *ix, const struct value *one,
    const struct value *other);

/* Bytes of an item's key that say the table: 1 to 9, and the byte behind. */
size_t key_head(const struct text *item_key);

/* The table of a key. */
uint64_t key_table_id(const struct text *key);

/*
 * The key of the item that a secondary entry is of, from where it begins
 * behind the ids (`at`), into `room` of entry->n bytes.
 */
struct text key_base(const struct text *entry, size_t at, char *room);

/* --- ranges ----------------------------------------------------------------
 *
 * low <= key < high.  A query is key_range_hash, key_range_sort for each part
 * of the sort key in order, and key_range_after for an ExclusiveStartKey.
 * Where an index may be given, NULL means the items themselves.
 */
struct key_range {
	struct text low, high;
	struct text prefix;	/* what all keys of it begin with */
};

enum key_op {
	KEY_EQ, KEY_LT, KEY_LE, KEY_GT, KEY_GE, KEY_BETWEEN, KEY_BEGINS
};

/* All of a table or index, or segment 0 <= segment < segments of it. */
int key_range_scan(struct arena *a, const struct table *t,
    const struct table_index *ix, unsigned segment, unsigned segments,
    struct key_range *r, struct err *e);

/* One partition: `hash` has a value of the right type for each hash part. */
int key_range_hash(struct arena *a, const struct table *t,
    const struct table_index *ix, const struct value *hash,
    struct key_range *r, struct err *e);

/*
 * Narrows a partition by one part of the sort key: v[0], and v[1] of BETWEEN,
 * of the part's type.  After EQ the next part may follow, after others none.
 */
int key_range_sort(struct arena *a, struct key_range *r, enum key_op op,
    const struct value *v, struct err *e);

/*
 * Drops what stands up to and with `start` (a key_item or key_entry), in the
 * direction of reading; the key need not be there.
 */
int key_range_after(struct arena *a, struct key_range *r,
    const struct text *start, bool backward, struct err *e);

/* True if the key lies in the range. */
bool key_range_has(const struct key_range *r, const struct text *key);

/* Everything of one index, or with `all` of the whole table. */
int key_range_ids(struct arena *a, uint64_t table_id, uint32_t index_id,
    bool all, struct key_range *r, struct err *e);

#endif
