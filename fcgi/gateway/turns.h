/*
 * How many requests are worked on at once.
 *
 * A worker needs a turn to take a request.  There are a few for each
 * processor: more requests at once than these can work on only push each other
 * out of the caches (16% of what a saturated machine gets done).  Most requests
 * begin and end with the same turn, which its worker keeps for the next.
 *
 * A request that waits - for its function, for a slow client, for the store -
 * must not keep others waiting: a thread of its own takes the turn away from
 * who has had it for long and gives it to another worker, soon while a
 * processor has nothing to do, later while all are busy.  So --workers bounds
 * the requests in flight, and turns only the pace at which they begin.
 *
 * The same thread, while nobody else looks at the epoll set, takes in who
 * comes, with the time: up to --workers requests in all count as in flight,
 * then a short queue is filled, and past that connections are shed.
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

/* Who was taken in before, with how long it has waited: 0, or -1. */
int turns_next(struct gateway *g, int *fd, int64_t *wait_us);

/* One look at the workers' turns. `idle`: a processor has nothing to do. */
void turns_pass(struct gateway *g, int64_t now_us, bool idle);

#endif
