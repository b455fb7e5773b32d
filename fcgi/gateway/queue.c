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
	return 0;
}

void
queue_release(struct queue *q)
{
	pthread_mutex_destroy(&q->lock);
	free(q->items);
}

int
queue_put(struct queue *q, int fd)
{
	struct queue_item item = {fd, clock_mono_us()};
	struct queue_waiter *w;
	int rc = 0;

	pthread_mutex_lock(&q->lock);
	w = q->idle;
	if (w) {
		q->idle = w->next;
		w->item = item;
		w->given = true;
		pthread_cond_signal(&w->wake);
	} else if (q->count < q->room)
		q->items[(q->first + q->count++) % q->room] = item;
	else
		rc = -1;
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

	pthread_mutex_lock(&q->lock);
	if (q->count) {
		pop(q, out);
		rc = 0;
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}

int
queue_take(struct queue *q, struct queue_item *out)
{
	struct queue_waiter w = {.given = false};
	int rc = 0;

	pthread_mutex_lock(&q->lock);
	if (q->count)
		pop(q, out);
	else if (q->closed)
		rc = -1;
	else {
		pthread_cond_init(&w.wake, NULL);
		w.next = q->idle;
		q->idle = &w;
		while (!w.given)
			pthread_cond_wait(&w.wake, &q->lock);
		pthread_cond_destroy(&w.wake);
		*out = w.item;
		rc = w.item.fd < 0 ? -1 : 0;
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}

void
queue_close(struct queue *q)
{
	struct queue_waiter *w;

	pthread_mutex_lock(&q->lock);
	q->closed = true;
	while ((w = q->idle)) {
		q->idle = w->next;
		w->item.fd = -1;
		w->given = true;
		pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&q->lock);
}
