/*
 * The runner of exec functions.  Started, confined and asked for children
 * like any zygote; its children are our own code, so they serve request after
 * request: each vforks and execs the program, waits for it, ends all that the
 * program left behind, and says how it went.  Nothing large is ever copied.
 */
#include "runner.h"

#include "functions/sdk/abi.h"
#include "functions/sdk/child.h"
#include "functions/sdk/contain.h"
#include "functions/sdk/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *program;	/* $BOTHY_BINARY, set once in init */
static volatile sig_atomic_t program_pid;

static int
init(void)
{
	program = getenv("BOTHY_BINARY");
	if (!program) {
		fprintf(stderr, "BOTHY_BINARY is not set\n");
		return -1;
	}
	/* What the program starts must not read this process's memory. */
	return prctl(PR_SET_DUMPABLE, 0);
}

/* The gateway's TERM is meant for the program. */
static void
pass_on(int sig)
{
	if (program_pid > 0)
		kill(program_pid, sig);
}

/*
 * vfork and exec; the pid, or -1 with errno (of exec too: the memory is
 * shared until then).
 */
static pid_t
start(char **envp)
{
	char *argv[2] = {(char *)(uintptr_t)program, NULL};
	volatile int error = 0;
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = vfork();	/* NOLINT(*.vfork): fork copies page tables */
	if (pid == 0) {
		sigset_t none;

		setpgid(0, 0);	/* NOLINT(*-unix.Vfork): a system call */
		signal(SIGTERM, SIG_DFL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execve(program, argv, envp);
		error = errno;
		_exit(127);
	}
	if (pid > 0 && error) {
		waitpid(pid, NULL, 0);
		pid = -1;
	} else if (pid < 0)
		error = errno;
	program_pid = pid;
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = error;
	return pid;
}

static uint64_t
cpu_us(const struct rusage *ru)
{
	return (uint64_t)(ru->ru_utime.tv_sec + ru->ru_stime.tv_sec) * 1000000 +
	    (uint64_t)(ru->ru_utime.tv_usec + ru->ru_stime.tv_usec);
}

/* Waits for the program; orphans of its that end meanwhile are reaped. */
static void
await(pid_t pid, struct abi_done *d)
{
	struct rusage ru = {0};
	int status = 0;
	pid_t got;

	do
		got = wait4(pid, &status, 0, &ru);
	while (got < 0 && errno == EINTR);
	program_pid = 0;
	d->end = WIFSIGNALED(status) ? ABI_END_SIGNAL : ABI_END_EXIT;
	d->status = WIFSIGNALED(status) ? WTERMSIG(status)
	                                : WEXITSTATUS(status);
	d->max_rss_kb = (uint64_t)ru.ru_maxrss;
	d->cpu_us = cpu_us(&ru);
}

/* Back to what a waiting child looks like: /dev/null on 0. */
static void
rearm(void)
{
	int fd = open("/dev/null", O_RDONLY);

	if (fd > 0) {
		dup2(fd, 0);
		close(fd);
	}
}

static void __attribute__((noreturn))
child(int ctl_fd, char *const own[2], unsigned reuse)
{
	struct sigaction sa = {.sa_handler = pass_on};
	static struct child_request r;
	struct abi_done d;
	pid_t pid;

	(void)reuse;
	sigaction(SIGTERM, &sa, NULL);
	while (child_receive(ctl_fd, own, &r) > 0) {
		d = (struct abi_done){0};
		pid = start(r.envp);
		if (pid < 0) {
			d.end = ABI_END_NO_EXEC;
			d.status = errno;
		} else
			await(pid, &d);
		d.again = (contain_alone() || contain_clean() == 0) &&
		    !contain_gives_way();
		if (!(r.head.flags & ABI_NO_STDIN))
			rearm();
		if (child_done(ctl_fd, &d, NULL, 0) < 0 || !d.again)
			break;
	}
	_exit(0);
}

int
runner_run(void)
{
	static const struct zygote_ops OPS = {init, child};

	return zygote_run(&OPS);
}
