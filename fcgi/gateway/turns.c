/*
 * Turns and the thread that passes them on, as turns.h describes them.
 */
#include "turns.h"

#include "accept.h"
#include "gateway.h"
#include "shed.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
	TURNS_EACH = 4,		/* for each processor */
	TURNS_LEAST = 8,
	LOOK_NS = 2000000,
	LONG_US = 10000,	/* a turn is had for long */
	SLOW_US = 3000,		/* quick ones are over by then */
	SLOW_PART = 3,		/* of all turns, that slow ones have */
	MORE = 2,		/* turns, at each look */
	BUSY_LOOKS = 16,		/* then there is one fewer */
	TAKE_IN_US = 2000	/* new connections, in one look */
};

static size_t
least(const struct turns *t, size_t workers)
{
	size_t n = (size_t)t->processors * TURNS_EACH;

	if (n < TURNS_LEAST)
		n = TURNS_LEAST;
	return n < workers ? n : workers;
}

/* ---- the workers' side ------------------------------------------------ */

void
turns_take(struct worker *w)
{
	if (atomic_load(&w->turn) == TURN_KEPT)
		return;
	while (sem_wait(&w->front->turns.free) < 0 && errno == EINTR)
		;
	atomic_store(&w->turn, TURN_KEPT);
}

void
turns_begin(struct worker *w)
{
	atomic_store(&w->turn, clock_mono_us());
}

/* True if one turn less is had from now on. */
static bool
pay_debt(struct turns *t)
{
	size_t debt = atomic_load(&t->debt);

	while (debt)
		if (atomic_compare_exchange_weak(&t->debt, &debt, debt - 1))
			return true;
	return false;
}

void
turns_end(struct worker *w)
{
	int64_t since = atomic_load(&w->turn);

	/* Fails if the turn is taken away in this moment. */
	if (since != TURN_NONE &&
	    atomic_compare_exchange_strong(&w->turn, &since, TURN_KEPT) &&
	    pay_debt(&w->front->turns))
		atomic_store(&w->turn, TURN_NONE);
}

void
turns_lookout(struct turns *t)
{
	atomic_fetch_add(&t->lookouts, 1);
}

void
turns_lookout_over(struct turns *t)
{
	if (atomic_fetch_sub(&t->lookouts, 1) > 1 ||
	    !atomic_load(&t->asleep))
		return;
	pthread_mutex_lock(&t->lock);
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
}

int
turns_next(struct gateway *g, int *fd, int64_t *wait_us)
{
	struct turns *t = &g->turns;
	struct queue_item item;

	if (!atomic_load(&t->admitted.count) &&
	    !atomic_load(&t->waiting.count))
		return -1;
	/* Before it has left the queue, or there would be room for another. */
	atomic_fetch_add(&g->busy, 1);
	if (queue_try(&t->admitted, &item) == 0) {
		*fd = item.fd;
		*wait_us = clock_mono_us() - item.since_us;
		return 0;
	}
	while (queue_try(&t->waiting, &item) == 0) {
		*fd = item.fd;
		*wait_us = clock_mono_us() - item.since_us;
		if (*wait_us <= QUEUE_WAIT_US)
			return 0;
		shed(g, item.fd);
	}
	atomic_fetch_sub(&g->busy, 1);
	return -1;
}

/* ---- the thread's side ------------------------------------------------ */

void
turns_pass(struct gateway *g, int64_t now_us)
{
	int64_t before_us = now_us - LONG_US;
	size_t started = atomic_load(&g->started), i;
	int64_t since;

	for (i = 0; i < started; i++) {
		since = atomic_load(&g->workers[i].turn);
		if (since > TURN_KEPT && since < before_us &&
		    atomic_compare_exchange_strong(
		        &g->workers[i].turn, &since, TURN_NONE))
			sem_post(&g->turns.free);
	}
}

void
turns_adapt(struct gateway *g, bool more)
{
	struct turns *t = &g->turns;
	int n;

	for (n = 0; more && n < MORE && t->now < g->nworkers; n++, t->now++)
		if (!pay_debt(t))
			sem_post(&t->free);
	if (more || t->now == t->least || ++t->busy_looks < BUSY_LOOKS)
		return;
	t->busy_looks = 0;
	t->now--;
	if (sem_trywait(&t->free) < 0)
		atomic_fetch_add(&t->debt, 1);
}

/*
 * True if fewer threads can run than there are processors: the fourth field
 * of proc_loadavg(5), with ourselves among them.  Where that can't be read
 * there is a turn for each worker soon.
 */
static bool
processor_is_idle(const struct turns *t)
{
	char text[128];
	long running;
	ssize_t n;

	n = pread(t->load_fd, text, sizeof text - 1, 0);
	if (n <= 0)
		return true;
	text[n] = '\0';
	return sscanf(text, "%*f %*f %*f %ld/", &running) != 1 ||
	    running - 1 < t->processors;
}

