/*
 * Starts and ends the daemons of `bothy run` (service.h).
 */
#include "service.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NAP_MS = 20 };

/* In the child: becomes the program, or writes errno and ends. */
static void __attribute__((noreturn))
become(const char *const *argv, pid_t parent, int error_fd)
{
	char *const *args;
	sigset_t none;
	int error;

	memcpy(&args, &argv, sizeof args);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == parent)
		execv(argv[0], args);
	error = errno;
	if (io_write_all(error_fd, &error, sizeof error) < 0)
		_exit(126);
	_exit(127);
}

int
service_start(struct service *s, const char *const *argv, struct err *e)
{
	int fds[2], error;
	pid_t parent = getpid();

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	s->started_ms = clock_mono_ms();
	s->pid = fork();
	if (s->pid == 0)
		become(argv, parent, fds[1]);
	close(fds[1]);
	if (s->pid < 0) {
		s->pid = 0;
		close(fds[0]);
		return err_sys(e, "cannot start %s", argv[0]);
	}
	if (io_read_all(fds[0], &error, sizeof error) == 0) {
		close(fds[0]);
		waitpid(s->pid, &s->status, 0);
		s->pid = 0;
		errno = error;
		return err_sys(e, "cannot start %s", argv[0]);
	}
	close(fds[0]);
	return 0;
}

bool
service_ended(struct service *s)
{
	if (!s->pid || waitpid(s->pid, &s->status, WNOHANG) <= 0)
		return false;
	s->pid = 0;
	return true;
}

void
service_signal(const struct service *s, int sig)
{
	if (s->pid)
		kill(s->pid, sig);
}

void
service_stop(struct service *s, int64_t grace_ms)
{
	const struct timespec nap = {0, NAP_MS * 1000000L};
	int64_t end_ms = clock_mono_ms() + grace_ms;

	service_signal(s, SIGTERM);
	while (s->pid && !service_ended(s)) {
		if (clock_mono_ms() >= end_ms)
			service_signal(s, SIGKILL);
		nanosleep(&nap, NULL);
	}
}

void
service_ending(const struct service *s, char *out, size_t room)
{
	if (WIFSIGNALED(s->status))
		snprintf(out, room, "signal %d (%s)", WTERMSIG(s->status),
		    strsignal(WTERMSIG(s->status)));
	else
		snprintf(out, room, "exit status %d",
		    WEXITSTATUS(s->status));
}
