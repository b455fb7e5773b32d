/*
 * The turn to write is one thread's at a time, whoever comes first; jobs are
 * taken in their order, none twice, none forgotten.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/engine/commit.h"
#include "store/engine/commit_queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { THREADS = 3, EACH = 3000, SOON_US = 50000 };

struct writer {
	struct commit_queue q;
	atomic_int turns; /* held at this moment */
	atomic_uint done, late, most;
};

static void
begin_turn(struct writer *w)
{
	if (atomic_fetch_add(&w->turns, 1))
		atomic_store(&w->most, 2);
}

static void
end_turn(struct writer *w, struct commit_job *late)
{
	atomic_fetch_sub(&w->turns, 1);
	commit_queue_turn_over(&w->q, late);
}

static void *
write_all(void *arg)
{
	struct writer *w = arg;
	struct commit_job *jobs;
	bool late;

	while ((jobs = commit_queue_take(&w->q, &late))) {
		begin_turn(w);
		for (; jobs; jobs = jobs->next)
			atomic_fetch_add(late ? &w->late : &w->done, 1);
		end_turn(w, NULL);
	}
	return NULL;
}

static void
begins_after_a_turn_that_was_there_first(void **state)
{
	struct commit_job job = {.gathered = true};
	struct writer w = {0};
	pthread_t thread;

	(void)state;
	commit_queue_init(&w.q);
	assert_true(commit_queue_add(&w.q, &job));
	assert_ptr_equal(commit_queue_take_one(&w.q, true), &job);
	begin_turn(&w);
	commit_queue_give_back(&w.q, &job);
	assert_int_equal(pthread_create(&thread, NULL, write_all, &w), 0);
	usleep(SOON_US);
	assert_int_equal(w.done, 0);
	end_turn(&w, NULL);
	commit_queue_close(&w.q);
	pthread_join(thread, NULL);
	assert_int_equal(w.done, 1);
	assert_int_equal(w.most, 0);
	commit_queue_destroy(&w.q);
}

/* A client: each of its jobs in turn, some by itself, some left half done. */
struct client {
	struct writer *w;
	struct commit_job jobs[EACH];
	pthread_t thread;
};

static void *
submit(void *arg)
{
	struct client *c = arg;
	struct commit_job *j;
	int i;

	for (i = 0; i < EACH; i++) {
		c->jobs[i].gathered = i % 3 != 0;
		if (!commit_queue_add(&c->w->q, &c->jobs[i]))
			return NULL;
		if (i % 3 == 0)
			continue;
		j = commit_queue_take_one(&c->w->q, true);
		if (!j)
			continue;
		begin_turn(c->w);
		if (i % 7 == 0)
			commit_queue_give_back(&c->w->q, j);
		else if (i % 5)
			atomic_fetch_add(&c->w->done, 1);
		end_turn(c->w, i % 7 && i % 5 == 0 ? j : NULL);
	}
	return NULL;
}

static void
one_writes_at_a_time(void **state)
{
	static struct client clients[THREADS];
	struct writer w = {0};
	pthread_t thread;
	int i;

	(void)state;
	commit_queue_init(&w.q);
	for (i = 0; i < THREADS; i++) {
		clients[i].w = &w;
		assert_int_equal(pthread_create(&clients[i].thread, NULL,
				     submit, &clients[i]),
		    0);
	}
	assert_int_equal(pthread_create(&thread, NULL, write_all, &w), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(clients[i].thread, NULL);
	commit_queue_close(&w.q);
	pthread_join(thread, NULL);
	assert_int_equal(w.done + w.late, THREADS * EACH);
	assert_int_equal(w.most, 0);
	assert_false(commit_queue_add(&w.q, &clients[0].jobs[0]));
	commit_queue_destroy(&w.q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(begins_after_a_turn_that_was_there_first),
	    cmocka_unit_test(one_writes_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
