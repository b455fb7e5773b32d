/*
 * A launcher and children of the test's own, for the tests of fcgi/invoke.
 *
 * A thread listens where a launcher would and answers as the test has told it.
 * Each child that it leases out is a thread at the far end of a socket pair,
 * which runs one of the test's scripts, and a real process that goes with it,
 * so that signals are seen to arrive.
 */
#ifndef TEST_INVOKE_WORLD_H
#define TEST_INVOKE_WORLD_H

#include "fcgi/conf/conf.h"
#include "fcgi/invoke/invoke.h"
#include "fcgi/launch/key.h"
#include "fcgi/launch/proto.h"
#include "functions/sdk/abi.h"
#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	WORLD_CHILDREN = 64,
	PATIENCE_MS = 60000	/* with what comes in a moment */
};

/* What a child's script has: its socket and, once it asked, its request. */
struct world_child {
	int ctl_fd;
	int out_fd, err_fd, in_fd;
	char env[1024];
	struct abi_request head;
	int serial;
};

typedef void world_script(struct world_child *c);

/* How the launcher behaves; set before world_open(), or between requests. */
struct world_plan {
	world_script *script[WORLD_CHILDREN];	/* the last goes on */
	uint32_t refuse;	/* enum launch_refusal to the first LEASE */
	int refusals;		/* how many */
	int hang_up;		/* connections closed at their first LEASE */
	int hand_out;		/* leases at once; 0: as many as asked */
	bool all_dead;		/* the first batch is of dead children */
	int report_status, report_code;		/* answer to REPORT */
	bool report_silent;
	int slots;		/* of reservedConcurrency */
	sem_t *gate;		/* waited for before each answer */
	bool mute;		/* LEASE is never answered */
};

extern char **environ;

enum { TYPES = 64, FIRST_ID = 1000 };

struct actor {
	struct world_child child;
	world_script *script;
	pthread_t thread;
	pid_t pid;
	bool waited;
	int status;
};

struct world {
	char dir[64], state[80];
	struct world_plan plan;
	struct invoke *invoke;
	struct snapshot *snapshot;
	struct invoke_pool *pools[8];
	size_t npools;
	pthread_t thread;
	int listen_fd, fd, stop_fd;
	pthread_mutex_t lock;	/* of all below */
	struct actor actors[WORLD_CHILDREN];
	int nactors, slots_held, connections;
	int seen[TYPES];
	uint64_t last_slot;
};

static const char SITE[] =
    "service: test\n"
    "provider: {name: bothy, timeout: 5}\n"
    "functions:\n"
    "  plain: {handler: f.c, events: [httpApi: GET /a]}\n"
    "  reuse:\n"
    "    handler: f.c\n"
    "    requestsPerProcess: 0\n"
    "    events: [httpApi: GET /b]\n"
    "  tool: {handler: t, runtime: exec, events: [httpApi: GET /c]}\n"
    "  few:\n"
    "    handler: f.c\n"
    "    reservedConcurrency: 2\n"
    "    events: [httpApi: GET /d]\n";

/* ---- children --------------------------------------------------------- */

/* For scripts: waits for the request; false if none came. */
static inline bool
world_receive(struct world_child *c)
{
	struct iovec iov[2] = {{&c->head, sizeof c->head},
	    {c->env, sizeof c->env}};
	int fds[3];
	size_t nfds = 3, at = 0;
	ssize_t n = sock_recv(c->ctl_fd, iov, 2, fds, &nfds, 0);

	if (n <= 0)
		return false;
	assert_int_equal(abi_request_check(&c->head, (size_t)n, nfds), 0);
	if (c->head.flags & ABI_HAS_OUTPUTS) {
		c->out_fd = fds[at++];
		c->err_fd = fds[at++];
	}
	io_close(&c->in_fd);
	if (!(c->head.flags & ABI_NO_STDIN))
		c->in_fd = fds[at];
	return true;
}

