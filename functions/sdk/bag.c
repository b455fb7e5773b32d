/*
 * The request's memory of bag.h; runs in a function's process.
 */
#include "bag.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 1000, ALIGN = alignof(max_align_t) };

struct bag_block {
	struct bag_block *next;
	alignas(ALIGN) char bytes[];
};

void
bag_release(struct bag *a)
{
	struct bag_block *b, *next;

	for (b = a->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	*a = (struct bag){0};
}

/* A large piece gets a block of its own, and the open block stays open. */
static void *
own_block(struct bag *a, size_t n)
{
	struct bag_block *b = malloc(sizeof *b + n);

	if (!b)
		return NULL;
	if (a->blocks) {
		b->next = a->blocks->next;
		a->blocks->next = b;
	} else {
		b->next = NULL;
		a->blocks = b;
		a->at = a->end = b->bytes;
	}
	return b->bytes;
}

void *
bag_alloc(struct bag *a, size_t n)
{
	struct bag_block *b;
	void *p;

	if (n > PTRDIFF_MAX / 2)
		return NULL;
	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	if (n > (size_t)(a->end - a->at)) {
		if (n > BLOCK_BYTES / 2)
			return own_block(a, n);
		b = malloc(sizeof *b + BLOCK_BYTES);
		if (!b)
			return NULL;
		b->next = a->blocks;
		a->blocks = b;
		a->at = b->bytes;
		a->end = b->bytes + BLOCK_BYTES;
	}
	p = a->at;
	a->at += n;
	return p;
}

char *
bag_copy(struct bag *a, const char *s, size_t n)
{
	char *copy = n < PTRDIFF_MAX / 2 ? bag_alloc(a, n + 1) : NULL;

	if (!copy)
		return NULL;
	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}
