/*
 * Containment from the launcher's side: one answer for all rungs.
 */
#include "containment.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int
containment_init(struct containment *c, struct err *e)
{
	if (probe_run(&c->probe, getenv("BOTHY_CONTAINMENT"), e) < 0)
		return -1;
	if (c->probe.rung == CONTAIN_CGROUP && cgroup_init(&c->cgroup, e) < 0)
		return -1;
	sandbox_host_init(&c->host, &c->probe);
	return 0;
}

void
containment_release(struct containment *c)
{
	if (c->probe.rung == CONTAIN_CGROUP)
		cgroup_release(&c->cgroup);
	sandbox_host_release(&c->host);
}

int
containment_place(struct containment *c, int pidfd, uint32_t memory_mb)
{
	pid_t pid;
	int slot;

	if (c->probe.rung != CONTAIN_CGROUP)
		return -1;
	pid = sample_pid(pidfd);
	slot = pid > 0 ? cgroup_slot_take(&c->cgroup,
	                     (uint64_t)memory_mb << 20, LIMITS_TREE)
	               : -1;
	if (slot >= 0 && cgroup_slot_enter(&c->cgroup, slot, pid) < 0) {
		cgroup_slot_give(&c->cgroup, slot);
		return -1;
	}
	return slot;
}

void
containment_leave(struct containment *c, int slot)
{
	if (slot >= 0)
		cgroup_slot_give(&c->cgroup, slot);
}

/* True if the process is the function's, by its real uid. */
static bool
is_of(int pidfd, uid_t uid)
{
	char path[64], line[256];
	unsigned real = 0;
	bool found = false;
	pid_t pid;
	FILE *f;

	if (uid == 0)
		return true;
	pid = sample_pid(pidfd);
	if (pid <= 0)
		return false;
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof line, f))
		found = sscanf(line, "Uid: %u", &real) == 1;
	fclose(f);
	return found && real == uid;
}

static void
send_signal(int pidfd, uid_t uid, int sig)
{
	if (is_of(pidfd, uid))
		syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

/* Its process group by one call, if it is a group of its own. */
static bool
kill_group(const struct containment *c, pid_t pid)
{
	return c->probe.rung == CONTAIN_NAMESPACE && getpgid(pid) == pid &&
	    kill(-pid, SIGKILL) == 0;
}

static void
end_tree(struct containment *c, int pidfd, uid_t uid, int slot, bool whole)
{
	pid_t pid = is_of(pidfd, uid) ? sample_pid(pidfd) : -1;

	if (slot >= 0)
		cgroup_slot_kill(&c->cgroup, slot);
	else if (pid > 0 && (!kill_group(c, pid) || whole))
		contain_kill_tree(pid);
	send_signal(pidfd, uid, SIGKILL);
	if (pid > 0)
		schedule_hurry(pid);
}

void
containment_kill_first(struct containment *c, int pidfd, uid_t uid, int slot)
{
	end_tree(c, pidfd, uid, slot, false);
}

void
containment_kill(struct containment *c, int pidfd, uid_t uid, int slot)
{
	end_tree(c, pidfd, uid, slot, true);
}

void
containment_ask(struct containment *c, int pidfd, uid_t uid)
{
	(void)c;
	send_signal(pidfd, uid, SIGTERM);
}

void
containment_yield(struct containment *c, int pidfd, uid_t uid)
{
	pid_t pid;

	(void)c;
	if (is_of(pidfd, uid) && (pid = sample_pid(pidfd)) > 0)
		schedule_tree(pid, SCHEDULE_LAST);
}

void
containment_schedule(struct containment *c, int pidfd, uid_t uid,
    enum schedule how)
{
	pid_t pid;

	(void)c;
	if (is_of(pidfd, uid) && (pid = sample_pid(pidfd)) > 0 &&
	    !schedule_is_last(pid))
		schedule_process(pid, how);
}

int
containment_usage(const struct containment *c, int pidfd, int slot,
    uint64_t limit_bytes, struct usage *u)
{
	pid_t pid;

	if (slot >= 0 && cgroup_slot_usage(&c->cgroup, slot, u) == 0)
		return 0;
	pid = sample_pid(pidfd);
	return pid > 0 ? sample_tree(pid, limit_bytes, LIMITS_TREE, u) : -1;
}
