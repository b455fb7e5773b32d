/*
 * The blocking walk of one request through a leased child, as run.h says.
 *
 * It costs, when all goes well: one message out, two closes, one poll and one
 * message in; and, off the request's path, three closes and two pipes.  A
 * child that is used again keeps its pipes.
 */
#include "run.h"

#include "functions/sdk/abi.h"
#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	TRIES = 8,		/* children that died before they began */
	SHORT_MS = 50,		/* longer requests are watched */
	GRACE_MS = 1000,	/* from TERM to KILL */
	END_WAIT_MS = 250,	/* from the output's end to the process's */
	REPORT_WAIT_MS = 2000,
	READ_BYTES = 64 * 1024,
	PIPE_MAX = 1 << 20,	/* what a process can make its pipe hold */
	QUIET_BYTES = 64 * 1024	/* of output; with more, writing may block */
};

enum { AT_CTL, AT_OUT, AT_ERR, AT_CLIENT, AT_COUNT };

/* What carries a child's output and log. */
struct outputs {
	int out_r, out_w, err_r, err_w;	/* all -1: none */
};

#define NO_OUTPUTS ((struct outputs){-1, -1, -1, -1})

/* A message with its inline output, and behind it what the pipes bring. */
struct run {
	struct outputs spare;	/* for the next child */
	struct lease left;	/* descriptors that nobody needs any more */
	char message[sizeof(struct abi_done) + ABI_INLINE_MAX];
	char piped[READ_BYTES];
};

/* One request on its way. */
struct walk {
	struct run *r;
	struct invoke_pool *pool;
	const struct run_request *q;
	struct run_result *out;
	struct lease lease;
	struct abi_done done;
	int64_t kill_ms;	/* when TERM turns into KILL; 0: not sent */
	int64_t ended_ms;	/* when stdout ended; 0: open */
	int64_t last_output_ms;
	int64_t watch_ms;	/* when the launcher is to be told; 0: was */
	size_t output_bytes;
	bool have_done, gone, reset, stopped, expired, watched;
	bool all_read;		/* nothing is left in the pipes */
};

struct run *
run_new(void)
{
	struct run *r = malloc(sizeof *r);

	if (!r)
		return NULL;
	r->spare = NO_OUTPUTS;
	r->left = (struct lease){.ctl_fd = -1, .out_fd = -1, .err_fd = -1};
	return r;
}

static void
close_outputs(struct outputs *o)
{
	io_close(&o->out_r);
	io_close(&o->out_w);
	io_close(&o->err_r);
	io_close(&o->err_w);
}

/* 0, or -1 with errno and none of them. */
static int
make_outputs(struct outputs *o)
{
	int p[2], saved;

	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	o->out_r = p[0];
	o->out_w = p[1];
	if (pipe2(p, O_CLOEXEC) < 0) {
		saved = errno;
		close_outputs(o);
		errno = saved;
		return -1;
	}
	o->err_r = p[0];
	o->err_w = p[1];
	return 0;
}

static void
close_left(struct run *r)
{
	io_close(&r->left.ctl_fd);
	io_close(&r->left.out_fd);
	io_close(&r->left.err_fd);
}

void
run_rest(struct run *r)
{
	close_left(r);
	if (r->spare.out_r < 0)
		make_outputs(&r->spare);	/* or when they are needed */
}

void
run_free(struct run *r)
{
	if (!r)
		return;
	close_left(r);
	close_outputs(&r->spare);
	free(r);
}

/* ---- handing over ----------------------------------------------------- */

/* The lease gets read ends; the write ends, for the child, are in *to. */
static int
take_outputs(struct run *r, struct lease *l, struct outputs *to)
{
	if (r->spare.out_r < 0 && make_outputs(&r->spare) < 0)
		return -1;
	*to = r->spare;
	r->spare = NO_OUTPUTS;
	l->out_fd = to->out_r;
	l->err_fd = to->err_r;
	return 0;
}

/*
 * 0; or -1 with errno: EPIPE and ECONNRESET mean that the child is dead,
 * EAGAIN that it is none of ours.
 */
