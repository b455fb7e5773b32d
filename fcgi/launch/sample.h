/*
 * Memory and CPU of a process and all its descendants, read from /proc.
 *
 * The launcher samples the children that are in flight every 50 ms where it
 * has no cgroup with controllers.  It follows /proc/<pid>/task/<tid>/children,
 * which is complete because on every rung a child is the reaper of its
 * descendants (functions/sdk/contain.h).
 */
#ifndef LAUNCH_SAMPLE_H
#define LAUNCH_SAMPLE_H

#include <stdint.h>
#include <sys/types.h>

enum { SAMPLE_PROCESSES_MAX = 4096 };

struct usage {
	uint64_t memory_bytes;	/* anonymous and shared memory in use */
	uint64_t cpu_us;	/* user and system time, ended children too */
	uint32_t processes;	/* alive, at least 1 */
};

/*
 * The tree below and with `pid` (a pid as the launcher sees it).
 * memory_bytes counts anonymous pages; shared memory is added, by a dearer
 * read, only when it could matter: when all that is resident passes
 * `limit_bytes` (0: never).  Pages that fork shares are counted in each
 * process.  A tree of more than `most` processes is not followed beyond them:
 * a fork bomb is quicker.  0, or -1 with errno (ESRCH: `pid` is gone).
 */
int sample_tree(pid_t pid, uint64_t limit_bytes, uint32_t most,
    struct usage *u);

/*
 * The pid, as this process sees it, of the process that a pidfd stands for:
 * a zygote in a pid namespace reports pids of its own.  -1 with errno (ESRCH
 * when it has ended).
 */
pid_t sample_pid(int pidfd);

#endif
