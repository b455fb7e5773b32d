/*
 * Worker threads: take a connection that has a request, walk it, take the
 * next.
 */
#include "gateway.h"

#include "accept.h"
#include "shed.h"

#include "store/base/clock.h"

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
	BODY_MAX = 128 * 1024
};

int
worker_init(struct worker *w, struct gateway *g)
{
	*w = (struct worker){.g = g};
	deadline_init(&w->deadline);
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
	peer_free(w->peer);
	run_free(w->run);
}

static void
serve(struct worker *w, int fd, int64_t wait_us)
{
	if (wait_us > QUEUE_WAIT_US) {
		shed(w->g, fd);
		return;
	}
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
		accept_again(w->g, fd);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	int64_t wait_us;
	int fd;

	while ((fd = accept_next(w->g, &wait_us)) >= 0) {
		serve(w, fd, wait_us);
		accept_done(w->g);
	}
	return NULL;
}

int
workers_start(struct gateway *g, size_t n)
{
	pthread_attr_t attr;
	size_t i;

	g->workers = calloc(n, sizeof *g->workers);
	if (!g->workers)
		return -1;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (i = 0; i < n; i++) {
		struct worker *w = &g->workers[i];

		if (worker_init(w, g) < 0 ||
		    pthread_create(&w->thread, &attr, worker_main, w) != 0)
			break;
	}
	pthread_attr_destroy(&attr);
	return i == n ? 0 : -1;
}

/* Nobody looks at deadlines any more, so whoever waits does. */
static void
join(struct gateway *g, pthread_t thread)
{
	struct timespec until;

	do {
		deadline_check(&g->workers[0].deadline, g->nworkers,
		    sizeof *g->workers, clock_mono_ms());
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
	} while (pthread_timedjoin_np(thread, NULL, &until) == ETIMEDOUT);
}

void
workers_join(struct gateway *g)
{
	size_t i;

	for (i = 0; i < g->nworkers; i++)
		join(g, g->workers[i].thread);
	for (i = 0; i < g->nworkers; i++)
		worker_release(&g->workers[i]);
	free(g->workers);
	g->workers = NULL;
	g->nworkers = 0;
}
