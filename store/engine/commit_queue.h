/*
 * Jobs that wait to be written, and the turn to write: one thread at a time
 * has it.  The writer takes it with a batch of jobs; another thread takes it
 * where one job is all there is, and leaves to the writer what it could not
 * finish.  Whoever has taken something but NULL has the turn, until it calls
 * commit_queue_turn_over().  A job's memory is its submitter's.
 */
#ifndef ENGINE_COMMIT_QUEUE_H
#define ENGINE_COMMIT_QUEUE_H

#include <pthread.h>
#include <stdbool.h>

struct commit_job;

struct commit_queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct commit_job *first, **last;
	struct commit_job *late; /* synced, to be finished by the writer */
	bool taken;		 /* the turn */
	bool closed;
};

void commit_queue_init(struct commit_queue *q);
void commit_queue_destroy(struct commit_queue *q);

/* False once it is closed: the job is not in it. */
bool commit_queue_add(struct commit_queue *q, struct commit_job *job);

/*
 * For the writer, which waits for its turn and for jobs: a batch of them, or
 * NULL when the queue is closed and empty.  With *late they are what another
 * thread has left to it.
 */
struct commit_job *commit_queue_take(struct commit_queue *q, bool *late);

/*
 * For another thread: with `here` the only job, where nobody has the turn;
 * else NULL, and the writer sees to what waits.
 */
struct commit_job *commit_queue_take_one(struct commit_queue *q, bool here);

/* With the turn: what was taken and not begun is first again. */
void commit_queue_give_back(struct commit_queue *q, struct commit_job *jobs);

/* The turn is over; `late` is left to the writer, or NULL. */
void commit_queue_turn_over(struct commit_queue *q, struct commit_job *late);

void commit_queue_close(struct commit_queue *q);

#endif
