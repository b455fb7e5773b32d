/*
 * Usage of process trees, as sample.h describes it.  Runs in the launcher.
 */
#include "sample.h"

#include "functions/sdk/contain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Field numbers of /proc/<pid>/stat, from 1 (proc_pid_stat(5)). */
enum { STAT_UTIME = 14, STAT_CUTIME = 16, STAT_STATE = 3 };

/* Reads a small /proc file as a string: its length, or -1. */
static ssize_t
read_proc(const char *path, char *out, size_t size)
{
	ssize_t n;
	int error, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	n = read(fd, out, size - 1);
	error = errno;
	close(fd);
	errno = error;
	if (n >= 0)
		out[n] = 0;
	return n;
}

static ssize_t
read_of(pid_t pid, const char *file, char *out, size_t size)
{
	char path[48];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	return read_proc(path, out, size);
}

/* "size resident shared ...", in pages. */
static int
add_memory(pid_t pid, uint64_t page, struct usage *u, uint64_t *resident)
{
	char text[128];
	unsigned long rss, shared;

	if (read_of(pid, "statm", text, sizeof text) <= 0 ||
	    sscanf(text, "%*u %lu %lu", &rss, &shared) != 2)
		return -1;
	*resident += rss * page;
	u->memory_bytes += (rss - shared) * page;
	return 0;
}

/* utime and stime, cutime and cstime; the name before them may hold blanks. */
static void
add_cpu(pid_t pid, uint64_t us_per_tick, struct usage *u)
{
	char text[512];
	char *p, *end;
	int field;

	if (read_of(pid, "stat", text, sizeof text) <= 0)
		return;
	p = strrchr(text, ')');
	if (!p)
		return;
	for (field = STAT_STATE - 1; field < STAT_UTIME && p; field++)
		p = strchr(p + 1, ' ');
	for (field = 0; p && field < 4; field++, p = end)
		u->cpu_us += strtoull(p, &end, 10) * us_per_tick;
}

/* Resident shared memory of one process, from its status, in bytes. */
static uint64_t
shared_memory(pid_t pid)
{
	char text[4096];
	const char *p;

	if (read_of(pid, "status", text, sizeof text) <= 0)
		return 0;
	p = strstr(text, "\nRssShmem:");
	return p ? strtoull(p + sizeof "\nRssShmem:" - 1, NULL, 10) * 1024 : 0;
}

int
sample_tree(pid_t pid, uint64_t limit_bytes, uint32_t most, struct usage *u)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const uint64_t us = 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
	pid_t tree[SAMPLE_PROCESSES_MAX];
	uint64_t resident = 0;
	size_t n = 1, i;
	int k;

	*u = (struct usage){0};
	tree[0] = pid;
	for (i = 0; i < n && u->processes <= most; i++) {
		if (add_memory(tree[i], page, u, &resident) < 0) {
			if (i == 0) {
				errno = ESRCH;
				return -1;
			}
			continue;
		}
		add_cpu(tree[i], us, u);
		u->processes++;
		k = contain_children(
		    tree[i], tree + n, SAMPLE_PROCESSES_MAX - n);
		if (k > 0)
			n += (size_t)k;
	}
	if (limit_bytes && resident > limit_bytes)
		for (i = 0; i < n && u->memory_bytes <= limit_bytes; i++)
			u->memory_bytes += shared_memory(tree[i]);
	return 0;
}

pid_t
sample_pid(int pidfd)
{
	char path[48], text[512];
	const char *p;
	long pid;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
	if (read_proc(path, text, sizeof text) <= 0)
		return -1;
	p = strstr(text, "\nPid:");
	pid = p ? strtol(p + sizeof "\nPid:" - 1, NULL, 10) : -1;
	if (pid <= 0) {
		errno = ESRCH;
		return -1;
	}
	return (pid_t)pid;
}
