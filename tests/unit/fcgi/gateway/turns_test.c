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
takes_what_is_had_for_long(void **state)
{
	(void)state;
	atomic_store(&workers[0].turn, NOW_US - 11000);
	atomic_store(&workers[1].turn, NOW_US - 9000);
	atomic_store(&workers[2].turn, TURN_KEPT);
	turns_pass(&g, NOW_US);
	assert_int_equal(workers[0].turn, TURN_NONE);
	assert_int_equal(workers[1].turn, NOW_US - 9000);
	assert_int_equal(workers[2].turn, TURN_KEPT);
	assert_int_equal(free_turns(), 1);
	turns_pass(&g, NOW_US);
	assert_int_equal(free_turns(), 1);
}

/* Looks, all processors being busy, until there are that many turns. */
static void
busy_until(size_t turns)
{
	int looks;

	for (looks = 0; g.turns.now > turns; looks++) {
		assert_true(looks < 1000);
		turns_adapt(&g, false);
	}
}

static void
has_more_while_a_processor_is_idle(void **state)
{
	(void)state;
	g.turns.least = g.turns.now = 1;
	turns_adapt(&g, true);
	assert_int_equal(g.turns.now, WORKERS);	/* it has no more workers */
	assert_int_equal(free_turns(), WORKERS - 1);
	busy_until(1);
	assert_int_equal(free_turns(), 0);
	turns_adapt(&g, false);
	assert_int_equal(g.turns.now, 1);
	assert_int_equal(g.turns.debt, 0);
}

/* Two too many, both in use: who is done first gives his up. */
static void
has_fewer_once_requests_are_over(void **state)
{
	int i;

	(void)state;
	g.turns.least = 1;
	g.turns.now = WORKERS;
	for (i = 0; i < WORKERS; i++)
		turns_begin(&workers[i]);
	busy_until(1);
	assert_int_equal(g.turns.debt, 2);
	for (i = 0; i < WORKERS; i++)
		turns_end(&workers[i]);
	assert_int_equal(workers[0].turn, TURN_NONE);
	assert_int_equal(workers[1].turn, TURN_NONE);
	assert_int_equal(workers[2].turn, TURN_KEPT);
	assert_int_equal(free_turns(), 0);
}

/* What is owed is paid first with what there is more of. */
static void
has_as_many_as_before_after_both(void **state)
{
	(void)state;
	g.turns.least = 1;
	g.turns.now = WORKERS;
	busy_until(1);
	turns_adapt(&g, true);
	assert_int_equal(g.turns.now, WORKERS);
	assert_int_equal(g.turns.debt, 0);
	assert_int_equal(free_turns(), 0);
}

static void
ignores_who_is_not_started(void **state)
{
	(void)state;
	atomic_store(&g.started, 1);
	atomic_store(&workers[2].turn, NOW_US - 11000);
	turns_pass(&g, NOW_US);
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
	turns_pass(&g, clock_mono_us() + 20000);
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
	        takes_what_is_had_for_long, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        has_more_while_a_processor_is_idle, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        has_fewer_once_requests_are_over, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        has_as_many_as_before_after_both, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        ignores_who_is_not_started, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        keeps_a_turn_for_the_next_request, setup, teardown),
	    cmocka_unit_test_setup_teardown(
	        takes_another_when_its_own_was_passed_on, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
