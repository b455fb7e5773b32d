/*
 * Turns: whose is taken away, and that each comes back to one worker.
 */
#include "fcgi/gateway/turns.h"

#include "fcgi/gateway/gateway.h"

#include "store/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WORKERS = 3, NOW_US = 1000000 };

static struct worker workers[WORKERS];
static struct gateway g;

static int
setup(void **state)
{
	int i;

	(void)state;
	g = (struct gateway){.workers = workers, .nworkers = WORKERS};
	atomic_store(&g.started, WORKERS);
	for (i = 0; i < WORKERS; i++) {
		workers[i].front = &g;
		atomic_store(&workers[i].turn, TURN_NONE);
	}
	return sem_init(&g.turns.free, 0, 0);
}

static int
teardown(void **state)
{
	(void)state;
	return sem_destroy(&g.turns.free);
}

static int
free_turns(void)
{
	int n;

	assert_int_equal(sem_getvalue(&g.turns.free, &n), 0);
	return n;
}

static void
takes_soon_what_is_had_for_long(void **state)
{
	(void)state;
	atomic_store(&workers[0].turn, NOW_US - 3000);
	atomic_store(&workers[1].turn, NOW_US - 1000);
	atomic_store(&workers[2].turn, TURN_KEPT);
	turns_pass(&g, NOW_US, true);
	assert_int_equal(workers[0].turn, TURN_NONE);
	assert_int_equal(workers[1].turn, NOW_US - 1000);
	assert_int_equal(workers[2].turn, TURN_KEPT);
	assert_int_equal(free_turns(), 1);
	turns_pass(&g, NOW_US, true);
	assert_int_equal(free_turns(), 1);
}

static void
takes_later_while_all_are_busy(void **state)
{
	(void)state;
	atomic_store(&workers[0].turn, NOW_US - 9000);
	atomic_store(&workers[1].turn, NOW_US - 11000);
	turns_pass(&g, NOW_US, false);
	assert_int_equal(workers[0].turn, NOW_US - 9000);
	assert_int_equal(workers[1].turn, TURN_NONE);
	assert_int_equal(free_turns(), 1);
}

static void
ignores_who_is_not_started(void **state)
{
	(void)state;
	atomic_store(&g.started, 1);
	atomic_store(&workers[2].turn, NOW_US - 3000);
	turns_pass(&g, NOW_US, true);
	assert_int_equal(free_turns(), 0);
}

static void
keeps_a_turn_for_the_next_request(void **state)
{
	struct worker *w = &workers[0];

	(void)state;
	sem_post(&g.turns.free);
	turns_take(w);
	assert_int_equal(free_turns(), 0);
	turns_begin(w);
	assert_true(w->turn > TURN_KEPT);
	turns_end(w);
	assert_int_equal(w->turn, TURN_KEPT);
	turns_take(w);	/* or it would wait for ever */
}

static void
takes_another_when_its_own_was_passed_on(void **state)
{
	struct worker *w = &workers[0];

	(void)state;
	sem_post(&g.turns.free);
	turns_take(w);
	turns_begin(w);
	turns_pass(&g, clock_mono_us() + 5000, true);
	turns_end(w);
	assert_int_equal(w->turn, TURN_NONE);
	assert_int_equal(free_turns(), 1);
	turns_take(w);
	assert_int_equal(w->turn, TURN_KEPT);
	assert_int_equal(free_turns(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
	        takes_soon_what_is_had_for_long, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        takes_later_while_all_are_busy, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        ignores_who_is_not_started, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        keeps_a_turn_for_the_next_request, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        takes_another_when_its_own_was_passed_on, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
