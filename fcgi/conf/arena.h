/*
 * Memory that is freed all at once, with a limit.
 *
 * A configuration is made of thousands of small pieces with one life; and
 * whatever a file makes the loader do, it can't take more than the limit.
 */
#ifndef CONF_ARENA_H
#define CONF_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* An arena of at most `max` bytes; NULL without memory. */
struct arena *arena_new(size_t max);
void arena_free(struct arena *a);	/* NULL is fine */

/* `n` zeroed bytes for any type; NULL past the limit or without memory. */
void *arena_alloc(struct arena *a, size_t n);

/* Copies with a NUL behind them. */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* True if an allocation has failed. */
bool arena_failed(const struct arena *a);

#endif
