/*
 * Leases and slots: refusals, lost connections, launchers that leave, and
 * that what is counted adds up.
 */
#include "world.h"

static void
wait_for_end(struct world_child *c)
{
	world_receive(c);
}

static sem_t gate;

static int64_t
in_ms(int64_t ms)
{
	return clock_mono_ms() + ms;
}

static void
seen_in_time(struct world *w, uint32_t type, int n)
{
	int i;

	for (i = 0; i < PATIENCE_MS / 5 && world_seen(w, type) < n; i++)
		usleep(5000);
	assert_int_equal(world_seen(w, type), n);
}

static void
leases_come_and_go(void **state)
{
	const struct world_plan plan = {.script = {wait_for_end}};
	struct world *w = world_open(&plan);
	struct invoke_pool *p = world_pool(w, "plain");
	struct lease a, b;
	struct err e;

	(void)state;
	assert_int_equal(lease_take(p, in_ms(PATIENCE_MS), &a, &e), 0);
	assert_int_equal(lease_take(p, in_ms(PATIENCE_MS), &b, &e), 0);
	assert_int_not_equal(a.id, b.id);
	assert_true(a.out_fd == -1 && a.err_fd == -1);
	lease_drop(p, &a, false);
	lease_drop(p, &b, false);
	assert_int_equal(world_connections(w), 1);
	world_close(w);
}

static void
a_returned_lease_is_taken_again(void **state)
{
	const struct world_plan plan = {.script = {wait_for_end}};
	struct world *w = world_open(&plan);
	struct invoke_pool *p = world_pool(w, "reuse");
	struct lease l;
	struct err e;
	uint64_t id;

	(void)state;
	assert_int_equal(lease_take(p, in_ms(PATIENCE_MS), &l, &e), 0);
	id = l.id;
	lease_return(p, &l);
	assert_int_equal(lease_take(p, in_ms(PATIENCE_MS), &l, &e), 0);
	assert_true(l.id == id);
	assert_int_equal(world_seen(w, LAUNCH_LEASE), 1);
	lease_drop(p, &l, true);
	world_close(w);
}

static void
idle_leases_go(void **state)
{
	const struct world_plan plan = {.script = {wait_for_end}};
	struct world *w = world_open(&plan);
	struct invoke_pool *p = world_pool(w, "reuse");
	struct lease l;
	struct err e;
	int status;

	(void)state;
	assert_int_equal(lease_take(p, in_ms(PATIENCE_MS), &l, &e), 0);
	lease_return(p, &l);
	invoke_tick(world_invoke(w), in_ms(5000));
	assert_int_equal(lease_take(p, in_ms(PATIENCE_MS), &l, &e), 0);
	assert_int_equal(world_seen(w, LAUNCH_LEASE), 1);
	lease_return(p, &l);
	invoke_tick(world_invoke(w), in_ms(60000));
	assert_int_equal(lease_take(p, in_ms(PATIENCE_MS), &l, &e), 0);
	assert_int_equal(world_seen(w, LAUNCH_LEASE), 2);
	lease_drop(p, &l, true);
	assert_true(world_ended(w, 1, 10000, &status));
	world_close(w);
}

static void
refusals_are_passed_on(void **state)
{
	static const uint32_t CODES[] = {LAUNCH_BROKEN, LAUNCH_THROTTLED,
	    LAUNCH_UNKNOWN};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		const struct world_plan plan = {.script = {wait_for_end},
		    .refuse = CODES[i], .refusals = 1};
		struct world *w = world_open(&plan);
		struct invoke_pool *p = world_pool(w, "plain");
		struct lease l;
		struct err e;

		assert_int_equal(lease_take(p, in_ms(PATIENCE_MS), &l, &e),
		    CODES[i]);
		assert_string_equal(e.text, "not today");
		assert_int_equal(lease_take(p, in_ms(PATIENCE_MS), &l, &e), 0);
		lease_drop(p, &l, false);
		world_close(w);
	}
}