/* For scripts: says that it is done; `rest` is inline output. */
static inline void
world_done(struct world_child *c, uint32_t end, int status, bool again,
    const char *rest)
{
	char message[4096];
	struct abi_done d = {.magic = ABI_MAGIC, .end = end, .status = status,
	    .inline_bytes = (uint32_t)strlen(rest), .max_rss_kb = 77,
	    .cpu_us = 88, .again = again};

	memcpy(message, &d, sizeof d);
	memcpy(message + sizeof d, rest, strlen(rest));
	send(c->ctl_fd, message, sizeof d + strlen(rest), MSG_NOSIGNAL);
}

static inline void
world_flush(struct world_child *c)
{
	world_done(c, ABI_END_NOT_YET, 0, false, "");
}

/* For scripts: until the gateway has let go. */
static inline void
world_wait_gone(const struct world_child *c)
{
	struct pollfd p = {c->ctl_fd, 0, 0};

	while (poll(&p, 1, PATIENCE_MS) < 0 && errno == EINTR)
		;
}

static void *
act(void *arg)
{
	struct actor *a = arg;

	a->script(&a->child);
	io_close(&a->child.ctl_fd);
	io_close(&a->child.out_fd);
	io_close(&a->child.err_fd);
	io_close(&a->child.in_fd);
	return NULL;
}

/* A child: its far end. */
static int
make_actor(struct world *w, bool dead)
{
	static char sh[] = "/bin/sh", c[] = "-c", nap[] = "exec sleep 60";
	char *argv[] = {sh, c, nap, NULL};
	struct actor *a;
	int sv[2], i;

	pthread_mutex_lock(&w->lock);
	assert_true(w->nactors < WORLD_CHILDREN);
	i = w->nactors++;
	pthread_mutex_unlock(&w->lock);
	a = &w->actors[i];
	while (i > 0 && !w->plan.script[i])
		i--;
	a->script = w->plan.script[i];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	                     sv), 0);
	a->child = (struct world_child){.ctl_fd = sv[1], .out_fd = -1,
	    .err_fd = -1, .in_fd = -1, .serial = (int)(a - w->actors)};
	assert_int_equal(posix_spawn(&a->pid, sh, NULL, NULL, argv, environ),
	    0);
	if (dead)
		io_close(&a->child.ctl_fd);
	else
		assert_int_equal(pthread_create(&a->thread, NULL, act, a), 0);
	return sv[0];
}

/* True if the process of the n-th child ended within `ms`; its status. */
static inline bool
world_ended(struct world *w, int child, int ms, int *status)
{
	struct actor *a = &w->actors[child];
	int i;

	for (i = 0; !a->waited && i <= ms / 5; i++) {
		if (waitpid(a->pid, &a->status, WNOHANG) == a->pid)
			a->waited = true;
		else
			usleep(5000);
	}
	*status = a->status;
	return a->waited;
}

/* ---- the launcher ----------------------------------------------------- */

static void
let_go(struct world *w)
{
	pthread_mutex_lock(&w->lock);
	io_close(&w->fd);
	pthread_mutex_unlock(&w->lock);
}

static void
say(struct world *w, struct launch_msg *m, const char *text, const int *fds,
    size_t nfds)
{
	struct iovec iov[2] = {{m, sizeof *m}, {NULL, strlen(text)}};

	memcpy(&iov[1].iov_base, &text, sizeof text);
	m->version = LAUNCH_VERSION;
	m->bytes = (uint32_t)strlen(text);
	sock_send(w->fd, iov, 2, fds, nfds, 0);
}

static void
lease_out(struct world *w, const struct launch_msg *m)
{
	struct launch_msg out = {.type = LAUNCH_LEASED, .tag = m->tag};
	uint32_t n = m->count, i;
	bool dead = w->plan.all_dead;
	int fds[LAUNCH_BATCH];

	w->plan.all_dead = false;
	if (w->plan.hand_out)
		n = (uint32_t)w->plan.hand_out;
	if (n > LAUNCH_BATCH)
		n = LAUNCH_BATCH;
	for (i = 0; i < n; i++) {
		out.ids[i] = FIRST_ID + (uint64_t)w->nactors;
		fds[i] = make_actor(w, dead);
	}
	out.count = n;
	say(w, &out, "", fds, n);
	for (i = 0; i < n; i++)
		close(fds[i]);
}

