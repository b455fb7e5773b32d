/*
 * Memory that lives as long as a request: allocated piece by piece, freed at
 * once.  Small blocks, so that a forked child touches few pages.
 */
#ifndef SDK_ARENA_H
#define SDK_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;	/* newest first */
	char *at, *end;			/* free room in the newest */
};

/* A zeroed struct arena is an empty arena; frees all, and leaves one. */
void arena_release(struct arena *a);

/* `n` bytes, aligned for any object; NULL without memory. */
void *arena_alloc(struct arena *a, size_t n);

/* A copy of `n` bytes with a NUL behind it; NULL without memory. */
char *arena_copy(struct arena *a, const char *s, size_t n);

#endif
