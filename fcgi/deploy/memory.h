/*
 * Memory bounded while objects of a push are read: what they say of their size
 * is of their end, and on the way there gigabytes may be asked for.
 */
#ifndef DEPLOY_MEMORY_H
#define DEPLOY_MEMORY_H

#include <sys/resource.h>

struct memory {
	struct rlimit before;
};

/* From here to memory_unbound() an allocation beyond the bound fails. */
void memory_bound(struct memory *m);
void memory_unbound(const struct memory *m);

#endif
