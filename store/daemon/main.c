/*
 * bothy-store: owns one store directory.  Started on first use by the gateway
 * or the command line, never by a function; detached; leaves when idle.  It
 * never runs user code, and nothing that a peer sends ends it.
 */
#include "owner.h"
#include "server.h"

#include "store/base/clock.h"
#include "store/base/daemon.h"
#include "store/base/io.h"
#include "store/base/sock.h"
#include "store/engine/mirrors.h"
#include "store/op/op_later.h"
#include "store/value/fault.h"
#include "store/wire/frame.h"
#include "store/wire/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	EXIT_USAGE = 2,
	HIGH_FD = 20,
	FILES_WANTED = 8192,
	FILES_OF_STORE = 128,		/* what it may have open itself */
	LOOK_AGAIN_MS = 10,
	/* Another has the lock and no socket: it recovers, or leaves. */
	OTHER_PATIENCE_MS = 5 * 60 * 1000,
	HELLO_MS = 2000,
	LONG_BYTES = 1 << 20,
	IDLE_UNTOLD = -1
};

static const char HELP[] =
    "usage: bothy-store --dir DIR [--socket PATH] [--foreground]\n"
    "           [--idle SECONDS] [--checkpoint-ms N] [--ttl-sweep-ms N]\n"
    "           [--segment-bytes N] [--read-only] [--force] [--from URL]\n"
    "           [--relay ENDPOINT --region REGION]\n"
    "the documents of a site; started by bothy-fcgi and bothy\n";

struct options {
	const char *dir, *socket;	/* NULL: store.sock in dir */
	const char *from;		/* a mirror that it is made of */
	const char *relay, *region;	/* where the documents are instead */
	char hook_program[PATH_MAX];
	bool foreground;
	int64_t idle_s;
	struct store_options store;
};

/* --- options -------------------------------------------------------------------- */

static int
read_number(const char *text, int64_t least, int64_t most, int64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoll(text, &end, 10);
	return errno || end == text || *end || *n < least || *n > most ? -1
	                                                               : 0;
}

static int
read_option(int c, struct options *o)
{
	int64_t n;

	switch (c) {
	case 'd':
		o->dir = optarg;
		return 0;
	case 'S':
		o->socket = optarg;
		return *optarg == '/' ? 0 : -1;
	case 'm':
		o->from = optarg;
		return 0;
	case 'R':
		o->relay = optarg;
		return 0;
	case 'g':
		o->region = optarg;
		return 0;
	case 'f':
		o->foreground = true;
		return 0;
	case 'r':
		o->store.read_only = true;
		return 0;
	case 'F':
		o->store.force = true;
		return 0;
	case 'i':
		return read_number(optarg, 0, INT32_MAX, &o->idle_s);
	case 't':
		return read_number(optarg, 1, INT32_MAX,
		    &o->store.ttl_sweep_ms);
	case 'c':
		return read_number(optarg, -1, INT32_MAX,
		    &o->store.checkpoint_ms);
	case 's':
		if (read_number(optarg, 1, UINT32_MAX, &n) < 0)
			return -1;
		o->store.segment_bytes = (uint32_t)n;
		return 0;
	}
	return -1;
}

static int
read_options(int argc, char **argv, struct options *o)
{
	static const struct option LONG[] = {{"dir", 1, NULL, 'd'},
	    {"socket", 1, NULL, 'S'}, {"from", 1, NULL, 'm'},
	    {"relay", 1, NULL, 'R'}, {"region", 1, NULL, 'g'},
	    {"foreground", 0, NULL, 'f'}, {"idle", 1, NULL, 'i'},
	    {"ttl-sweep-ms", 1, NULL, 't'}, {"checkpoint-ms", 1, NULL, 'c'},
	    {"segment-bytes", 1, NULL, 's'}, {"read-only", 0, NULL, 'r'},
	    {"force", 0, NULL, 'F'}, {"help", 0, NULL, 'h'},
	    {NULL, 0, NULL, 0}};
	int c;

	*o = (struct options){.idle_s = IDLE_UNTOLD};
	while ((c = getopt_long(argc, argv, "h", LONG, NULL)) != -1) {
		if (c == 'h') {
			fputs(HELP, stdout);
			exit(0);
		}
		if (read_option(c, o) < 0)
			return -1;
	}
	return o->dir && optind == argc &&
	        !(o->from && o->store.read_only) && !o->relay == !o->region
	    ? 0
	    : -1;
}

