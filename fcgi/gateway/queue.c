/*
 * The bounded queue of queue.h.
 */
#include "queue.h"

#include "store/base/clock.h"

#include <stdlib.h>

int
queue_init(struct queue *q, size_t room)
{
	*q = (struct queue){.room = room};
	q->items = calloc(room, sizeof *q->items);
	if (!q->items)
		return -1;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->filled, NULL);
	return 0;
}

void
queue_release(struct queue *q)
{
	pthread_cond_destroy(&q->filled);
	pthread_mutex_destroy(&q->lock);
	free(q->items);
}

int
queue_put(struct queue *q, int fd)
{
	return queue_move(q,
	    (struct queue_item){.fd = fd, .since_us = clock_mono_us()});
}

int
queue_move(struct queue *q, struct queue_item item)
{
	int rc = -1;

	item.put_us = clock_mono_us();
	pthread_mutex_lock(&q->lock);
	if (!q->closed && q->count < q->room) {
		q->items[(q->first + q->count) % q->room] = item;
		q->count++;
		pthread_cond_signal(&q->filled);
		rc = 0;
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}

/* With the lock held and items there. */
static void
pop(struct queue *q, struct queue_item *out)
{
	*out = q->items[q->first];
	q->first = (q->first + 1) % q->room;
	q->count--;
}

int
queue_try(struct queue *q, struct queue_item *out)
{
	int rc = -1;

	if (atomic_load(&q->count) == 0)
		return -1;
	pthread_mutex_lock(&q->lock);
	if (q->count) {
		pop(q, out);
		rc = 0;
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}

int
queue_overdue(struct queue *q, int64_t before_us, struct queue_item *out)
{
	int rc = -1;

	pthread_mutex_lock(&q->lock);
	if (q->count && q->items[q->first].since_us < before_us) {
		pop(q, out);
		rc = 0;
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}

int64_t
queue_first_us(struct queue *q, int64_t none_us)
{
	int64_t us = none_us;

	pthread_mutex_lock(&q->lock);
	if (q->count)
		us = q->items[q->first].put_us;
	pthread_mutex_unlock(&q->lock);
	return us;
}

int
queue_take(struct queue *q, struct queue_item *out)
{
	int rc = -1;

	pthread_mutex_lock(&q->lock);
	while (!q->count && !q->closed)
		pthread_cond_wait(&q->filled, &q->lock);
	if (q->count) {
		pop(q, out);
		rc = 0;
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}

void
queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->filled);
	pthread_mutex_unlock(&q->lock);
}