static int
hand_over(struct walk *w)
{
	const struct run_request *q = w->q;
	struct abi_request h = {.magic = ABI_MAGIC,
	    .env_bytes = (uint32_t)q->env_bytes,
	    .env_count = (uint32_t)q->env_count,
	    .body_bytes = q->body_bytes,
	    .deadline_mono_ms = q->deadline_mono_ms};
	struct iovec iov[2] = {{&h, sizeof h}, {NULL, q->env_bytes}};
	struct outputs o = NO_OUTPUTS;
	int fds[3], rc, saved;
	size_t nfds = 0;

	memcpy(&iov[1].iov_base, &q->env, sizeof q->env);
	if (w->lease.out_fd < 0) {
		if (take_outputs(w->r, &w->lease, &o) < 0)
			return -1;
		h.flags |= ABI_HAS_OUTPUTS;
		fds[nfds++] = o.out_w;
		fds[nfds++] = o.err_w;
	}
	if (q->body_fd >= 0)
		fds[nfds++] = q->body_fd;
	else
		h.flags |= ABI_NO_STDIN;
	/* A new socket has room for it; another's would hold us up. */
	rc = sock_send(w->lease.ctl_fd, iov, 2, fds, nfds, MSG_DONTWAIT) < 0
	    ? -1
	    : 0;
	saved = errno;
	io_close(&o.out_w);
	io_close(&o.err_w);
	errno = saved;
	return rc;
}

/* ---- reading back ----------------------------------------------------- */

/* From now on the launcher ends it in time, whatever holds us up. */
static void
watch(struct walk *w)
{
	int64_t due_ms = w->q->deadline_mono_ms;

	lease_watch(w->pool, &w->lease, due_ms ? due_ms + 2 * GRACE_MS : 0);
	w->watch_ms = 0;
	w->watched = true;
}

static void
pass_output(struct walk *w, const char *p, size_t n)
{
	w->last_output_ms = clock_mono_ms();
	w->output_bytes += n;
	if (w->watch_ms && !w->have_done && w->output_bytes > QUIET_BYTES)
		watch(w);
	if (!w->stopped && !w->expired && w->q->output(w->q->ctx, p, n) < 0)
		w->stopped = true;
}

static void
read_ctl(struct walk *w)
{
	struct iovec iov = {w->r->message, sizeof w->r->message};
	size_t nfds = 0;
	ssize_t n = sock_recv(w->lease.ctl_fd, &iov, 1, NULL, &nfds,
	    MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0 && errno == ECONNRESET)
		w->reset = true;
	if (n <= 0) {
		w->gone = true;
		return;
	}
	if ((size_t)n < sizeof w->done) {
		w->gone = true;
		return;
	}
	memcpy(&w->done, w->r->message, sizeof w->done);
	if (abi_done_check(&w->done, (size_t)n) < 0)
		w->gone = true;
	else if (w->done.end != ABI_END_NOT_YET)
		w->have_done = true;
}

/* Reads once what is in a pipe; false at its end. */
static bool
read_out(struct walk *w)
{
	ssize_t n = io_read(w->lease.out_fd, w->r->piped, READ_BYTES);

	if (n > 0)
		pass_output(w, w->r->piped, (size_t)n);
	return n > 0;
}

static bool
read_err(struct walk *w)
{
	ssize_t n = io_read(w->lease.err_fd, w->r->piped, READ_BYTES);

	if (n > 0)
		w->q->log(w->q->ctx, w->r->piped, (size_t)n);
	return n > 0;
}

/*
 * Empties both pipes of what is there already: no more than they hold.  The
 * process may still write to them, and meanwhile nobody looks at its time.
 */
static void
drain(struct walk *w)
{
	struct pollfd p[2] = {{w->lease.out_fd, POLLIN, 0},
	    {w->lease.err_fd, POLLIN, 0}};
	static const int ROUNDS = PIPE_MAX / READ_BYTES;
	int i;

	for (i = 0; i < ROUNDS && poll(p, 2, 0) > 0; i++) {
		bool more = false;

		if (p[0].revents & POLLIN)
			more |= read_out(w);
		if (p[1].revents & POLLIN)
			more |= read_err(w);
		if (!more)
			break;
	}
}

/* ---- time ------------------------------------------------------------- */

static void
sooner(int64_t *at, int64_t other)
{
	if (other && (!*at || other < *at))
		*at = other;
}

/* The next moment at which something is to be done without an event. */
static int
wait_ms(const struct walk *w, int64_t now_ms)
{
	const struct run_request *q = w->q;
	int64_t at = w->kill_ms;

	sooner(&at, w->watch_ms);
	if (!w->kill_ms) {
		sooner(&at, q->deadline_mono_ms);
		if (q->idle_timeout_ms)
			sooner(&at, w->last_output_ms + q->idle_timeout_ms);
	}
	if (w->ended_ms)
		sooner(&at, w->ended_ms + END_WAIT_MS);
	if (!at)
		return -1;
	return at > now_ms ? (int)(at - now_ms) : 0;
}

