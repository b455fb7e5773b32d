/*
 * The queue behind the replies, and its thread, for later.h.
 */
#include "later.h"

#include "store/op/op_later.h"

#include <errno.h>

static struct op_later *
take(struct later *l)
{
	struct op_later *work;

	pthread_mutex_lock(&l->lock);
	while (!l->first && !l->closed)
		pthread_cond_wait(&l->filled, &l->lock);
	work = l->first;
	if (work) {
		l->first = work->next;
		if (!l->first)
			l->last = &l->first;
	}
	pthread_mutex_unlock(&l->lock);
	return work;
}

/* Also of what waits when it is closed: each says itself that it gave up. */
static void *
later_main(void *arg)
{
	struct later *l = arg;
	struct op_later *work;

	while ((work = take(l))) {
		work->run(work, &l->stop);
		atomic_fetch_sub(&l->count, 1);
	}
	return NULL;
}

int
later_start(struct later *l, struct err *e)
{
	int rc;

	*l = (struct later){.closed = false};
	l->last = &l->first;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->filled, NULL);
	rc = pthread_create(&l->thread, NULL, later_main, l);
	if (rc) {
		errno = rc;
		return err_sys(e, "cannot start a thread");
	}
	l->runs = true;
	return 0;
}

bool
later_full(struct later *l)
{
	return atomic_load(&l->count) >= LATER_MAX;
}

void
later_add(struct later *l, struct op_later *work)
{
	work->next = NULL;
	atomic_fetch_add(&l->count, 1);
	pthread_mutex_lock(&l->lock);
	*l->last = work;
	l->last = &work->next;
	pthread_cond_signal(&l->filled);
	pthread_mutex_unlock(&l->lock);
}

bool
later_busy(struct later *l)
{
	return atomic_load(&l->count) > 0;
}

void
later_stop(struct later *l)
{
	if (!l->runs)
		return;
	atomic_store(&l->stop, true);
	pthread_mutex_lock(&l->lock);
	l->closed = true;
	pthread_cond_signal(&l->filled);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	l->runs = false;
	pthread_cond_destroy(&l->filled);
	pthread_mutex_destroy(&l->lock);
}
