/*
 * What the files of the sandbox share; not for others.
 */
#ifndef LAUNCH_SANDBOX_INTERNAL_H
#define LAUNCH_SANDBOX_INTERNAL_H

#include "sandbox.h"

/*
 * Forks into a user, a pid and an IPC namespace and those of `more` (CLONE_
 * flags), with `uid` and `gid` mapped to themselves.  0 in the child, its pid,
 * or -1 and the error.
 */
pid_t sandbox_fork_namespaces(unsigned long more, uid_t uid, gid_t gid,
    struct err *e);

/*
 * Keeps of all capabilities CAP_SYS_ADMIN in one's own user namespace, over
 * exec too (ambient): a zygote makes pid namespaces with it.  0 or -1.
 */
int sandbox_keep_capability(struct err *e);

/*
 * The version of Landlock that the kernel speaks; 0: none, or switched off.
 */
int sandbox_landlock_abi(void);

/*
 * Restricts the calling process to the files of `s`, for good; no_new_privs
 * is set.  0, or -1 and the error.
 */
int sandbox_landlock(const struct sandbox *s, int abi, struct err *e);

/*
 * Compiles the filter for `network` into `f`, which sandbox_filter_release
 * frees.  `all_signals` lets kill(-1) pass: it ends at a pid namespace.
 */
int sandbox_filter_compile(struct sandbox_filter *f,
    enum snap_network network, bool all_signals, struct err *e);
void sandbox_filter_release(struct sandbox_filter *f);

/* Puts it on the calling process, for good: 0, or -1 and the error. */
int sandbox_filter_install(const struct sandbox_filter *f, struct err *e);

/*
 * In a mount namespace of one's own: mounts all read-only but scratch and
 * paths.write, for good.  0, or -1 and the error.
 */
int sandbox_mounts(const struct sandbox *s, struct err *e);

#endif
