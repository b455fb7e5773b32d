/*
 * bothy-fcgi: the gateway.  A FastCGI responder on a socket of its own or on
 * descriptor 0 of the web server that started it, in any number of copies;
 * and a plain CGI program when it is run as one.
 *
 * It never forks, runs no user code, and touches no document.
 */
#include "gateway.h"

#include "accept.h"
#include "listen.h"
#include "resident.h"
#include "shed.h"
#include "sitefile.h"
#include "stages.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	EXIT_USAGE = 2,
	WORKERS = 128,
	WORKERS_RESIDENT = 512,	/* each has a CGI process that waits anyway */
	WORKERS_MAX = 4096,
	QUEUE_ROOM = 128,
	LOOK_MS = 250,		/* at deadlines */
	TICK_MS = 1000,		/* at deploy.yaml, logs, idle leases */
	MAX_BODY_MB = 100,
	LONG_BYTES = 256 * 1024
};

static const char HELP[] =
    "usage: bothy-fcgi [--site DIR] [--state DIR] [--listen ADDRESS]\n"
    "                  [--workers N] [--queue N] [--max-body MB] [--dev]\n"
    "\n"
    "Runs a site's functions for a web server that speaks FastCGI or CGI.\n"
    "\n"
    "  --site DIR      where deploy.yaml lies ($BOTHY_SITE, or the directory\n"
    "                  that a file bothy.site beside this program names)\n"
    "  --state DIR     logs, sockets, builds ($BOTHY_STATE, or SITE/.bothy)\n"
    "  --listen A      unix:PATH or tcp:127.0.0.1:PORT; without it, the\n"
    "                  socket at descriptor 0, or plain CGI\n"
    "  --resident PATH a socket for bothy-dispatch alone; leaves when idle\n"
    "  --workers N     requests in flight at most (128)\n"
    "  --queue N       requests that may wait (128); past it 503\n"
    "  --max-body MB   largest request body (100); past it 413\n"
    "  --dev           show compile errors as pages\n"
    "\n"
    "SIGHUP reloads deploy.yaml, SIGUSR1 opens the logs again (within a\n"
    "second of their being moved away that happens by itself), SIGTERM\n"
    "finishes what runs and leaves.  See bothy-fcgi(8).\n";

struct options {
	struct sitefile site;
	const char *listen, *resident;
	size_t workers, queue;
	uint64_t max_body_mb;
	bool dev;
};

static int
number(const char *name, const char *s, uint64_t least, uint64_t most,
    uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(s, &end, 10);
	if (errno || end == s || *end || *s == '-' || *out < least ||
	    *out > most) {
		fprintf(stderr, "bothy-fcgi: --%s takes a number from %llu to "
		    "%llu, not %s\n", name, (unsigned long long)least,
		    (unsigned long long)most, s);
		return -1;
	}
	return 0;
}

static int
read_options(int argc, char **argv, struct options *o)
{
	static const struct option LONG[] = {{"site", 1, NULL, 's'},
	    {"state", 1, NULL, 'S'}, {"listen", 1, NULL, 'l'},
	    {"resident", 1, NULL, 'r'},
	    {"workers", 1, NULL, 'w'}, {"queue", 1, NULL, 'q'},
	    {"max-body", 1, NULL, 'b'}, {"dev", 0, NULL, 'd'},
	    {"help", 0, NULL, 'h'}, {NULL, 0, NULL, 0}};
	uint64_t n;
	int c;

	*o = (struct options){.queue = QUEUE_ROOM, .max_body_mb = MAX_BODY_MB};
	while ((c = getopt_long(argc, argv, "h", LONG, NULL)) != -1) {
		switch (c) {
		case 's':
			o->site.site = optarg;
			break;
		case 'S':
			o->site.state = optarg;
			break;
		case 'l':
			o->listen = optarg;
			break;
		case 'r':
			o->resident = optarg;
			break;
		case 'w':
			if (number("workers", optarg, 1, WORKERS_MAX, &n) < 0)
				return -1;
			o->workers = n;
			break;
		case 'q':
			if (number("queue", optarg, 1, 65536, &n) < 0)
				return -1;
			o->queue = n;
			break;
		case 'b':
			if (number("max-body", optarg, 1, 65536, &n) < 0)
				return -1;
			o->max_body_mb = n;
			break;
		case 'd':
			o->dev = true;
			break;
		case 'h':
			fputs(HELP, stdout);
			exit(0);
		default:
			return -1;
		}
	}
	if (!o->workers)
		o->workers = o->resident ? WORKERS_RESIDENT : WORKERS;
	return optind == argc ? 0 : -1;
}

/* ---- start ------------------------------------------------------------ */

