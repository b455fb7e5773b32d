/*
 * The launcher's socket from the client's side, as link.h describes it.
 */
#include "link.h"

#include "fcgi/launch/key.h"
#include "store/base/clock.h"
#include "store/base/daemon.h"
#include "store/base/io.h"
#include "store/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OPEN_WAIT_MS = 5000, PAUSE_MS = 20, HELLO_WAIT_MS = 2000 };

extern char **environ;

/* bothy-launch lies beside the running program unless told otherwise. */
static int
find_launcher(const struct link_options *o, char *path, size_t size,
    struct err *e)
{
	const char *env = getenv("BOTHY_LAUNCH");

	if (!o->launcher && !env)
		return daemon_beside("bothy-launch", path, size, e);
	snprintf(path, size, "%s", o->launcher ? o->launcher : env);
	return 0;
}

/* Runs the launcher with descriptor `keep` (-1: none) inherited. */
static int
spawn(const struct link_options *o, int keep, pid_t *pid, struct err *e)
{
	char path[4096], number[16];
	const char *argv[] = {path, "--site", o->site_dir, "--state",
	    o->state_dir, NULL, NULL, NULL};

	if (find_launcher(o, path, sizeof path, e) < 0)
		return -1;
	snprintf(number, sizeof number, "%d", keep);
	if (keep >= 0) {
		argv[5] = "--client";
		argv[6] = number;
	}
	if (daemon_spawn(argv, environ, -1, false, pid) < 0)
		return err_sys(e, "cannot start %s", path);
	return 0;
}

/* The daemon: the call returns when it listens, or has said why not. */
static int
start_daemon(const struct link_options *o, struct err *e)
{
	pid_t pid, got;
	int status = 0;

	if (spawn(o, -1, &pid, e) < 0)
		return -1;
	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	if (got == pid && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		return err_set(e, ECONNREFUSED, "bothy-launch did not start; "
		    "its reason is in the web server's error log, or run "
		    "`bothy-launch --site %s --state %s --foreground`",
		    o->site_dir, o->state_dir);
	return 0;
}

/* Shows the key on a fresh connection; who does not know it is dropped. */
static int
prove(int fd, int run_fd)
{
	struct launch_msg m = {.type = LAUNCH_PROVE};

	if (key_read(run_fd, m.snapshot) < 0)
		return -1;
	return link_send(fd, &m);
}

static int
connect_once(const struct link_options *o)
{
	char run[4096];
	int dir_fd, fd = -1, saved;

	snprintf(run, sizeof run, "%s/run", o->state_dir);
	dir_fd = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -1;
	fd = sock_connect_at(dir_fd, "launch.sock", SOCK_SEQPACKET);
	saved = errno;
	if (fd >= 0 && prove(fd, dir_fd) < 0) {
		io_close(&fd);
		saved = ECONNREFUSED;	/* as if it had just left */
	}
	close(dir_fd);
	errno = saved;
	return fd;
}

static int
read_hello(int fd, struct err *e)
{
	struct pollfd p = {fd, POLLIN, 0};
	struct launch_msg m;
	int rc = 0;

	if (poll(&p, 1, HELLO_WAIT_MS) == 1)
		rc = link_receive(fd, &m, NULL, 0, NULL, NULL);
	if (rc == 1 && m.type == LAUNCH_HELLO)
		return 0;
	if (rc < 0 && errno == EPROTO)
		return err_set(e, EPROTO, "the running bothy-launch is of "
		    "another version; stop it, and a new one starts");
	return err_set(e, ECONNRESET, "bothy-launch said no hello");
}

static int
open_private(const struct link_options *o, struct err *e)
{
	pid_t pid;
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv) < 0)
		return err_sys(e, "cannot make a socket for bothy-launch");
	fcntl(sv[0], F_SETFD, FD_CLOEXEC);
	if (spawn(o, sv[1], &pid, e) < 0) {
		close(sv[0]);
		close(sv[1]);
		return -1;
	}
	close(sv[1]);
	if (read_hello(sv[0], e) < 0) {
		close(sv[0]);
		return -1;
	}
	return sv[0];
}

int
link_open(const struct link_options *o, struct err *e)
{
	struct timespec pause = {0, PAUSE_MS * 1000000L};
	int64_t until_ms = clock_mono_ms() + OPEN_WAIT_MS;
	int tries, fd;

	if (o->private_launcher)
		return open_private(o, e);
	for (tries = 0; clock_mono_ms() < until_ms; tries++) {
		fd = connect_once(o);
		if (fd >= 0) {
			if (read_hello(fd, e) == 0)
				return fd;
			close(fd);
			if (e->code == EPROTO)
				return -1;
		} else if (errno != ENOENT && errno != ECONNREFUSED &&
		    errno != EAGAIN)
			return err_sys(e, "cannot connect to %s/run/"
			    "launch.sock", o->state_dir);
		else if (!o->start)
			return err_set(e, ENOENT, "no launcher is running");
		else if (tries % 10 == 0 && start_daemon(o, e) < 0)
			return open_private(o, e);
		if (tries)
			nanosleep(&pause, NULL);
	}
	return open_private(o, e);	/* this host ends or stops daemons */
}

int
link_send(int fd, struct launch_msg *m)
{
	struct iovec iov = {m, sizeof *m};

	m->version = LAUNCH_VERSION;
	return sock_send(fd, &iov, 1, NULL, 0, MSG_DONTWAIT) < 0 ? -1 : 0;
}

int
link_receive(int fd, struct launch_msg *m, char *text, size_t text_size,
    int *fds, size_t *nfds)
{
	char unused[16];
	struct iovec iov[2] = {{m, sizeof *m},
	    {text ? text : unused, text ? text_size - 1 : sizeof unused}};
	ssize_t n = sock_recv(fd, iov, 2, fds, nfds, 0);
	size_t i;

	if (n == 0)
		return 0;
	if (n < 0)
		return -1;
	if ((size_t)n < sizeof *m || m->version != LAUNCH_VERSION ||
	    (size_t)n != sizeof *m + m->bytes) {
		for (i = 0; nfds && i < *nfds; i++)
			close(fds[i]);
		errno = EPROTO;
		return -1;
	}
	if (text)
		text[m->bytes] = '\0';
	return 1;
}