static void
answer_lease(struct world *w, const struct launch_msg *m)
{
	struct launch_msg no = {.type = LAUNCH_REFUSED, .tag = m->tag,
	    .code = w->plan.refuse};

	if (w->plan.hang_up > 0) {
		w->plan.hang_up--;
		let_go(w);
	} else if (w->plan.refusals > 0) {
		w->plan.refusals--;
		say(w, &no, "not today", NULL, 0);
	} else if (!w->plan.mute) {
		lease_out(w, m);
	}
}

static void
answer_acquire(struct world *w, const struct launch_msg *m)
{
	struct launch_msg out = {.type = LAUNCH_GRANTED, .tag = m->tag};
	bool granted;

	pthread_mutex_lock(&w->lock);
	granted = w->slots_held < w->plan.slots;
	w->slots_held += granted;
	out.id = ++w->last_slot;
	pthread_mutex_unlock(&w->lock);
	if (!granted) {
		out.type = LAUNCH_REFUSED;
		out.code = LAUNCH_BUSY;
	}
	say(w, &out, granted ? "" : "all taken", NULL, 0);
}

static void
carry_out(struct world *w, const struct launch_msg *m)
{
	struct launch_msg exit = {.type = LAUNCH_EXIT, .id = m->id,
	    .wait_status = w->plan.report_status, .max_rss_kb = 55,
	    .cpu_us = 66, .code = (uint32_t)w->plan.report_code};
	int i = (int)(m->id - FIRST_ID);

	pthread_mutex_lock(&w->lock);
	w->seen[m->type % TYPES]++;
	if (m->type == LAUNCH_RELEASE)
		w->slots_held--;
	pthread_mutex_unlock(&w->lock);
	if (w->plan.gate && (m->type == LAUNCH_ACQUIRE ||
	        (m->type == LAUNCH_LEASE && m->count)))
		sem_wait(w->plan.gate);
	if (m->type == LAUNCH_LEASE && m->count)
		answer_lease(w, m);
	if (m->type == LAUNCH_ACQUIRE)
		answer_acquire(w, m);
	if (m->type == LAUNCH_REPORT && !w->plan.report_silent)
		say(w, &exit, "", NULL, 0);
	if (m->type == LAUNCH_KILL && i >= 0 && i < w->nactors)
		kill(w->actors[i].pid, (int)m->code);
}

