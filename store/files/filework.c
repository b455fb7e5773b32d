/*
 * The file threads as filework.h describes them: what others call.
 */
#include "filework_internal.h"

#include "store/base/clock.h"
#include "store/base/plant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int start_threads(struct filework *w, struct err *e);
static void lock_init(struct filework *w);
static bool has_room(const struct filework *w, uint64_t unused);
static bool has_applied(const struct filework *w, uint64_t position);
static bool has_none(const struct filework *w, uint64_t unused);
static uint64_t applied(const struct filework *w);
static bool wait_until(struct filework *w,
    bool (*is)(const struct filework *w, uint64_t position),
    uint64_t position, int timeout_ms);
static void wake(struct filework *w);

struct filework *
filework_new(struct files *f, const struct filework_options *o, struct err *e)
{
	struct filework *w = calloc(1, sizeof *w);

	if (!w) {
		err_set(e, ENOMEM, "no memory for the file threads");
		return NULL;
	}
	w->files = f;
	w->options = *o;
	if (!o->threads)
		w->options.threads = FILEWORK_THREADS;
	if (!o->max_documents)
		w->options.max_documents = FILEWORK_DOCUMENTS;
	if (!o->max_bytes)
		w->options.max_bytes = FILEWORK_BYTES;
	w->reached = o->position;
	if (getrandom(&w->seed, sizeof w->seed, GRND_NONBLOCK) == -1)
		w->seed = (uint64_t)clock_mono_us();
	buf_init(&w->draft.rendered, FILEWORK_RENDERED_MAX);
	TAILQ_INIT(&w->order);
	TAILQ_INIT(&w->ready);
	TAILQ_INIT(&w->urgent);
	TAILQ_INIT(&w->later);
	map_init(&w->tables);
	lock_init(w);
	if (start_threads(w, e) == 0)
		return w;
	filework_free(w);
	return NULL;
}

void
filework_leave(struct filework *w)
{
	pthread_mutex_lock(&w->lock);
	w->leaving = true;
	pthread_cond_broadcast(&w->progress);
	pthread_mutex_unlock(&w->lock);
}

void
filework_free(struct filework *w)
{
	unsigned i;
	size_t n;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->work);
	pthread_mutex_unlock(&w->lock);
	for (i = 0; i < w->nthreads; i++)
		pthread_join(w->threads[i], NULL);
	filework_undraft(w);
	buf_release(&w->draft.rendered);
	job_end_all(w);
	for (n = 0; n < w->tables.count; n++)
		free(w->tables.entries[n].value);
	map_release(&w->tables);
	pthread_cond_destroy(&w->work);
	pthread_cond_destroy(&w->progress);
	pthread_mutex_destroy(&w->lock);
	free(w->threads);
	free(w);
}

void
filework_ticket_init(struct filework_ticket *t,
    void (*done)(struct filework_ticket *t, int error), void *arg)
{
	*t = (struct filework_ticket){.done = done, .arg = arg};
}

void
filework_ticket_close(struct filework *w, struct filework_ticket *t)
{
	bool told;

	pthread_mutex_lock(&w->lock);
	t->closed = true;
	told = t->left == 0;
	pthread_mutex_unlock(&w->lock);
	if (told)
		t->done(t, t->error);
}

int
filework_put(struct filework *w, const char *table, const struct path_key *key,
    uint64_t position, const void *p, size_t n, int flags,
    struct filework_ticket *ticket, struct err *e)
{
	struct job_order o = {
	    .kind = key ? JOB_DOCUMENT : p ? JOB_TABLE_FILE : JOB_DROP,
	    .key = key,
	    .position = position,
	    .p = p,
	    .n = p ? n : 0,
	    .flags = flags,
	    .ticket = ticket,
	};
	int r;

	pthread_mutex_lock(&w->lock);
	do {
		o.table = job_table(w, table);
		r = o.table ? job_put(w, &o) : -1;
		if (r == 0 || w->status.documents == 0 || w->leaving ||
		    planted(PLANT_HANDED_OVER_ONCE))
			break;
		w->watching++;
		wake(w);
		pthread_cond_wait(&w->progress, &w->lock);
		w->watching--;
	} while (!w->stop);
	pthread_mutex_unlock(&w->lock);
	if (r == -1)
		err_set(e, ENOMEM, "no memory for a document of table %s",
		    table);
	return r;
}

