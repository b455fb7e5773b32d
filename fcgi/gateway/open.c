/*
 * What a gateway has for one site: its state directory, logs, counters, the
 * connections to its launcher and its store.  A stage has the same.
 */
#include "gateway.h"

#include "fcgi/release/release.h"
#include "store/base/io.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_directory(const char *state, const char *name)
{
	char path[4096];
	struct err e;

	snprintf(path, sizeof path, "%s/%s", state, name);
	if (io_mkdirs(path, 0700, &e) < 0)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The state directory, and what of it a web server of another user reaches. */
static int
open_directories(struct gateway *g, struct err *e)
{
	int run_fd;

	if (io_mkdirs(g->state_dir, 0711, e) < 0)
		return -1;
	g->state_fd = open(g->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	run_fd = open_directory(g->state_dir, "run");
	if (g->state_fd < 0 || run_fd < 0) {
		io_close(&run_fd);
		return err_sys(e,
		    "cannot write in %s; give another place with --state",
		    g->state_dir);
	}
	fchmod(g->state_fd, 0711);
	fchmod(run_fd, 0711);
	close(run_fd);
	g->scratch_fd = open_directory(g->state_dir, "run/spool");
	return 0;
}

static int
open_logs(struct gateway *g, struct err *e)
{
	char log[4096];

	snprintf(log, sizeof log, "%s/log", g->state_dir);
	if (logs_open(&g->logs, log, e) < 0 ||
	    logfile_open(&g->access, &g->logs, "access.jsonl", e) < 0 ||
	    (!g->cgi &&
		logfile_open(&g->events, &g->logs, "gateway.jsonl", e) < 0))
		return -1;
	g->stats = stats_open(g->state_dir, e);
	if (!g->stats)
		gateway_log(
		    g, "warning", "going on without counters: %s", e->text);
	g->aws_slot = stats_slot(g->stats, "(dynamodb)");
	return 0;
}

static void
close_logs(struct gateway *g)
{
	stats_close(g->stats);
	logfile_close(&g->access);
	if (!g->cgi)
		logfile_close(&g->events);
	logs_close(&g->logs);
	io_close(&g->scratch_fd);
	io_close(&g->state_fd);
}

int
gateway_open(struct gateway *g, const struct invoke_options *o, struct err *e)
{
	struct err trouble;

	g->state_fd = g->scratch_fd = g->logs.dir_fd = -1;
	g->access.fd = g->events.fd = -1;
	if (open_directories(g, e) < 0 || open_logs(g, e) < 0 ||
	    storage_init(&g->storage, g->state_dir, e) < 0)
		goto fail_logs;
	if (endpoint_init(&g->aws, g->state_dir, g->storage.place.socket, e) <
	    0)
		goto fail_storage;
	/* Of a push that was killed: what serves is as good. */
	if (release_reconcile(g->site_dir, &trouble) < 0 && !g->cgi)
		gateway_log(g, "warning",
		    "what was pushed last is not live: %s", trouble.text);
	g->invoke = invoke_new(o, e);
	if (!g->invoke)
		goto fail_endpoint;
	pthread_mutex_init(&g->reload_lock, NULL);
	pthread_rwlock_init(&g->site_lock, NULL);
	return 0;
fail_endpoint:
	endpoint_release(&g->aws);
fail_storage:
	storage_release(&g->storage);
fail_logs:
	close_logs(g);
	return -1;
}

void
gateway_close(struct gateway *g)
{
	site_release(g->site);
	pthread_rwlock_destroy(&g->site_lock);
	pthread_mutex_destroy(&g->reload_lock);
	invoke_free(g->invoke);
	endpoint_release(&g->aws);
	storage_release(&g->storage);
	close_logs(g);
}