static void
end_softly(struct walk *w, int64_t now_ms)
{
	if (w->kill_ms)
		return;
	lease_signal(w->pool, &w->lease, SIGTERM);
	w->kill_ms = now_ms + GRACE_MS;
}

/* What time alone brings about; true if the walk is over. */
static bool
on_time(struct walk *w, int64_t now_ms)
{
	const struct run_request *q = w->q;

	if (w->watch_ms && now_ms >= w->watch_ms)
		watch(w);
	if (!w->expired &&
	    ((q->deadline_mono_ms && now_ms >= q->deadline_mono_ms) ||
	        (q->idle_timeout_ms &&
	            now_ms >= w->last_output_ms + q->idle_timeout_ms))) {
		w->expired = true;
		q->expired(q->ctx);
		end_softly(w, now_ms);
	}
	if (w->kill_ms && now_ms >= w->kill_ms)
		return true;
	return w->ended_ms && now_ms >= w->ended_ms + END_WAIT_MS;
}

/* ---- the walk --------------------------------------------------------- */

static void
on_events(struct walk *w, const struct pollfd *p, int64_t now_ms)
{
	const struct run_request *q = w->q;

	if (p[AT_CTL].revents) {
		read_ctl(w);
		/*
		 * poll() looked at the pipes after it had seen the message;
		 * an end alone, of a process that is gone, brings no bytes.
		 */
		w->all_read = w->have_done &&
		    !((p[AT_OUT].revents | p[AT_ERR].revents) & POLLIN);
		if (w->have_done || w->gone)
			return;		/* what is in the pipes comes last */
		if (w->done.end == ABI_END_NOT_YET) {
			drain(w);
			if (!w->stopped && q->flush(q->ctx) < 0)
				w->stopped = true;
		}
		return;		/* the pipes may be empty now: look again */
	}
	if (p[AT_ERR].revents && !read_err(w))
		io_close(&w->lease.err_fd);
	if (p[AT_OUT].revents && !read_out(w)) {
		io_close(&w->lease.out_fd);
		w->ended_ms = now_ms;
	}
	if (p[AT_CLIENT].revents & (POLLHUP | POLLERR) && q->stop_on_leave)
		w->stopped = true;
}

/* Until the child says done, dies, or is to be ended. */
static void
converse(struct walk *w)
{
	const struct run_request *q = w->q;
	struct pollfd p[AT_COUNT];
	int64_t now_ms = clock_mono_ms();
	int n;

	w->watch_ms = now_ms + SHORT_MS;
	w->last_output_ms = now_ms;
	while (!w->have_done && !w->gone && !w->stopped) {
		p[AT_CTL] = (struct pollfd){w->lease.ctl_fd, POLLIN, 0};
		p[AT_OUT] = (struct pollfd){w->lease.out_fd, POLLIN, 0};
		p[AT_ERR] = (struct pollfd){w->lease.err_fd, POLLIN, 0};
		p[AT_CLIENT] = (struct pollfd){
		    q->stop_on_leave ? q->client_fd : -1, 0, 0};
		n = poll(p, AT_COUNT, wait_ms(w, now_ms));
		now_ms = clock_mono_ms();
		if (n > 0)
			on_events(w, p, now_ms);
		if (!w->have_done && on_time(w, now_ms))
			return;
	}
}

/* The child ended without a word: how, says the launcher. */
static void
ask_how(struct walk *w)
{
	struct run_result *out = w->out;
	struct launch_msg m;

	out->end = RUN_SIGNAL;
	out->status = 0;
	if (lease_report(w->pool, &w->lease, REPORT_WAIT_MS, &m) < 0)
		return;
	out->cpu_us = (int64_t)m.cpu_us;
	out->peak_kb = (int64_t)m.max_rss_kb;
	if (m.code == LAUNCH_END_MEMORY)
		out->end = RUN_MEMORY;
	else if (m.code == LAUNCH_END_PROCESSES)
		out->end = RUN_PROCESSES;
	else if (m.code == LAUNCH_END_DEADLINE)
		out->end = RUN_TIMEOUT;
	else if (m.code == LAUNCH_END_LOST)
		return;		/* it is not known to have ended well */
	else if (WIFSIGNALED(m.wait_status))
		out->status = WTERMSIG(m.wait_status);
	else if (WIFEXITED(m.wait_status) && WEXITSTATUS(m.wait_status) > 128)
		out->status = WEXITSTATUS(m.wait_status) - 128;
	else {
		out->end = RUN_EXIT;
		out->status = WEXITSTATUS(m.wait_status);
	}
}

