/*
 * Zygotes: started when they are needed, told how many children to make, and
 * their children's comings and goings written down.
 */
#include "launcher.h"

#include "scratchdir.h"
#include "start.h"

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
	LOG_MAX = 1 << 20,	/* bytes of one zygote's log */
	LAST_WORDS = 64		/* messages of a dead one that are read */
};

static void zygote_ready(struct launcher *l, struct source *s,
    uint32_t events);
static void log_ready(struct launcher *l, struct source *s, uint32_t events);

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
add_zygote(struct launcher *l, struct pool *p, const struct started *st)
{
	struct zygote_host *z = calloc(1, sizeof *z);

	if (!z)
		return NULL;
	z->source = (struct source){st->sock_fd, zygote_ready};
	z->log = (struct source){st->log_fd, log_ready};
	z->pool = p;
	z->pid = st->pid;
	z->uid = st->uid;
	z->scratch = st->scratch;
	z->started_ms = clock_mono_ms();
	if (loop_add(l, &z->source) < 0 || loop_add(l, &z->log) < 0) {
		free(z);
		return NULL;
	}
	z->next = l->zygotes;
	l->zygotes = z;
	return z;
}

static int
spawn(struct launcher *l, struct pool *p, struct err *e)
{
	struct started st;

	if (start_process(l, p, &st, e) < 0)
		return -1;
	p->zygote = add_zygote(l, p, &st);
	if (p->zygote)
		return 0;
	kill(st.pid, SIGKILL);
	close(st.sock_fd);
	close(st.log_fd);
	free(st.scratch);
	return err_set(e, ENOMEM, "out of memory");
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
		yield_zygote_came(l, z);
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
