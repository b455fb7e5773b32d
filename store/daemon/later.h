/*
 * What goes on after its operation was answered: restores, exports, imports
 * (store/op/op_later.h).  One thread does them, one after the other, and the
 * daemon doesn't leave for idleness as long as there are any.
 */
#ifndef DAEMON_LATER_H
#define DAEMON_LATER_H

#include "store/base/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct op_later;

enum { LATER_MAX = 50 };	/* that wait or are done, as with DynamoDB */

struct later {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct op_later *first, **last;
	bool closed, runs;
	atomic_bool stop;		/* they are to give up */
	atomic_uint count;		/* of those that aren't over */
	pthread_t thread;
};

int later_start(struct later *l, struct err *e);

/*
 * True if nothing more is to be begun that would go on here.  What was begun
 * is taken all the same: each thread that looked may have one.
 */
bool later_full(struct later *l);

/* In its turn. */
void later_add(struct later *l, struct op_later *work);

/* True if any isn't over. */
bool later_busy(struct later *l);

/* Tells all to give up, and waits for that. */
void later_stop(struct later *l);

#endif
