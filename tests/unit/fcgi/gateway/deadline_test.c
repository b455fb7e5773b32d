/*
 * Deadlines: what is overdue is cut, and nothing else.
 */
#include "fcgi/gateway/deadline.h"

#include "store/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* As a worker has it: among other things, so the stride counts. */
struct holder {
	int before;
	struct deadline deadline;
	char after[40];
};

enum { N = 3 };

static int pairs[N][2];
static struct holder holders[N];

static int
setup(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < N; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) < 0)
			return -1;
		deadline_init(&holders[i].deadline);
	}
	return 0;
}

static int
teardown(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < N; i++) {
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
	return 0;
}

static void
check(int64_t now_ms)
{
	deadline_check(&holders[0].deadline, N, sizeof holders[0], now_ms);
}

static bool
is_cut(int i)
{
	char byte;

	return recv(pairs[i][0], &byte, 1, MSG_DONTWAIT) == 0;
}

static void
only_the_overdue_is_cut(void **state)
{
	int64_t now_ms = clock_mono_ms();

	(void)state;
	deadline_set(&holders[0].deadline, pairs[0][0], 1000);
	deadline_set(&holders[1].deadline, pairs[1][0], 60000);
	deadline_set(&holders[2].deadline, pairs[2][0], 1000);
	deadline_clear(&holders[2].deadline);
	check(now_ms + 500);
	assert_false(is_cut(0));
	check(now_ms + 5000);
	assert_true(is_cut(0));
	assert_true(holders[0].deadline.cut);
	assert_false(is_cut(1));
	assert_false(holders[1].deadline.cut);
	assert_false(is_cut(2));
	assert_false(holders[2].deadline.cut);
}

static void
a_new_deadline_begins_uncut(void **state)
{
	int64_t now_ms = clock_mono_ms();

	(void)state;
	deadline_set(&holders[0].deadline, pairs[0][0], 0);
	check(now_ms + 1000);
	assert_true(holders[0].deadline.cut);
	deadline_set(&holders[0].deadline, pairs[1][0], 60000);
	assert_false(holders[0].deadline.cut);
	check(now_ms + 1000);
	assert_false(is_cut(1));
}

/* What has been cut is not cut again: its number may be another's by then. */
static void
a_cut_is_made_once(void **state)
{
	int64_t now_ms = clock_mono_ms();

	(void)state;
	deadline_set(&holders[0].deadline, pairs[0][0], 0);
	check(now_ms + 1000);
	assert_int_equal(dup2(pairs[1][0], pairs[0][0]), pairs[0][0]);
	check(now_ms + 2000);
	assert_false(is_cut(1));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(only_the_overdue_is_cut),
	    T(a_new_deadline_begins_uncut),
	    T(a_cut_is_made_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
