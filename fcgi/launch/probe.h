/*
 * What this machine offers to contain and confine functions, found by trying
 * each thing in a forked child at the launcher's start (and by bothy status).
 *
 * Rungs in order of choice: "namespace" (4 us a child, and the kernel does
 * all), "cgroup" (50 us a child, sums usage truly where the controllers are),
 * "subreaper" (always there; a sweep through /proc).  $BOTHY_CONTAINMENT forces
 * one.  The second is tried only where the first isn't there, or if forced.
 */
#ifndef LAUNCH_PROBE_H
#define LAUNCH_PROBE_H

#include "functions/sdk/contain.h"
#include "store/base/buf.h"
#include "store/base/err.h"

#include <stdbool.h>

struct probe {
	enum contain_rung rung;			/* the one to use */
	bool forced;				/* by $BOTHY_CONTAINMENT */
	bool has[CONTAIN_RUNGS];
	char why_not[CONTAIN_RUNGS][160];	/* "" where it is there */
	int landlock_abi;			/* 0: none */
	bool seccomp;
	bool mounts;	/* read-only mounts with the rung namespace */
	bool own_uids;	/* run as root: a uid of its own for each function */
	bool counts_processes;	/* RLIMIT_NPROC counts per user namespace */
	bool cgroup_memory, cgroup_pids;	/* controllers */
};

/*
 * Probes; `forced` is $BOTHY_CONTAINMENT (NULL or "": choose).  0; or -1 and
 * the error if the forced rung is unknown or not to be had here.  The caller
 * has one thread.  Takes some milliseconds.
 */
int probe_run(struct probe *p, const char *forced, struct err *e);

/* Some lines of text for bothy status. */
void probe_text(const struct probe *p, struct buf *out);

/*
 * One line that says what functions are not protected from here, for the first
 * line of a function's log; nothing if all is there.
 */
void probe_missing(const struct probe *p, struct buf *out);

/*
 * What `confinement: required` demands, file isolation: 0, or -1 and an error
 * that says what is missing and what to do.
 */
int probe_require(const struct probe *p, struct err *e);

#endif
