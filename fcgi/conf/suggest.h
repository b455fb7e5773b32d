/*
 * The nearest known word, for "did you mean".
 */
#ifndef CONF_SUGGEST_H
#define CONF_SUGGEST_H

#include <stddef.h>

/* A search in progress: begin with {.word = w}, offer every known word. */
struct suggest {
	const char *word;
	const char *best;	/* NULL while nothing is near enough */
	size_t distance;
};

/*
 * Keeps `known` if it is nearer than what came before: fewest insertions,
 * deletions, replacements and swaps of neighbours, case aside; at most one
 * in three bytes may differ.
 */
void suggest_offer(struct suggest *s, const char *known);

#endif
