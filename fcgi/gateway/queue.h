/*
 * A short, bounded queue of connections that have a request.
 *
 * Run by bothy-fcgi.  Used only when no worker is free to take a connection
 * from the epoll set itself (accept.c).
 */
#ifndef GATEWAY_QUEUE_H
#define GATEWAY_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUEUE_WAIT_US = 30000 };	/* a request that waited longer is shed */

struct queue_item {
	int fd;
	int64_t since_us;	/* monotonic: that it waits at all */
	int64_t put_us;		/* and in this queue */
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct queue_item *items;	/* a ring */
	size_t room, first;
	atomic_size_t count;		/* changed with the lock held */
	bool closed;
};

/* Room for `room` connections that wait: 0 or -1. */
int queue_init(struct queue *q, size_t room);
void queue_release(struct queue *q);

/* 0; -1 if it is full or closed (the caller keeps the descriptor). */
int queue_put(struct queue *q, int fd);

/* The same for one of another queue, which waits since it came there. */
int queue_move(struct queue *q, struct queue_item item);

/* Waits for one: 0, or -1 once the queue is closed and empty. */
int queue_take(struct queue *q, struct queue_item *out);

/* Takes without waiting: 0, or -1 if there is none. */
int queue_try(struct queue *q, struct queue_item *out);

/* Takes one that waits since before that moment: 0, or -1 if there is none. */
int queue_overdue(struct queue *q, int64_t before_us, struct queue_item *out);

/* Since when the first is in there, or `none_us`. */
int64_t queue_first_us(struct queue *q, int64_t none_us);

/* Nothing comes any more. */
void queue_close(struct queue *q);

#endif
