/*
 * Leaves restartable sequences as rseq.h describes it.  Runs in a zygote or
 * runner; never in a process with threads, each of which has its own.
 */
#include "rseq.h"

#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

void
rseq_leave(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	if (__rseq_size)
		syscall(SYS_rseq, area, sizeof(struct rseq),
		    RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}
#else
void
rseq_leave(void)
{
}
#endif
