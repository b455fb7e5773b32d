/*
 * Scheduling of others' processes, as schedule.h describes it.  Runs in the
 * launcher and the zygotes that it starts.
 */
#include "schedule.h"

#include "limits.h"

#include "functions/sdk/contain.h"
#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LONG_TURN_NS = 5000000 };	/* longer than any usual one */

/* What is more than that is no request's any longer, and ended. */
enum { TREE_MAX = 2 * LIMITS_TREE };

/* A few that hurry make their session do so; the launcher has little time. */
enum { HURRY_MAX = 32 };

/*
 * struct sched_attr in its first size (sched_setattr(2)): the kernel's header
 * of it and glibc's <sched.h> can't both be had.
 */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t turn_ns, deadline, period;	/* 0: the kernel's own */
};

static const struct attributes of[] = {
    [SCHEDULE_USUAL] = {.policy = SCHED_BATCH},
    [SCHEDULE_PROMPT] = {.policy = SCHED_OTHER},
    [SCHEDULE_LONG_TURNS] = {.policy = SCHED_BATCH, .turn_ns = LONG_TURN_NS},
    [SCHEDULE_LAST] = {.policy = SCHED_IDLE},
};

/* With the nice value that it has: that one is somebody's wish. */
static int
set(pid_t tid, enum schedule how)
{
	struct attributes a = of[how];

	errno = 0;
	a.nice = getpriority(PRIO_PROCESS, (id_t)tid);
	if (errno)
		return -1;
	a.size = sizeof a;
	return (int)syscall(SYS_sched_setattr, tid, &a, 0);
}

/* SCHED_IDLE takes no length of turns, but keeps the one that there is. */
int
schedule_thread(pid_t tid, enum schedule how)
{
	if (how == SCHEDULE_LAST) {
		if (schedule_is_last(tid))
			return 0;
		set(tid, SCHEDULE_LONG_TURNS);
	}
	return set(tid, how);
}

void
schedule_process(pid_t pid, enum schedule how)
{
	const struct dirent *de;
	char path[32];
	DIR *tasks;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && (de = readdir(tasks)))
		if (de->d_name[0] != '.')
			schedule_thread(
			    (pid_t)strtol(de->d_name, NULL, 10), how);
	if (tasks)
		closedir(tasks);
}

static void
schedule_some(pid_t pid, enum schedule how, size_t most)
{
	pid_t tree[TREE_MAX];
	size_t n = 1, i;
	int k;

	tree[0] = pid;
	for (i = 0; i < n; i++) {
		schedule_process(tree[i], how);
		k = contain_children(tree[i], tree + n, most - n);
		if (k > 0)
			n += (size_t)k;
	}
}

void
schedule_tree(pid_t pid, enum schedule how)
{
	schedule_some(pid, how, TREE_MAX);
}

void
schedule_hurry(pid_t pid)
{
	if (schedule_is_last(pid) && schedule_thread(pid, SCHEDULE_PROMPT) == 0)
		schedule_some(pid, SCHEDULE_PROMPT, HURRY_MAX);
}

bool
schedule_is_usual(pid_t pid)
{
	return sched_getscheduler(pid) == SCHED_BATCH;
}

bool
schedule_is_last(pid_t pid)
{
	return sched_getscheduler(pid) == SCHED_IDLE;
}

int
schedule_session(pid_t pid, bool least)
{
	const char *nice = least ? "10" : "0";
	char path[48];
	int fd, rc;

	snprintf(path, sizeof path, "/proc/%d/autogroup", (int)pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = write(fd, nice, strlen(nice)) < 0 ? -1 : 0;
	io_close(&fd);
	return rc;
}
