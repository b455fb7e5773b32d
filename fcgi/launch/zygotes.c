/*
 * Zygotes: started and confined here, told how many children to make, and
 * their children's comings and goings written down.
 */
#include "launcher.h"

#include "containment.h"
#include "identity.h"
#include "scratchdir.h"

#include "fcgi/conf/secret.h"
#include "functions/sdk/abi.h"
#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BACKOFF_FIRST_MS = 500,
	BACKOFF_MAX_MS = 30000,
	DIED_AT_ONCE_MS = 2000,
	ZYGOTE_FD = 3,
	START_VARIABLES = 600,
	START_BYTES = 128 * 1024,
	LOG_MAX = 1 << 20,	/* bytes of one zygote's log */
	LAST_WORDS = 64		/* messages of a dead one that are read */
};

#define START_PATH "PATH=/usr/local/bin:/usr/bin:/bin"

/* All that the new process needs; made before the fork. */
struct start {
	struct sandbox sandbox;
	struct buf strings;
	size_t at[START_VARIABLES];	/* offsets into strings */
	size_t count;
	char *envp[START_VARIABLES + 1];
	char scratch[4096];
	const char *read_paths[64], *write_paths[64];
};

static void zygote_ready(struct launcher *l, struct source *s,
    uint32_t events);
static void log_ready(struct launcher *l, struct source *s, uint32_t events);

static int
add_variable(struct start *st, struct err *e, const char *name,
    const char *value)
{
	if (st->count == START_VARIABLES)
		return err_set(e, E2BIG, "more than %d variables",
		    START_VARIABLES);
	st->at[st->count++] = st->strings.len;
	buf_printf(&st->strings, "%s=%s", name, value);
	return buf_putc(&st->strings, '\0') < 0
	    ? err_set(e, E2BIG, "the environment is larger than %d bytes",
	          START_BYTES)
	    : 0;
}

/* The function's own variables, secrets filled in. */
static int
add_environment(struct start *st, const struct pool *p, struct err *e)
{
	const struct snapshot *s = p->release->snapshot;
	const struct snap_site *site = snapshot_site(s);
	struct buf value;
	size_t i;
	int rc = 0;

	buf_init(&value, START_BYTES);
	for (i = 0; rc == 0 && i < p->fn->environment.count; i++) {
		const struct snap_pair *v =
		    snapshot_pair(s, p->fn->environment, i);

		buf_reset(&value);
		if (!v)
			continue;
		rc = secret_expand(snapshot_str(s, v->value),
		    snapshot_str(s, site->service),
		    snapshot_str(s, site->stage), &value, e);
		if (rc == 0)
			rc = add_variable(st, e, snapshot_str(s, v->name),
			    buf_str(&value));
	}
	if (value.data)
		explicit_bzero(value.data, value.room);
	buf_release(&value);
	return rc;
}

static size_t
collect(const struct snapshot *s, struct snap_list l, const char **out,
    size_t room)
{
	size_t i;

	for (i = 0; i < l.count && i < room; i++)
		out[i] = snapshot_item(s, l, i);
	return i;
}

/*
 * Under root a function has a uid of its own, which must get to its binary
 * and its scratch: the directories between the state directory and `path` may
 * be passed through, not listed.
 */
static int
open_way(const struct launcher *l, const char *path, struct err *e)
{
	size_t n = strlen(l->state_dir), i;
	char dir[4096];

	if (strncmp(path, l->state_dir, n) != 0 || path[n] != '/' ||
	    strlen(path) >= sizeof dir)
		return 0;	/* not ours to open */
	for (i = n; path[i]; i++) {
		if (path[i] != '/')
			continue;
		memcpy(dir, path, i);
		dir[i] = '\0';
		if (chmod(dir, 0711) < 0)
			return err_sys(e, "cannot let functions through %s",
			    dir);
	}
	return 0;
}

