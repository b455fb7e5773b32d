/*
 * Memory of a zygote that its children don't get.
 *
 * Ordinary memory is shared with each child at the fork and copied at the
 * next write: one fault a page in the zygote for each child.  What only the
 * zygote needs, and writes often, lies here.  A child that touches it dies.
 *
 * Its stack is of that kind, too, while unshared_run() lasts.
 */
#ifndef SDK_UNSHARED_H
#define SDK_UNSHARED_H

#include <stddef.h>

/* Zeroed memory, never freed; NULL with errno. */
void *unshared_new(size_t bytes);

/*
 * Calls run(arg) on a stack that children don't get.  Their stacks may begin
 * at `*stack_end`, which is set before: the page below what the caller of this
 * has used of the process's first stack.  0 when `run` returned, or -1 with
 * errno and nothing done.  Once a process.
 */
int unshared_run(void (*run)(void *arg), void *arg, void **stack_end);

#endif
