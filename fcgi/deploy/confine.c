/*
 * Runs a build in the sandbox (confine.h).  Runs in pre-receive, which has one
 * thread and no other children.
 */
#include "confine.h"

#include "memory.h"
#include "steps.h"

#include "fcgi/launch/containment.h"
#include "fcgi/launch/identity.h"
#include "fcgi/release/release.h"
#include "functions/sdk/contain.h"
#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LOOK_MS = 100,		 /* at memory, processes and the disk */
	OUTPUT_MAX = 1024 * 1024 /* bytes that are passed on */
};

/* What a build may leave of the disk: so much, or half of what was free. */
#define RESERVE_BYTES ((uint64_t)256 * 1024 * 1024)

int
confine_owner(const char *site, uid_t *owner, struct err *e)
{
	char file[PATH_MAX];

	*owner = 0;
	if (!identity_needed())
		return 0;
	if (release_path(file, e, "%s/deploy/uids", site) < 0)
		return -1;
	return identity_find(file, site, "(build)", owner, e);
}

/* Where memory is short, it goes before anybody's gateway or documents. */
static void
offer_to_killer(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && io_write_all(fd, "1000", 4) < 0)
		steps_say("the build: it is not the first to go where memory "
			  "is short");
	io_close(&fd);
}

/* In the child: descriptors in place, confined, then the program. */
static void
become(const struct containment *held, const struct sandbox *s,
    const struct confine *c, int out_fd)
{
	struct err e;
	int high = fcntl(out_fd, F_DUPFD, 20);

	close(0);
	if (high < 0 || open("/dev/null", O_RDONLY) != 0 || dup2(high, 1) < 0 ||
	    dup2(high, 2) < 0)
		_exit(127);
	offer_to_killer();
	if (sandbox_enter(&held->host, s, 3, &e) == 0) {
		if (chdir(c->directory) == 0)
			execve(c->program, c->argv, c->envp);
		err_sys(&e, "cannot start the build in %s", c->directory);
	}
	dprintf(2, "bothy: %s\n", e.text);
	_exit(127);
}

/* A program that runs. */
struct running {
	struct containment *held;
	const struct confine *c;
	int pidfd, out_fd, slot;
	int64_t until_ms, look_ms;
	uint64_t reserve; /* bytes of the disk that are not the build's */
	size_t said;
};

/* Passes on what there is: false at the end. */
static bool
pass_on(struct running *r)
{
	char chunk[4096];
	ssize_t n = io_read(r->out_fd, chunk, sizeof chunk);
	size_t room = OUTPUT_MAX - r->said, m;

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	m = (size_t)n < room ? (size_t)n : room;
	steps_text(chunk, m);
	r->said += m;
	return true;
}

/* Bytes that are free where it writes; 0 if that can't be told. */
static uint64_t
free_bytes(const struct confine *c)
{
	struct statvfs st;

	return statvfs(c->directory, &st) == 0
		   ? (uint64_t)st.f_bavail * st.f_frsize
		   : 0;
}

static int
tree_mb(const struct confine *c)
{
	return 2 * c->limit_mb;
}

static int
check_usage(const struct running *r, struct err *e)
{
	uint64_t mb = (uint64_t)tree_mb(r->c);
	struct usage u;

	if (containment_usage(r->held, r->pidfd, r->slot, mb << 20, &u) < 0)
		return 0; /* it has ended */
	if (u.memory_bytes >> 20 > mb)
		return err_set(e, ENOMEM,
		    "the build was ended: it used more "
		    "than %d MB of memory",
		    tree_mb(r->c));
	if (u.processes > LIMITS_TREE)
		return err_set(e, EAGAIN,
		    "the build was ended: it had more "
		    "than %d processes",
		    LIMITS_TREE);
	return 0;
}

