/*
 * Git's output, log and end, read as they come (rungit.h).
 */
#include "rungit.h"

#include "invoke_internal.h"
#include "link.h"

#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE = 32 * 1024, END_WAIT_MS = 10000 };

enum { AT_LINK, AT_OUT, AT_LOG, AT_CLIENT, AT_COUNT };

struct git_run {
	const struct run_request *q;
	struct run_result *out;
	int link_fd, out_fd, log_fd;
	bool over; /* its end is known */
	bool stopped;
	int64_t due_ms;
};

static void
refuse(struct git_run *g, int status, const char *text)
{
	g->out->end = RUN_REFUSED;
	g->out->status = status;
	snprintf(g->out->text, sizeof g->out->text, "%s", text);
	g->over = true;
}

/* Hands git's ends over with its environment: 0, or -1 with errno. */
static int
ask(struct git_run *g, const int *fds)
{
	struct launch_msg m = {.version = LAUNCH_VERSION,
	    .type = LAUNCH_GIT,
	    .bytes = (uint32_t)g->q->env_bytes};
	struct iovec iov[2] = {{&m, sizeof m}, {NULL, g->q->env_bytes}};

	memcpy(&iov[1].iov_base, &g->q->env, sizeof g->q->env);
	return sock_send(g->link_fd, iov, 2, fds, LAUNCH_GIT_FDS, 0) < 0 ? -1
									 : 0;
}

static int
begin(struct git_run *g, const struct invoke *v, struct err *e)
{
	const struct link_options o = {
	    v->site_dir, v->state_dir, v->launcher, v->private_launcher, true};
	int out[2] = {-1, -1}, log[2] = {-1, -1};
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC), rc = -1;

	g->link_fd = link_open(&o, e);
	if (g->link_fd >= 0 && null_fd >= 0 && pipe2(out, O_CLOEXEC) == 0 &&
	    pipe2(log, O_CLOEXEC) == 0) {
		const int fds[LAUNCH_GIT_FDS] = {
		    g->q->body_fd >= 0 ? g->q->body_fd : null_fd, out[1],
		    log[1]};

		rc = ask(g, fds);
	}
	if (rc < 0 && g->link_fd >= 0)
		err_sys(e, "cannot hand a push to bothy-launch");
	io_close(&null_fd);
	io_close(&out[1]);
	io_close(&log[1]);
	g->out_fd = out[0];
	g->log_fd = log[0];
	return rc;
}

/* What the launcher says: how it ended, or why it did not begin. */
static void
read_link(struct git_run *g)
{
	char text[512];
	struct launch_msg m;
	int rc = link_receive(g->link_fd, &m, text, sizeof text, NULL, NULL);

	if (rc == 1 && m.type == LAUNCH_REFUSED)
		refuse(g, (int)m.code, text);
	else if (rc == 1 && m.type == LAUNCH_EXIT && WIFEXITED(m.wait_status)) {
		g->out->end = RUN_EXIT;
		g->out->status = WEXITSTATUS(m.wait_status);
	} else {
		g->out->end = RUN_SIGNAL;
		g->out->status = rc == 1 && m.type == LAUNCH_EXIT
				     ? WTERMSIG(m.wait_status)
				     : 0;
	}
	g->over = true;
}

static void
read_pipe(struct git_run *g, int *fd)
{
	const struct run_request *q = g->q;
	char piece[PIECE];
	ssize_t n = read(*fd, piece, sizeof piece);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0)
		io_close(fd);
	else if (fd == &g->log_fd)
		q->log(q->ctx, piece, (size_t)n);
	else if (q->output(q->ctx, piece, (size_t)n) < 0)
		g->stopped = true;
	if (q->idle_timeout_ms && !g->over)
		g->due_ms = clock_mono_ms() + q->idle_timeout_ms;
}

/* One look at all of them; false if time is up. */
static bool
look(struct git_run *g)
{
	struct pollfd p[AT_COUNT] = {
	    [AT_LINK] = {g->over ? -1 : g->link_fd, POLLIN, 0},
	    [AT_OUT] = {g->out_fd, POLLIN, 0},
	    [AT_LOG] = {g->log_fd, POLLIN, 0},
	    [AT_CLIENT] = {g->q->client_fd, 0, 0}};
	int64_t left_ms = g->due_ms ? g->due_ms - clock_mono_ms() : -1;
	int n = poll(p, AT_COUNT, g->due_ms && left_ms < 0 ? 0 : (int)left_ms);

	if (n < 0)
		return errno == EINTR;
	if (n == 0)
		return false;
	if (p[AT_LOG].revents)
		read_pipe(g, &g->log_fd);
	if (p[AT_OUT].revents)
		read_pipe(g, &g->out_fd);
	if (p[AT_LINK].revents) {
		read_link(g);
		/* What it started in the background may hold its pipes. */
		g->due_ms = clock_mono_ms() + END_WAIT_MS;
	}
	if (p[AT_CLIENT].revents & (POLLHUP | POLLERR))
		g->stopped = true;
	return true;
}

void
run_git(struct invoke *v, const struct run_request *q, struct run_result *out)
{
	struct git_run g = {
	    .q = q, .out = out, .link_fd = -1, .out_fd = -1, .log_fd = -1};
	struct err e = {0};
	bool in_time = true;

	*out = (struct run_result){.cpu_us = -1, .peak_kb = -1};
	if (begin(&g, v, &e) < 0)
		refuse(&g, LAUNCH_LEAVING, e.text);
	else if (q->idle_timeout_ms)
		g.due_ms = clock_mono_ms() + q->idle_timeout_ms;
	while (in_time && !g.stopped && out->end != RUN_REFUSED &&
	       (!g.over || g.out_fd >= 0 || g.log_fd >= 0))
		in_time = look(&g);
	if (g.stopped)
		out->end = RUN_STOPPED;
	else if (!g.over)
		out->end = RUN_TIMEOUT;
	io_close(&g.link_fd);
	io_close(&g.out_fd);
	io_close(&g.log_fd);
}