static int
prepare_scratch(struct launcher *l, struct pool *p, struct start *st,
    struct err *e)
{
	const char *name = snapshot_str(p->release->snapshot, p->fn->name);
	char uids[4096];

	if (scratchdir_make(l->state_dir, name, ++l->last_zygote, st->scratch,
	        sizeof st->scratch, e) < 0)
		return -1;
	if (!identity_needed())
		return 0;
	snprintf(uids, sizeof uids, "%s/run/uids", l->state_dir);
	if (identity_find(uids, l->site_dir, name, &st->sandbox.uid, e) < 0 ||
	    open_way(l, st->scratch, e) < 0 ||
	    open_way(l, st->sandbox.binary, e) < 0)
		return -1;
	return identity_own(st->scratch, st->sandbox.uid, e);
}

static int
prepare(struct launcher *l, struct pool *p, struct start *st, struct err *e)
{
	const struct snapshot *s = p->release->snapshot;
	const struct snap_function *fn = p->fn;
	const struct probe *probe = &l->containment->probe;
	char number[16];
	size_t i;

	*st = (struct start){0};
	buf_init(&st->strings, START_BYTES);
	if (fn->read_paths.count > 64 || fn->write_paths.count > 64)
		return err_set(e, E2BIG, "more than 64 paths");
	st->sandbox = (struct sandbox){
	    .binary = snapshot_str(s, fn->binary),
	    .directory = snapshot_str(s, fn->directory),
	    .scratch = st->scratch,
	    .read_paths = st->read_paths,
	    .read_count = collect(s, fn->read_paths, st->read_paths, 64),
	    .write_paths = st->write_paths,
	    .write_count = collect(s, fn->write_paths, st->write_paths, 64),
	    .network = (enum snap_network)fn->network,
	    .required = snapshot_site(s)->confinement_required != 0,
	};
	if (prepare_scratch(l, p, st, e) < 0 || add_environment(st, p, e) < 0)
		return -1;
	limits_default(&st->sandbox.limits, fn->memory_mb,
	    probe->counts_processes || st->sandbox.uid);
	snprintf(number, sizeof number, "%u", fn->requests_per_process);
	if (add_variable(st, e, ABI_ENV_ZYGOTE, "3") < 0 ||
	    add_variable(st, e, ABI_ENV_CONTAIN, contain_name(probe->rung)) <
	        0 ||
	    add_variable(st, e, ABI_ENV_SCRATCH, st->scratch) < 0 ||
	    add_variable(st, e, ABI_ENV_REUSE, number) < 0 ||
	    add_variable(st, e, "HOME", st->scratch) < 0 ||
	    add_variable(st, e, "TMPDIR", st->scratch) < 0 ||
	    add_variable(st, e, "BOTHY_FUNCTION", snapshot_str(s, fn->name)) <
	        0 ||
	    add_variable(st, e, "BOTHY_BINARY", st->sandbox.binary) < 0)
		return -1;
	for (i = 0; i < st->count; i++)
		st->envp[i] = st->strings.data + st->at[i];
	return 0;
}

static void
say_failed(const char *text)
{
	struct abi_zygote h = {ABI_MAGIC, ABI_Z_FAILED, 0, 0};
	char copy[ABI_Z_TEXT];
	struct iovec iov[2] = {{&h, sizeof h}, {copy, 0}};

	snprintf(copy, sizeof copy, "%s", text);
	iov[1].iov_len = strlen(copy);
	sock_send(ZYGOTE_FD, iov, 2, NULL, 0, 0);
	_exit(127);
}

