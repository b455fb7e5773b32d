/*
 * Containment inside a function's process: nothing that a request starts may
 * outlive it.
 *
 * Used by the zygote of a C function and by the launcher's exec runner, after
 * the launcher has confined the process and exec'ed it; sweeping is used by
 * the launcher too.  libc only.  It never decides which rung it is on: the
 * launcher has probed that (fcgi/launch/probe.h) and says it in
 * $BOTHY_CONTAIN.
 *
 * The rungs, and who ends the descendants of a child:
 *
 *   namespace   The zygote is pid 1 of a pid namespace that its own user
 *               namespace owns, with CAP_SYS_ADMIN in there; each child is
 *               pid 1 of one more.  The death of a child ends all that it
 *               started, the death of the zygote ends everything.  The kernel
 *               does it; waitpid on a child returns when all are gone.
 *   cgroup      The launcher puts each child into a cgroup of its own and
 *               kills that (fcgi/launch/cgroup.h).
 *   subreaper   Orphans of a child come back to the child, those of a dead
 *               child to the zygote, those of a dead zygote to the launcher;
 *               each sweeps what it doesn't know (contain_sweep).
 *
 * Calling sequence of a zygote or runner:
 *
 *   c = contain_open(getenv(ABI_ENV_CONTAIN), &e);
 *   contain_catch(last_words);            C functions only, before init
 *   ... init ...
 *   pid = contain_fork(c, &pidfd);
 *   child:   contain_child(c);            before any user code
 *            ... a request ...
 *            contain_clean();             a child that serves another one
 *   zygote:  waitpid(...); contain_sweep(c, living, n);
 */
#ifndef SDK_CONTAIN_H
#define SDK_CONTAIN_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum contain_rung {
	CONTAIN_NAMESPACE,
	CONTAIN_CGROUP,
	CONTAIN_SUBREAPER,
	CONTAIN_RUNGS
};

/* "namespace", "cgroup", "subreaper": as in $BOTHY_CONTAIN. */
const char *contain_name(enum contain_rung rung);

/* The rung of that name: 0, or -1 (EINVAL). */
int contain_parse(const char *name, enum contain_rung *rung);

struct contain;	/* what a zygote keeps */

/*
 * Prepares forking on the rung called `name`; NULL or "" is subreaper, which
 * needs nothing.  One a process, never freed.  NULL and the error for an
 * unknown name, or a process that isn't what the rung takes (was not started
 * by the launcher).
 */
struct contain *contain_open(const char *name, struct err *e);

enum contain_rung contain_rung(const struct contain *c);

/*
 * fork(2), on the rung namespace into a pid namespace of its own: 0 in the
 * child, its pid as seen by the caller and *pidfd (close-on-exec), or -1 with
 * errno.  EAGAIN and ENOMEM may be tried again.  The caller has one thread;
 * handlers of pthread_atfork are not called.  Where the kernel can (Landlock
 * ABI 6), the child may signal, trace and look into only itself and what it
 * starts.  `c`'s descriptors are closed in the child.
 */
pid_t contain_fork(struct contain *c, int *pidfd);

/*
 * As contain_fork(), but the child runs run(arg) and ends with what it
 * returns.  On the rung namespace it does so on the stack below `stack_end`
 * (page-aligned, memory that a fork shares), so the caller may run on a stack
 * that forks leave out (unshared.h) and need not copy a page of it for each
 * child; on other rungs it goes on with the caller's.
 */
pid_t contain_spawn(struct contain *c, int (*run)(void *), void *arg,
    void *stack_end, int *pidfd);

/*
 * In the child, before user code: gives up every capability and becomes the
 * reaper of its descendants.  0; or -1 with errno, and the child must end.
 */
int contain_child(struct contain *c);

/*
 * The first process of a pid namespace ignores each signal without a handler:
 * abort() would end it as SIGSEGV, SIGPIPE, SIGALRM and the launcher's SIGTERM
 * not at all.  This gives each of those that would end a process a handler
 * which calls `last_words(sig)` (async-signal-safe; may be NULL) and then
 * _exit(128 + sig).  Children inherit it, exec undoes it.  No-op if this
 * process is not the first of its namespace.
 */
void contain_catch(void (*last_words)(int sig));

/*
 * True if the caller has no children, so (being their reaper) no descendants;
 * reaps the dead ones first.
 */
bool contain_alone(void);

/*
 * Ends all descendants of the caller, which is their reaper, and reaps them.
 * 0, or -1 (ETIMEDOUT) if some lived on after `CONTAIN_SWEEP_MS`.
 */
int contain_clean(void);

/*
 * Ends each child of the caller but the `n` in `keep`, with its descendants,
 * and reaps it; those in `keep` are left alone with all that is theirs.  Call
 * it after a child was reaped: what a dead child left has become a child of
 * its reaper.  On the rungs where the kernel or the launcher does it (`c` is
 * not on subreaper) it does nothing; `c` may be NULL: subreaper.  The number
 * of processes that it ended, or -1 with errno (ETIMEDOUT as above; ENOENT
 * without /proc/<pid>/task/<tid>/children).
 */
int contain_sweep(const struct contain *c, const pid_t *keep, size_t n);

/*
 * Kills the process `pid` (as /proc shows it to the caller) and all its
 * descendants, whose reaper it is, and reaps none: the sweep of its parent
 * does.  For the launcher, which a fork bomb doesn't starve as it does the
 * bomb's own zygote.  The number of processes that it found, or -1 with errno
 * (ENOENT as above).
 */
int contain_kill_tree(pid_t pid);

/*
 * True if the launcher made this process give way to all others (SCHED_IDLE):
 * it can't be undone, so no other request is to suffer from it.
 */
bool contain_gives_way(void);

/*
 * The children of `pid`, of all its threads, zombies too: at most `max` pids
 * into `out`.  Their number, or -1 with errno (ENOENT: `pid` is gone, or the
 * kernel has no such file).
 */
int contain_children(pid_t pid, pid_t *out, size_t max);

enum { CONTAIN_SWEEP_MS = 2000 };

#endif
