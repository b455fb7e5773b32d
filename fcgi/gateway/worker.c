/*
 * Worker threads: take a connection that has a request, walk it, take the
 * next.  They are started as they are needed: under mod_fcgid a copy of the
 * gateway has one request at a time, and there are many copies.
 */
#include "gateway.h"

#include "accept.h"

#include "store/base/clock.h"
#include "store/wire/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
#ifdef __SANITIZE_THREAD__	/* which keeps its own state there */
	STACK_BYTES = 2048 * 1024,
#else
	STACK_BYTES = 320 * 1024,
#endif
	HEAD_MAX = 1 << 20,
	BODY_MAX = 128 * 1024,
	STARTED_FIRST = 4
};

int
worker_init(struct worker *w, struct gateway *g)
{
	w->front = w->g = g;
	params_init(&w->params);
	path_init(&w->path);
	cgienv_init(&w->env);
	reply_init(&w->reply);
	spool_init(&w->spool, g->scratch_fd);
	fnlog_init(&w->fnlog, &g->logs);
	accesslog_init(&w->access);
	reqid_init(&w->ids);
	buf_init(&w->head, HEAD_MAX);
	buf_init(&w->body, BODY_MAX);
	buf_init(&w->token, FRAME_TOKEN_MAX);
	session_init(&w->aws);
	w->peer = peer_new();
	w->run = run_new();
	return w->peer && w->run ? 0 : -1;
}

void
worker_release(struct worker *w)
{
	params_release(&w->params);
	path_release(&w->path);
	cgienv_release(&w->env);
	reply_release(&w->reply);
	spool_release(&w->spool);
	fnlog_release(&w->fnlog);
	accesslog_release(&w->access);
	buf_release(&w->head);
	buf_release(&w->body);
	buf_release(&w->token);
	session_release(&w->aws);
	peer_free(w->peer);
	run_free(w->run);
}

static void
serve(struct worker *w, int fd, int64_t wait_us)
{
	deadline_set(&w->deadline, fd, DEADLINE_PARAMS_MS);
	if (peer_begin(w->peer, fd) < 0) {
		deadline_clear(&w->deadline);
		return;
	}
	deadline_clear(&w->deadline);
	exchange(w, wait_us);
	deadline_set(&w->deadline, peer_fd(w->peer), DEADLINE_WRITE_MS);
	fd = peer_end(w->peer);
	deadline_clear(&w->deadline);
	if (fd >= 0)
		accept_again(w->front, fd);
	run_rest(w->run);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	int64_t wait_us;
	int fd;

	for (;;) {
		turns_take(w);
		fd = accept_next(w->front, &wait_us);
		if (fd < 0)
			return NULL;
		turns_begin(w);
		serve(w, fd, wait_us);
		turns_end(w);
		accept_done(w->front);
	}
}

/* One more, with workers_lock held: 0 or -1. */
static int
start_one(struct gateway *g)
{
	struct worker *w = &g->workers[atomic_load(&g->started)];
	pthread_attr_t attr;
	int rc;

	if (worker_init(w, g) < 0)
		return -1;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	rc = pthread_create(&w->thread, &attr, worker_main, w);
	pthread_attr_destroy(&attr);
	if (rc != 0) {
		worker_release(w);
		errno = rc;
		return -1;
	}
	atomic_fetch_add(&g->started, 1);
	return 0;
}

int
workers_start(struct gateway *g, size_t n)
{
	size_t i;
	int rc = 0;

	g->workers = calloc(n, sizeof *g->workers);
	if (!g->workers)
		return -1;
	pthread_mutex_init(&g->workers_lock, NULL);
	for (i = 0; i < n; i++)
		deadline_init(&g->workers[i].deadline);
	/* The first ones may ask for more before the last is there. */
	pthread_mutex_lock(&g->workers_lock);
	for (i = 0; rc == 0 && i < n && i < STARTED_FIRST; i++)
		rc = start_one(g);
	pthread_mutex_unlock(&g->workers_lock);
	return rc;
}

void
workers_more(struct gateway *g)
{
	size_t started;

	pthread_mutex_lock(&g->workers_lock);
	started = atomic_load(&g->started);
	if (started < g->nworkers && atomic_load(&g->busy) >= started &&
	    !atomic_load(&g->stopping))
		atomic_store(&g->no_more, start_one(g) < 0);
	if (atomic_load(&g->no_more) && g->told_workers != started) {
		g->told_workers = started;	/* not at each request */
		gateway_log(g, "warning", "going on with %zu workers, no "
		    "more can be started: %s", started, strerror(errno));
	}
	pthread_mutex_unlock(&g->workers_lock);
}

/* Nobody looks at deadlines and the queue any more, so whoever waits does. */
static void
join(struct gateway *g, pthread_t thread)
{
	struct timespec until;

	do {
		deadline_check(&g->workers[0].deadline, g->nworkers,
		    sizeof *g->workers, clock_mono_ms());
		turns_shed_overdue(g);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
	} while (pthread_timedjoin_np(thread, NULL, &until) == ETIMEDOUT);
}

void
workers_join(struct gateway *g)
{
	size_t i, started;

	/* Nobody starts one any more once `stopping` is set. */
	pthread_mutex_lock(&g->workers_lock);
	started = atomic_load(&g->started);
	pthread_mutex_unlock(&g->workers_lock);
	for (i = 0; i < started; i++)
		join(g, g->workers[i].thread);
	for (i = 0; i < started; i++)
		worker_release(&g->workers[i]);
	free(g->workers);
	g->workers = NULL;
	g->nworkers = 0;
}
