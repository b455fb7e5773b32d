/*
 * What the thread of turns does at a look: how many turns there are by the
 * load, and whom it takes in.
 */
#include "fcgi/gateway/turns.h"

#include "fcgi/gateway/accept.h"
#include "fcgi/gateway/gateway.h"
#include "fcgi/gateway/shed.h"

#include "store/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORKERS = 3, PAST_US = 100000 };

static struct worker workers[WORKERS];
static struct gateway g;
static int other_fd; /* the web server's end of request() */

static int
setup(void **state)
{
	struct turns *t = &g.turns;
	int i;

	(void)state;
	g = (struct gateway){.workers = workers, .nworkers = WORKERS};
	atomic_store(&g.started, WORKERS);
	for (i = 0; i < WORKERS; i++)
		atomic_store(&workers[i].turn, TURN_NONE);
	t->load_fd = memfd_create("loadavg", MFD_CLOEXEC);
	t->processors = 2;
	t->least = t->now = 1;
	g.listen_fd = eventfd(0, EFD_CLOEXEC);
	if (t->load_fd < 0 || g.listen_fd < 0 || shed_start(&g) < 0 ||
	    sem_init(&t->free, 0, 0) < 0 ||
	    queue_init(&t->admitted, WORKERS) < 0 ||
	    queue_init(&t->waiting, 1) < 0)
		return -1;
	return accept_start(&g);
}

static int
teardown(void **state)
{
	(void)state;
	shed_stop();
	close(g.turns.load_fd);
	close(g.listen_fd);
	close(g.epoll_fd);
	close(g.wake_fd);
	queue_release(&g.turns.admitted);
	queue_release(&g.turns.waiting);
	return sem_destroy(&g.turns.free);
}

static void
say_load(const char *text)
{
	assert_int_equal(ftruncate(g.turns.load_fd, 0), 0);
	assert_int_equal(
	    pwrite(g.turns.load_fd, text, strlen(text), 0), strlen(text));
}

