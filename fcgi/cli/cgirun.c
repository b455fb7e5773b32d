/*
 * Starts a CGI program, carries its output, waits for its end (cgirun.h).
 */
#include "cgirun.h"

#include "logline.h"

#include "store/base/buf.h"
#include "store/base/clock.h"
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
	struct cgirun_result *result;
	pid_t pid;
	int pid_fd, out_fd, err_fd;
	struct buf header;		/* until the blank line */
	bool in_body;
	struct buf line;		/* the unfinished line of stderr */
	int64_t end_ms;			/* TERM, then KILL; 0: never */
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

/* --- the reply (RFC 3875 section 6) --------------------------------------- */

static void
complain(struct running *x, const char *what, const char *line)
{
	snprintf(x->result->wrong, sizeof x->result->wrong, "%s: \"%.80s\"",
	    what, line);
}

/* One header line, without its end. */
static void
header_line(struct running *x, char *line)
{
	char *colon = strchr(line, ':');
	const char *value;
	long status;

	if (!colon || colon == line) {
		complain(x, "a header line has no name", line);
		return;
	}
	value = colon + 1 + strspn(colon + 1, " \t");
	if (strncasecmp(line, "Status:", 7) == 0) {
		status = strtol(value, NULL, 10);
		if (status < 200 || status > 599)
			complain(x, "the status is none", line);
		else
			x->result->status = (int)status;
	} else if (strncasecmp(line, "Location:", 9) == 0 &&
	    x->result->status == 0)
		x->result->status = 302;
	if (x->request->show_header && strncasecmp(line, "Status:", 7) != 0)
		printf("%s\n", line);
}

/* All headers are there: tells the status, prints them if asked. */
static void
parse_header(struct running *x)
{
	char *rest = x->header.data, *line, *end;
	bool any = false;

	while ((line = strsep(&rest, "\n"))) {
		end = line + strlen(line);
		if (end > line && end[-1] == '\r')
			end[-1] = '\0';
		if (!*line)
			continue;
		any = true;
		header_line(x, line);
	}
	if (!any)
		complain(x, "the output begins without a header",
		    "Content-Type: ... and an empty line come first");
	if (x->result->wrong[0])
		x->result->status = 0;
	else if (x->result->status == 0)
		x->result->status = 200;
	if (x->request->show_header)
		printf("Status: %d\n\n", x->result->status);
}

/* Where the header ends, behind its blank line; 0 if it does not yet. */
static size_t
header_end(const struct buf *b)
{
	const char *s = buf_str(b), *nl = s;

	if (s[0] == '\n')
		return 1;
	if (s[0] == '\r' && s[1] == '\n')
		return 2;
	while ((nl = strchr(nl, '\n'))) {
		nl++;
		if (nl[0] == '\n')
			return (size_t)(nl + 1 - s);
		if (nl[0] == '\r' && nl[1] == '\n')
			return (size_t)(nl + 2 - s);
	}
	return 0;
}

static void
take_output(struct running *x, const char *p, size_t n)
{
	struct buf body;
	size_t end;

	if (x->in_body) {
		fwrite(p, 1, n, stdout);
		fflush(stdout);
		return;
	}
	if (buf_add(&x->header, p, n) < 0) {
		if (!x->result->wrong[0])
			complain(x, "the header has no end within 64 KB",
			    "an empty line belongs behind it");
		return;
	}
	end = header_end(&x->header);
	if (!end)
		return;
	x->in_body = true;
	buf_init(&body, CGIRUN_HEADER_MAX);
	buf_add(&body, x->header.data + end, x->header.len - end);
	x->header.data[end - 1] = '\0';
	parse_header(x);
	fwrite(buf_str(&body), 1, body.len, stdout);
	fflush(stdout);
	buf_release(&body);
}

static void
take_errors(struct running *x, const char *p, size_t n)
{
	const char *nl;
	size_t k;

	while (n) {
		nl = memchr(p, '\n', n);
		k = nl ? (size_t)(nl - p) : n;
		buf_add(&x->line, p, k);
		if (!nl)
			return;
		logline_stderr(x->request->function, x->request->binary,
		    buf_str(&x->line));
		buf_reset(&x->line);
		p += k + 1;
		n -= k + 1;
	}
}

/* Reads what is there now; closes at the end. */
static void
pump(struct running *x, int *fd,
    void (*take)(struct running *, const char *, size_t))
{
	char chunk[16384];
	ssize_t n;

	while (*fd >= 0 && (n = io_read(*fd, chunk, sizeof chunk)) != 0) {
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		take(x, chunk, (size_t)n);
	}
	io_close(fd);
}

/* --- its life ------------------------------------------------------------- */

static int
wait_ms(const struct running *x)
{
	int64_t left;

	if (!x->end_ms)
		return -1;
	left = x->end_ms - clock_mono_ms();
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/* TERM when the time is up, KILL when that did not help. */
static void
keep_time(struct running *x)
{
	if (!x->end_ms || clock_mono_ms() < x->end_ms)
		return;
	kill(x->pid, x->result->timed_out ? SIGKILL : SIGTERM);
	x->result->timed_out = true;
	x->end_ms = clock_mono_ms() + CGIRUN_GRACE_MS;
}

static void
carry(struct running *x)
{
	struct pollfd p[3];

	for (;;) {
		p[0] = (struct pollfd){.fd = x->out_fd, .events = POLLIN};
		p[1] = (struct pollfd){.fd = x->err_fd, .events = POLLIN};
		p[2] = (struct pollfd){.fd = x->pid_fd, .events = POLLIN};
		if (poll(p, 3, wait_ms(x)) < 0 && errno != EINTR)
			return;
		pump(x, &x->out_fd, take_output);
		pump(x, &x->err_fd, take_errors);
		/* A descendant may hold the pipes: the main process counts. */
		if (p[2].revents)
			return;
		keep_time(x);
	}
}

static void
finish(struct running *x)
{
	int status;

	pump(x, &x->out_fd, take_output);
	pump(x, &x->err_fd, take_errors);
	if (x->line.len)
		logline_stderr(x->request->function, x->request->binary,
		    buf_str(&x->line));
	if (!x->in_body && !x->result->wrong[0])
		complain(x, "the output ends within the header",
		    x->header.len ? buf_str(&x->header) : "(nothing at all)");
	while (waitpid(x->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		x->result->signal = WTERMSIG(status);
	else if (WEXITSTATUS(status) > 128 && WEXITSTATUS(status) < 128 + 65)
		x->result->signal = WEXITSTATUS(status) - 128;
	else
		x->result->exit_status = WEXITSTATUS(status);
}

int
cgirun(const struct cgirun *r, struct cgirun_result *result, struct err *e)
{
	struct running x = {.request = r, .result = result, .pid_fd = -1};

	memset(result, 0, sizeof *result);
	if (start(&x, e) < 0)
		return -1;
	buf_init(&x.header, CGIRUN_HEADER_MAX);
	buf_init(&x.line, LOGLINE_MAX);
	if (r->timeout_ms)
		x.end_ms = clock_mono_ms() + r->timeout_ms;
	carry(&x);
	finish(&x);
	buf_release(&x.header);
	buf_release(&x.line);
	io_close(&x.out_fd);
	io_close(&x.err_fd);
	io_close(&x.pid_fd);
	return 0;
}
