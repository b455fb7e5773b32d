/*
 * The queue of jobs and the turn to write, as commit_queue.h describes them.
 * It never looks into what a job does, and waits for nothing but jobs.
 */
#include "commit_queue.h"

#include "commit.h"

enum { BATCH_JOBS = 512, BATCH_BYTES = 16 << 20 };

void
commit_queue_init(struct commit_queue *q)
{
	*q = (struct commit_queue){.last = &q->first};
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->filled, NULL);
}

void
commit_queue_destroy(struct commit_queue *q)
{
	pthread_cond_destroy(&q->filled);
	pthread_mutex_destroy(&q->lock);
}

bool
commit_queue_add(struct commit_queue *q, struct commit_job *job)
{
	bool closed;

	job->next = NULL;
	pthread_mutex_lock(&q->lock);
	closed = q->closed;
	if (!closed) {
		*q->last = job;
		q->last = &job->next;
		if (!job->gathered)
			pthread_cond_signal(&q->filled);
	}
	pthread_mutex_unlock(&q->lock);
	return !closed;
}

/* The first jobs, up to a batch. */
static struct commit_job *
cut_batch(struct commit_queue *q)
{
	struct commit_job *first = q->first, *last = NULL;
	size_t n = 0, bytes = 0;

	while (q->first && n < BATCH_JOBS && bytes < BATCH_BYTES) {
		last = q->first;
		bytes += last->bytes;
		n++;
		q->first = last->next;
	}
	if (!q->first)
		q->last = &q->first;
	if (last)
		last->next = NULL;
	return first;
}

struct commit_job *
commit_queue_take(struct commit_queue *q, bool *late)
{
	struct commit_job *jobs;

	pthread_mutex_lock(&q->lock);
	while (q->taken || !(q->first || q->late || q->closed))
		pthread_cond_wait(&q->filled, &q->lock);
	*late = q->late != NULL;
	jobs = *late ? q->late : cut_batch(q);
	if (*late)
		q->late = NULL;
	q->taken = jobs != NULL;
	pthread_mutex_unlock(&q->lock);
	return jobs;
}

struct commit_job *
commit_queue_take_one(struct commit_queue *q, bool here)
{
	struct commit_job *job = NULL;

	pthread_mutex_lock(&q->lock);
	if (q->first && !q->taken) {
		if (here && !q->first->next && !q->late && !q->closed)
			job = cut_batch(q);
		else
			pthread_cond_signal(&q->filled);
	}
	if (job)
		q->taken = true;
	pthread_mutex_unlock(&q->lock);
	return job;
}

void
commit_queue_give_back(struct commit_queue *q, struct commit_job *jobs)
{
	struct commit_job **end = &jobs;

	if (!jobs)
		return;
	pthread_mutex_lock(&q->lock);
	while (*end)
		end = &(*end)->next;
	*end = q->first;
	if (!q->first)
		q->last = end;
	q->first = jobs;
	pthread_mutex_unlock(&q->lock);
}

void
commit_queue_turn_over(struct commit_queue *q, struct commit_job *late)
{
	pthread_mutex_lock(&q->lock);
	q->taken = false;
	q->late = late;
	if (q->first || q->late || q->closed)
		pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

void
commit_queue_close(struct commit_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}
