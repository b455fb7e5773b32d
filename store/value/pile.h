/*
 * Values that wait for the end of the list, map or set they are in, when their
 * number isn't known yet: one stack for all levels.  What closes is copied
 * into the arena, in order, and leaves the stack.
 */
#ifndef VALUE_PILE_H
#define VALUE_PILE_H

#include "value.h"

enum { PILE_FIRST = 32 };

struct pile {
	struct arena *arena;
	struct member *members;
	size_t count, room;
	struct member first[PILE_FIRST];	/* enough for most items */
};

void pile_init(struct pile *p, struct arena *a);

/* Puts one on top; `name` of a map's member only. 0, or -1 without memory. */
int pile_push(struct pile *p, const struct text *name, const struct value *v);

/*
 * All from `mark` on become members of *out, of its type (M, L or a set), and
 * leave the pile.  0; -1 without memory; or 1 if a name or member is there
 * twice: then *twice has it, and those from `mark` on lie there still.
 */
int pile_take(struct pile *p, size_t mark, struct value *out,
    struct text *twice);

#endif