/* --- descriptors ------------------------------------------------------------------ */

/*
 * Descriptors for connections and files; the soft limit is often 1,024.  Where
 * there are few, connections get no more than the store can spare.
 */
static void
share_files(struct server_limits *l)
{
	rlim_t spared;
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	if (r.rlim_cur < FILES_WANTED) {
		r.rlim_cur = r.rlim_max < FILES_WANTED ? r.rlim_max
		                                       : FILES_WANTED;
		setrlimit(RLIMIT_NOFILE, &r);
	}
	spared = r.rlim_cur > 2 * FILES_OF_STORE ? r.rlim_cur - FILES_OF_STORE
	                                         : r.rlim_cur / 2;
	if (spared < l->connections)
		l->connections = (unsigned)spared;
}

/* --- the store, or whoever has it ------------------------------------------------------ */

/* The directory of the socket, and its name there; or -1. */
static int
open_place(const struct options *o, char name[SERVER_NAME_SIZE])
{
	const char *slash = o->socket ? strrchr(o->socket, '/') : NULL;
	char dir[PATH_MAX];

	snprintf(name, SERVER_NAME_SIZE, "%s", slash ? slash + 1
	                                             : "store.sock");
	if (slash)
		snprintf(dir, sizeof dir, "%.*s",
		    (int)(slash - o->socket + 1), o->socket);
	return open(slash ? dir : o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* True if a daemon says hello at the socket. */
static bool
another_answers(const struct options *o)
{
	char name[SERVER_NAME_SIZE];
	int dir_fd = open_place(o, name), fd = -1;
	struct pollfd p;
	char byte;
	bool yes;

	if (dir_fd >= 0)
		fd = sock_connect_at(dir_fd, name, SOCK_STREAM);
	io_close(&dir_fd);
	p = (struct pollfd){fd, POLLIN, 0};
	yes = fd >= 0 && poll(&p, 1, HELLO_MS) == 1 &&
	    recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
	io_close(&fd);
	return yes;
}

/*
 * Opens the store.  Where another has the lock: NULL and code 0 once that one
 * answers; and if it leaves instead, it is our turn.
 */
static struct store *
open_store(const struct options *o, struct err *e)
{
	static const struct timespec PAUSE = {0, LOOK_AGAIN_MS * 1000000L};
	int64_t until_ms = clock_mono_ms() + OTHER_PATIENCE_MS;
	struct store *s;

	for (;;) {
		s = store_open(o->dir, &o->store, e);
		if (s || e->code != FAULT_BUSY)
			return s;
		if (another_answers(o)) {
			e->code = 0;
			return NULL;
		}
		if (clock_mono_ms() > until_ms || server_is_signalled())
			return NULL;
		nanosleep(&PAUSE, NULL);
	}
}

/* How far a long start is: to who watches; `all` 0: nobody knows. */
static void
show_progress(void *arg, const char *what, uint64_t done, uint64_t all)
{
	(void)arg;
	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\rbothy-store: %s, %" PRIu64, what, done);
	if (all)
		fprintf(stderr, " of %" PRIu64, all);
	fputs(all && done >= all ? "   \n" : "   ", stderr);
}

static bool
is_stopped(void *arg)
{
	(void)arg;
	return server_is_signalled();
}

/* Makes the store first, and says up to when it has everything. */
static int
make(const struct options *o, struct err *e)
{
	struct history_commit tip;
	char time[CLOCK_ISO_SIZE];

	if (!o->from)
		return 0;
	if (store_from_mirror(o->dir, o->from, &o->store, &tip, e) < 0)
		return -1;
	clock_iso(tip.time_ms, time);
	fprintf(stderr, "bothy-store: made of a mirror as it was at %s, "
	    "position %" PRIu64 ", commit %s\n", time, tip.position,
	    tip.id.hex);
	return 0;
}

/* Where documents are: as an option says, or the settings of the store. */
static int
open_relay(struct server *server, const struct options *o, struct err *e)
{
	struct settings settings;

	if (o->relay)
		return relays_fix(&server->relays, o->relay, o->region, e);
	if (settings_load(o->dir, &settings, e) < 0)
		return -1;
	relays_begin(&server->relays, &settings);
	settings_release(&settings);
	return 0;
}

static int
prepare(struct server *server, const struct options *o, struct err *e)
{
	char path[PATH_MAX];

	server->idle_ms = o->idle_s == IDLE_UNTOLD ? SERVER_IDLE_AS_SET
	                                           : o->idle_s * 1000;
	server->dir_fd = open(o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (server->dir_fd < 0)
		return err_sys(e, "cannot open %s", o->dir);
	server->place_fd = open_place(o, server->socket);
	if (server->place_fd < 0)
		return err_sys(e, "cannot open the directory of %s",
		    o->socket ? o->socket : o->dir);
	snprintf(path, sizeof path, "%s/key", o->dir);
	if (secret_make(path, server->secret, e) < 0)
		return -1;
	return server_open(server, e);
}

/*
 * What somebody removed while no daemon ran: documents' files, some of which
 * may be there again by now, and the history.
 */
static void
tell_removed(struct server *server)
{
	struct store_stat st;

	store_stat(server->store, &st);
	if (st.brought)
		serverlog_say(&server->log, "warning", "%" PRIu64 " documents "
		    "had no file and came back from the history; `bothy store "
		    "check` names those that still have none", st.brought);
	if (st.history_lost)
		serverlog_say(&server->log, "warning", "history.git is gone or "
		    "empty, and was not when the store was last open: it is "
		    "begun anew, and backups, logs and restores reach back to "
		    "now only; to have the old one, stop the store and put it "
		    "back from a mirror, a clone or a backup of the disk");
}

static void
tell_dropped(void *ctx, const char *table, const struct err *why)
{
	struct server *server = ctx;

	serverlog_say(&server->log, "warning", "table %s was being imported or "
	    "restored when the daemon before was killed; %s%s", table,
	    why ? "it can't be removed: " : "it is removed, begin again",
	    why ? why->text : "");
}

static int
serve(struct server *server, const struct options *o, int64_t opened_ms,
    int *ready_fd, struct err *e)
{
	if (prepare(server, o, e) < 0)
		return -1;
	op_later_sweep(server->store, tell_dropped, server);
	daemon_ready(ready_fd);
	serverlog_say(&server->log, "info", "serving %s%s as pid %d; opened in "
	    "%" PRId64 " ms", o->dir, o->store.read_only ? " read-only" : "",
	    (int)getpid(), opened_ms);
	tell_removed(server);
	server_run(server);
	serverlog_say(&server->log, "info", "leaving");
	server_close(server);
	return 0;
}

static int
run(struct options *o, int *ready_fd, struct err *e)
{
	static struct server server;
	int64_t begin_ms = clock_mono_ms();
	int rc;

	server_init(&server);
	if (owner_become(o->dir, e) < 0)
		return -1;
	share_files(&server.limits);
	/* Long frames go back to the system, not into what a thread keeps. */
	mallopt(M_MMAP_THRESHOLD, LONG_BYTES);
	server_block_signals();
	o->store.progress = show_progress;
	o->store.stopped = is_stopped;
	o->store.push_helper = "/proc/self/exe";
	if (daemon_beside("bothy", o->hook_program, sizeof o->hook_program,
	        e) < 0)
		return -1;
	o->store.hook_program = o->hook_program;
	if (open_relay(&server, o, e) < 0 || make(o, e) < 0)
		return -1;
	server.store = open_store(o, e);
	if (!server.store) {
		if (e->code == 0)
			daemon_ready(ready_fd);
		return e->code == 0 ? 0 : -1;
	}
	rc = serve(&server, o, clock_mono_ms() - begin_ms, ready_fd, e);
	store_close(server.store);
	server_release(&server);
	relays_release(&server.relays);
	io_close(&server.place_fd);
	io_close(&server.dir_fd);
	return rc;
}

int
main(int argc, char **argv)
{
	struct options o;
	struct err e = {0};
	int ready_fd = -1;

	if (argc > 1 && strcmp(argv[1], "history-push") == 0)
		return history_push_main(argc, argv);
	if (read_options(argc, argv, &o) < 0) {
		fputs(HELP, stderr);
		return EXIT_USAGE;
	}
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* We keep nothing open that was theirs. */
	if (!o.foreground && (close_range(3, ~0U, 0) < 0 ||
	                         (ready_fd = daemon_detach(HIGH_FD)) < 0)) {
		perror("bothy-store: cannot detach");
		return 1;
	}
	if (run(&o, &ready_fd, &e) == 0)
		return 0;
	err_print(&e, "bothy-store");
	return 1;
}
