/*
 * The zygote's engine: forks children ahead of time, hands their far ends to
 * the launcher, and reports how each ended.  Single-threaded; runs as the
 * function's own program, confined.  It never serves a request itself.
 */
#include "zygote.h"

#include "abi.h"
#include "contain.h"
#include "pagetable.h"
#include "rseq.h"
#include "scratch.h"
#include "unshared.h"

#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/sock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CHILDREN_MAX = 256,	/* alive at once; also scratch slots */
	REAP_EVERY_MS = 20,	/* while children come and go */
	ALONE_MS = 3000,	/* to those that serve when the launcher dies */
	REAP_IDLE_MS = 640,	/* while they only wait */
	SEND_TRIES = 100,
	SEND_PAUSE_NS = 1000000,
	CHILD_CTL_FD = 3
};

struct child {
	pid_t pid;		/* 0: the slot is free */
	uint32_t serial;
};

struct zygote {
	struct contain *contain;
	struct scratch scratch;
	int launcher_fd;
	bool draining;		/* no more children are wanted */
	uint32_t last_serial;
	int64_t alone_ms;	/* since when the launcher is gone; 0: is there */
	size_t alive;
	struct child children[CHILDREN_MAX];	/* index = scratch slot */
	/* Not on the stack: each fork makes that one be copied once more. */
	struct abi_child made[ABI_Z_BATCH];
	int made_fds[2 * ABI_Z_BATCH];
};

/*
 * What a child needs of its zygote, whose own state it does not have; set
 * once.
 */
static struct {
	const struct zygote_ops *ops;
	struct contain *contain;
	unsigned reuse;
	void *stack_end;	/* of children */
} birth;

int
zygote_wanted(void)
{
	return getenv(ABI_ENV_ZYGOTE) != NULL;
}

static int
tell(struct zygote *z, uint32_t type, uint32_t count, const void *body,
    size_t bytes, const int *fds, size_t nfds)
{
	struct abi_zygote h = {ABI_MAGIC, type, count, 0};
	struct iovec iov[2] = {{&h, sizeof h}, {NULL, bytes}};

	memcpy(&iov[1].iov_base, &body, sizeof body);
	return sock_send(z->launcher_fd, iov, bytes ? 2 : 1, fds, nfds, 0) < 0
	    ? -1
	    : 0;
}

static int __attribute__((format(printf, 2, 3)))
fail(struct zygote *z, const char *fmt, ...)
{
	char text[ABI_Z_TEXT];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n > 0)
		tell(z, ABI_Z_FAILED, 0, text, strlen(text), NULL, 0);
	return 1;
}

/* Entries of a /proc directory beside "." and "..", or -1. */
static int
count_entries(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *de;
	int n = 0;

	if (!d)
		return -1;
	while ((de = readdir(d)))
		n += de->d_name[0] != '.';
	closedir(d);
	return n;
}

/* Init must leave this process alone and single-threaded, or fork lies. */
static int
check_alone(struct zygote *z)
{
	if (count_entries("/proc/self/task") > 1)
		return fail(z, "bothy_init started a thread: threads don't "
		               "survive the fork that serves a request; start "
		               "them in bothy_handle");
	if (waitpid(-1, NULL, WNOHANG | __WALL) >= 0 || errno != ECHILD)
		return fail(z, "bothy_init left a process running: start it "
		               "in bothy_handle, or wait for it");
	return 0;
}

/* A child's life, from its two variables on. */
static int
become_child(void *variables)
{
	const struct rlimit files = {ABI_CHILD_FILES, ABI_CHILD_FILES};
	char *home = variables;
	char *const own[2] = {home, home + strlen(home) + 1};

	setrlimit(RLIMIT_NOFILE, &files);	/* or fewer are allowed already */
	if (close_range(CHILD_CTL_FD + 1, ~0U, 0) < 0 ||
	    contain_child(birth.contain) < 0)
		return 127;
	close(1);
	close(2);
	birth.ops->child(CHILD_CTL_FD, own, birth.reuse);
}

static size_t
free_slot(const struct zygote *z)
{
	size_t i;

	for (i = 0; i < CHILDREN_MAX && z->children[i].pid; i++)
		;
	return i;
}

/*
 * The ends of a child's socket; its own one is where it wants it, and whatever
 * init has left there goes.  0 or -1.
 */
