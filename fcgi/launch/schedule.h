/*
 * How the launcher has processes scheduled (sched(7)).
 *
 * Linux is fair to sessions first and to the processes of a session then
 * (autogroup), so that a policy alone makes a process give way within its
 * session only.  Each zygote leads a session that its children, and all that
 * they start, stay in: that session's share is what its neighbours feel.
 *
 * Nothing here fails aloud: a kernel that has less of it serves as it can.
 */
#ifndef LAUNCH_SCHEDULE_H
#define LAUNCH_SCHEDULE_H

#include <stdbool.h>
#include <sys/types.h>

enum schedule {
	SCHEDULE_USUAL,		/* in batches: wakes, and goes on */
	SCHEDULE_PROMPT,	/* at once when it wakes, before who has long
				 * turns (Linux 6.12) */
	SCHEDULE_LONG_TURNS,	/* as usual, but is interrupted by the prompt */
	SCHEDULE_LAST		/* long turns, when nobody else of its session
				 * wants one; not to be undone without root */
};

/* One thread, whose nice value stays; 0: the caller.  0, or -1 with errno. */
int schedule_thread(pid_t tid, enum schedule how);

/* All threads of a process. */
void schedule_process(pid_t pid, enum schedule how);

/* A process and its descendants; those of SCHEDULE_LAST start more of it. */
void schedule_tree(pid_t pid, enum schedule how);

/*
 * What gave way and was killed since has to run once more to die, which takes
 * seconds where others compute: with root a process and some of its
 * descendants run at once.  Nothing happens to one that did not give way.
 */
void schedule_hurry(pid_t pid);

/* True if that process is scheduled as usual. */
bool schedule_is_usual(pid_t pid);

/* True if it is SCHEDULE_LAST. */
bool schedule_is_last(pid_t pid);

/*
 * The share of the session that `pid` is of: as much as any, or the least: a
 * tenth of a processor that another session would use, so that it starves
 * neither others nor altogether.  0; or -1 with errno (EAGAIN: without root
 * there may be one change in 100 ms on the whole machine, so try again).
 */
int schedule_session(pid_t pid, bool least);

#endif
