/*
 * Mirrors, from our side: a child is started, watched and ended.  Runs in a
 * thread of its own in the daemon, for libgit2 may wait for a remote for ever;
 * it takes no lock of the history's.
 */
#include "history_internal.h"

#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REASON_BYTES = 400, URL_BYTES = 4096 };

/* What the child is called with. */
struct arguments {
	char helper[PATH_MAX], path[PATH_MAX], url[URL_BYTES];
};

static int
set_arguments(struct arguments *a, const struct history *h,
    const char *helper, const char *url)
{
	if (strlen(helper) >= sizeof a->helper ||
	    strlen(h->path) >= sizeof a->path || strlen(url) >= sizeof a->url) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(a->helper, helper);
	strcpy(a->path, h->path);
	strcpy(a->url, url);
	return 0;
}

/* Its stderr is our pipe; nothing else of ours is open in it. */
static int
start(const struct history *h, const char *helper, const char *url,
    int reason_fd, pid_t *pid)
{
	struct arguments a;
	char name[] = "history-push";
	char *argv[] = { a.helper, name, a.path, a.url, NULL };
	posix_spawn_file_actions_t fa;
	int r;

	if (set_arguments(&a, h, helper, url))
		return -1;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&fa, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, reason_fd, 2);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	r = posix_spawn(pid, a.helper, &fa, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	errno = r;
	return r ? -1 : 0;
}

enum outcome { ENDED, LATE, STOPPED };

/* Reads what it says until it ends, or is to be ended. */
static enum outcome
watch(int pid_fd, int reason_fd, int timeout_ms, int stop_fd,
    struct buf *reason)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	struct pollfd p[3] = { { pid_fd, POLLIN, 0 },
		{ reason_fd, POLLIN, 0 }, { stop_fd, POLLIN, 0 } };
	char chunk[REASON_BYTES];

	for (;;) {
		int64_t left = deadline - clock_mono_ms();
		int r = left > 0 ? poll(p, 3, (int)left) : 0;

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return LATE;
		if (p[2].revents)
			return STOPPED;
		if (p[1].revents) {
			ssize_t n = io_read(reason_fd, chunk, sizeof chunk);

			if (n > 0 && reason->len + (size_t)n <= reason->max)
				buf_add(reason, chunk, (size_t)n);
			if (n <= 0)
				p[1].fd = -1;
			continue;
		}
		if (p[0].revents)
			return ENDED;
	}
}

static int
end(pid_t pid, int pid_fd, bool in_time)
{
	int status;

	if (!in_time)
		pidfd_send_signal(pid_fd, SIGKILL, NULL, 0);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0 ?
	    0 : -1;
}

static int
follow(pid_t pid, int reason_fd, const char *url, int timeout_ms,
    int stop_fd, struct err *e)
{
	int pid_fd = pidfd_open(pid, 0);
	enum outcome o = ENDED;
	struct buf reason;
	int r = 0;

	buf_init(&reason, REASON_BYTES);
	if (pid_fd < 0)
		kill(pid, SIGKILL);
	else
		o = watch(pid_fd, reason_fd, timeout_ms, stop_fd, &reason);
	if (end(pid, pid_fd, o == ENDED) == 0)
		r = 0;
	else if (o == ENDED)
		r = err_set(e, EIO, "mirror %s: %.*s", url,
		    (int)strcspn(buf_str(&reason), "\n"), buf_str(&reason));
	else if (o == LATE)
		r = err_set(e, ETIMEDOUT, "mirror %s: not done after %d s",
		    url, timeout_ms / 1000);
	else
		r = err_set(e, ECANCELED, "mirror %s: given up", url);
	buf_release(&reason);
	io_close(&pid_fd);
	return r;
}

int
history_push(struct history *h, const char *helper, const char *url,
    int timeout_ms, int stop_fd, struct err *e)
{
	int pipe_fd[2], r;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC))
		return err_sys(e, "mirror %s", url);
	r = start(h, helper, url, pipe_fd[1], &pid);
	io_close(&pipe_fd[1]);
	if (r)
		err_sys(e, "mirror %s: start %s", url, helper);
	else
		r = follow(pid, pipe_fd[0], url, timeout_ms, stop_fd, e);
	io_close(&pipe_fd[0]);
	return r;
}