/* What it has passed, or 0; all but the time now and then. */
static int
check_limits(struct running *r, struct err *e)
{
	int64_t now_ms = clock_mono_ms();

	if (now_ms >= r->until_ms)
		return err_set(e, ETIMEDOUT,
		    "the build was ended: it took "
		    "longer than %d s",
		    r->c->limit_s);
	if (now_ms < r->look_ms)
		return 0;
	r->look_ms = now_ms + LOOK_MS;
	if (free_bytes(r->c) < r->reserve)
		return err_set(e, ENOSPC,
		    "the build was ended: it filled the disk, of which less "
		    "than %llu MB are free",
		    (unsigned long long)(r->reserve >> 20) + 1);
	return check_usage(r, e);
}

/* Until its first process has ended, or it passes a limit. */
static int
watch(struct running *r, struct err *e)
{
	struct pollfd p[2] = {{.fd = r->pidfd, .events = POLLIN},
	    {.fd = r->out_fd, .events = POLLIN}};

	while (!(p[0].revents & POLLIN)) {
		if (check_limits(r, e) < 0)
			return -1;
		if (poll(p, 2, LOOK_MS) < 0 && errno != EINTR)
			return err_sys(e, "cannot wait for the build");
		if ((p[1].revents & (POLLIN | POLLHUP)) && !pass_on(r))
			p[1].fd = -1;
	}
	return 0;
}

/* What it left in the pipe, when all that could write there is gone. */
static void
drain(struct running *r)
{
	ssize_t n;

	do {
		size_t before = r->said;

		n = pass_on(r) && r->said > before;
	} while (n);
}

static int
run_child(struct running *r, pid_t pid, int *status, struct err *e)
{
	int rc;

	r->until_ms = clock_mono_ms() + (int64_t)r->c->limit_s * 1000;
	r->reserve = free_bytes(r->c) / 2;
	if (r->reserve > RESERVE_BYTES)
		r->reserve = RESERVE_BYTES;
	r->slot = containment_place(r->held, r->pidfd, (uint32_t)tree_mb(r->c));
	rc = watch(r, e);
	containment_kill(r->held, r->pidfd, r->c->owner, r->slot);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	containment_leave(r->held, r->slot);
	contain_clean(); /* what it left has become ours */
	drain(r);
	return rc;
}

static int
start(struct containment *held, const struct confine *c, int *status,
    struct err *e)
{
	struct sandbox s = {.binary = c->program,
	    .directory = c->directory,
	    .scratch = c->scratch,
	    .read_paths = c->read_paths,
	    .read_count = c->nread,
	    .write_paths = c->write_paths,
	    .write_count = c->nwrite,
	    .network = SNAP_NETWORK_NONE,
	    .required = c->required,
	    .uid = c->owner,
	    .death_signal = SIGKILL};
	struct running r = {.held = held, .c = c, .pidfd = -1};
	int out[2], rc = -1;
	pid_t pid;

	limits_default(&s.limits,
	    memory_can_be_bound() ? (uint32_t)c->limit_mb : 0,
	    held->probe.counts_processes || c->owner);
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, "cannot make a pipe");
	pid = sandbox_fork(&held->host, &s, e);
	if (pid == 0)
		become(held, &s, c, out[1]);
	io_close(&out[1]);
	if (pid > 0) {
		r.out_fd = out[0];
		r.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		if (r.pidfd >= 0 && io_nonblock(out[0]) == 0)
			rc = run_child(&r, pid, status, e);
		else
			err_sys(e, "cannot watch the build");
		if (r.pidfd < 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
	}
	io_close(&r.pidfd);
	io_close(&out[0]);
	return rc;
}

/* Said, not silent: what this machine can't keep a Makefile from. */
static void
say_missing(const struct probe *p)
{
	struct buf b;

	buf_init(&b, 4096);
	probe_missing(p, &b);
	if (b.len)
		steps_say("the build: %s", buf_str(&b));
	buf_release(&b);
}

int
confine_run(const struct confine *c, int *status, struct err *e)
{
	struct containment held;
	int rc;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_sys(e, "cannot become a reaper");
	if (containment_init(&held, e) < 0)
		return -1;
	say_missing(&held.probe);
	rc = start(&held, c, status, e);
	containment_release(&held);
	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); /* daemons are not ours */
	return rc;
}