static int
make_socket(int sv[2])
{
	int high;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -1;
	if (sv[1] == CHILD_CTL_FD) {
		sv[1] = sv[0];
		sv[0] = CHILD_CTL_FD;
	}
	if (sv[0] == CHILD_CTL_FD)
		return 0;
	high = dup3(sv[0], CHILD_CTL_FD, O_CLOEXEC);
	close(sv[0]);
	if (high < 0)
		close(sv[1]);
	sv[0] = high;
	return high < 0 ? -1 : 0;
}

/*
 * Forks one child: its far end and pidfd in fds[0..1], itself in *out.
 * 0, or -1 with nothing left behind.
 */
static int
make_child(struct zygote *z, struct abi_child *out, int *fds)
{
	size_t slot = free_slot(z);
	int sv[2];
	pid_t pid;

	if (slot == CHILDREN_MAX || scratch_ready(&z->scratch, slot) < 0)
		return -1;
	if (make_socket(sv) < 0)
		return -1;
	pid = contain_spawn(z->contain, become_child,
	    scratch_variables(&z->scratch, slot), birth.stack_end, &fds[1]);
	close(sv[0]);
	if (pid < 0) {
		close(sv[1]);
		return -1;
	}
	scratch_taken(&z->scratch, slot);
	z->last_serial += CHILDREN_MAX;
	z->children[slot] =
	    (struct child){pid, z->last_serial + (uint32_t)slot};
	z->alive++;
	*out = (struct abi_child){z->children[slot].serial, pid};
	fds[0] = sv[1];
	return 0;
}

/*
 * All descriptors that a user has on the way count against the limit of who
 * sends (unix(7), ETOOMANYREFS); they are soon received.
 */
static int
hand_up(struct zygote *z, uint32_t n, const struct abi_child *made,
    const int *fds)
{
	const struct timespec pause = {0, SEND_PAUSE_NS};
	int tries, rc = -1;

	for (tries = 0; rc < 0 && tries < SEND_TRIES; tries++) {
		rc = tell(z, ABI_Z_CHILDREN, n, made, n * sizeof *made, fds,
		    2 * (size_t)n);
		if (rc < 0 && errno != ETOOMANYREFS)
			break;
		if (rc < 0)
			nanosleep(&pause, NULL);
	}
	return rc;
}

static void
make_children(struct zygote *z, uint32_t want)
{
	int *fds = z->made_fds;
	uint32_t n = 0, sent, i;

	if (want > ABI_Z_BATCH)
		want = ABI_Z_BATCH;
	while (n < want &&
	    make_child(z, &z->made[n], fds + 2 * (size_t)n) == 0)
		n++;
	sent = n;
	if (n && hand_up(z, n, z->made, fds) < 0)
		sent = 0;
	for (i = 0; i < 2 * n; i++)
		close(fds[i]);
	if (sent < want)	/* or the launcher would wait for the rest */
		tell(z, ABI_Z_CHILDREN, 0, NULL, 0, NULL, 0);
}

static void
forget(struct zygote *z, pid_t pid, struct abi_exit *x)
{
	size_t i;

	for (i = 0; i < CHILDREN_MAX; i++)
		if (z->children[i].pid == pid)
			break;
	if (i == CHILDREN_MAX)
		return;		/* an orphan of a child's, not ours to report */
	x->serial = z->children[i].serial;
	z->children[i].pid = 0;
	z->alive--;
	scratch_dirty(&z->scratch, i);
}

static uint64_t
cpu_us(const struct rusage *ru)
{
	return (uint64_t)(ru->ru_utime.tv_sec + ru->ru_stime.tv_sec) * 1000000 +
	    (uint64_t)(ru->ru_utime.tv_usec + ru->ru_stime.tv_usec);
}

/* Collects every child that has ended and tells the launcher. */
static void
reap(struct zygote *z)
{
	struct abi_exit gone[ABI_Z_BATCH];
	struct rusage ru;
	uint32_t n = 0;
	pid_t pid;
	int status;

	while ((pid = wait4(-1, &status, WNOHANG | __WALL, &ru)) > 0) {
		gone[n] = (struct abi_exit){.wait_status = status,
		    .max_rss_kb = (uint64_t)ru.ru_maxrss,
		    .cpu_us = cpu_us(&ru)};
		forget(z, pid, &gone[n]);
		if (gone[n].serial && ++n == ABI_Z_BATCH) {
			tell(z, ABI_Z_EXITED, n, gone, sizeof gone, NULL, 0);
			n = 0;
		}
	}
	if (n)
		tell(z, ABI_Z_EXITED, n, gone, n * sizeof *gone, NULL, 0);
}

