/*
 * Memory, time and pids of trees that are known.
 */
#include "confined.h"

#include "fcgi/launch/sample.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { MB = 1 << 20, SOME = 32 * MB, BURN_MS = 100 };

static void
wait_byte(int fd)
{
	char c;

	if (read(fd, &c, 1) != 1)
		_exit(1);
}

static char *
map(int flags, size_t bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(2);
	memset(p, 1, bytes);
	return p;
}

/* A child that runs `body`, says so, and waits to be killed. */
static pid_t
start(void (*body)(void))
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		alarm(60);
		body();
		if (write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	wait_byte(fds[0]);
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
nothing(void)
{
}

static void
private_memory(void)
{
	map(MAP_PRIVATE, SOME);
}

static void
shared_memory(void)
{
	map(MAP_SHARED, SOME);
}

static long
own_cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Two below it, one of them below the other. */
static void
three_with_memory(void)
{
	int fds[2];

	if (pipe(fds) < 0)
		_exit(1);
	if (fork() == 0) {
		fork();
		map(MAP_PRIVATE, SOME);
		if (write(fds[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	wait_byte(fds[0]);
	wait_byte(fds[0]);
}

static void
burn(void)
{
	if (fork() == 0) {
		while (own_cpu_ms() < BURN_MS)
			;
		_exit(0);
	}
	wait(NULL);
}

static void
memory_of_one(void **state)
{
	struct usage before, after;
	pid_t pid = start(nothing);

	(void)state;
	assert_int_equal(sample_tree(pid, 0, UINT32_MAX, &before), 0);
	assert_int_equal(before.processes, 1);
	end(pid);
	pid = start(private_memory);
	assert_int_equal(sample_tree(pid, 0, UINT32_MAX, &after), 0);
	assert_true(after.memory_bytes >= before.memory_bytes + SOME);
	assert_true(after.memory_bytes < before.memory_bytes + SOME + 2 * MB);
	end(pid);
}

/* Shared memory shows only when it could pass the limit. */
static void
memory_that_is_shared(void **state)
{
	struct usage u;
	pid_t pid = start(shared_memory);

	(void)state;
	assert_int_equal(sample_tree(pid, 0, UINT32_MAX, &u), 0);
	assert_true(u.memory_bytes < SOME);
	assert_int_equal(sample_tree(pid, 1024 * MB, UINT32_MAX, &u), 0);
	assert_true(u.memory_bytes < SOME);
	assert_int_equal(sample_tree(pid, SOME, UINT32_MAX, &u), 0);
	assert_true(u.memory_bytes > SOME);
	end(pid);
}

static void
memory_of_a_tree(void **state)
{
	struct usage u;
	pid_t pid = start(three_with_memory);

	(void)state;
	assert_int_equal(sample_tree(pid, 0, UINT32_MAX, &u), 0);
	assert_int_equal(u.processes, 3);
	assert_true(u.memory_bytes >= 2 * SOME);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	assert_int_equal(contain_kill_tree(pid), 3);
	assert_int_equal(outcome(pid), ENDED_BY_SIGNAL + SIGKILL);
	assert_int_equal(contain_sweep(NULL, NULL, 0), 2);
}

static void
time_of_ended_children(void **state)
{
	struct usage u;
	pid_t pid = start(burn);

	(void)state;
	assert_int_equal(sample_tree(pid, 0, UINT32_MAX, &u), 0);
	assert_true(u.cpu_us >= 70000 && u.cpu_us <= 300000);
	end(pid);
}

static void
what_is_gone(void **state)
{
	struct usage u;
	pid_t pid = start(nothing);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(sample_pid(fd), pid);
	end(pid);
	assert_int_equal(sample_pid(fd), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(sample_tree(pid, 0, UINT32_MAX, &u), -1);
	assert_int_equal(errno, ESRCH);
	close(fd);
	assert_int_equal(sample_pid(fd), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_of_one),
	    cmocka_unit_test(memory_that_is_shared),
	    cmocka_unit_test(memory_of_a_tree),
	    cmocka_unit_test(time_of_ended_children),
	    cmocka_unit_test(what_is_gone),
	};

	if (THREADED) {
		print_message("SKIPPED: the thread sanitizer adds threads\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
