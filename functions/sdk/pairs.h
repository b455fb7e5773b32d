/*
 * A list of names and values in the order in which they came, duplicates and
 * all: a query, the cookies, the fields of a form.
 */
#ifndef SDK_PAIRS_H
#define SDK_PAIRS_H

#include "bag.h"
#include "bothy.h"

/* Invariant: count <= room, items[0..count) hold no NULL. */
struct pairs {
	struct bothy_pair *items;
	size_t count, room;
};

/* Adds borrowed strings (which live in `a`): 0, or -1 without memory. */
int pairs_add(struct pairs *p, struct bag *a, const char *name,
    const char *value);

/* The first of that name, or NULL; the i-th, or NULL. */
const char *pairs_find(const struct pairs *p, const char *name);
const struct bothy_pair *pairs_at(const struct pairs *p, size_t i);

/*
 * Adds the pairs of "a=1&b=2" (application/x-www-form-urlencoded, WHATWG URL
 * 5.1): 0, -1 without memory, or 1 if they are more than `max`.
 */
int pairs_add_urlencoded(struct pairs *p, struct bag *a, const char *s,
    size_t n, uint64_t max);

#endif
