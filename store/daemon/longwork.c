/*
 * The queue of what takes long, and its threads, for longwork.h.
 */
#include "longwork.h"

#include "call.h"
#include "conn.h"

#include "store/base/clock.h"
#include "store/value/fault.h"

#include <errno.h>

static void
refuse(struct call *k)
{
	struct err e;

	err_set(&e, FAULT_LEAVING, "the store is closing");
	call_fail(k, &e);
}

static struct call *
take(struct longwork *w)
{
	struct call *k;

	pthread_mutex_lock(&w->lock);
	while (!w->first && !w->closed)
		pthread_cond_wait(&w->filled, &w->lock);
	k = w->first;
	if (k) {
		w->first = k->next;
		if (!w->first)
			w->last = &w->first;
	}
	pthread_mutex_unlock(&w->lock);
	return k;
}

/* Nobody waits for it any longer. */
static bool
is_given_up(const struct call *k)
{
	return atomic_load(&k->conn->gone) ||
	    (k->give_up_ms && clock_mono_ms() > k->give_up_ms);
}

static void *
longwork_main(void *arg)
{
	struct longwork *w = arg;
	struct store_view view;
	struct call *k;
	struct err e;

	while ((k = take(w))) {
		if (is_given_up(k)) {
			err_set(&e, FAULT_BUSY, "others took all the time");
			call_fail(k, &e);
		} else if (store_view_init(&view, w->store, &e) < 0) {
			call_fail(k, &e);
		} else {
			w->run(k, &view);
			store_view_release(&view);
		}
	}
	return NULL;
}

int
longwork_start(struct longwork *w, struct store *store, unsigned threads,
    void (*run)(struct call *k, struct store_view *view), struct err *e)
{
	int rc;

	*w = (struct longwork){.store = store, .run = run};
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->filled, NULL);
	while (w->nthreads < threads) {
		rc = pthread_create(&w->threads[w->nthreads], NULL,
		    longwork_main, w);
		if (rc) {
			errno = rc;
			return err_sys(e, "cannot start a thread");
		}
		w->nthreads++;
	}
	return 0;
}

void
longwork_add(struct longwork *w, struct call *k)
{
	bool closed;

	k->next = NULL;
	pthread_mutex_lock(&w->lock);
	closed = w->closed;
	if (!closed) {
		*w->last = k;
		w->last = &k->next;
		pthread_cond_signal(&w->filled);
	}
	pthread_mutex_unlock(&w->lock);
	if (closed)
		refuse(k);
}

void
longwork_shut(struct longwork *w)
{
	struct call *k, *next;

	pthread_mutex_lock(&w->lock);
	w->closed = true;
	k = w->first;
	w->first = NULL;
	w->last = &w->first;
	pthread_cond_broadcast(&w->filled);
	pthread_mutex_unlock(&w->lock);
	for (; k; k = next) {
		next = k->next;
		refuse(k);
	}
}

void
longwork_stop(struct longwork *w)
{
	while (w->nthreads)
		pthread_join(w->threads[--w->nthreads], NULL);
	pthread_cond_destroy(&w->filled);
	pthread_mutex_destroy(&w->lock);
}