/* What dead children left behind has become ours: it ends now. */
static void
sweep_orphans(struct zygote *z)
{
	pid_t living[CHILDREN_MAX];
	size_t n = 0, i;

	for (i = 0; i < CHILDREN_MAX; i++)
		if (z->children[i].pid)
			living[n++] = z->children[i].pid;
	contain_sweep(z->contain, living, n);
}

static void
listen_to_launcher(struct zygote *z)
{
	struct abi_zygote h = {0};
	struct iovec iov = {&h, sizeof h};
	ssize_t n = sock_recv(z->launcher_fd, &iov, 1, NULL, NULL, 0);

	if (n <= 0) {
		z->draining = true;
		return;
	}
	if ((size_t)n != sizeof h || h.magic != ABI_MAGIC)
		return;
	if (h.type == ABI_Z_FORK)
		make_children(z, h.count);
}

/*
 * The launcher died, and with it whoever ends a child in time: those that
 * serve may finish what is short.
 */
static void
end_alone(struct zygote *z)
{
	size_t i;

	if (clock_mono_ms() - z->alone_ms < ALONE_MS)
		return;
	for (i = 0; i < CHILDREN_MAX; i++)
		if (z->children[i].pid)
			kill(z->children[i].pid, SIGKILL);
}

/*
 * Ended children are collected when the launcher says something, and now and
 * then: often while they come and go, or where orphans have to be swept;
 * ever more seldom while children only wait.
 */
static void
serve(void *zygote)
{
	struct zygote *z = zygote;
	bool sweeps = contain_rung(z->contain) == CONTAIN_SUBREAPER;
	struct pollfd p = {0};
	int pause_ms = REAP_EVERY_MS;
	size_t alive;

	while (!z->draining || z->alive) {
		p.fd = z->alone_ms ? -1 : z->launcher_fd;
		p.events = z->draining ? 0 : POLLIN;
		poll(&p, 1, z->alive ? pause_ms : -1);
		/* Children first: somebody may wait for them. */
		if (p.revents && !z->draining)
			listen_to_launcher(z);
		else if (p.revents & POLLHUP)
			z->alone_ms = clock_mono_ms();
		alive = z->alive;
		reap(z);
		if (sweeps)
			sweep_orphans(z);
		if (p.revents || alive != z->alive || sweeps)
			pause_ms = REAP_EVERY_MS;
		else if (pause_ms < REAP_IDLE_MS)
			pause_ms *= 2;
		if (z->alone_ms)
			end_alone(z);
		if (!p.revents || !z->alive)
			scratch_clean(&z->scratch);
	}
	scratch_close(&z->scratch);
}

static unsigned
number_from_env(const char *name)
{
	const char *s = getenv(name);

	return s ? (unsigned)strtoul(s, NULL, 10) : 0;
}

static int
prepare(struct zygote *z, const struct zygote_ops *ops)
{
	struct err e;

	birth.ops = ops;
	z->launcher_fd = io_raise_fd((int)number_from_env(ABI_ENV_ZYGOTE), 10);
	birth.reuse = number_from_env(ABI_ENV_REUSE);
	z->contain = contain_open(getenv(ABI_ENV_CONTAIN), &e);
	if (!z->contain)
		return fail(z, "%s", e.text);
	birth.contain = z->contain;
	if (scratch_open(&z->scratch, getenv(ABI_ENV_SCRATCH), CHILDREN_MAX,
	        &e) < 0)
		return fail(z, "%s", e.text);
	unsetenv(ABI_ENV_ZYGOTE);
	unsetenv(ABI_ENV_REUSE);
	unsetenv(ABI_ENV_CONTAIN);
	unsetenv(ABI_ENV_SCRATCH);
	if (ops->init() != 0)
		return fail(z, "bothy_init failed; its log has the reason");
	pagetable_keep();
	rseq_leave();
	fflush(NULL);	/* or each child would write it once more */
	return check_alone(z);
}

int
zygote_run(const struct zygote_ops *ops)
{
	struct zygote *z = unshared_new(sizeof *z);

	if (!z || prepare(z, ops) != 0 ||
	    tell(z, ABI_Z_READY, 0, NULL, 0, NULL, 0) < 0)
		return 1;
	if (contain_rung(z->contain) != CONTAIN_NAMESPACE)
		serve(z);
	else if (unshared_run(serve, z, &birth.stack_end) < 0)
		return fail(z, "no memory for the zygote's stack");
	return 0;
}
