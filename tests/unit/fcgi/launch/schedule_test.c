/*
 * How others' processes are scheduled: one, its tree, its session's share.
 */
#include "confined.h"

#include "fcgi/launch/sample.h"
#include "fcgi/launch/schedule.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { PATIENCE_MS = 60000 };

/* A session of two processes; *below is the second. */
static pid_t
start(pid_t *below)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		alarm(PATIENCE_MS / 1000);
		setsid();
		pid = fork();
		if (pid > 0 && write(fds[1], &pid, sizeof pid) != sizeof pid)
			_exit(1);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	assert_int_equal(read(fds[0], below, sizeof *below), sizeof *below);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void
end(pid_t pid)
{
	assert_true(contain_kill_tree(pid) > 0);
	assert_int_equal(outcome(pid), ENDED_BY_SIGNAL + SIGKILL);
}

static void
one_process(void **state)
{
	pid_t below, pid = start(&below);
	int before = sched_getscheduler(below);

	(void)state;
	schedule_process(pid, SCHEDULE_USUAL);
	assert_true(schedule_is_usual(pid));
	schedule_process(pid, SCHEDULE_PROMPT);
	assert_int_equal(sched_getscheduler(pid), SCHED_OTHER);
	assert_false(schedule_is_usual(pid));
	schedule_process(pid, SCHEDULE_LONG_TURNS);
	assert_int_equal(sched_getscheduler(pid), SCHED_BATCH);
	assert_int_equal(sched_getscheduler(below), before);
	end(pid);
}

/* Whoever was started with one keeps it, and is scheduled nevertheless. */
static void
nice_values_stay(void **state)
{
	static const enum schedule all[] = {SCHEDULE_PROMPT, SCHEDULE_USUAL,
	    SCHEDULE_LONG_TURNS, SCHEDULE_LAST};
	static const int policies[] = {SCHED_OTHER, SCHED_BATCH, SCHED_BATCH,
	    SCHED_IDLE};
	pid_t below, pid = start(&below);
	int usual = getpriority(PRIO_PROCESS, 0);
	int nice = usual < 16 ? usual + 3 : 19;
	size_t i;

	(void)state;
	assert_int_equal(setpriority(PRIO_PROCESS, (id_t)pid, nice), 0);
	for (i = 0; i < sizeof all / sizeof *all; i++) {
		schedule_process(pid, all[i]);
		assert_int_equal(sched_getscheduler(pid), policies[i]);
		assert_int_equal(getpriority(PRIO_PROCESS, (id_t)pid), nice);
	}
	assert_true(schedule_is_last(pid));
	end(pid);
}

/* In nanoseconds; 0 before Linux 6.12, which says nothing of them. */
static uint64_t
turns_of(pid_t pid)
{
	uint64_t a[7] = {0};	/* struct sched_attr; [3] is sched_runtime */

	assert_int_equal(
	    syscall(SYS_sched_getattr, pid, a, sizeof a, 0), 0);
	return a[3];
}

static void
a_tree(void **state)
{
	pid_t below, pid = start(&below);
	uint64_t turns;

	(void)state;
	schedule_process(pid, SCHEDULE_LONG_TURNS);
	turns = turns_of(pid);
	schedule_tree(pid, SCHEDULE_LAST);
	assert_int_equal(sched_getscheduler(pid), SCHED_IDLE);
	assert_int_equal(sched_getscheduler(below), SCHED_IDLE);
	assert_int_equal(turns_of(pid), turns);
	assert_int_equal(turns_of(below), turns);
	end(pid);
}

/* The whole tree may; whoever has no privilege keeps its policy. */
static void
who_gave_way_may_hurry(void **state)
{
	const struct sched_param none = {0};
	pid_t below, pid = start(&below);
	int policy;

	(void)state;
	schedule_process(pid, SCHEDULE_USUAL);
	schedule_hurry(pid);
	assert_true(schedule_is_usual(pid));
	schedule_tree(pid, SCHEDULE_LAST);
	schedule_hurry(pid);
	policy = sched_setscheduler(pid, SCHED_OTHER, &none) == 0
	    ? SCHED_OTHER
	    : SCHED_IDLE;
	assert_int_equal(sched_getscheduler(pid), policy);
	assert_int_equal(sched_getscheduler(below), policy);
	end(pid);
}

/* The caller alone, whatever else runs. */
static void
the_caller(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		schedule_thread(0, SCHEDULE_USUAL);
		_exit(sched_getscheduler(0) == SCHED_BATCH ? 0 : 1);
	}
	assert_int_equal(outcome(pid), 0);
}

/* Without root there is one change in 100 ms. */
static void
set_share(pid_t pid, bool least)
{
	int64_t end_ms = clock_mono_ms() + PATIENCE_MS;
	int rc;

	while ((rc = schedule_session(pid, least)) < 0 && errno == EAGAIN &&
	    clock_mono_ms() < end_ms)
		usleep(1000);
	assert_int_equal(rc, 0);
}

static void
assert_share(pid_t pid, const char *expected)
{
	char path[48], text[128] = "";
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/autogroup", (int)pid);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof text, f));
	fclose(f);
	assert_non_null(strstr(text, expected));
}

static void
a_session(void **state)
{
	pid_t below, pid = start(&below);

	(void)state;
	if (access("/proc/self/autogroup", F_OK) == 0) {
		set_share(pid, true);
		assert_share(below, "nice 10\n");
		set_share(pid, false);
		assert_share(below, "nice 0\n");
	}
	end(pid);
	assert_int_equal(schedule_session(pid, true), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_process),
	    cmocka_unit_test(nice_values_stay),
	    cmocka_unit_test(a_tree),
	    cmocka_unit_test(who_gave_way_may_hurry),
	    cmocka_unit_test(the_caller),
	    cmocka_unit_test(a_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
