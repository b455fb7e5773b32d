/*
 * What a crashing function still says: the signal, the address, and a
 * backtrace, as lines on stderr, which is its log.
 */
#ifndef SDK_CRASH_H
#define SDK_CRASH_H

/*
 * Handles SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT on a stack of its own
 * (a stack overflow is told too): prints, calls `last_words(sig)`, and
 * _exit(128 + sig).  0, or -1 without memory for the stack.
 */
int crash_catch(void (*last_words)(int sig));

#endif