/*
 * True if requests wait for a turn as long as they may for a worker, and many
 * of the turns are in slow hands.  Of quick requests many may wait long, too:
 * then all that there is to do is done.
 */
static bool
turns_are_slow(struct gateway *g, int64_t now_us)
{
	size_t started = atomic_load(&g->started), i, slow = 0;
	int64_t since;

	if (now_us - queue_first_us(&g->turns.admitted, now_us) <=
	    QUEUE_WAIT_US)
		return false;
	for (i = 0; i < started; i++) {
		since = atomic_load(&g->workers[i].turn);
		slow += since > TURN_KEPT && since < now_us - SLOW_US;
	}
	return slow * SLOW_PART >= g->turns.now;
}

/* All the workers that there can be. */
static size_t
most(const struct gateway *g)
{
	return atomic_load(&g->no_more) ? atomic_load(&g->started)
	                                : g->nworkers;
}

static bool
has_room(const struct gateway *g)
{
	return atomic_load(&g->busy) +
	    atomic_load(&g->turns.admitted.count) < most(g);
}

/*
 * A worker may have looked before this was put there, and wait in the epoll
 * set for ever: it gets it there then.  Either it sees the item, or we see
 * that it is on the lookout.
 */
static void
put(struct gateway *g, struct queue *q, struct queue_item item)
{
	if (queue_move(q, item) < 0)
		shed(g, item.fd);
	else if (atomic_load(&g->turns.lookouts) &&
	    queue_try(q, &item) == 0)
		accept_again(g, item.fd);
}

/* No worker may come free for long: who waits hears of it at once. */
void
turns_shed_overdue(struct gateway *g)
{
	int64_t before_us = clock_mono_us() - QUEUE_WAIT_US;
	struct turns *t = &g->turns;
	struct queue_item item;

	while (queue_overdue(&t->waiting, before_us, &item) == 0)
		shed(g, item.fd);
	/* Nor for these, where the rest of the workers can't be started. */
	while (atomic_load(&g->no_more) &&
	    atomic_load(&g->busy) >= atomic_load(&g->started) &&
	    queue_overdue(&t->admitted, before_us, &item) == 0)
		shed(g, item.fd);
}

static void
take_in(struct gateway *g, int64_t now_us)
{
	struct turns *t = &g->turns;
	int64_t until_us = now_us + TAKE_IN_US;
	struct queue_item item;

	while (has_room(g) && queue_try(&t->waiting, &item) == 0)
		put(g, &t->admitted, item);
	/* Not what was given to a lookout, again. */
	while (now_us < until_us && !atomic_load(&t->lookouts) &&
	    accept_pending(g, &item.fd)) {
		item.since_us = now_us = clock_mono_us();
		if (item.fd >= 0)
			put(g, has_room(g) ? &t->admitted : &t->waiting, item);
	}
	turns_shed_overdue(g);
}

void
turns_look(struct gateway *g)
{
	int64_t now_us = clock_mono_us();

	turns_adapt(g, processor_is_idle(&g->turns) ||
	    turns_are_slow(g, now_us));
	turns_pass(g, now_us);
	take_in(g, now_us);
}

static void *
turns_main(void *arg)
{
	static const struct timespec LOOK = {0, LOOK_NS};
	struct gateway *g = arg;
	struct turns *t = &g->turns;

	while (!atomic_load(&t->ending)) {
		pthread_mutex_lock(&t->lock);
		atomic_store(&t->asleep, true);
		while (atomic_load(&t->lookouts) &&
		    !atomic_load(&t->ending))
			pthread_cond_wait(&t->wake, &t->lock);
		atomic_store(&t->asleep, false);
		pthread_mutex_unlock(&t->lock);
		nanosleep(&LOOK, NULL);
		if (!atomic_load(&t->lookouts))
			turns_look(g);
	}
	return NULL;
}

/* ---- coming and going ------------------------------------------------- */

int
turns_start(struct gateway *g, size_t workers, size_t queue)
{
	struct turns *t = &g->turns;

	t->processors = sysconf(_SC_NPROCESSORS_ONLN);
	t->least = t->now = least(t, workers);
	if (queue_init(&t->admitted, workers) < 0 ||
	    queue_init(&t->waiting, queue) < 0 ||
	    sem_init(&t->free, 0, (unsigned)t->least) < 0)
		return -1;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->wake, NULL);
	t->load_fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	return pthread_create(&t->thread, NULL, turns_main, g) ? -1 : 0;
}

/* What was put aside stays for the workers, each of which may go on. */
void
turns_stop(struct gateway *g)
{
	struct turns *t = &g->turns;
	size_t i;

	pthread_mutex_lock(&t->lock);
	atomic_store(&t->ending, true);
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	atomic_store(&t->debt, 0);
	for (i = 0; i < g->nworkers; i++)
		sem_post(&t->free);
}

void
turns_release(struct gateway *g)
{
	queue_release(&g->turns.admitted);
	queue_release(&g->turns.waiting);
	sem_destroy(&g->turns.free);
	io_close(&g->turns.load_fd);
}
