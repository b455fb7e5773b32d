/*
 * The confinement of a function's process: what it may see, write and call.
 *
 * Used by the single-threaded launcher, for each zygote and runner:
 *
 *   pid = sandbox_fork(&host, &spec, &e);
 *   child:  arrange descriptors 0 .. first_fd - 1
 *           sandbox_enter(&host, &spec, first_fd, &e)
 *           execve (the binary, or /proc/self/exe in the role of the runner)
 *
 * All that follows is inherited.  sandbox_enter does, in this order: every
 * descriptor from first_fd on becomes close-on-exec, setsid, signals and umask
 * to their defaults, limits, uid, death signal, read-only mounts, capabilities,
 * no_new_privs, Landlock, seccomp.
 *
 * Files (Landlock).  Read and execute: the binary, the function's directory,
 * /usr /bin /sbin /lib*.  Read: /etc and what /etc/resolv.conf stands for,
 * /proc (a domain can't look into processes outside it: environ, mem, fd are
 * refused), /sys/devices/system/cpu, paths.read.  Read and write: /dev/null
 * zero full random urandom, paths.write; and execute: scratch.  Nothing else:
 * not the rest of the site, not www/, no other function, not the state
 * directory, not the home directory, no /tmp and no /dev/shm.  Of system paths
 * those that are missing are left out; any other that is missing is an error.
 * Landlock doesn't rule stat, chmod, chown, utime, xattr; on the rung
 * namespace all but scratch and paths.write is mounted read-only too, which
 * does.
 *
 * System calls (seccomp): all are allowed but a list.  Refused with EPERM:
 * mounts, other namespaces, ptrace and the like, bpf, perf, keys, kernel
 * modules, io_uring, userfaultfd, SysV and POSIX queues and segments (they
 * outlive a process, uncounted), TIOCSTI, kill(-1) except in a pid namespace.
 * clone3 is ENOSYS, so that libc takes clone.  setsid succeeds without effect:
 * Linux gives each session as much of the processor as any other (autogroup),
 * so a fork bomb that makes sessions would starve all of the machine, where
 * one that can't starves its own function.  Of all
 * namespaces clone may make only one of pids: a zygote needs that, and its
 * children have no capability to.
 *
 * Network: "unix" leaves only AF_UNIX sockets; "none" leaves only connected
 * pairs (socketpair of type stream or seqpacket), so also no store: a function
 * with grants needs "unix".  A family that is refused is EAFNOSUPPORT.
 */
#ifndef LAUNCH_SANDBOX_H
#define LAUNCH_SANDBOX_H

#include "limits.h"
#include "probe.h"
#include "fcgi/conf/snapshot.h"
#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { SANDBOX_NETWORKS = SNAP_NETWORK_NONE + 1 };

struct sock_filter;

/* A compiled seccomp filter. */
struct sandbox_filter {
	struct sock_filter *code;	/* NULL: not compiled yet */
	unsigned short len;
};

/* What the launcher keeps for all functions. */
struct sandbox_host {
	const struct probe *probe;	/* borrowed */
	struct sandbox_filter filters[SANDBOX_NETWORKS];
};

/* One function's; all strings are absolute paths, borrowed. */
struct sandbox {
	const char *binary;	/* what will be exec'ed, or run by the runner */
	const char *directory;	/* working directory, the handler's */
	const char *scratch;	/* exists, owned by `uid` */
	const char *const *read_paths;
	size_t read_count;
	const char *const *write_paths;
	size_t write_count;
	enum snap_network network;
	struct limits limits;
	bool required;		/* refuse to start without file isolation */
	uid_t uid;		/* identity_find's, or 0: stay who we are */
	int death_signal;	/* when the launcher dies, or 0: none */
};

void sandbox_host_init(struct sandbox_host *h, const struct probe *p);
void sandbox_host_release(struct sandbox_host *h);

/*
 * Forks on the rung that the probe chose.  On "namespace" the child is pid 1
 * of a pid namespace in a user namespace of its own, in which its uid and gid
 * are what they were.  0 in the child; its pid in the launcher, which is its
 * parent; or -1 and the error, said in the launcher.
 */
pid_t sandbox_fork(struct sandbox_host *h, const struct sandbox *s,
    struct err *e);

/*
 * Confines the calling process, a child of sandbox_fork, for good.  0; or -1
 * and an error for the function's log, after which the child must _exit.
 */
int sandbox_enter(const struct sandbox_host *h, const struct sandbox *s,
    int first_fd, struct err *e);

#endif
