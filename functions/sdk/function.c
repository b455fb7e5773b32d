/*
 * A C function's zygote and children: takes a request off the ABI, runs the
 * author's handler, and says how it ended - also when the handler calls
 * exit() or crashes.  A child serves one request and is gone, unless
 * requestsPerProcess says otherwise; then it retires as soon as a request
 * has left something behind.
 */
#include "function.h"

#include "abi.h"
#include "child.h"
#include "contain.h"
#include "crash.h"
#include "serve.h"
#include "zygote.h"

#include <malloc.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	FIRST_FREE_FD = 4,	/* 0, 1, 2 and the socket are taken */
	WATCHED_FDS = 252,	/* looked at for descriptors left open */
	GROWTH_MAX = 4 << 20	/* bytes of heap that a request may leave */
};

static int ctl_fd = -1;			/* >= 0 while a request runs */
static struct sdk_output rest;		/* of its output */
static uint64_t cpu_before_us;
static size_t heap_before;

static uint64_t
cpu_us(const struct rusage *ru)
{
	return (uint64_t)(ru->ru_utime.tv_sec + ru->ru_stime.tv_sec) * 1000000 +
	    (uint64_t)(ru->ru_utime.tv_usec + ru->ru_stime.tv_usec);
}

static void
say_done(uint32_t end, int status, bool again)
{
	struct abi_done d = {.end = end, .status = status, .again = again};
	struct rusage ru;
	int fd = ctl_fd;

	getrusage(RUSAGE_SELF, &ru);
	d.max_rss_kb = (uint64_t)ru.ru_maxrss;
	d.cpu_us = cpu_us(&ru) - cpu_before_us;
	cpu_before_us += d.cpu_us;
	ctl_fd = -1;
	child_done(fd, &d, rest.data, rest.len);
	rest = (struct sdk_output){0};
}

/* Registered before the author's own handlers, so it runs after them. */
static void
at_exit(int status, void *unused)
{
	(void)unused;
	if (ctl_fd < 0)
		return;
	fflush(NULL);
	say_done(ABI_END_EXIT, status & 0xff, false);
	_exit(status);
}

static void
crashed(int sig)
{
	if (ctl_fd < 0)
		return;
	rest = (struct sdk_output){0};
	say_done(ABI_END_SIGNAL, sig, false);
}

static void
flushed(void)
{
	if (ctl_fd >= 0)
		child_flush(ctl_fd);
}

static size_t
heap_in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* True if the request left descriptors, processes or memory behind. */
static bool
left_something(void)
{
	struct pollfd p[WATCHED_FDS];
	int i;

	for (i = 0; i < WATCHED_FDS; i++)
		p[i] = (struct pollfd){.fd = FIRST_FREE_FD + i};
	if (poll(p, WATCHED_FDS, 0) < 0)
		return true;
	for (i = 0; i < WATCHED_FDS; i++)
		if (!(p[i].revents & POLLNVAL))
			return true;
	return !contain_alone() || heap_in_use() > heap_before + GROWTH_MAX;
}

static void
rearm_stdin(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && fd != STDIN_FILENO) {
		dup2(fd, STDIN_FILENO);
		close(fd);
	}
	clearerr(stdin);
}

static void __attribute__((noreturn))
child(int fd, const char *scratch, unsigned reuse)
{
	struct child_request r;
	unsigned served = 0;
	bool again = true;
	int status;

	heap_before = reuse == 1 ? 0 : heap_in_use();
	while (again && child_receive(fd, scratch, &r) > 0) {
		struct sdk_io io = {.in_fd = STDIN_FILENO,
		    .out_fd = STDOUT_FILENO,
		    .body_bytes = r.head.body_bytes,
		    .flushed = flushed};

		environ = r.envp;
		ctl_fd = fd;
		status = sdk_serve(&io, &rest);
		again = reuse == 0 || ++served < reuse;
		if (!again)
			exit(status);
		fflush(NULL);
		again = status == 0 && !left_something();
		say_done(ABI_END_EXIT, status, again);
		sdk_reset();
		if (!(r.head.flags & ABI_NO_STDIN))
			rearm_stdin();
	}
	_exit(0);
}

static int
init(void)
{
	on_exit(at_exit, NULL);
	contain_catch(crashed);
	if (crash_catch(crashed) < 0)
		return -1;
	return sdk_init();
}

int
function_run(void)
{
	static const struct zygote_ops OPS = {init, child};

	return zygote_run(&OPS);
}