/* In the child: descriptors in place, confined, then the program. */
static void
become_zygote(struct launcher *l, struct pool *p, struct start *st,
    int sock_fd, int log_fd)
{
	static char role[] = "bothy-runner";
	char *argv[2] = {role, NULL};
	char path[] = START_PATH;
	const char *exe = "/proc/self/exe";
	struct err e;
	int high_sock, high_log;

	high_sock = fcntl(sock_fd, F_DUPFD, 20);
	high_log = fcntl(log_fd, F_DUPFD, 20);
	close(0);
	if (high_sock < 0 || high_log < 0 || open("/dev/null", O_RDONLY) != 0 ||
	    dup2(high_log, 1) < 0 || dup2(high_log, 2) < 0 ||
	    dup2(high_sock, ZYGOTE_FD) < 0)
		_exit(127);
	if (sandbox_enter(&l->containment->host, &st->sandbox, ZYGOTE_FD + 1,
	        &e) < 0)
		say_failed(e.text);
	if (chdir(st->sandbox.directory) < 0) {
		err_sys(&e, "cannot go to %s", st->sandbox.directory);
		say_failed(e.text);
	}
	st->envp[st->count] = path;
	fcntl(ZYGOTE_FD, F_SETFD, 0);
	if (p->fn->runtime == SNAP_RUNTIME_C) {
		exe = st->sandbox.binary;
		argv[0] = (char *)(uintptr_t)exe;
	}
	execve(exe, argv, st->envp);
	err_sys(&e, "cannot start %s", exe);
	say_failed(e.text);
}

/* The pool waits before it tries again, each time longer. */
static void
back_off(struct launcher *l, struct pool *p, const char *why)
{
	const char *name = snapshot_str(p->release->snapshot, p->fn->name);

	p->backoff_ms = p->backoff_ms ? 2 * p->backoff_ms : BACKOFF_FIRST_MS;
	if (p->backoff_ms > BACKOFF_MAX_MS)
		p->backoff_ms = BACKOFF_MAX_MS;
	p->not_before_ms = clock_mono_ms() + p->backoff_ms;
	snprintf(p->failure, sizeof p->failure, "%s", why);
	launchlog(l, "error", "function %s: %s; next try in %lld ms", name,
	    why, (long long)p->backoff_ms);
	pool_refuse_all(l, p, LAUNCH_BROKEN, p->failure);
}

static struct zygote_host *
add_zygote(struct launcher *l, struct pool *p, pid_t pid, int sock_fd,
    int log_fd)
{
	struct zygote_host *z = calloc(1, sizeof *z);

	if (!z)
		return NULL;
	z->source = (struct source){sock_fd, zygote_ready};
	z->log = (struct source){log_fd, log_ready};
	z->pool = p;
	z->pid = pid;
	z->started_ms = clock_mono_ms();
	if (loop_add(l, &z->source) < 0 || loop_add(l, &z->log) < 0) {
		free(z);
		return NULL;
	}
	z->next = l->zygotes;
	l->zygotes = z;
	return z;
}

/* The first line of a function's log, where something can't be had here. */
static void
say_missing(struct launcher *l, const struct pool *p)
{
	struct buf b;

	buf_init(&b, 4096);
	probe_missing(&l->containment->probe, &b);
	if (b.len)
		launchlog_function(l,
		    snapshot_str(p->release->snapshot, p->fn->name), "warning",
		    b.data, b.len);
	buf_release(&b);
}

static int
spawn(struct launcher *l, struct pool *p, struct err *e)
{
	struct start *st = calloc(1, sizeof *st);
	int sv[2] = {-1, -1}, logs[2] = {-1, -1};
	pid_t pid;

	if (!st)
		return err_set(e, ENOMEM, "out of memory");
	if (prepare(l, p, st, e) < 0)
		goto fail;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0 ||
	    pipe2(logs, O_CLOEXEC) < 0 || io_nonblock(logs[0]) < 0) {
		err_sys(e, "cannot make a socket for a zygote");
		goto fail;
	}
	pid = sandbox_fork(&l->containment->host, &st->sandbox, e);
	if (pid < 0)
		goto fail;
	if (pid == 0)
		become_zygote(l, p, st, sv[1], logs[1]);
	io_close(&sv[1]);
	io_close(&logs[1]);
	p->zygote = add_zygote(l, p, pid, sv[0], logs[0]);
	if (!p->zygote) {
		kill(pid, SIGKILL);
		err_set(e, ENOMEM, "out of memory");
		goto fail;
	}
	p->zygote->uid = st->sandbox.uid;
	p->zygote->scratch = strdup(st->scratch);
	say_missing(l, p);
	explicit_bzero(st->strings.data, st->strings.room);
	buf_release(&st->strings);
	free(st);
	return 0;