void
filework_reach(struct filework *w, uint64_t position)
{
	pthread_mutex_lock(&w->lock);
	if (position > w->reached)
		w->reached = position;
	wake(w);
	if (w->watching)
		pthread_cond_broadcast(&w->progress);
	pthread_mutex_unlock(&w->lock);
}

bool
filework_wait_room(struct filework *w, int timeout_ms)
{
	return wait_until(w, has_room, 0, timeout_ms);
}

uint64_t
filework_applied(struct filework *w)
{
	uint64_t position;

	pthread_mutex_lock(&w->lock);
	position = applied(w);
	pthread_mutex_unlock(&w->lock);
	return position;
}

bool
filework_wait(struct filework *w, uint64_t position, int timeout_ms)
{
	return wait_until(w, has_applied, position, timeout_ms);
}

bool
filework_drain(struct filework *w, int timeout_ms)
{
	return wait_until(w, has_none, 0, timeout_ms);
}

void
filework_status(struct filework *w, struct filework_status *s)
{
	pthread_mutex_lock(&w->lock);
	*s = w->status;
	s->reached = w->reached;
	s->applied = applied(w);
	if (!s->error)
		s->text[0] = '\0';
	pthread_mutex_unlock(&w->lock);
}

static void
lock_init(struct filework *w)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->work, &monotonic);
	pthread_cond_init(&w->progress, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&w->lock, NULL);
}

static int
start_threads(struct filework *w, struct err *e)
{
	w->threads = calloc(w->options.threads, sizeof *w->threads);
	if (!w->threads)
		return err_set(e, ENOMEM, "no memory for the file threads");
	while (w->nthreads < w->options.threads) {
		int r = pthread_create(&w->threads[w->nthreads], NULL,
		    filework_run, w);

		if (r != 0)
			return err_set(e, r, "can't start a file thread: %s",
			    strerror(r));
		w->nthreads++;
	}
	return 0;
}

static bool
has_room(const struct filework *w, uint64_t unused)
{
	(void)unused;
	return w->status.documents < w->options.max_documents &&
	    w->status.bytes < w->options.max_bytes;
}

static bool
has_applied(const struct filework *w, uint64_t position)
{
	return applied(w) >= position;
}

static bool
has_none(const struct filework *w, uint64_t unused)
{
	(void)unused;
	return w->status.documents == 0;
}

static uint64_t
applied(const struct filework *w)
{
	const struct job *first = TAILQ_FIRST(&w->order);

	return first && first->since < w->reached ? first->since : w->reached;
}

static bool
wait_until(struct filework *w,
    bool (*is)(const struct filework *w, uint64_t position),
    uint64_t position, int timeout_ms)
{
	struct timespec until;
	bool reached;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&w->lock);
	w->watching++;
	if (timeout_ms != 0)
		wake(w);
	while (!(reached = is(w, position)) && timeout_ms != 0 && !w->stop) {
		if (timeout_ms < 0)
			pthread_cond_wait(&w->progress, &w->lock);
		else if (pthread_cond_timedwait(&w->progress, &w->lock,
		    &until) == ETIMEDOUT)
			timeout_ms = 0;
	}
	w->watching--;
	pthread_mutex_unlock(&w->lock);
	return reached;
}

/* As many threads as can have something to do. */
static void
wake(struct filework *w)
{
	const struct job *first = TAILQ_FIRST(&w->urgent);

	if (!first)
		first = TAILQ_FIRST(&w->ready);
	if (!w->idle || !first || (w->lingers && filework_has_time(w)))
		return;
	if (TAILQ_NEXT(first, place) ||
	    (first->in == &w->urgent && !TAILQ_EMPTY(&w->ready)))
		pthread_cond_broadcast(&w->work);
	else
		pthread_cond_signal(&w->work);
}
