/*
 * Workers, the thread of turns and many clients at once: every request is
 * answered, the turns are as many as before, and a stop loses nobody.
 */
#include "fcgi/gateway/turns.h"

#include "fcgi/gateway/accept.h"
#include "fcgi/gateway/gateway.h"
#include "fcgi/gateway/shed.h"

#include "store/base/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	WORKERS = 12,
	QUEUE = 4,
	CLIENTS = 20,
	ROUNDS = 96,
	REQUEST = 8, /* bytes; the last: ms that it takes */
	STEPS = 4,   /* of how long requests take */
	STEP_MS = 5,
	SLOW_MS = 15,
	LOAD_ROUNDS = 24, /* as many with idle processors as with busy ones */
	DEADLINE_MS = 60000
};

static struct worker workers[WORKERS];
static struct gateway g;
static pthread_barrier_t round_over;
static void *const FIRST = (void *)1; /* of the clients */
static atomic_size_t served;
static int load_fd; /* read in the place of /proc/loadavg */

/* As worker_main() does, with an echo as the request. */
static void *
work(void *arg)
{
	unsigned char in[REQUEST];
	struct worker *w = arg;
	int64_t wait_us;
	int fd;

	for (;;) {
		turns_take(w);
		fd = accept_next(&g, &wait_us);
		if (fd < 0)
			return NULL;
		turns_begin(w);
		if (recv(fd, in, sizeof in, 0) == sizeof in) {
			usleep(in[REQUEST - 1] * 1000U);
			atomic_fetch_add(&served, 1);
			send(fd, in, 1, MSG_NOSIGNAL);
		}
		accept_again(&g, fd);
		turns_end(w);
		accept_done(&g);
	}
}

static int
setup(void **state)
{
	size_t i;

	(void)state;
	g = (struct gateway){.workers = workers, .nworkers = WORKERS};
	atomic_store(&g.started, WORKERS);
	atomic_store(&served, 0);
	g.listen_fd = eventfd(0, EFD_CLOEXEC);
	if (g.listen_fd < 0 || accept_start(&g) < 0 || shed_start(&g) < 0 ||
	    turns_start(&g, WORKERS, QUEUE) < 0)
		return -1;
	load_fd = memfd_create("loadavg", MFD_CLOEXEC);
	if (load_fd < 0 || (g.turns.load_fd >= 0 &&
			       dup3(load_fd, g.turns.load_fd, O_CLOEXEC) < 0))
		return -1;
	for (i = 0; i < WORKERS; i++) {
		workers[i].front = &g;
		atomic_store(&workers[i].turn, TURN_NONE);
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			return -1;
	}
	return pthread_barrier_init(&round_over, NULL, CLIENTS);
}

/* As serve_fastcgi() in main.c does. */
static void
stop(void)
{
	size_t i;

	turns_stop(&g);
	accept_stop(&g);
	for (i = 0; i < WORKERS; i++)
		pthread_join(workers[i].thread, NULL);
	shed_stop();
	turns_release(&g);
}

static int
teardown(void **state)
{
	(void)state;
	close(load_fd);
	close(g.listen_fd);
	close(g.epoll_fd);
	close(g.wake_fd);
	return pthread_barrier_destroy(&round_over);
}

static int
dial(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	accept_again(&g, fds[0]);
	return fds[1];
}

/* The first bytes are those of a FastCGI request, or shed() says nothing. */
static bool
ask(int fd, unsigned ms)
{
	unsigned char out[REQUEST] = {1, 1, 0, 1, 0, 0, 0, (unsigned char)ms};

	return send(fd, out, sizeof out, MSG_NOSIGNAL) == sizeof out;
}

/* Bytes of the answer: one if it was served, more if it was shed; 0: none. */
static size_t
hear(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char in[512];
	ssize_t n;

	if (poll(&p, 1, DEADLINE_MS) != 1)
		return 0;
	n = recv(fd, in, sizeof in, 0);
	return n > 0 ? (size_t)n : 0;
}

/* Turns become more for some rounds, then fewer. */
static void
say_load(int round)
{
	const char *load = round / LOAD_ROUNDS % 2 ? "0 0 0 99999/99999 1"
						   : "0 0 0 00000/99999 1";

	if (pwrite(load_fd, load, strlen(load), 0) < 0)
		abort();
}

/* NULL if each request was answered. */
static void *
client(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	int round, fd = dial();
	void *unheard = NULL;
	size_t n;

	for (round = 0; round < ROUNDS; round++) {
		if (arg == FIRST)
			say_load(round);
		seed = seed * 1103515245 + 12345;
		n = 0;
		if (ask(fd, (seed >> 16) % STEPS * STEP_MS))
			n = hear(fd);
		if (n == 0)
			unheard = arg;
		if (n != 1) {
			close(fd);
			fd = dial();
		}
		pthread_barrier_wait(&round_over);
		if (n == 0)
			break;
	}
	for (; round < ROUNDS - 1 && unheard; round++)
		pthread_barrier_wait(&round_over);
	close(fd);
	return unheard;
}

/* With the thread asleep, so that nobody changes it. */
static bool
turns_add_up(void)
{
	size_t i, held = 0;
	int free_now;

	if (!atomic_load(&g.turns.asleep) || atomic_load(&g.busy))
		return false;
	for (i = 0; i < WORKERS; i++)
		held += atomic_load(&workers[i].turn) != TURN_NONE;
	sem_getvalue(&g.turns.free, &free_now);
	return held + (size_t)free_now - atomic_load(&g.turns.debt) ==
	       g.turns.now;
}

static void
answers_all_and_loses_no_turn(void **state)
{
	pthread_t clients[CLIENTS];
	int64_t until_ms;
	void *unheard;
	size_t i;

	(void)state;
	for (i = 0; i < CLIENTS; i++)
		assert_int_equal(pthread_create(&clients[i], NULL, client,
				     (void *)(uintptr_t)(i + 1)),
		    0);
	for (i = 0; i < CLIENTS; i++) {
		pthread_join(clients[i], &unheard);
		assert_null(unheard);
	}
	assert_true(served > 0);
	until_ms = clock_mono_ms() + DEADLINE_MS;
	while (!turns_add_up()) {
		assert_true(clock_mono_ms() < until_ms);
		usleep(1000);
	}
	assert_int_equal(g.turns.admitted.count, 0);
	assert_int_equal(g.turns.waiting.count, 0);
	stop();
}

/* All have asked; workers and queues are full of them. */
static void
answers_who_asked_before_a_stop(void **state)
{
	int fds[CLIENTS];
	size_t i;

	(void)state;
	for (i = 0; i < CLIENTS; i++) {
		fds[i] = dial();
		assert_true(ask(fds[i], SLOW_MS));
	}
	stop();
	for (i = 0; i < CLIENTS; i++) {
		assert_true(hear(fds[i]) > 0);
		close(fds[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		answers_all_and_loses_no_turn, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		answers_who_asked_before_a_stop, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
