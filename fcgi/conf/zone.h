/*
 * Memory that is freed all at once, with a limit.
 *
 * A configuration is made of thousands of small pieces with one life; and
 * whatever a file makes the loader do, it can't take more than the limit.
 */
#ifndef CONF_ZONE_H
#define CONF_ZONE_H

#include <stdbool.h>
#include <stddef.h>

struct zone;

/* A zone of at most `max` bytes; NULL without memory. */
struct zone *zone_new(size_t max);
void zone_free(struct zone *a);	/* NULL is fine */

/* `n` zeroed bytes for any type; NULL past the limit or without memory. */
void *zone_alloc(struct zone *a, size_t n);

/* Copies with a NUL behind them. */
char *zone_strndup(struct zone *a, const char *s, size_t n);
char *zone_strdup(struct zone *a, const char *s);
char *zone_printf(struct zone *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* True if an allocation has failed. */
bool zone_failed(const struct zone *a);

#endif