static void
nobody_waits_past_the_deadline(void **state)
{
	const struct world_plan plan = {.script = {wait_for_end},
	    .hand_out = 0, .refuse = 0, .mute = true};
	struct world *w = world_open(&plan);
	struct invoke_pool *p = world_pool(w, "plain");
	int64_t start_ms = clock_mono_ms();
	struct lease l;
	struct err e;

	(void)state;
	assert_int_equal(lease_take(p, start_ms + 150, &l, &e), -1);
	assert_int_equal(e.code, ETIMEDOUT);
	assert_true(clock_mono_ms() - start_ms >= 150);
	assert_true(clock_mono_ms() - start_ms < PATIENCE_MS);
	world_close(w);
}

static void
a_lost_connection_is_made_anew(void **state)
{
	const struct world_plan plan = {.script = {wait_for_end},
	    .hang_up = 3};
	struct world *w = world_open(&plan);
	struct invoke_pool *p = world_pool(w, "plain");
	struct lease l;
	struct err e;

	(void)state;
	assert_int_equal(lease_take(p, in_ms(PATIENCE_MS), &l, &e), 0);
	assert_int_equal(world_connections(w), 4);
	lease_drop(p, &l, false);
	world_close(w);
}

/* Children of a launcher that is gone are not handed out. */
static void
the_stock_goes_with_the_connection(void **state)
{
	const struct world_plan plan = {.script = {wait_for_end}};
	struct world *w = world_open(&plan);
	struct invoke_pool *p = world_pool(w, "reuse");
	struct lease l;
	struct err e;
	uint64_t id;

	(void)state;
	assert_int_equal(lease_take(p, in_ms(PATIENCE_MS), &l, &e), 0);
	id = l.id;
	lease_return(p, &l);
	world_hang_up(w);
	assert_int_equal(lease_take(p, in_ms(PATIENCE_MS), &l, &e), 0);
	assert_true(l.id != id);
	assert_int_equal(world_connections(w), 2);
	lease_drop(p, &l, false);
	world_close(w);
}

static void
a_launcher_that_leaves_is_waited_for(void **state)
{
	const struct world_plan plan = {.script = {wait_for_end},
	    .refuse = LAUNCH_LEAVING, .refusals = 5};
	struct world *w = world_open(&plan);
	struct invoke_pool *p = world_pool(w, "plain");
	struct lease l;
	struct err e;

	(void)state;
	assert_int_equal(lease_take(p, in_ms(PATIENCE_MS), &l, &e), 0);
	lease_drop(p, &l, false);
	world_close(w);
}

static void
and_not_for_ever(void **state)
{
	const struct world_plan plan = {.script = {wait_for_end},
	    .refuse = LAUNCH_LEAVING, .refusals = 1000000};
	struct world *w = world_open(&plan);
	struct invoke_pool *p = world_pool(w, "plain");
	struct lease l;
	struct err e;
	int ms = 100, code;

	(void)state;
	do {		/* again if it was not even refused in that time */
		ms *= 2;
		code = lease_take(p, in_ms(ms), &l, &e);
	} while (code == -1 && ms < PATIENCE_MS);
	assert_int_equal(code, LAUNCH_LEAVING);
	world_close(w);
}

/* What a pool asked for that is gone must not reach the one in its place. */
static void
late_children_are_not_anothers(void **state)
{
	const struct world_plan plan = {.script = {wait_for_end},
	    .gate = &gate, .slots = 2};
	struct world *w = world_open(&plan);
	struct invoke_pool *first = world_pool(w, "plain"), *second;
	struct lease l;
	struct err e;
	uint64_t id;

	(void)state;
	sem_init(&gate, 0, 0);
	assert_int_equal(lease_take(first, in_ms(50), &l, &e), -1);
	world_free_pool(w);
	second = world_pool(w, "reuse");
	sem_post(&gate);
	sem_post(&gate);
	assert_int_equal(slot_take(world_pool(w, "few"), in_ms(PATIENCE_MS),
	    &id, &e), 0);		/* they came before that */
	assert_int_equal(lease_take(second, in_ms(20), &l, &e), -1);
	sem_post(&gate);
	world_close(w);
}

