/*
 * What key.c, key_check.c and key_range.c share: putting bytes together.
 */
#ifndef TABLE_KEY_INTERNAL_H
#define TABLE_KEY_INTERNAL_H

#include "key.h"

enum { KEY_ID_MAX = 9, KEY_HEAD_MAX = 2 * KEY_ID_MAX };

/* A key that grows in room which was counted before. */
struct key_bytes {
	unsigned char *p;
	size_t n;
};

/* Room for `n` bytes: 0, or -1 with an error. */
int key_room(struct arena *a, size_t n, struct key_bytes *k, struct err *e);

/* At most so many bytes for a value of a key. */
size_t key_value_room(const struct value *v);

void key_add(struct key_bytes *k, const void *p, size_t n);
void key_add_head(struct key_bytes *k, uint64_t table_id, uint32_t index_id);

/* S, N or B as key.h's table says; `open` leaves the end of S and B out. */
void key_add_value(struct key_bytes *k, const struct value *v, bool open);

/* The hash of what stands from `at` on is put before it: room is there. */
void key_add_hash(struct key_bytes *k, size_t at);

struct text key_text(const struct key_bytes *k);

/* The parts of a key of the table (ix NULL) or of an index. */
const struct key_schema *key_schema_of(const struct table *t,
    const struct table_index *ix);

/* The `i`th part: hash parts first. */
const struct key_part *key_schema_part(const struct key_schema *s, size_t i);

#endif
