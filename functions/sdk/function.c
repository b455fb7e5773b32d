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
#include "store.h"
#include "zygote.h"

#include <malloc.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	FIRST_FREE_FD = 4,	/* 0, 1, 2 and the socket are taken */
	WATCHED_FDS = 252,	/* looked at for descriptors left open */
	GROWTH_MAX = 4 << 20	/* bytes of heap that a request may leave */
};

/*
 * The state of this process, in one piece: what a child writes to is copied
 * for it, page by page.
 */
static struct {
	int ctl_fd;		/* of the request that runs; 0: none */
	pid_t owner;		/* who serves it: not what the author forks */
	struct sdk_output rest;	/* of its output */
	uint64_t cpu_before_us;
	size_t heap_before;
	struct child_request request;
} now;

/* Weak: a function need not use documents. */
#pragma weak store_kept_fd

/* glibc's list of open streams; its head is in no header. */
extern struct _IO_FILE_plus *_IO_list_all;

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
	int fd = now.ctl_fd;

	getrusage(RUSAGE_SELF, &ru);
	d.max_rss_kb = (uint64_t)ru.ru_maxrss;
	d.cpu_us = cpu_us(&ru) - now.cpu_before_us;
	now.cpu_before_us += d.cpu_us;
	now.ctl_fd = 0;
	child_done(fd, &d, now.rest.data, now.rest.len);
	now.rest = (struct sdk_output){0};
}

static bool
serving(void)
{
	return now.ctl_fd && now.owner == getpid();
}

/*
 * As fflush(NULL), but looks first: that call writes to every stream's lock,
 * and a child pays for each page that it writes to.
 */
static void
flush_streams(void)
{
	FILE *f;

	for (f = (FILE *)_IO_list_all; f; f = f->_chain)
		if (__fpending(f)) {
			fflush(NULL);
			return;
		}
}

/* Registered before the author's own handlers, so it runs after them. */
static void
at_exit(int status, void *unused)
{
	(void)unused;
	if (!serving())
		return;
	flush_streams();
	say_done(ABI_END_EXIT, status & 0xff, false);
	_exit(status);
}

static void
crashed(int sig)
{
	if (!serving())
		return;
	now.rest = (struct sdk_output){0};
	say_done(ABI_END_SIGNAL, sig, false);
}

static void
flushed(void)
{
	if (serving())
		child_flush(now.ctl_fd);
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
	int kept = store_kept_fd ? store_kept_fd() : -1, i;

	for (i = 0; i < WATCHED_FDS; i++)
		p[i] = (struct pollfd){.fd = FIRST_FREE_FD + i};
	if (poll(p, WATCHED_FDS, 0) < 0)
		return true;
	for (i = 0; i < WATCHED_FDS; i++)
		if (!(p[i].revents & POLLNVAL) && p[i].fd != kept)
			return true;
	return !contain_alone() || heap_in_use() > now.heap_before + GROWTH_MAX;
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
child(int fd, char *const own[2], unsigned reuse)
{
	struct child_request *r = &now.request;
	unsigned served = 0;
	bool again = true;
	int status;

	if (reuse != 1)
		now.heap_before = heap_in_use();
	while (again && child_receive(fd, own, r) > 0) {
		struct sdk_io io = {.in_fd = STDIN_FILENO,
		    .out_fd = STDOUT_FILENO,
		    .body_bytes = r->head.body_bytes,
		    .flushed = flushed};

		if (environ != r->envp)
			environ = r->envp;
		now.ctl_fd = fd;
		now.owner = getpid();
		status = sdk_serve(&io, &now.rest);
		again = reuse == 0 || ++served < reuse;
		if (!again)
			exit(status);
		flush_streams();
		again = status == 0 && !left_something() &&
		    !contain_gives_way();
		say_done(ABI_END_EXIT, status, again);
		sdk_reset();
		if (!(r->head.flags & ABI_NO_STDIN))
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
	if (sdk_init() != 0)
		return -1;
	environ = now.request.few;	/* where a child finds its own */
	return 0;
}

int
function_run(void)
{
	static const struct zygote_ops OPS = {init, child};

	return zygote_run(&OPS);
}
