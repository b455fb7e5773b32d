/*
 * Memory that fork leaves out (madvise(2), MADV_DONTFORK).
 */
#include "unshared.h"

#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { STACK_BYTES = 512 * 1024 };

void *
unshared_new(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (madvise(p, bytes, MADV_DONTFORK) < 0) {
		munmap(p, bytes);
		return NULL;
	}
	return p;
}

#ifdef __SANITIZE_ADDRESS__
/* Which doesn't know such stacks: the first one, and children far below. */
int
unshared_run(void (*run)(void *arg), void *arg, void **stack_end)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	*stack_end = (void *)((here - 2 * STACK_BYTES) & ~(page - 1));
	run(arg);
	return 0;
}
#else
/* Both stacks' states, and what to run on the second. */
struct aside {
	ucontext_t back, there;
	void (*run)(void *arg);
	void *arg;
};

static struct aside *aside;	/* unshared, too */

static void
run_aside(void)
{
	aside->run(aside->arg);
}

int
unshared_run(void (*run)(void *arg), void *arg, void **stack_end)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), here;
	char *stack = unshared_new(STACK_BYTES);

	aside = unshared_new(sizeof *aside);
	/* Past its end there is nothing to be written to. */
	if (!stack || !aside || mprotect(stack, page, PROT_NONE) < 0 ||
	    getcontext(&aside->there) < 0)
		return -1;
	aside->run = run;
	aside->arg = arg;
	aside->there.uc_stack.ss_sp = stack;
	aside->there.uc_stack.ss_size = STACK_BYTES;
	aside->there.uc_link = &aside->back;
	here = (uintptr_t)__builtin_frame_address(0);
	*stack_end = (void *)(here & ~(page - 1));
	makecontext(&aside->there, run_aside, 0);
	return swapcontext(&aside->back, &aside->there);
}
#endif
