/*
 * An arena: memory that is handed out piece by piece and given back at once.
 * What a request reads, evaluates and answers lies in one, so that nothing in
 * between has an owner of its own.  Not for threads to share.
 *
 * Sequence: arena_init, arena_alloc..., arena_reset before the next request,
 * arena_release at last.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;	/* the newest first */
	char *at, *end;			/* room in the newest */
	size_t used;			/* bytes handed out since the reset */
	size_t max;			/* bytes that may be, in all */
};

/* `max` bounds what one use takes: beyond it arena_alloc gives NULL. */
void arena_init(struct arena *a, size_t max);
void arena_release(struct arena *a);

/* Forgets all that was handed out; keeps one chunk for the next use. */
void arena_reset(struct arena *a);

/* `n` bytes, aligned for any type, not cleared; NULL with errno ENOMEM. */
void *arena_alloc(struct arena *a, size_t n);

/* `count` things of `size` bytes each, cleared; NULL with errno ENOMEM. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* A copy of `n` bytes with a '\0' behind them; NULL with errno ENOMEM. */
char *arena_copy(struct arena *a, const void *p, size_t n);

#endif
