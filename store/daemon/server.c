/*
 * The main thread of the daemon, as server.h describes it: who comes, and when
 * to leave.
 */
#include "server.h"

#include "conn.h"

#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/sock.h"
#include "store/engine/mirrors.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BACKLOG = 1024,
	TICK_MS = 1000,
	PAUSE_MS = 100,			/* out of descriptors */
	LOOK_MS = 10 * 1000,		/* at the store's trouble */
	STALL_MS = 30 * 1000,
	TAKE_AT_ONCE = 64
};


/* --- who comes -------------------------------------------------------------------- */

static void
take_in(struct server *s, int fd)
{
	struct iothread *io;
	struct conn *c = NULL;

	if (atomic_load(&s->io[s->next_io].writes))	/* one at most does */
		s->next_io = (s->next_io + 1) % SERVER_IO_THREADS;
	io = &s->io[s->next_io];
	if (atomic_load(&s->connections) < s->limits.connections)
		c = conn_new(io, fd);
	if (!c) {
		close(fd);
		return;
	}
	s->next_io = (s->next_io + 1) % SERVER_IO_THREADS;
	atomic_fetch_add(&s->connections, 1);
	if (iothread_add(io, c) < 0) {
		atomic_fetch_sub(&s->connections, 1);
		conn_free(c);
	}
}

static void
mute(struct server *s, bool paused)
{
	struct epoll_event ev = {.events = paused ? 0 : EPOLLIN,
	    .data.fd = s->listen_fd};

	epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, s->listen_fd, &ev);
	s->accept_paused = paused;
}

