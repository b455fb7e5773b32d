/*
 * Starts a CGI program, carries what it writes, waits for its end (cgirun.h).
 */
#include "cgirun.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct running {
	const struct cgirun *request;
	struct cgishow show;
	pid_t pid;
	int pid_fd, out_fd, err_fd;
};

/* 0 or an errno. */
static int
spawn(const struct cgirun *r, int out_fd, int err_fd, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t usual;
	char *const *args;
	int rc;

	memcpy(&args, &r->argv, sizeof args);
	sigfillset(&usual);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&files, r->stdin_fd, 0);
	posix_spawn_file_actions_adddup2(&files, out_fd, 1);
	posix_spawn_file_actions_adddup2(&files, err_fd, 2);
	posix_spawn_file_actions_addchdir_np(&files, r->directory);
	posix_spawnattr_setsigdefault(&attr, &usual);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawnp(pid, r->argv[0], &files, &attr, args, r->envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

static int
start(struct running *x, struct err *e)
{
	int out[2], err[2], rc;

	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	if (pipe2(err, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return err_sys(e, "cannot make a pipe");
	}
	rc = spawn(x->request, out[1], err[1], &x->pid);
	close(out[1]);
	close(err[1]);
	if (rc) {
		close(out[0]);
		close(err[0]);
		errno = rc;
		return err_sys(e, "cannot start %s", x->request->argv[0]);
	}
	x->out_fd = out[0];
	x->err_fd = err[0];
	x->pid_fd = pidfd_open(x->pid, 0);
	if (x->pid_fd < 0) {
		err_sys(e, "cannot watch %s", x->request->argv[0]);
		kill(x->pid, SIGKILL);
		waitpid(x->pid, NULL, 0);
		close(x->out_fd);
		close(x->err_fd);
		return -1;
	}
	io_nonblock(x->out_fd);
	io_nonblock(x->err_fd);
	return 0;
}

/* Reads what is there now; closes at the end. */
static void
pump(struct running *x, int *fd,
    void (*take)(struct cgishow *, const char *, size_t))
{
	char chunk[16384];
	ssize_t n;

	while (*fd >= 0 && (n = io_read(*fd, chunk, sizeof chunk)) != 0) {
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		take(&x->show, chunk, (size_t)n);
	}
	io_close(fd);
}

static void
carry(struct running *x)
{
	struct pollfd p[3];

	for (;;) {
		p[0] = (struct pollfd){.fd = x->out_fd, .events = POLLIN};
		p[1] = (struct pollfd){.fd = x->err_fd, .events = POLLIN};
		p[2] = (struct pollfd){.fd = x->pid_fd, .events = POLLIN};
		if (poll(p, 3, -1) < 0 && errno != EINTR)
			return;
		pump(x, &x->out_fd, cgishow_output);
		pump(x, &x->err_fd, cgishow_errors);
		/* A descendant may hold the pipes: the main process counts. */
		if (p[2].revents)
			return;
	}
}

static void
finish(struct running *x)
{
	int status;

	pump(x, &x->out_fd, cgishow_output);
	pump(x, &x->err_fd, cgishow_errors);
	cgishow_end(&x->show);
	while (waitpid(x->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		x->show.result->signal = WTERMSIG(status);
	else if (WEXITSTATUS(status) > 128 && WEXITSTATUS(status) < 128 + 65)
		x->show.result->signal = WEXITSTATUS(status) - 128;
	else
		x->show.result->exit_status = WEXITSTATUS(status);
}

int
cgirun(const struct cgirun *r, struct cgi_result *result, struct err *e)
{
	struct running x = {.request = r,
	    .show = {.function = r->function,
	        .binary = r->binary,
	        .show_header = r->show_header}};

	if (start(&x, e) < 0)
		return -1;
	cgishow_init(&x.show, result);
	carry(&x);
	finish(&x);
	io_close(&x.out_fd);
	io_close(&x.err_fd);
	io_close(&x.pid_fd);
	return 0;
}
