/*
 * Memory bounded while objects of a push are read: what they say of their size
 * is of their end, and on the way there gigabytes may be asked for.
 */
#ifndef DEPLOY_MEMORY_H
#define DEPLOY_MEMORY_H

#include <stdbool.h>
#include <sys/resource.h>

struct memory {
	struct rlimit before;
};

/*
 * False in builds with sanitizers, which keep terabytes for themselves: they
 * can't start with RLIMIT_DATA.
 */
bool memory_can_be_bound(void);

/* From here to memory_unbound() an allocation beyond the bound fails. */
void memory_bound(struct memory *m);
void memory_unbound(const struct memory *m);

#endif