fail:
	io_close(&sv[0]);
	io_close(&sv[1]);
	io_close(&logs[0]);
	io_close(&logs[1]);
	buf_release(&st->strings);
	free(st);
	return -1;
}

int
zygote_start(struct launcher *l, struct pool *p)
{
	struct err e;

	if (p->zygote)
		return 0;
	if (clock_mono_ms() < p->not_before_ms) {
		pool_refuse_all(l, p, LAUNCH_THROTTLED, p->failure);
		return -1;
	}
	p->forking = 0;
	if (spawn(l, p, &e) < 0) {
		back_off(l, p, e.text);
		return -1;
	}
	return 0;
}

void
zygote_fork(struct launcher *l, struct zygote_host *z, uint32_t count)
{
	struct abi_zygote h = {ABI_MAGIC, ABI_Z_FORK, 0, 0};
	struct iovec iov = {&h, sizeof h};

	(void)l;
	while (count) {
		h.count = count < ABI_Z_BATCH ? count : ABI_Z_BATCH;
		if (sock_send(z->source.fd, &iov, 1, NULL, 0, MSG_DONTWAIT) < 0)
			return;	/* its end comes as an event */
		z->pool->forking += h.count;
		z->asked_ms = clock_mono_ms();
		count -= h.count;
	}
}

/* Makes it report ended children now. */
void
zygote_poke(struct launcher *l, struct zygote_host *z)
{
	struct abi_zygote h = {ABI_MAGIC, ABI_Z_REAP, 0, 0};
	struct iovec iov = {&h, sizeof h};

	(void)l;
	sock_send(z->source.fd, &iov, 1, NULL, 0, MSG_DONTWAIT);
}

/*
 * No new children from this one: it sees half of its socket closed, still
 * reports those that live, and ends after them.
 */
void
zygote_retire(struct launcher *l, struct zygote_host *z)
{
	struct child **at = &z->pool->stock;

	if (z->draining)
		return;
	z->draining = true;
	while (*at) {
		struct child *c = *at;

		if (c->zygote != z) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		c->next = NULL;
		z->pool->nstock--;
		io_close(&c->ctl_fd);
	}
	if (z->pool->zygote == z) {
		z->pool->zygote = NULL;
		z->pool->forking = 0;
	}
	shutdown(z->source.fd, SHUT_WR);
	pool_serve(l, z->pool);
}

/* Its children can't be reported any more: they end with it. */
static void
zygote_lost(struct launcher *l, struct zygote_host *z)
{
	struct pool *p = z->pool;
	int64_t lived_ms = clock_mono_ms() - z->started_ms;
	bool was_current = p->zygote == z;
	size_t i;

	loop_remove(l, &z->source);
	for (i = 0; i < 256; i++)
		if (z->children[i]) {
			child_kill(l, z->children[i]);
			child_ended(l, z->children[i], SIGKILL, 0, 0);
		}
	if (was_current) {
		p->zygote = NULL;
		p->forking = 0;
	}
	if (z->failure[0] || (!z->ready && !z->draining))
		back_off(l, p, z->failure[0] ? z->failure
		                             : "it ended before it was ready");
	else if (was_current && lived_ms < DIED_AT_ONCE_MS)
		back_off(l, p, "its zygote ended at once");
	else if (was_current)
		pool_serve(l, p);
	z->gone = true;
}