static void
greet(struct world *w)
{
	struct launch_msg hello = {.type = LAUNCH_HELLO, .pid = getpid()};

	let_go(w);
	pthread_mutex_lock(&w->lock);
	w->fd = accept4(w->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(w->fd >= 0);
	w->connections++;
	w->slots_held = 0;
	pthread_mutex_unlock(&w->lock);
	say(w, &hello, "", NULL, 0);
}

static void *
launch(void *arg)
{
	struct world *w = arg;
	struct launch_msg m;
	struct iovec iov = {&m, sizeof m};

	for (;;) {
		struct pollfd p[3] = {{w->stop_fd, POLLIN, 0},
		    {w->listen_fd, POLLIN, 0}, {w->fd, POLLIN, 0}};

		poll(p, 3, -1);
		if (p[0].revents)
			return NULL;
		if (p[1].revents)
			greet(w);
		else if (p[2].revents &&
		    sock_recv(w->fd, &iov, 1, NULL, NULL, 0) == sizeof m)
			carry_out(w, &m);
		else if (p[2].revents)
			let_go(w);
	}
}

/* ---- the site --------------------------------------------------------- */

static void
put_file(struct world *w, const char *name, const char *text, mode_t mode)
{
	char path[128];
	struct err e;

	snprintf(path, sizeof path, "%s/%s", w->dir, name);
	assert_int_equal(
	    io_replace_file(path, text, strlen(text), mode, &e), 0);
}

static void
make_snapshot(struct world *w)
{
	const struct conf_options o = {.state_dir = w->state};
	struct errlist errors;
	struct conf *c;
	struct err e;

	put_file(w, "f.c", "int x;\n", 0600);
	put_file(w, "t", "#!/bin/sh\n", 0700);
	put_file(w, "deploy.yaml", SITE, 0600);
	errlist_init(&errors);
	assert_int_equal(conf_load(w->dir, &o, &c, &errors), 0);
	errlist_release(&errors);
	w->snapshot = snapshot_build(c, &e);
	assert_non_null(w->snapshot);
	conf_free(c);
}

static void
listen_there(struct world *w)
{
	char run[128], key[KEY_SIZE];
	struct err e;
	int run_fd;

	snprintf(run, sizeof run, "%s/run", w->state);
	assert_int_equal(io_mkdirs(run, 0700, &e), 0);
	assert_int_equal(key_make(w->state, key, &e), 0);
	run_fd = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->listen_fd = sock_listen_at(run_fd, "launch.sock", SOCK_SEQPACKET,
	    0600, 8);
	assert_true(w->listen_fd >= 0);
	close(run_fd);
}

static inline struct world *
world_open(const struct world_plan *plan)
{
	struct world *w = calloc(1, sizeof *w);
	struct invoke_options o = {.launcher = "/bin/false"};
	struct err e;

	strcpy(w->dir, "/tmp/bothy-invoke-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->state, sizeof w->state, "%s/.bothy", w->dir);
	w->plan = *plan;
	w->fd = -1;
	w->stop_fd = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&w->lock, NULL);
	make_snapshot(w);
	listen_there(w);
	assert_int_equal(pthread_create(&w->thread, NULL, launch, w), 0);
	o.site_dir = w->dir;
	o.state_dir = w->state;
	w->invoke = invoke_new(&o, &e);
	assert_non_null(w->invoke);
	return w;
}

static inline void
world_close(struct world *w)
{
	uint64_t one = 1;
	int i;

	while (w->npools)
		invoke_pool_free(w->pools[--w->npools]);
	invoke_free(w->invoke);
	assert_int_equal(write(w->stop_fd, &one, sizeof one), sizeof one);
	pthread_join(w->thread, NULL);
	for (i = 0; i < w->nactors; i++) {
		if (w->actors[i].thread)
			pthread_join(w->actors[i].thread, NULL);
		if (!w->actors[i].waited) {
			kill(w->actors[i].pid, SIGKILL);
			waitpid(w->actors[i].pid, NULL, 0);
		}
	}
	io_close(&w->fd);
	close(w->listen_fd);
	close(w->stop_fd);
	snapshot_free(w->snapshot);
	pthread_mutex_destroy(&w->lock);
	assert_int_equal(io_remove_tree(AT_FDCWD, w->dir), 0);
	free(w);
}

/* Frees the pool that was made last. */
static inline void
world_free_pool(struct world *w)
{
	invoke_pool_free(w->pools[--w->npools]);
}

static inline struct invoke *
world_invoke(struct world *w)
{
	return w->invoke;
}

static inline struct invoke_pool *
world_pool(struct world *w, const char *function)
{
	const struct snap_function *fn;
	uint32_t i;

	for (i = 0; (fn = snapshot_function(w->snapshot, i)); i++)
		if (strcmp(snapshot_str(w->snapshot, fn->name), function) == 0)
			break;
	assert_non_null(fn);
	w->pools[w->npools] = invoke_pool_new(w->invoke, w->snapshot, i);
	assert_non_null(w->pools[w->npools]);
	return w->pools[w->npools++];
}

/* Ends the connection, and returns when the other side has seen it. */
static inline void
world_hang_up(struct world *w)
{
	uint64_t id;
	struct err e;

	pthread_mutex_lock(&w->lock);
	shutdown(w->fd, SHUT_RDWR);
	pthread_mutex_unlock(&w->lock);
	/* Whoever asks now waits for the end, or for a new connection. */
	slot_take(world_pool(w, "few"), clock_mono_ms() + PATIENCE_MS,
	    &id, &e);
}

static int
locked(struct world *w, const int *value)
{
	int n;

	pthread_mutex_lock(&w->lock);
	n = *value;
	pthread_mutex_unlock(&w->lock);
	return n;
}

/* How often the launcher was told something. */
static inline int
world_seen(struct world *w, uint32_t type)
{
	return locked(w, &w->seen[type % TYPES]);
}

static inline int
world_slots_held(struct world *w)
{
	return locked(w, &w->slots_held);
}

static inline int
world_connections(struct world *w)
{
	return locked(w, &w->connections);
}

#endif
