/*
 * bothy run: the loop of a working day.  A private web server, the gateway,
 * and an eye on the sources: what changed is built and swapped in, errors and
 * requests are shown, and Ctrl-C stops everything.
 */
#include "builder.h"
#include "cli.h"
#include "devserver.h"
#include "logshow.h"
#include "routematch.h"
#include "site.h"
#include "watch.h"

#include "store/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
	LOOK_MS = 200,		/* at the logs */
	QUIET_MS = 60,		/* without a change, before building */
	ROUTES_SHOWN = 8
};

struct options {
	const char *port, *listen;
	bool no_web;
};

static const struct opt run_opts[] = {
	{"port", 'p', OPT_VALUE, "PORT", offsetof(struct options, port),
	    "where the web server listens (8080)"},
	{"listen", 0, OPT_VALUE, "ADDRESS", offsetof(struct options, listen),
	    "and its address (127.0.0.1)"},
	{"no-web", 0, OPT_SWITCH, NULL, offsetof(struct options, no_web),
	    "only the gateway, for a web server of your own"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* All that runs while `bothy run` does. */
struct loop {
	const struct options *options;
	struct site site;
	struct devserver server;
	struct watch watch;
	struct logtail tail;
	struct logshow show;
	int signal_fd;
	int64_t changed_ms;	/* of the last change not built yet, or 0 */
	bool leave, told_full;
};

static void say(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* One line of our own between those of the logs. */
static void
say(const char *fmt, ...)
{
	va_list ap;

	fputs("bothy: ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* --- building ------------------------------------------------------------- */

/* Watches deploy.yaml's directory, and those of all sources. */
static void
watch_sources(struct loop *l)
{
	const struct conf *conf = l->site.conf;
	struct map files;
	struct err ignored;
	size_t i;

	watch_directory(&l->watch, l->site.place.site);
	map_init(&files);
	for (i = 0; i < conf->nsources; i++) {
		const char *path = conf->sources[i].path;

		if (!conf->sources[i].binary)
			map_set(&files, path, strlen(path), NULL, NULL);
	}
	for (i = 0; i < conf->nfunctions; i++) {
		const struct conf_function *f = &conf->functions[i];

		if (f->runtime == SNAP_RUNTIME_EXEC)
			map_set(&files, f->source, strlen(f->source), NULL,
			    NULL);
		else if (build_files(&l->site.build, f, &files,
		    &ignored) < 0)
			watch_directory(&l->watch, f->directory);
	}
	watch_files(&l->watch, l->site.place.site, &files);
	map_release(&files);
	if (l->watch.full && !l->told_full)
		say("not all directories can be watched; raise "
		    "fs.inotify.max_user_watches, or save deploy.yaml to "
		    "build");
	l->told_full = l->watch.full;
}

static void
tell_job(const struct job *j)
{
	const char *before = j->function->binary;

	fflush(stdout);
	builder_say(j);
	if (j->outcome == BUILD_CURRENT && before &&
	    strcmp(before, j->result.binary) != 0)
		say("%s is as it was built before", j->function->name);
	if (j->outcome == BUILD_MADE)
		say("built %s (%lld ms)", j->function->name,
		    (long long)j->ms);
	else if (j->outcome == BUILD_BROKEN)
		say("%s does not compile; its address shows why, the other "
		    "routes go on", j->function->name);
}

/* Builds what changed and tells of it. 0 or -1 with the error. */
static int
build_all(struct loop *l, struct err *e)
{
	const struct conf *conf = l->site.conf;
	struct job *jobs = builder_jobs(conf->nfunctions);
	size_t i, n = 0;

	if (!jobs)
		return err_set(e, ENOMEM, "no memory");
	for (i = 0; i < conf->nfunctions; i++) {
		if (conf->functions[i].runtime == SNAP_RUNTIME_C)
			jobs[n++].function = &conf->functions[i];
	}
	builder_run(&l->site.build, jobs, n, NULL);
	for (i = 0; i < n; i++)
		tell_job(&jobs[i]);
	builder_free(jobs, conf->nfunctions);
	return 0;
}

/*
 * Reads deploy.yaml anew, builds, writes the snapshot.  CLI_OK, or an exit
 * code with everything said: then what was there goes on.
 */
static int
refresh(struct loop *l)
{
	char id[SNAP_ID_SIZE];
	struct errlist errors;
	struct err e;
	int code;

	/* Before and after: what is written meanwhile is seen either way. */
	watch_sources(l);
	errlist_init(&errors);
	code = site_load(&l->site, &errors);
	if (code == CLI_OK) {
		if (build_all(l, &e) < 0)
			code = cli_fail(&e, CLI_FAILED);
		else
			code = site_load(&l->site, &errors);
	}
	if (code == CLI_OK && site_snapshot(&l->site, id, &e) < 0)
		code = cli_fail(&e, CLI_FAILED);
	if (errors.count) {
		fflush(stdout);
		errlist_print(&errors, stderr);
	}
	errlist_release(&errors);
	watch_sources(l);
	return code;
}

/* --- the loop ------------------------------------------------------------- */

static void
show_addresses(const struct loop *l)
{
	const struct conf *conf = l->site.conf;
	char path[1024];
	size_t i;

	if (l->options->no_web)
		say("the gateway is at %s; `bothy config` prints what a web "
		    "server needs", l->server.socket);
	else
		say("serving http://%s:%s%s/", l->server.listen,
		    l->server.port, conf->base_path);
	for (i = 0; i < conf->nroutes && i < ROUTES_SHOWN; i++) {
		const struct conf_route *r = &conf->routes[i];

		if (r->kind == SNAP_KIND_DEFAULT || l->options->no_web)
			continue;
		routematch_path(r, path, sizeof path);
		printf("  %-6s http://%s:%s%s%s  %s\n",
		    snapshot_method_name(r->method), l->server.listen,
		    l->server.port, conf->base_path, path,
		    conf->functions[r->function].name);
	}
	if (conf->nroutes > ROUTES_SHOWN)
		printf("  and %zu more: `bothy routes`\n",
		    conf->nroutes - ROUTES_SHOWN);
	say("Ctrl-C stops everything; requests:");
}

static void
take_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->signal_fd, &info, sizeof info) ==
	    (ssize_t)sizeof info) {
		if (info.ssi_signo != SIGCHLD)
			l->leave = true;
	}
}

/* Builds once nothing has changed for a moment. */
static void
take_changes(struct loop *l)
{
	int64_t now_ms = clock_mono_ms();

	if (watch_changed(&l->watch))
		l->changed_ms = now_ms;
	if (!l->changed_ms || now_ms - l->changed_ms < QUIET_MS)
		return;
	l->changed_ms = 0;
	if (refresh(l) == CLI_OK)
		devserver_reload(&l->server);
	else
		say("the site goes on as it was");
}

static int
loop(struct loop *l)
{
	struct pollfd p[2] = {{.fd = l->signal_fd, .events = POLLIN},
	    {.fd = l->watch.fd, .events = POLLIN}};
	struct err e;
	int wait_ms;

	while (!l->leave) {
		wait_ms = l->changed_ms ? QUIET_MS : LOOK_MS;
		if (poll(p, 2, wait_ms) < 0 && errno != EINTR)
			break;
		take_signals(l);
		take_changes(l);
		logtail_read(&l->tail, 0, logshow_entry, &l->show);
		fflush(stdout);
		if (!l->leave && devserver_look(&l->server, &e) < 0)
			return cli_fail(&e, CLI_FAILED);
	}
	return CLI_OK;
}

static void
ignore_entry(void *arg, const struct logentry *entry)
{
	(void)arg;
	(void)entry;
}

/* SIGINT, SIGTERM, SIGHUP and SIGCHLD come by a descriptor. */
static int
open_signals(struct loop *l, struct err *e)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->signal_fd < 0)
		return err_sys(e, "cannot wait for signals");
	return 0;
}

