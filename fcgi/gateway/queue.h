/*
 * Connections that have a request and wait for a worker: short and bounded.
 *
 * Run by bothy-fcgi: the acceptor puts, workers take.  The worker that went
 * idle last is woken first, so that a quiet gateway uses few stacks.
 */
#ifndef GATEWAY_QUEUE_H
#define GATEWAY_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_item {
	int fd;
	int64_t since_us;	/* monotonic */
};

struct queue_waiter {
	pthread_cond_t wake;
	struct queue_item item;
	bool given;
	struct queue_waiter *next;
};

struct queue {
	pthread_mutex_t lock;
	struct queue_item *items;	/* a ring */
	size_t room, first, count;
	struct queue_waiter *idle;	/* the last to come first */
	bool closed;
};

/* Room for `room` connections that wait: 0 or -1. */
int queue_init(struct queue *q, size_t room);
void queue_release(struct queue *q);

/* 0; -1 if it is full (the caller keeps the descriptor). */
int queue_put(struct queue *q, int fd);

/* Waits for one: 0, or -1 once the queue is closed and empty. */
int queue_take(struct queue *q, struct queue_item *out);

/* Takes without waiting: 0, or -1 if there is none. */
int queue_try(struct queue *q, struct queue_item *out);

/* Nothing comes any more. */
void queue_close(struct queue *q);

#endif
