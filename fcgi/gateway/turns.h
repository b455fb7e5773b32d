/*
 * How many requests are worked on at once.
 *
 * A worker needs a turn to take a request.  There are a few for each
 * processor: more requests at once than these can work on only push each other
 * out of the caches (16% of what a saturated machine gets done).  A worker
 * keeps its turn for the next request.
 *
 * A request that waits - for its function, for a slow client, for the store -
 * must not keep others waiting.  So, while all turns are had, a thread of its
 * own looks: if a processor has nothing to do there are more turns from then
 * on, if all are busy fewer; and who has had a turn for long loses it to
 * another worker.  What computes may be no request but another program, for
 * which nobody need wait: there are more turns, too, while requests wait long
 * for one and those who have one are slow.  --workers bounds the requests in
 * flight, turns only the pace at which they begin.
 *
 * The same thread, while nobody else looks at the epoll set, takes in who
 * comes, with the time: up to --workers requests in all count as in flight,
 * then a short queue is filled, and past that connections are shed.
 *
 * What holds:
 *  1. Turns that workers have, and free ones, less the debt, are `now`, once
 *     nobody is about to take, begin, end, pass or adapt; at least `least`.
 *  2. A worker that waits in the epoll set has seen both queues empty since it
 *     counts as a lookout, and nobody leaves an item in one without a look at
 *     the lookouts after: an item and a worker in the set never meet.
 *  3. The thread sleeps only while there is a lookout.
 *  4. A request is in `busy`, a queue, the epoll set or the thread's hands.
 *     Busy and admitted are no more than the workers that there can be, but
 *     for workers that can't be started after all.
 */
#ifndef GATEWAY_TURNS_H
#define GATEWAY_TURNS_H

#include "queue.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gateway;
struct worker;

struct turns {
	sem_t free;
	size_t least, now;		/* turns in all; the thread's own */
	int busy_looks;			/* since there was one fewer */
	atomic_size_t debt;		/* to be given up once over */
	struct queue admitted;		/* in flight, without a turn yet */
	struct queue waiting;		/* past --workers */
	atomic_size_t lookouts;		/* workers in the epoll set */
	atomic_bool asleep;		/* the thread, while there are any */
	atomic_bool ending;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	int load_fd;			/* /proc/loadavg, or -1 */
	long processors;
};

/* A worker's turn: none, one for its next request, or since when it serves
 * with one (monotonic microseconds). */
enum { TURN_NONE, TURN_KEPT };

/* For `workers` requests in flight and `queue` past them: 0 or -1. */
int turns_start(struct gateway *g, size_t workers, size_t queue);

/* Nobody waits for a turn any more; joins the thread. */
void turns_stop(struct gateway *g);
void turns_release(struct gateway *g);

/* A worker's way: waits for a turn unless it has one; serves; is done. */
void turns_take(struct worker *w);
void turns_begin(struct worker *w);
void turns_end(struct worker *w);

/* Around a worker's look at the epoll set. */
void turns_lookout(struct turns *t);
void turns_lookout_over(struct turns *t);

/* Who was taken in before, with how long it has waited, busy from now on: 0,
 * or -1. */
int turns_next(struct gateway *g, int *fd, int64_t *wait_us);

/* Has who waits for a worker for too long shed. */
void turns_shed_overdue(struct gateway *g);

/* All that the thread does at a time. */
void turns_look(struct gateway *g);

/* Of one look: takes the turns that are had for long, for others. */
void turns_pass(struct gateway *g, int64_t now_us);

/* Of one look: more turns, or else fewer. */
void turns_adapt(struct gateway *g, bool more);

#endif