static void
take_children(struct launcher *l, struct zygote_host *z,
    const struct abi_child *made, uint32_t count, int *fds)
{
	struct pool *p = z->pool;
	struct child *c;
	uint32_t i;

	if (!z->draining)
		p->forking = p->forking > count ? p->forking - count : 0;
	for (i = 0; i < count; i++) {
		c = child_new(l, z, made[i].serial, fds[2 * i],
		    fds[2 * i + 1]);
		if (!c || z->draining) {
			close(fds[2 * i]);
			if (c)
				c->ctl_fd = -1;
			else
				close(fds[2 * i + 1]);
			continue;
		}
		pool_add_stock(p, c);
	}
	if (count || z->draining) {
		pool_serve(l, p);
		return;
	}
	if (p->forking)		/* else it was not asked */
		launchlog(l, "warning", "function %s: a child could not be "
		    "forked; a limit of processes or memory is reached",
		    snapshot_str(p->release->snapshot, p->fn->name));
	p->forking = 0;		/* the next tick tries again */
}

static void
take_exits(struct launcher *l, struct zygote_host *z,
    const struct abi_exit *gone, uint32_t count)
{
	struct child *c;
	uint32_t i;

	for (i = 0; i < count; i++) {
		c = z->children[gone[i].serial & 0xff];
		if (c && c->serial == gone[i].serial)
			child_ended(l, c, gone[i].wait_status,
			    gone[i].max_rss_kb, gone[i].cpu_us);
	}
	if (z->pool->wants)
		pool_serve(l, z->pool);
}

static void
take_message(struct launcher *l, struct zygote_host *z,
    const struct abi_zygote *h, const char *body, size_t len, int *fds,
    size_t nfds)
{
	struct abi_child made[ABI_Z_BATCH];
	struct abi_exit gone[ABI_Z_BATCH];
	size_t i;

	if (h->type == ABI_Z_READY && !nfds) {
		z->ready = true;
		z->failure[0] = '\0';
		z->pool->backoff_ms = 0;
		pool_serve(l, z->pool);
	} else if (h->type == ABI_Z_FAILED && !nfds) {
		snprintf(z->failure, sizeof z->failure, "%.*s", (int)len,
		    body);
	} else if (h->type == ABI_Z_CHILDREN && h->count <= ABI_Z_BATCH &&
	    nfds == 2 * h->count && len == h->count * sizeof *made) {
		memcpy(made, body, len);
		take_children(l, z, made, h->count, fds);
	} else if (h->type == ABI_Z_EXITED && h->count <= ABI_Z_BATCH &&
	    !nfds && len == h->count * sizeof *gone) {
		memcpy(gone, body, len);
		take_exits(l, z, gone, h->count);
	} else {
		for (i = 0; i < nfds; i++)
			close(fds[i]);
		launchlog(l, "error", "function %s: its zygote sent what is "
		    "no message; it is ended",
		    snapshot_str(z->pool->release->snapshot,
		        z->pool->fn->name));
		if (!z->reaped)
			kill(z->pid, SIGKILL);
	}
}

static void
zygote_ready(struct launcher *l, struct source *s, uint32_t events)
{
	struct zygote_host *z = (struct zygote_host *)s;
	struct abi_zygote h = {0};
	char body[ABI_Z_TEXT];
	struct iovec iov[2] = {{&h, sizeof h}, {body, sizeof body}};
	int fds[2 * ABI_Z_BATCH];
	size_t nfds = 2 * ABI_Z_BATCH;
	ssize_t n;

	(void)events;
	n = sock_recv(s->fd, iov, 2, fds, &nfds, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < (ssize_t)sizeof h || h.magic != ABI_MAGIC) {
		if (!z->reaped)
			kill(z->pid, SIGKILL);
		zygote_lost(l, z);
		return;
	}
	take_message(l, z, &h, body, (size_t)n - sizeof h, fds, nfds);
}

/*
 * A line of its log, as long as there are not too many: what serves requests
 * has logs of its own, a zygote has little to say.
 */
