/*
 * The rung "cgroup": each child of a function in a cgroup v2 leaf of its own,
 * which is killed as a whole.
 *
 * Used by the launcher alone.  It works below the cgroup that the launcher was
 * started in, if that is delegated to it (writable), and makes there
 *
 *     bothy-<pid>/            removed by cgroup_release
 *       main/                 the launcher itself, if there are controllers
 *       <n>/                  slot n: one child, used again when it is empty
 *
 * Controllers (memory, pids) are used where they are delegated too and the
 * launcher is alone in its cgroup; a v2 hierarchy without controllers beside
 * v1 still has cgroup.kill.  What a launcher that was killed left empty is
 * removed by the next one.  A process may leave a slot only by writing to
 * cgroupfs, which Landlock keeps it from.
 */
#ifndef LAUNCH_CGROUP_H
#define LAUNCH_CGROUP_H

#include "sample.h"
#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CGROUP_SLOTS_MAX = 4096 };

struct cgroup_slot {
	int dir_fd;		/* its directory */
	bool taken;		/* between cgroup_slot_take and _give */
	uint64_t cpu_base_us;	/* cpu.stat when it was taken */
	uint64_t memory_bytes;	/* limits as they are set, 0: none */
	uint32_t processes;
};

struct cgroup {
	int parent_fd;		/* the delegated cgroup */
	int top_fd;		/* bothy-<pid> in it */
	char name[32];		/* "bothy-<pid>" */
	bool kill;		/* cgroup.kill is there (Linux 5.14) */
	bool memory, pids;	/* controllers that slots have */
	bool in_main;		/* the launcher has moved to main/ */
	struct cgroup_slot *slots;
	size_t count;		/* slots made so far */
};

/*
 * Finds and prepares it, moving the caller into main/: 0; or -1 and the error
 * (no v2 hierarchy, not delegated).
 */
int cgroup_init(struct cgroup *g, struct err *e);

/*
 * Kills what is in its slots and removes it, as far as it is empty by then;
 * the caller moves back.
 */
void cgroup_release(struct cgroup *g);

/*
 * Takes an empty slot, made if need be, and sets its limits where there are
 * controllers (0: none): its number, or -1 with errno (EMFILE: all are taken).
 */
int cgroup_slot_take(struct cgroup *g, uint64_t memory_bytes,
    uint32_t processes);

/* Moves a process into it: 0 or -1 (ESRCH: it has ended). */
int cgroup_slot_enter(struct cgroup *g, int slot, pid_t pid);

/* Kills all that is in it; they are gone some ms later. 0 or -1. */
int cgroup_slot_kill(struct cgroup *g, int slot);

/* True if no process is in it. */
bool cgroup_slot_empty(const struct cgroup *g, int slot);

/* Kills what is left and gives the slot back for use by another. */
void cgroup_slot_give(struct cgroup *g, int slot);

/*
 * What the slot uses since it was taken: 0; or -1 with ENOTSUP where the
 * controllers don't say, and the launcher samples (sample.h).
 */
int cgroup_slot_usage(const struct cgroup *g, int slot, struct usage *u);

#endif
