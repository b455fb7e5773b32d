/*
 * Threads for operations that take long: backups, restores, checks.  They may
 * wait as long as they like; nobody else's request waits behind them.
 */
#ifndef DAEMON_LONGWORK_H
#define DAEMON_LONGWORK_H

#include "store/base/err.h"
#include "store/engine/store.h"

#include <pthread.h>
#include <stdbool.h>

struct call;

enum {
	LONGWORK_THREADS = 2,
	LONGWORK_RELAYED = 16,		/* for calls that go on elsewhere */
	LONGWORK_THREADS_MAX = LONGWORK_RELAYED
};

struct longwork {
	struct store *store;
	void (*run)(struct call *k, struct store_view *view);
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct call *first, **last;
	bool closed;
	pthread_t threads[LONGWORK_THREADS_MAX];
	unsigned nthreads;
};

/* `threads` of them, that `run` calls in their turn. 0 or -1. */
int longwork_start(struct longwork *w, struct store *store, unsigned threads,
    void (*run)(struct call *k, struct store_view *view), struct err *e);

/* Takes no more: what has not begun is answered so.  Others end as they do. */
void longwork_shut(struct longwork *w);

/* Waits for the end of all; after longwork_shut. */
void longwork_stop(struct longwork *w);

/* In its turn; answered at once if it is shut. */
void longwork_add(struct longwork *w, struct call *k);

#endif
