/*
 * The queue of what goes on after its reply: in its turn, no more than it may
 * hold, and told to give up at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/daemon/later.h"
#include "store/op/op_later.h"

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool open;
	unsigned done, stopped;
};

struct work {
	struct op_later later;		/* first */
	struct gate *gate;
	unsigned turn;			/* 1: the first that was done */
};

static void
run(struct op_later *l, const atomic_bool *stop)
{
	struct work *w = (struct work *)(void *)l;
	struct gate *g = w->gate;

	pthread_mutex_lock(&g->lock);
	while (!g->open)
		pthread_cond_wait(&g->wake, &g->lock);
	w->turn = ++g->done;
	g->stopped += atomic_load(stop);
	pthread_mutex_unlock(&g->lock);
}

static void
set_open(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->open = true;
	pthread_cond_broadcast(&g->wake);
	pthread_mutex_unlock(&g->lock);
}

static void
only_so_many(void **state)
{
	struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER,
	    .wake = PTHREAD_COND_INITIALIZER};
	struct work works[LATER_MAX];
	struct later l;
	struct err e;
	unsigned i;

	(void)state;
	assert_int_equal(later_start(&l, &e), 0);
	assert_false(later_busy(&l));
	for (i = 0; i < LATER_MAX; i++) {
		assert_false(later_full(&l));
		works[i] = (struct work){.later.run = run, .gate = &gate};
		later_add(&l, &works[i].later);
	}
	assert_true(later_full(&l));
	assert_true(later_busy(&l));
	set_open(&gate);
	later_stop(&l);
	assert_false(later_full(&l));
	assert_false(later_busy(&l));
	for (i = 0; i < LATER_MAX; i++)
		assert_int_equal(works[i].turn, i + 1);
}

/* What still waits is run all the same, and told to give up. */
static void
gives_up(void **state)
{
	struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER,
	    .wake = PTHREAD_COND_INITIALIZER, .open = true};
	struct work work = {.later.run = run, .gate = &gate};
	struct later l;
	struct err e;

	(void)state;
	assert_int_equal(later_start(&l, &e), 0);
	atomic_store(&l.stop, true);
	later_add(&l, &work.later);
	later_stop(&l);
	assert_int_equal(gate.stopped, 1);
	later_stop(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_so_many),
		cmocka_unit_test(gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
