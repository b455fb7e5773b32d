/*
 * Memory of a zygote that its children don't get.
 *
 * Ordinary memory is shared with each child at the fork and copied at the
 * next write: one fault a page in the zygote for each child.  What only the
 * zygote needs, and writes often, lies here.  A child that touches it dies.
 */
#ifndef SDK_UNSHARED_H
#define SDK_UNSHARED_H

#include <stddef.h>

/* Zeroed memory, never freed; NULL with errno. */
void *unshared_new(size_t bytes);

#endif