static void
accept_some(struct server *s)
{
	int fd, i;

	s->busy_ms = clock_mono_ms();
	for (i = 0; i < TAKE_AT_ONCE; i++) {
		fd = accept4(s->listen_fd, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			take_in(s, fd);
		else if (errno != EINTR && errno != ECONNABORTED)
			break;
	}
	if (i < TAKE_AT_ONCE && (errno == EMFILE || errno == ENFILE ||
	                            errno == ENOMEM || errno == ENOBUFS)) {
		serverlog_say(&s->log, "error", "cannot accept a connection: "
		    "%s; raise `ulimit -n`", strerror(errno));
		mute(s, true);
	}
}

/* --- when to leave ------------------------------------------------------------------ */

void
server_leave(struct server *s)
{
	static const uint64_t ONE = 1;

	while (write(s->wake_fd, &ONE, sizeof ONE) < 0 && errno == EINTR)
		;
}

/* True for a signal that ends us. */
static bool
is_told_to_leave(struct server *s)
{
	struct signalfd_siginfo si;
	bool leave = false;

	while (read(s->signal_fd, &si, sizeof si) == sizeof si)
		leave = true;
	return leave;
}

/* Mirrors that the last push did not reach, a text: "" if there is none. */
static void
look_at_mirrors(const struct server *s, char *text, size_t size)
{
	struct mirrors *m = store_mirrors(s->store);
	struct mirror_state state;
	size_t i, n = 0;

	*text = '\0';
	for (i = 0; m && n < size && mirrors_state(m, i, &state); i++)
		if (state.error[0])
			n += (size_t)snprintf(text + n, size - n,
			    "%smirror %s: %s", n ? "; " : "", state.name,
			    state.error);
}

/* What is the matter is told once, and again when it is over. */
static void
tell_change(struct server *s, const char *level, char *told, size_t size,
    const char *now, const char *well)
{
	if (strcmp(now, told) == 0)
		return;
	snprintf(told, size, "%s", now);
	serverlog_say(&s->log, *now ? level : "info", "%s",
	    *now ? now : well);
}

static void
look_at_store(struct server *s, int64_t now_ms)
{
	char mirrors[sizeof s->mirrors];
	struct store_stat st;

	if (now_ms - s->looked_ms < LOOK_MS)
		return;
	s->looked_ms = now_ms;
	store_stat(s->store, &st);
	tell_change(s, "error", s->trouble, sizeof s->trouble, st.trouble,
	    "all is well again");
	look_at_mirrors(s, mirrors, sizeof mirrors);
	tell_change(s, "warning", s->mirrors, sizeof s->mirrors, mirrors,
	    "all mirrors are pushed to again");
}

static int64_t
idle_ms(const struct server *s)
{
	return s->idle_ms == SERVER_IDLE_AS_SET ? store_idle_ms(s->store)
	                                        : s->idle_ms;
}

/* True if nobody came for long, or the store has to be opened again. */
static bool
tick(struct server *s)
{
	int64_t now_ms = clock_mono_ms(), idle = idle_ms(s);

	if (s->accept_paused)
		mute(s, false);
	look_at_store(s, now_ms);
	if (atomic_load(&s->connections) || later_busy(&s->later))
		s->busy_ms = now_ms;
	if (store_broken(s->store)) {
		serverlog_say(&s->log, "error", "a sync of files or the index "
		    "failed: the store leaves, to be opened anew");
		return true;
	}
	return idle && now_ms - s->busy_ms > idle;
}

/* The socket goes first, so that whoever comes now starts the next daemon. */
static void
close_door(struct server *s)
{
	int fd;

	if (s->listen_fd < 0)
		return;
	unlinkat(s->place_fd, s->socket, 0);
	while ((fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0 ||
	    errno == EINTR || errno == ECONNABORTED)
		if (fd >= 0)
			close(fd);	/* before hello: it may try again */
	io_close(&s->listen_fd);
}

static int
wait_ms(const struct server *s)
{
	int64_t idle = idle_ms(s);

	if (s->accept_paused)
		return PAUSE_MS;
	return idle && idle < TICK_MS ? (int)idle : TICK_MS;
}

void
server_run(struct server *s)
{
	struct epoll_event ev;
	bool leave = false;
	int n;

	s->busy_ms = s->looked_ms = clock_mono_ms();
	while (!leave) {
		n = epoll_wait(s->epoll_fd, &ev, 1, wait_ms(s));
		if (n == 1 && ev.data.fd == s->listen_fd)
			accept_some(s);
		else if (n == 1 && ev.data.fd == s->wake_fd)
			leave = true;
		else if (n == 1)
			leave = is_told_to_leave(s);
		if (tick(s))
			leave = true;
	}
}

/* --- begin and end --------------------------------------------------------------------- */

static int
watch(struct server *s, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	return fd < 0 ? -1 : epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &ev);
}

static void
our_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

void
server_block_signals(void)
{
	sigset_t set;

	our_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool
server_is_signalled(void)
{
	sigset_t set;

	return sigpending(&set) == 0 &&
	    (sigismember(&set, SIGTERM) > 0 || sigismember(&set, SIGINT) > 0);
}

static int
watch_signals(struct server *s)
{
	sigset_t set;

	our_signals(&set);
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return watch(s, s->signal_fd);
}

static int
open_door(struct server *s, struct err *e)
{
	/* Of a gateway run by root functions have users of their own. */
	mode_t mode = geteuid() == 0 ? 0666 : 0600;

	s->listen_fd = sock_listen_at(s->place_fd, s->socket,
	    SOCK_STREAM | SOCK_NONBLOCK, mode, BACKLOG);
	if (s->listen_fd < 0 || watch(s, s->listen_fd) < 0)
		return err_sys(e, "cannot listen at %s", s->socket);
	return 0;
}

static int
start(struct server *s, struct err *e)
{
	int i;

	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->epoll_fd < 0 || watch(s, s->wake_fd) < 0 ||
	    watch_signals(s) < 0)
		return err_sys(e, "cannot begin");
	if (longwork_start(&s->longwork, s->store, LONGWORK_THREADS,
	        call_run_long, e) < 0 ||
	    later_start(&s->later, e) < 0 ||
	    longwork_start(&s->relayed, s->store, LONGWORK_RELAYED,
	        call_run_relayed, e) < 0)
		return -1;
	for (i = 0; i < SERVER_IO_THREADS; i++)
		if (iothread_start(&s->io[i], s, e) < 0)
			return -1;
	return open_door(s, e);
}

void
server_init(struct server *s)
{
	*s = (struct server){.dir_fd = -1, .place_fd = -1, .listen_fd = -1,
	    .epoll_fd = -1, .signal_fd = -1, .wake_fd = -1,
	    .limits = {SERVER_CONNECTIONS_MAX, SERVER_MEMORY_MAX, SERVER_SHARE,
	        STALL_MS}};
	relays_init(&s->relays);
	serverlog_init(&s->log);
}

int
server_open(struct server *s, struct err *e)
{
	s->log.dir_fd = s->dir_fd;
	if (start(s, e) == 0)
		return 0;
	server_close(s);
	return -1;
}

void
server_close(struct server *s)
{
	int i;

	close_door(s);
	atomic_store(&s->leaving, true);
	if (s->store)
		store_hurry(s->store);
	if (s->longwork.store)
		longwork_shut(&s->longwork);
	if (s->relayed.store)
		longwork_shut(&s->relayed);
	for (i = 0; i < SERVER_IO_THREADS; i++)
		if (s->io[i].runs)
			iothread_wake(&s->io[i]);
	for (i = 0; i < SERVER_IO_THREADS; i++)
		iothread_stop(&s->io[i]);
	if (s->longwork.store)
		longwork_stop(&s->longwork);
	if (s->relayed.store)
		longwork_stop(&s->relayed);
	later_stop(&s->later);
}

void
server_release(struct server *s)
{
	int i;

	for (i = 0; i < SERVER_IO_THREADS; i++)
		iothread_release(&s->io[i]);
	io_close(&s->signal_fd);
	io_close(&s->wake_fd);
	io_close(&s->epoll_fd);
	serverlog_release(&s->log);
}