/* With the site open: starts everything, loops, stops everything. */
static int
serve(struct cli *c, struct loop *l)
{
	struct devserver_options so = {l->options->listen, l->options->port,
	    l->options->no_web};
	struct err e;
	int code;

	if (site_builder(c, &l->site, BUILD_RELEASE, &e) < 0)
		return cli_fail(&e, CLI_MISSING);
	if (devserver_open(&l->server, &l->site.place, &so, &e) < 0)
		return cli_fail(&e, e.code == ENOENT ? CLI_MISSING :
		    CLI_FAILED);
	code = CLI_FAILED;
	if (open_signals(l, &e) < 0 || watch_open(&l->watch, &e) < 0 ||
	    logtail_open(&l->tail, l->site.place.state, NULL, &e) < 0) {
		cli_fail(&e, CLI_FAILED);
		goto out;
	}
	logshow_init(&l->show, l->site.place.state, false);
	l->show.quiet = true;
	logtail_read(&l->tail, 0, ignore_entry, NULL);
	code = refresh(l);
	if (code == CLI_OK) {
		if (devserver_start(&l->server, l->site.conf->base_path, &e)
		    < 0)
			code = cli_fail(&e, CLI_FAILED);
		else {
			show_addresses(l);
			code = loop(l);
			say("stopping");
		}
	}
out:
	devserver_close(&l->server);
	logtail_close(&l->tail);
	return code;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	struct loop l = {.options = values, .signal_fd = -1,
	    .watch.fd = -1};
	int code;

	(void)argc;
	(void)argv;
	code = site_open(c, &l.site, false);
	if (code != CLI_OK)
		return code;
	/* The gateway takes the stage from its environment. */
	if (c->stage && setenv("BOTHY_STAGE", c->stage, 1) < 0)
		code = CLI_FAILED;
	else
		code = serve(c, &l);
	watch_close(&l.watch);
	if (l.signal_fd >= 0)
		close(l.signal_fd);
	site_close(&l.site);
	return code;
}

const struct command command_run = {
	.name = "run",
	.arguments = "",
	.summary = "serve the site here, rebuild what changes",
	.help =
	    "Serves the site with a private lighttpd and the gateway, "
	    "builds what changes and swaps it in, shows requests and "
	    "logs, until Ctrl-C stops everything. Needs no root; writes "
	    "only to the state directory.",
	.opts = run_opts,
	.size = sizeof(struct options),
	.run = run,
};
