/*
 * The insertion-ordered hash map of map.h: open addressing over an index.
 */
#include "map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { MAP_FIRST_SLOTS = 16 };

static uint64_t
seed(void)
{
	static _Atomic uint64_t value;
	uint64_t v = value;

	if (v)
		return v;
	if (getrandom(&v, sizeof v, GRND_NONBLOCK) != sizeof v || v == 0)
		v = (uintptr_t)&value | 1;
	value = v;
	return v;
}

/* FNV-1a over a secret start, then a mixing step for the low bits. */
static uint64_t
hash(const char *key, size_t len)
{
	uint64_t h = seed();
	size_t i;

	for (i = 0; i < len; i++) {
		h ^= (unsigned char)key[i];
		h *= 0x100000001b3u;
	}
	h ^= h >> 32;
	h *= 0x9e3779b97f4a7c15u;
	return h ^ (h >> 29);
}

void
map_init(struct map *m)
{
	*m = (struct map){0};
}

void
map_release(struct map *m)
{
	size_t i;

	for (i = 0; i < m->count; i++)
		free(m->entries[i].key);
	free(m->entries);
	free(m->slots);
	map_init(m);
}

struct map_entry *
map_find(const struct map *m, const char *key, size_t len)
{
	uint64_t h;
	size_t at;

	if (m->count == 0)
		return NULL;
	h = hash(key, len);
	for (at = h & (m->nslots - 1); m->slots[at];
	     at = (at + 1) & (m->nslots - 1)) {
		struct map_entry *e = &m->entries[m->slots[at] - 1];

		if (e->hash == h && e->len == len &&
		    memcmp(e->key, key, len) == 0)
			return e;
	}
	return NULL;
}

void *
map_get(const struct map *m, const char *key)
{
	const struct map_entry *e = map_find(m, key, strlen(key));

	return e ? e->value : NULL;
}

static void
place(struct map *m, uint64_t h, size_t index)
{
	size_t at = h & (m->nslots - 1);

	while (m->slots[at])
		at = (at + 1) & (m->nslots - 1);
	m->slots[at] = (uint32_t)(index + 1);
}

static int
grow(struct map *m)
{
	size_t room = m->room ? m->room * 2 : MAP_FIRST_SLOTS / 2, i;
	struct map_entry *entries;
	uint32_t *slots;

	entries = realloc(m->entries, room * sizeof *entries);
	if (!entries)
		return -1;
	m->entries = entries;
	slots = calloc(room * 2, sizeof *slots);
	if (!slots)
		return -1;
	free(m->slots);
	m->slots = slots;
	m->room = room;
	m->nslots = room * 2;
	for (i = 0; i < m->count; i++)
		place(m, m->entries[i].hash, i);
	return 0;
}

int
map_set(struct map *m, const char *key, size_t len, void *value, void **old)
{
	struct map_entry *e = map_find(m, key, len);
	char *copy;

	if (old)
		*old = e ? e->value : NULL;
	if (e) {
		e->value = value;
		return 0;
	}
	if (m->count == m->room && grow(m) < 0)
		return -1;
	copy = malloc(len + 1);
	if (!copy)
		return -1;
	memcpy(copy, key, len);
	copy[len] = '\0';
	e = &m->entries[m->count];
	*e = (struct map_entry){copy, len, hash(key, len), value};
	place(m, e->hash, m->count++);
	/* cppcheck-suppress memleak ; the entry owns the copy */
	return 0;
}
