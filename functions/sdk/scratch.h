/*
 * Scratch directories: each child of a zygote has one, empty when its request
 * begins, emptied when the child has ended.
 *
 * A directory that nobody touched serves the next child as it is.  That is
 * seen by its change time alone, without reading it, if that lies well before
 * the child was made (time stamps have the grain of a tick).
 */
#ifndef SDK_SCRATCH_H
#define SDK_SCRATCH_H

#include "store/base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct scratch_slot {
	struct timespec changed;	/* its change time when seen empty */
	int64_t forked_ms;		/* when its last child was made */
	int made;			/* the directory is there */
	int dirty;			/* a child has used it since */
	char *variables;		/* "HOME=path\0TMPDIR=path" */
};

struct scratch {
	char *root;			/* directory that holds the slots */
	int root_fd;			/* the same, for looking at them */
	struct scratch_slot *slots;	/* not in the memory of children */
	size_t nslots;
};

/* Uses `root` (which exists and is writable) for `n` slots. 0 or -1. */
int scratch_open(struct scratch *s, const char *root, size_t n,
    struct err *e);

/* Makes slot `i` an empty directory. 0 or -1. */
int scratch_ready(struct scratch *s, size_t i);

/* Empties the slots whose children have ended: when there is time. */
void scratch_clean(struct scratch *s);

/* Removes all slots; no child lives. */
void scratch_close(struct scratch *s);

/* A child with slot `i` was made; it has ended. */
void scratch_taken(struct scratch *s, size_t i);
void scratch_dirty(struct scratch *s, size_t i);

/*
 * Its HOME, and behind that string's end its TMPDIR, in memory that a child
 * has; valid after scratch_ready().
 */
char *scratch_variables(const struct scratch *s, size_t i);

#endif