static int
start(struct gateway *g, const struct options *o, struct err *e)
{
	struct invoke_options io = {.site_dir = g->site_dir,
	    .state_dir = g->state_dir,
	    .launcher = o->site.launcher};
	const char *kind = getenv("BOTHY_LAUNCHER");

	io.single = g->cgi;
	io.private_launcher = kind && strcmp(kind, "private") == 0;
	g->launcher = io.launcher;
	g->private_launcher = io.private_launcher;
	g->dev = o->dev;
	g->max_body = o->max_body_mb << 20;
	g->stage = getenv("BOTHY_STAGE");
	if (stages_init(g) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (gateway_open(g, &io, e) < 0)
		return -1;
	if (gateway_reload(g, false) < 0)
		return err_set(e, 0, " ");
	stages_look(g);
	return 0;
}

static void
stop(struct gateway *g)
{
	stages_release(g);
	gateway_close(g);
}

/* ---- plain CGI -------------------------------------------------------- */

static int
serve_cgi(struct gateway *g, const struct sitefile *s)
{
	static struct worker w;

	if (worker_init(&w, g) < 0)
		return 1;
	peer_begin_cgi(w.peer);
	exchange(&w, 0);
	peer_end(w.peer);
	worker_release(&w);
	close(STDOUT_FILENO);	/* the reply is over for the web server */
	resident_start(g, s);
	return 0;
}

/* ---- FastCGI ---------------------------------------------------------- */

/* What happens by time or by signal, until it is time to leave. */
static void
housekeeping(struct gateway *g, const sigset_t *signals)
{
	struct timespec look = {0, LOOK_MS * 1000000L};
	int64_t ticked_ms = 0, now_ms;
	int sig;

	for (;;) {
		sig = sigtimedwait(signals, NULL, &look);
		now_ms = clock_mono_ms();
		if (sig == SIGTERM || sig == SIGINT || sig == SIGXCPU)
			return;
		if (g->idle_ms && resident_is_idle(g, now_ms))
			return;
		if (sig == SIGHUP) {
			gateway_reload(g, true);
			stages_reload(g);
		}
		if (sig == SIGUSR1) {
			logs_reopen(&g->logs);
			stages_reopen(g);
		}
		deadline_check(&g->workers[0].deadline, g->nworkers,
		    sizeof *g->workers, now_ms);
		if (now_ms - ticked_ms < TICK_MS)
			continue;
		ticked_ms = now_ms;
		gateway_reload(g, false);
		logfile_look(&g->access);
		logfile_look(&g->events);
		invoke_tick(g->invoke, now_ms);
		stages_look(g);
		stages_tick(g, now_ms);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;	/* a private launcher that ended */
	}
}

static int
serve_fastcgi(struct gateway *g, const struct options *o,
    struct listener *l, const sigset_t *signals)
{
	g->nworkers = o->workers;
	if (accept_start(g) < 0 || shed_start(g) < 0 ||
	    turns_start(g, o->workers, o->queue) < 0 ||
	    workers_start(g, o->workers) < 0) {
		fprintf(stderr, "bothy-fcgi: cannot start %zu threads: %s\n",
		    o->workers, strerror(errno));
		return 1;
	}
	gateway_log(g, "info", "serving %s", g->site_dir);
	housekeeping(g, signals);
	gateway_log(g, "info", "leaving: finishing what runs");
	if (g->idle_ms)
		resident_close(g, l);
	turns_stop(g);
	accept_stop(g);
	workers_join(g);
	shed_stop();
	turns_release(g);
	return 0;
}

static void
raise_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max < 65536 ? r.rlim_max : 65536;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

/*
 * Who wakes another goes on first: the web server, the workers and the
 * children hand over several requests at a time instead of taking turns at
 * each.  The launcher and its zygotes do the same.
 */
static void
work_in_batches(void)
{
	const struct sched_param none = {0};

	sched_setscheduler(0, SCHED_BATCH, &none);
}

/* Before any thread, so that all of them inherit the mask. */
static void
block_signals(sigset_t *set, bool resident)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
	if (resident)
		sigaddset(set, SIGXCPU);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int
main(int argc, char **argv)
{
	static struct gateway g;
	struct options o;
	struct listener listener = {.fd = -1};
	struct err e = {0};
	sigset_t signals;
	int rc;

	/* A web server makes arguments of a query string: anybody's. */
	if (getenv("GATEWAY_INTERFACE") && peer_is_cgi())
		argc = 1;
	if (read_options(argc, argv, &o) < 0) {
		fputs(HELP, stderr);
		return EXIT_USAGE;
	}
	umask(077);
	if (sitefile_find(&o.site, argv[0], &e) < 0)
		goto fail;
	g.site_dir = o.site.site;
	g.state_dir = o.site.state;
	block_signals(&signals, o.resident != NULL);
	if (o.listen && listen_open(&listener, o.listen, &e) < 0)
		goto fail;
	g.cgi = !o.listen && !o.resident && peer_is_cgi();
	if (!o.listen && !o.resident && !g.cgi &&
	    listen_inherited(&listener, &e) < 0)
		goto fail;
	if (!g.cgi && peer_library() < 0)
		return 1;
	if (!g.cgi)
		raise_files();
	/* Long bodies go back to the system, not into what a thread keeps. */
	mallopt(M_MMAP_THRESHOLD, LONG_BYTES);
	if (!g.cgi && !o.resident)	/* whom many small processes wake */
		work_in_batches();
	if (start(&g, &o, &e) < 0)
		goto fail;
	if (o.resident &&
	    resident_open(&g, &listener, o.resident, &o.site, &e) < 0)
		goto fail;
	g.listen_fd = listener.fd;
	rc = g.cgi ? serve_cgi(&g, &o.site)
	           : serve_fastcgi(&g, &o, &listener, &signals);
	stop(&g);
	listen_close(&listener);
	return rc;
fail:
	if (e.text[0] && strcmp(e.text, " ") != 0)
		err_print(&e, "bothy-fcgi");
	listen_close(&listener);
	if (peer_is_cgi() && getenv("GATEWAY_INTERFACE"))
		printf("Status: 500 Internal Server Error\r\n"
		       "Content-Type: application/json\r\n\r\n"
		       "{\"message\":\"the gateway can't start; its reason is "
		       "in the web server's error log\"}");
	return 1;
}
