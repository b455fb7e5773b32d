/*
 * The bounded queue: first in, first out, full and closed as promised, and
 * nothing lost between threads.
 */
#include "fcgi/gateway/queue.h"

#include "store/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static void
keeps_the_order(void **state)
{
	struct queue q;
	struct queue_item item;
	int64_t before_us;
	int round, i;

	(void)state;
	assert_int_equal(queue_init(&q, 3), 0);
	assert_int_equal(queue_try(&q, &item), -1);
	for (round = 0; round < 5; round++) {	/* around the ring */
		before_us = clock_mono_us();
		for (i = 0; i < 3; i++)
			assert_int_equal(queue_put(&q, 10 * round + i), 0);
		assert_int_equal(queue_put(&q, 99), -1);
		for (i = 0; i < 2; i++) {
			assert_int_equal(queue_try(&q, &item), 0);
			assert_int_equal(item.fd, 10 * round + i);
		}
		assert_int_equal(queue_take(&q, &item), 0);
		assert_int_equal(item.fd, 10 * round + 2);
		assert_in_range(item.since_us, before_us, clock_mono_us());
	}
	assert_int_equal(queue_try(&q, &item), -1);
	queue_release(&q);
}

static void
closed_takes_nothing_but_gives_the_rest(void **state)
{
	struct queue q;
	struct queue_item item;

	(void)state;
	assert_int_equal(queue_init(&q, 2), 0);
	assert_int_equal(queue_put(&q, 1), 0);
	queue_close(&q);
	assert_int_equal(queue_put(&q, 2), -1);
	assert_int_equal(queue_take(&q, &item), 0);
	assert_int_equal(item.fd, 1);
	assert_int_equal(queue_take(&q, &item), -1);
	queue_release(&q);
}

static void
only_the_overdue_are_overdue(void **state)
{
	struct queue q;
	struct queue_item item;
	int64_t between_us;

	(void)state;
	assert_int_equal(queue_init(&q, 2), 0);
	assert_int_equal(queue_overdue(&q, INT64_MAX, &item), -1);
	assert_int_equal(queue_put(&q, 1), 0);
	usleep(2000);
	between_us = clock_mono_us();
	usleep(2000);
	assert_int_equal(queue_put(&q, 2), 0);
	assert_int_equal(queue_overdue(&q, between_us, &item), 0);
	assert_int_equal(item.fd, 1);
	assert_int_equal(queue_overdue(&q, between_us, &item), -1);
	assert_int_equal(queue_try(&q, &item), 0);
	assert_int_equal(item.fd, 2);
	queue_release(&q);
}

enum { THREADS = 3, ITEMS = 3000 };

struct sum {
	struct queue *queue;
	long total;
	int count;
};

static void *
taker(void *arg)
{
	struct sum *s = arg;
	struct queue_item item;

	while (queue_take(s->queue, &item) == 0) {
		s->total += item.fd;
		s->count++;
	}
	return NULL;
}

static void
nothing_is_lost_between_threads(void **state)
{
	struct queue q;
	struct sum sums[THREADS] = {{0}};
	pthread_t threads[THREADS];
	long total = 0, want = 0;
	int count = 0, i;

	(void)state;
	assert_int_equal(queue_init(&q, 8), 0);
	for (i = 0; i < THREADS; i++) {
		sums[i].queue = &q;
		assert_int_equal(pthread_create(&threads[i], NULL, taker,
		                     &sums[i]), 0);
	}
	for (i = 1; i <= ITEMS; i++) {
		while (queue_put(&q, i) < 0)
			usleep(50);
		want += i;
	}
	queue_close(&q);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		total += sums[i].total;
		count += sums[i].count;
	}
	assert_int_equal(count, ITEMS);
	assert_true(total == want);
	queue_release(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_the_order),
	    cmocka_unit_test(closed_takes_nothing_but_gives_the_rest),
	    cmocka_unit_test(only_the_overdue_are_overdue),
	    cmocka_unit_test(nothing_is_lost_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
