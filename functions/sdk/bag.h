/*
 * Memory that lives as long as a request: allocated piece by piece, freed at
 * once.  Small blocks, so that a forked child touches few pages.
 */
#ifndef SDK_BAG_H
#define SDK_BAG_H

#include <stddef.h>

struct bag_block;

struct bag {
	struct bag_block *blocks;	/* newest first */
	char *at, *end;			/* free room in the newest */
};

/* A zeroed struct bag is an empty bag; frees all, and leaves one. */
void bag_release(struct bag *a);

/* `n` bytes, aligned for any object; NULL without memory. */
void *bag_alloc(struct bag *a, size_t n);

/* A copy of `n` bytes with a NUL behind it; NULL without memory. */
char *bag_copy(struct bag *a, const char *s, size_t n);

#endif
