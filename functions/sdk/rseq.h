/*
 * Restartable sequences (rseq(2)): libc has the kernel write the processor's
 * number into this process's memory whenever it goes on after a switch.  A
 * forked child pays for that at each of its few switches.
 */
#ifndef SDK_RSEQ_H
#define SDK_RSEQ_H

/*
 * Ends what libc has registered, for this process and its children.  Once,
 * before the first fork; sched_getcpu() then asks the kernel.  A failure only
 * costs time.
 */
void rseq_leave(void);

#endif
