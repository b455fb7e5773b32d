/*
 * A hash map from byte strings to pointers, in insertion order.
 *
 * Keys are copied; values are borrowed.  The hash is seeded per process, so
 * a peer can't choose keys that collide.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_entry {
	char *key;	/* NUL-terminated copy, len bytes */
	size_t len;
	uint64_t hash;
	void *value;
};

struct map {
	struct map_entry *entries;	/* insertion order */
	size_t count, room;
	uint32_t *slots;	/* index + 1 into entries; 0 is free */
	size_t nslots;		/* a power of two, at least 2 * count */
};

void map_init(struct map *m);
void map_release(struct map *m);

/* The entry, or NULL. */
struct map_entry *map_find(const struct map *m, const char *key, size_t len);

/* The value, or NULL; `key` is a C string. */
void *map_get(const struct map *m, const char *key);

/*
 * Adds the key or replaces its value: 0, or -1 without memory.  *old (may be
 * NULL) gets the value before, NULL for a new key.
 */
int map_set(struct map *m, const char *key, size_t len, void *value,
    void **old);

#endif
