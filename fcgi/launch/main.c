/*
 * bothy-launch: one a site, started on first use by the gateway or the CLI,
 * detached, the only parent of function processes.  It leaves when idle.
 *
 *   bothy-launch --site DIR --state DIR     the daemon (returns when it listens)
 *   bothy-launch ... --foreground           the same, not detached
 *   bothy-launch ... --client FD            serves the one client at FD
 *
 * Started as a zygote it is the runner of an exec function (runner.h).
 */
#include "containment.h"
#include "identity.h"
#include "launcher.h"
#include "runner.h"
#include "schedule.h"
#include "scratchdir.h"

#include "functions/sdk/zygote.h"
#include "store/base/clock.h"
#include "store/base/daemon.h"
#include "store/base/io.h"
#include "store/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, BACKLOG = 1024, HIGH_FD = 20, ID_BITS = 20 };

static const char HELP[] =
    "usage: bothy-launch --site DIR --state DIR [--foreground | --client FD]\n"
    "the parent of a site's functions; started by bothy-fcgi and bothy\n";

struct options {
	const char *site, *state;
	int foreground, client_fd;
};

static int
read_options(int argc, char **argv, struct options *o)
{
	static const struct option LONG[] = {{"site", 1, NULL, 's'},
	    {"state", 1, NULL, 'S'}, {"foreground", 0, NULL, 'f'},
	    {"client", 1, NULL, 'c'}, {"help", 0, NULL, 'h'},
	    {NULL, 0, NULL, 0}};
	int c;

	*o = (struct options){.client_fd = -1};
	while ((c = getopt_long(argc, argv, "h", LONG, NULL)) != -1) {
		if (c == 's')
			o->site = optarg;
		else if (c == 'S')
			o->state = optarg;
		else if (c == 'f')
			o->foreground = 1;
		else if (c == 'c')
			o->client_fd = atoi(optarg);
		else {
			fputs(HELP, c == 'h' ? stdout : stderr);
			exit(c == 'h' ? 0 : EXIT_USAGE);
		}
	}
	return o->site && o->state && optind == argc ? 0 : -1;
}

/* Makes the directories that the launcher writes in. */
static int
open_state(struct launcher *l, struct err *e)
{
	static const char *const DIRS[] = {"run", "log", "scratch"};
	char path[4096];
	size_t i;

	for (i = 0; i < sizeof DIRS / sizeof *DIRS; i++) {
		snprintf(path, sizeof path, "%s/%s", l->state_dir, DIRS[i]);
		if (io_mkdirs(path, i == 2 ? 0711 : 0700, e) < 0)
			return -1;
	}
	l->state_fd = open(l->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->state_fd < 0)
		return err_sys(e, "cannot open %s", l->state_dir);
	l->state_fd = io_raise_fd(l->state_fd, HIGH_FD);
	return 0;
}

/* 0 with the lock held, 1 if another launcher has it, -1. */
static int
lock(struct launcher *l, struct err *e)
{
	int fd = openat(l->state_fd, "run/launch.lock",
	    O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "cannot open %s/run/launch.lock",
		    l->state_dir);
	fd = io_raise_fd(fd, HIGH_FD);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	close(fd);
	if (errno == EWOULDBLOCK)
		return 1;
	return err_sys(e, "cannot lock %s/run/launch.lock", l->state_dir);
}

