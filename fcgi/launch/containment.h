/*
 * What the launcher does to a child from outside: place it, measure it, end
 * it with all that it started, whichever rung this machine offers.
 */
#ifndef LAUNCH_CONTAINMENT_H
#define LAUNCH_CONTAINMENT_H

#include "cgroup.h"
#include "probe.h"
#include "sample.h"
#include "sandbox.h"
#include "schedule.h"

struct containment {
	struct probe probe;
	struct sandbox_host host;
	struct cgroup cgroup;	/* in use on the rung cgroup */
};

/* Probes and prepares ($BOTHY_CONTAINMENT forces a rung). 0 or -1. */
int containment_init(struct containment *c, struct err *e);
void containment_release(struct containment *c);

/*
 * Gives a new child its cgroup slot: the slot, -1 on the other rungs or when
 * it could not be placed.
 */
int containment_place(struct containment *c, int pidfd, uint32_t memory_mb);
void containment_leave(struct containment *c, int slot);

/*
 * Ends the child and its tree at once, or asks it to end.  `uid` (0: our own)
 * is the function's: a zygote could hand us the pidfd of any process, so
 * another's is left alone.
 */
void containment_kill(struct containment *c, int pidfd, uid_t uid, int slot);

/*
 * As containment_kill, but soon done however many they are: who has left the
 * child's process group ends with its namespace, some time later, so ask
 * again if the child is still there then.
 */
void containment_kill_first(struct containment *c, int pidfd, uid_t uid,
    int slot);

void containment_ask(struct containment *c, int pidfd, uid_t uid);

/* The child and its tree give way within their function from now on. */
void containment_yield(struct containment *c, int pidfd, uid_t uid);

/*
 * How the child alone is scheduled, and what it starts from now on.  Not one
 * that gives way: it does so to its end.
 */
void containment_schedule(struct containment *c, int pidfd, uid_t uid,
    enum schedule how);

/* What its tree uses now: 0, or -1 when it is gone. */
int containment_usage(const struct containment *c, int pidfd, int slot,
    uint64_t limit_bytes, struct usage *u);

#endif
