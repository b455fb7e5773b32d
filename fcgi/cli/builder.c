/*
 * A few threads that take jobs off a list (builder.h).  Each runs compilers
 * only; the command prints when all are done.
 */
#include "builder.h"

#include "store/base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS_MAX = 8 };

struct crew {
	const struct build *build;
	struct job *jobs;
	size_t count;
	atomic_size_t next;
	void (*done)(const struct job *j);
	pthread_mutex_t telling;
};

struct job *
builder_jobs(size_t n)
{
	struct job *jobs = calloc(n + 1, sizeof *jobs);
	size_t i;

	for (i = 0; jobs && i < n; i++)
		build_result_init(&jobs[i].result);
	return jobs;
}

void
builder_free(struct job *jobs, size_t n)
{
	size_t i;

	for (i = 0; jobs && i < n; i++)
		build_result_release(&jobs[i].result);
	free(jobs);
}

static void *
work(void *arg)
{
	struct crew *crew = arg;
	int64_t start;
	struct job *j;
	size_t i;

	while ((i = atomic_fetch_add(&crew->next, 1)) < crew->count) {
		j = &crew->jobs[i];
		start = clock_mono_ms();
		j->outcome = build_function(crew->build, j->function,
		    &j->result, &j->error);
		j->ms = clock_mono_ms() - start;
		if (!crew->done)
			continue;
		pthread_mutex_lock(&crew->telling);
		crew->done(j);
		pthread_mutex_unlock(&crew->telling);
	}
	return NULL;
}

void
builder_run(const struct build *b, struct job *jobs, size_t n,
    void (*done)(const struct job *j))
{
	struct crew crew = {.build = b, .jobs = jobs, .count = n,
	    .done = done, .telling = PTHREAD_MUTEX_INITIALIZER};
	pthread_t threads[THREADS_MAX];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t wanted, started = 0;

	wanted = cpus < 1 ? 1 : cpus > THREADS_MAX ? THREADS_MAX :
	    (size_t)cpus;
	if (wanted > n)
		wanted = n;
	/* This thread works too, so a thread that can't be made is no loss. */
	while (started + 1 < wanted &&
	    pthread_create(&threads[started], NULL, work, &crew) == 0)
		started++;
	work(&crew);
	while (started)
		pthread_join(threads[--started], NULL);
}

const char *
builder_word(enum build_outcome outcome)
{
	switch (outcome) {
	case BUILD_CURRENT:
		return "current";
	case BUILD_MADE:
		return "built";
	case BUILD_BROKEN:
		return "broken";
	case BUILD_FAILED:
		break;
	}
	return "failed";
}

void
builder_say(const struct job *j)
{
	if (j->outcome == BUILD_FAILED)
		err_print(&j->error, j->function->name);
	else
		fputs(buf_str(&j->result.messages), stderr);
}