static void
log_line(struct launcher *l, struct zygote_host *z, const char *name,
    size_t len)
{
	static const char ENOUGH[] =
	    "it has printed too much outside of requests; the rest is dropped";

	if (z->logged > LOG_MAX)
		return;
	z->logged += len + 1;
	launchlog_function(l, name, "info", z->line, len);
	if (z->logged > LOG_MAX)
		launchlog_function(l, name, "warning", ENOUGH,
		    sizeof ENOUGH - 1);
}

/* What it prints before it serves goes to the function's log, by line. */
static void
log_ready(struct launcher *l, struct source *s, uint32_t events)
{
	struct zygote_host *z =
	    (struct zygote_host *)((char *)s - offsetof(struct zygote_host, log));
	const char *name =
	    snapshot_str(z->pool->release->snapshot, z->pool->fn->name);
	ssize_t n;
	char *end;

	(void)events;
	n = read(s->fd, z->line + z->line_len, sizeof z->line - z->line_len);
	if (n <= 0) {
		if (z->line_len)
			log_line(l, z, name, z->line_len);
		loop_remove(l, s);
		return;
	}
	z->line_len += (size_t)n;
	while ((end = memchr(z->line, '\n', z->line_len)) ||
	    z->line_len == sizeof z->line) {
		size_t len = end ? (size_t)(end - z->line) : z->line_len;
		size_t used = end ? len + 1 : len;

		log_line(l, z, name, len);
		z->line_len -= used;
		memmove(z->line, z->line + used, z->line_len);
	}
}

/* How a zygote ended that never got ready, for people. */
static void
explain_end(struct zygote_host *z, int status)
{
	if (WIFSIGNALED(status))
		snprintf(z->failure, sizeof z->failure, "it was ended by "
		    "signal %d before it was ready", WTERMSIG(status));
	else
		snprintf(z->failure, sizeof z->failure, "it exited with "
		    "status %d before it was ready", WEXITSTATUS(status));
}

/*
 * Its last messages are read at once: its socket need not end with it, if it
 * left a copy of it to somebody.
 */
void
zygote_reaped(struct launcher *l, pid_t pid, int status)
{
	struct zygote_host *z;
	int i;

	for (z = l->zygotes; z && (z->pid != pid || z->reaped); z = z->next)
		;
	if (!z)
		return;
	z->reaped = true;
	if (!z->ready && !z->draining && !z->failure[0])
		explain_end(z, status);
	for (i = 0; i < LAST_WORDS && !z->gone; i++)
		zygote_ready(l, &z->source, 0);
	if (!z->gone)
		zygote_lost(l, z);
}

/* Ends those that take too long over init, or do not answer any more. */
void
zygote_end_stuck(struct launcher *l, int64_t now_ms)
{
	struct zygote_host *z;

	for (z = l->zygotes; z; z = z->next) {
		if (z->gone || z->reaped || z->draining)
			continue;
		if (!z->ready && now_ms - z->started_ms > INIT_MS)
			snprintf(z->failure, sizeof z->failure,
			    "its init took longer than %d s", INIT_MS / 1000);
		else if (z->ready && z->pool->forking &&
		    now_ms - z->asked_ms > FORK_MS)
			snprintf(z->failure, sizeof z->failure,
			    "its zygote made no child within %d s",
			    FORK_MS / 1000);
		else
			continue;
		kill(z->pid, SIGKILL);
	}
}

/* At the end of a round: those whose socket has ended and that are reaped. */
void
zygote_free_gone(struct launcher *l)
{
	struct zygote_host **at = &l->zygotes;
	int i;

	while (*at) {
		struct zygote_host *z = *at;

		if (!z->gone || !z->reaped) {
			at = &z->next;
			continue;
		}
		for (i = 0; i < LAST_WORDS && z->log.fd >= 0; i++)
			log_ready(l, &z->log, 0);
		loop_remove(l, &z->log);
		*at = z->next;
		if (z->scratch)
			scratchdir_remove(z->scratch);
		free(z->scratch);
		free(z);
	}
}