static int
listen_here(struct launcher *l, struct err *e)
{
	int run_fd = openat(l->state_fd, "run",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = -1;

	if (key_make(l->state_dir, l->key, e) < 0) {
		io_close(&run_fd);
		return -1;
	}
	if (run_fd >= 0)
		fd = sock_listen_at(run_fd, "launch.sock",
		    SOCK_SEQPACKET | SOCK_NONBLOCK, 0600, BACKLOG);
	if (fd < 0)
		return err_sys(e, "cannot listen at %s/run/launch.sock",
		    l->state_dir);
	close(run_fd);
	l->listener = (struct source){io_raise_fd(fd, HIGH_FD), client_accept};
	return loop_add(l, &l->listener);
}

static void
signal_ready(struct launcher *l, struct source *s, uint32_t events)
{
	struct signalfd_siginfo si;

	(void)events;
	while (read(s->fd, &si, sizeof si) == sizeof si)
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			loop_leave(l);
}

static int
watch_signals(struct launcher *l, struct err *e)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "cannot watch signals");
	l->signals = (struct source){io_raise_fd(fd, HIGH_FD), signal_ready};
	return loop_add(l, &l->signals);
}

/*
 * We outlive whoever started us, so we keep nothing of theirs open: a web
 * server's sockets, a CGI program's pipes.
 */
static int
close_inherited(struct options *o)
{
	unsigned first = 3;

	if (o->client_fd >= 0) {
		if (dup2(o->client_fd, 3) < 0)
			return -1;
		o->client_fd = 3;
		first = 4;
	}
	return close_range(first, ~0U, 0);
}

/* Descriptors for all children; the shell's soft limit is often 1,024. */
static void
raise_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max < 65536 ? r.rlim_max : 65536;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

/* As the gateway does (sched(7)); zygotes and children, too. */
static void
work_in_batches(void)
{
	schedule_thread(0, SCHEDULE_USUAL);
}

static int
prepare(struct launcher *l, const struct options *o,
    struct containment *containment, struct err *e)
{
	struct client *client;
	int rc;

	if (open_state(l, e) < 0)
		return -1;
	if (o->client_fd < 0 && (rc = lock(l, e)) != 0)
		return rc;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0)
		return err_sys(e, "cannot make an epoll set");
	l->epoll_fd = io_raise_fd(l->epoll_fd, HIGH_FD);
	raise_files();
	work_in_batches();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (containment_init(containment, e) < 0)
		return -1;
	l->containment = containment;
	if (watch_signals(l, e) < 0)
		return -1;
	scratchdir_clean(l->state_dir);
	if (o->client_fd < 0)
		return listen_here(l, e);
	l->private_client = true;
	fcntl(o->client_fd, F_SETFD, FD_CLOEXEC);
	client = client_add(l, io_raise_fd(o->client_fd, HIGH_FD));
	if (client)
		client->proven = true;	/* it holds the other end */
	return client ? 0 : -1;
}

int
main(int argc, char **argv)
{
	static struct launcher l;
	static struct containment containment;
	struct options o;
	struct err e = {0};
	int ready_fd = -1, rc;

	if (zygote_wanted())
		return runner_run();
	if (read_options(argc, argv, &o) < 0) {
		fputs(HELP, stderr);
		return EXIT_USAGE;
	}
	umask(077);
	if (close_inherited(&o) < 0) {
		perror("bothy-launch: cannot use the descriptor of --client");
		return 1;
	}
	l.site_dir = o.site;
	l.state_dir = o.state;
	l.listener.fd = l.state_fd = -1;
	l.first_id = l.last_id = (uint64_t)clock_wall_ms() / 1000 << ID_BITS;
	if (!o.foreground && o.client_fd < 0 &&
	    (ready_fd = daemon_detach(HIGH_FD)) < 0) {
		perror("bothy-launch: cannot detach");
		return 1;
	}
	rc = prepare(&l, &o, &containment, &e);
	if (rc < 0) {
		err_print(&e, "bothy-launch");
		launchlog(&l, "error", "cannot start: %s", e.text);
		return 1;
	}
	daemon_ready(&ready_fd);
	if (rc > 0)
		return 0;	/* another launcher is there already */
	l.busy_ms = clock_mono_ms();
	launchlog(&l, "info", "started, containment %s",
	    contain_name(containment.probe.rung));
	rc = loop_run(&l);
	containment_release(&containment);
	launchlog(&l, "info", "left");
	return rc < 0;
}