/* A connection that has a request since PAST_US. */
static struct queue_item
request(void)
{
	int fds[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	other_fd = fds[1];
	return (struct queue_item){
	    .fd = fds[0], .since_us = clock_mono_us() - PAST_US};
}

static void
close_both(int fd)
{
	close(fd);
	close(other_fd);
}

static void
reads_whether_a_processor_is_idle(void **state)
{
	static const struct {
		const char *load;
		size_t turns;
	} CASES[] = {
	    {"0.10 0.10 0.10 2/150 999\n", WORKERS}, /* ourselves and one */
	    {"0.10 0.10 0.10 3/150 999\n", 1},
	    {"9.00 9.00 9.00 0/0 0\n", WORKERS},
	    {"nothing of that kind", WORKERS},
	    {"", WORKERS},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		while (g.turns.now > 1)
			turns_adapt(&g, false);
		say_load(CASES[i].load);
		turns_look(&g);
		assert_int_equal(g.turns.now, CASES[i].turns);
	}
}

static void
has_a_turn_for_each_without_proc(void **state)
{
	int load_fd = g.turns.load_fd;

	(void)state;
	g.turns.load_fd = -1;
	turns_look(&g);
	assert_int_equal(g.turns.now, WORKERS);
	g.turns.load_fd = load_fd;
}

/* Another program computes: who has the turn does not, or is slow. */
static void
has_more_for_who_waits_behind_slow_ones(void **state)
{
	struct queue_item item = request();

	(void)state;
	say_load("9.00 9.00 9.00 9/150 999\n");
	assert_int_equal(queue_move(&g.turns.admitted, item), 0);
	turns_look(&g);
	assert_int_equal(g.turns.now, 1); /* it has just come */
	g.turns.admitted.items[0].put_us -= PAST_US;
	turns_look(&g);
	assert_int_equal(g.turns.now, 1); /* nobody is slow */
	atomic_store(&workers[0].turn, clock_mono_us() - PAST_US);
	turns_look(&g);
	assert_int_equal(g.turns.now, WORKERS);
	close_both(item.fd);
}

/*
 * A worker came to the epoll set between the two queues' change: it has seen
 * the item in neither.
 */
static void
gives_a_lookout_what_came_off_the_queue(void **state)
{
	struct queue_item item = request();
	int fd;

	(void)state;
	assert_int_equal(queue_move(&g.turns.waiting, item), 0);
	turns_lookout(&g.turns);
	turns_look(&g);
	assert_int_equal(g.turns.admitted.count, 0);
	assert_int_equal(g.turns.waiting.count, 0);
	assert_true(accept_pending(&g, &fd));
	assert_int_equal(fd, item.fd);
	close_both(fd);
}

/* Who has been found is in flight before it is off the queue. */
static void
counts_who_was_taken_in(void **state)
{
	struct queue_item item = request();
	int64_t wait_us;
	int fd;

	(void)state;
	assert_int_equal(turns_next(&g, &fd, &wait_us), -1);
	assert_int_equal(g.busy, 0);
	assert_int_equal(queue_move(&g.turns.admitted, item), 0);
	assert_int_equal(turns_next(&g, &fd, &wait_us), 0);
	assert_int_equal(fd, item.fd);
	assert_true(wait_us >= PAST_US);
	assert_int_equal(g.busy, 1);
	close_both(fd);
	item = request();
	assert_int_equal(queue_move(&g.turns.waiting, item), 0);
	assert_int_equal(turns_next(&g, &fd, &wait_us), -1); /* shed */
	assert_int_equal(g.busy, 1);
	close(other_fd);
}

/* As many as can be started are busy: the others' room is none. */
static void
takes_in_no_more_than_can_be_served(void **state)
{
	struct queue_item item = request();

	(void)state;
	say_load("9.00 9.00 9.00 9/150 999\n");
	atomic_store(&g.started, 1);
	atomic_store(&g.busy, 1);
	accept_again(&g, item.fd);
	turns_look(&g);
	assert_int_equal(g.turns.admitted.count, 1); /* one is started */
	atomic_store(&g.no_more, true);
	g.turns.admitted.items[0].since_us -= PAST_US;
	turns_look(&g);
	assert_int_equal(g.turns.admitted.count, 0); /* it can't be: shed */
	close(other_fd);
	item = request();
	accept_again(&g, item.fd);
	turns_look(&g);
	assert_int_equal(g.turns.admitted.count, 0);
	if (queue_try(&g.turns.waiting, &item) == 0) /* or shed by now */
		close(item.fd);
	close(other_fd);
}

/* Or the thread tries again and again, and passes no turns on. */
static void
stops_where_descriptors_are_short(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t bound = sizeof(sa_family_t), n = sizeof at;
	struct rlimit all, none;
	int client, fd, unused;

	(void)state;
	close(g.listen_fd);
	g.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(g.listen_fd, (void *)&at, bound), 0);
	assert_int_equal(getsockname(g.listen_fd, (void *)&at, &n), 0);
	assert_int_equal(listen(g.listen_fd, 1), 0);
	accept_again(&g, g.listen_fd);
	assert_int_equal(connect(client, (void *)&at, n), 0);
	unused = dup(client);
	close(unused);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	none = (struct rlimit){(rlim_t)unused, all.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	g.accept_failed_ms = INT64_MAX / 2; /* it need not be said */
	assert_false(accept_pending(&g, &fd));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
	assert_true(accept_pending(&g, &fd));
	close(client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		reads_whether_a_processor_is_idle, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		has_a_turn_for_each_without_proc, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		has_more_for_who_waits_behind_slow_ones, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		gives_a_lookout_what_came_off_the_queue, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		counts_who_was_taken_in, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		takes_in_no_more_than_can_be_served, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		stops_where_descriptors_are_short, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
