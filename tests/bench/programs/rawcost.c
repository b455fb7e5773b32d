/*
 * What a process costs on this machine, from a small static one:
 *
 *   rawcost MILLISECONDS PROGRAM
 *
 * prints one line of JSON, each number the microseconds of one child:
 *   fork            fork, exit, wait: the median of one after another
 *   fork_namespace  the same, each child in a pid namespace of its own, from
 *                   the first process of a user namespace (null: not allowed)
 *   spawn           posix_spawn of PROGRAM, until it is reaped
 *   fork_busy       as fork, with all cores forking at once: cores / rate
 *
 * MILLISECONDS is the time for each of the four.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES_MAX = 200000, CORES_MAX = 64 };

/* Shared with the processes that measure, so that one can report. */
struct samples {
	uint32_t count;
	uint32_t ns[SAMPLES_MAX];
};

static struct samples *samples;
static long run_ms;
static const char *program;
static int own_namespace_fd = -1;

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- one child -------------------------------------------------------- */

static int
fork_once(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static int
fork_namespace_once(void)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		_exit(0);
	if (setns(own_namespace_fd, CLONE_NEWPID) < 0)
		return -1;
	return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static int
spawn_once(void)
{
	static posix_spawn_file_actions_t actions;
	static int ready;
	char *argv[2] = {(char *)(uintptr_t)program, NULL};
	char *envp[1] = {NULL};
	pid_t pid;

	if (!ready) {
		posix_spawn_file_actions_init(&actions);
		posix_spawn_file_actions_addopen(&actions, 1, "/dev/null",
		    O_WRONLY, 0);
		ready = 1;
	}
	if (posix_spawn(&pid, program, &actions, NULL, argv, envp) != 0)
		return -1;
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

/* ---- many ------------------------------------------------------------- */

static int
by_size(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

/* Fills `samples`; 0, or -1 if a child could not be made. */
static int
measure(int (*once)(void))
{
	int64_t end = now_ns() + run_ms * 1000000, from, to = 0;

	samples->count = 0;
	while (to < end && samples->count < SAMPLES_MAX) {
		from = now_ns();
		if (once() < 0)
			return -1;
		to = now_ns();
		samples->ns[samples->count++] = (uint32_t)(to - from);
	}
	return 0;
}

static void
print_median(const char *name, int rc)
{
	double us = 0;

	if (rc == 0 && samples->count) {
		qsort(samples->ns, samples->count, sizeof *samples->ns,
		    by_size);
		us = samples->ns[samples->count / 2] / 1000.0;
		printf("\"%s\":%.1f", name, us);
	} else
		printf("\"%s\":null", name);
}

/* As a zygote of Bothy's: the first process of a user and pid namespace. */
static int
measure_namespaces(void)
{
	int status = 1;
	pid_t pid;

	fflush(stdout);
	pid = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_NEWUSER |
	    CLONE_NEWPID, NULL, NULL, NULL, NULL);
	if (pid == 0) {
		own_namespace_fd = open("/proc/self/ns/pid",
		    O_RDONLY | O_CLOEXEC);
		_exit(own_namespace_fd < 0 ||
		    measure(fork_namespace_once) < 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status == 0 ? 0 : -1;
}

/* All cores fork at once; the microseconds of cores that a child takes. */
static double
measure_busy(long cores)
{
	static struct samples *each[CORES_MAX];
	pid_t pids[CORES_MAX];
	int64_t from = now_ns();
	double total = 0;
	long i;

	if (cores > CORES_MAX)
		cores = CORES_MAX;
	fflush(stdout);
	for (i = 0; i < cores; i++) {
		each[i] = mmap(NULL, sizeof *samples, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (each[i] == MAP_FAILED)
			return 0;
		pids[i] = fork();
		if (pids[i] == 0) {
			samples = each[i];
			_exit(measure(fork_once) < 0);
		}
	}
	for (i = 0; i < cores; i++) {
		waitpid(pids[i], NULL, 0);
		total += each[i]->count;
	}
	return total > 0
	    ? (double)cores * (double)(now_ns() - from) / 1000 / total
	    : 0;
}

int
main(int argc, char **argv)
{
	int rc;

	if (argc != 3 || (run_ms = atol(argv[1])) < 1) {
		fprintf(stderr, "usage: rawcost MILLISECONDS PROGRAM\n");
		return 2;
	}
	program = argv[2];
	samples = mmap(NULL, sizeof *samples, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (samples == MAP_FAILED) {
		perror("rawcost");
		return 1;
	}
	printf("{");
	rc = measure(fork_once);
	print_median("fork", rc);
	rc = measure_namespaces();
	printf(",");
	print_median("fork_namespace", rc);
	rc = measure(spawn_once);
	printf(",");
	print_median("spawn", rc);
	printf(",\"fork_busy\":%.1f}\n",
	    measure_busy(sysconf(_SC_NPROCESSORS_ONLN)));
	return 0;
}
