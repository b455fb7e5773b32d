/*
 * The zone of zone.h: a list of blocks, filled from the front.  Runs
 * wherever a configuration is loaded.
 */
#include "zone.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ZONE_BLOCK = 64 * 1024, ZONE_ALIGN = 16 };

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(ZONE_ALIGN) char bytes[];
};

struct zone {
	struct block *blocks;	/* the one in use first */
	size_t total, max;	/* bytes in all blocks */
	bool failed;
};

struct zone *
zone_new(size_t max)
{
	struct zone *a = calloc(1, sizeof *a);

	if (a)
		a->max = max;
	return a;
}

void
zone_free(struct zone *a)
{
	struct block *b, *next;

	if (!a)
		return;
	for (b = a->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	free(a);
}

static struct block *
add_block(struct zone *a, size_t n)
{
	size_t size = n > ZONE_BLOCK ? n : ZONE_BLOCK;
	struct block *b;

	if (size > a->max - a->total)
		return NULL;
	b = calloc(1, sizeof *b + size);
	if (!b)
		return NULL;
	b->size = size;
	b->next = a->blocks;
	a->blocks = b;
	a->total += size;
	return b;
}

void *
zone_alloc(struct zone *a, size_t n)
{
	struct block *b = a->blocks;
	void *p;

	if (n > SIZE_MAX - ZONE_ALIGN)
		goto fail;
	n = (n + ZONE_ALIGN - 1) & ~(size_t)(ZONE_ALIGN - 1);
	if (!b || b->size - b->used < n)
		b = add_block(a, n);
	if (!b)
		goto fail;
	p = b->bytes + b->used;
	b->used += n;
	return p;
fail:
	a->failed = true;
	return NULL;
}

char *
zone_strndup(struct zone *a, const char *s, size_t n)
{
	char *copy = zone_alloc(a, n + 1);

	if (copy)
		memcpy(copy, s, n);
	return copy;
}

char *
zone_strdup(struct zone *a, const char *s)
{
	return zone_strndup(a, s, strlen(s));
}

char *
zone_printf(struct zone *a, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	s = zone_alloc(a, (size_t)n + 1);
	if (!s)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

bool
zone_failed(const struct zone *a)
{
	return a->failed;
}
