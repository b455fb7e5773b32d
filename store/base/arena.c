/*
 * Arenas as arena.h describes them: chunks that double, up to a bound.
 */
#include "arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHUNK_FIRST = 8 * 1024,
	CHUNK_MOST = 1024 * 1024,
	ALIGN = alignof(max_align_t)
};

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;		/* of what follows */
	max_align_t room[];
};

void
arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){.max = max};
}

void
arena_release(struct arena *a)
{
	struct arena_chunk *c;

	while ((c = a->chunks)) {
		a->chunks = c->next;
		free(c);
	}
	a->at = a->end = NULL;
	a->used = 0;
}

void
arena_reset(struct arena *a)
{
	struct arena_chunk *keep = a->chunks;

	a->used = 0;
	if (!keep)
		return;
	a->chunks = keep->next;
	arena_release(a);
	keep->next = NULL;
	a->chunks = keep;
	a->at = (char *)keep->room;
	a->end = a->at + keep->size;
}

/* A new chunk with room for `n` bytes at least: 0, or -1. */
static int
grow(struct arena *a, size_t n)
{
	size_t size = a->chunks ? 2 * a->chunks->size : CHUNK_FIRST;
	struct arena_chunk *c;

	if (size > CHUNK_MOST)
		size = CHUNK_MOST;
	if (size < n)
		size = n;
	c = malloc(sizeof *c + size);
	if (!c)
		return -1;
	c->next = a->chunks;
	c->size = size;
	a->chunks = c;
	a->at = (char *)c->room;
	a->end = a->at + size;
	return 0;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	void *p;

	if (n > a->max || a->used > a->max - n) {
		errno = ENOMEM;
		return NULL;
	}
	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	if ((!a->at || n > (size_t)(a->end - a->at)) && grow(a, n) < 0)
		return NULL;
	p = a->at;
	a->at += n;
	a->used += n;
	return p;
}

void *
arena_array(struct arena *a, size_t count, size_t size)
{
	void *p;

	if (size && count > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	p = arena_alloc(a, count * size);
	if (p)
		memset(p, 0, count * size);
	return p;
}

char *
arena_copy(struct arena *a, const void *p, size_t n)
{
	char *copy = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;

	if (!copy)
		return NULL;
	if (n)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}