static void
conclude(struct walk *w)
{
	static const enum run_end ENDS[] = {
	    [ABI_END_EXIT] = RUN_EXIT,
	    [ABI_END_SIGNAL] = RUN_SIGNAL,
	    [ABI_END_NO_EXEC] = RUN_NO_EXEC,
	};
	struct run_result *out = w->out;

	if (w->have_done) {
		out->end = ENDS[w->done.end];
		out->status = w->done.status;
		out->cpu_us = (int64_t)w->done.cpu_us;
		out->peak_kb = (int64_t)w->done.max_rss_kb;
	} else if (w->gone)
		ask_how(w);
	else if (w->stopped)
		out->end = RUN_STOPPED;
	else
		out->end = RUN_CLOSED;
	if (w->expired)
		out->end = RUN_TIMEOUT;
	else if (w->stopped)
		out->end = RUN_STOPPED;
}

/*
 * One that serves one request and says that it is done ends by itself; if it
 * only says so, the launcher ends it (child_end_overdue).
 */
static bool
ends_itself(const struct walk *w)
{
	const struct snap_function *fn = invoke_pool_function(w->pool);

	return fn->requests_per_process == 1 && fn->timeout_ms &&
	    fn->runtime == SNAP_RUNTIME_C;
}

/* What is to be closed can wait for run_rest(). */
static void
leave_descriptors(struct walk *w)
{
	close_left(w->r);
	w->r->left = w->lease;
	w->lease.ctl_fd = w->lease.out_fd = w->lease.err_fd = -1;
}

/* Gives the child back, or sees to it that it is gone. */
static void
part(struct walk *w)
{
	bool crashed = w->out->end == RUN_SIGNAL;

	if (w->have_done && w->done.again && w->lease.out_fd >= 0 &&
	    w->lease.err_fd >= 0 && !w->stopped) {
		if (w->watched)
			lease_rest(w->pool, &w->lease);
		lease_return(w->pool, &w->lease);
		return;
	}
	if (crashed &&
	    invoke_pool_function(w->pool)->runtime == SNAP_RUNTIME_C)
		lease_retire(w->pool, &w->lease);
	leave_descriptors(w);
	lease_drop(w->pool, &w->lease, !w->have_done || !ends_itself(w));
}

/* A child that has the request: 0; a refusal or -1 with the text set. */
static int
begin(struct walk *w)
{
	const struct run_request *q = w->q;
	int64_t until = q->deadline_mono_ms ? q->deadline_mono_ms
	                                    : clock_mono_ms() + 30000;
	struct err e;
	bool again;
	int tries, rc;

	for (tries = 0; tries < TRIES; tries++) {
		rc = lease_take(w->pool, until, &w->lease, &e);
		if (rc != 0) {
			snprintf(w->out->text, sizeof w->out->text, "%s",
			    e.text);
			return rc;
		}
		if (hand_over(w) == 0) {
			lease_refill(w->pool);
			return 0;
		}
		snprintf(w->out->text, sizeof w->out->text,
		    "cannot hand a request to a process: %s",
		    strerror(errno));
		rc = errno == EPIPE || errno == ECONNRESET;
		again = rc || errno == EAGAIN;
		lease_drop(w->pool, &w->lease, !rc);
		if (!again)
			return LAUNCH_BROKEN;
		lease_sweep(w->pool);
	}
	return LAUNCH_BROKEN;
}

void
run_request(struct run *r, struct invoke_pool *p, const struct run_request *q,
    struct run_result *out)
{
	struct walk w;
	int64_t start_us = clock_mono_us();
	int tries, rc;

	*out = (struct run_result){.cpu_us = -1, .peak_kb = -1};
	for (tries = 0; tries < TRIES; tries++) {
		w = (struct walk){.r = r, .pool = p, .q = q, .out = out};
		rc = begin(&w);
		if (rc != 0) {
			out->end = rc < 0 ? RUN_TIMEOUT : RUN_REFUSED;
			out->status = rc;
			return;
		}
		out->lease_us = clock_mono_us() - start_us;
		converse(&w);
		if (!w.reset)
			break;
		lease_discard(p, &w.lease);	/* it never began: another */
		lease_sweep(p);
	}
	if (w.reset) {
		out->end = RUN_REFUSED;
		out->status = LAUNCH_BROKEN;
		snprintf(out->text, sizeof out->text, "the function's "
		    "processes ended before they took the request");
		return;
	}
	if (!w.all_read)
		drain(&w);
	if (w.have_done && w.done.inline_bytes)
		pass_output(&w, r->message + sizeof w.done,
		    w.done.inline_bytes);
	conclude(&w);
	part(&w);
}