/* ---- slots ------------------------------------------------------------ */

static void
slots_are_counted(void **state)
{
	const struct world_plan plan = {.script = {wait_for_end}, .slots = 2};
	struct world *w = world_open(&plan);
	struct invoke_pool *p = world_pool(w, "few");
	uint64_t a, b, c;
	struct err e;

	(void)state;
	assert_int_equal(slot_take(p, in_ms(PATIENCE_MS), &a, &e), 0);
	assert_int_equal(slot_take(p, in_ms(PATIENCE_MS), &b, &e), 0);
	assert_true(a && b && a != b);
	assert_int_equal(slot_take(p, in_ms(PATIENCE_MS), &c, &e),
	    LAUNCH_BUSY);
	assert_int_equal(c, 0);
	slot_give(p, c);
	slot_give(p, a);
	assert_int_equal(slot_take(p, in_ms(PATIENCE_MS), &c, &e), 0);
	slot_give(p, b);
	slot_give(p, c);
	seen_in_time(w, LAUNCH_RELEASE, 3);
	assert_int_equal(world_slots_held(w), 0);
	world_close(w);
}

static void
most_functions_need_none(void **state)
{
	const struct world_plan plan = {.script = {wait_for_end}};
	struct world *w = world_open(&plan);
	uint64_t id = 7;
	struct err e;

	(void)state;
	assert_int_equal(slot_take(world_pool(w, "plain"), in_ms(10), &id, &e),
	    0);
	assert_int_equal(id, 0);
	assert_int_equal(world_connections(w), 0);
	world_close(w);
}

static void
a_slot_that_comes_too_late_is_given_back(void **state)
{
	const struct world_plan plan = {.script = {wait_for_end}, .slots = 2,
	    .gate = &gate};
	struct world *w = world_open(&plan);
	uint64_t id;
	struct err e;

	(void)state;
	sem_init(&gate, 0, 0);
	assert_int_equal(slot_take(world_pool(w, "few"), in_ms(30), &id, &e),
	    -1);
	sem_post(&gate);
	seen_in_time(w, LAUNCH_RELEASE, 1);
	assert_int_equal(world_slots_held(w), 0);
	world_close(w);
}

/* ---- many at once ----------------------------------------------------- */

enum { THREADS = 6, ROUNDS = 40 };

static void *
take_and_return(void *arg)
{
	struct invoke_pool *p = arg;
	struct lease l;
	struct err e;
	long taken = 0;
	int i;

	for (i = 0; i < ROUNDS; i++)
		if (lease_take(p, in_ms(PATIENCE_MS), &l, &e) == 0) {
			taken++;
			lease_return(p, &l);
		}
	return (void *)taken;
}

static void
everybody_gets_one(void **state)
{
	const struct world_plan plan = {.script = {wait_for_end},
	    .hand_out = 1};
	struct world *w = world_open(&plan);
	struct invoke_pool *p = world_pool(w, "reuse");
	pthread_t t[THREADS];
	void *taken;
	int i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, take_and_return,
		                     p), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(t[i], &taken);
		assert_int_equal((long)taken, ROUNDS);
	}
	world_close(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(leases_come_and_go),
	    cmocka_unit_test(a_returned_lease_is_taken_again),
	    cmocka_unit_test(idle_leases_go),
	    cmocka_unit_test(refusals_are_passed_on),
	    cmocka_unit_test(nobody_waits_past_the_deadline),
	    cmocka_unit_test(a_lost_connection_is_made_anew),
	    cmocka_unit_test(the_stock_goes_with_the_connection),
	    cmocka_unit_test(a_launcher_that_leaves_is_waited_for),
	    cmocka_unit_test(and_not_for_ever),
	    cmocka_unit_test(late_children_are_not_anothers),
	    cmocka_unit_test(slots_are_counted),
	    cmocka_unit_test(most_functions_need_none),
	    cmocka_unit_test(a_slot_that_comes_too_late_is_given_back),
	    cmocka_unit_test(everybody_gets_one),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
