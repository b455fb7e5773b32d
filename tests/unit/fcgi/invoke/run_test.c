/*
 * A request through a child: every way in which it can end, and that nothing
 * is left to chance: who is ended, what is asked of the launcher, what the
 * caller sees.
 */
#include "world.h"

#include "fcgi/invoke/run.h"

#include <semaphore.h>

/* What came out of one request. */
struct seen {
	char out[4096], log[256];
	size_t out_len, log_len;
	int flushes, expired;
	int want_no_more_after;	/* bytes; 0: takes all */
	sem_t flushed;
	int64_t expired_ms;
	const struct world *watched;	/* its first child, if any */
	bool expired_alive;
};

static struct seen seen;
static sem_t *flushed = &seen.flushed;

static int
on_output(void *ctx, const char *p, size_t n)
{
	struct seen *s = ctx;

	if (n > sizeof s->out - s->out_len)
		n = sizeof s->out - s->out_len;
	memcpy(s->out + s->out_len, p, n);
	s->out_len += n;
	return s->want_no_more_after &&
	        s->out_len >= (size_t)s->want_no_more_after
	    ? -1
	    : 0;
}

static int
on_flush(void *ctx)
{
	struct seen *s = ctx;

	s->flushes++;
	sem_post(&s->flushed);
	return 0;
}

static void
on_log(void *ctx, const char *p, size_t n)
{
	struct seen *s = ctx;

	assert_true(n <= sizeof s->log - s->log_len);
	memcpy(s->log + s->log_len, p, n);
	s->log_len += n;
}

static void
on_expired(void *ctx)
{
	struct seen *s = ctx;
	siginfo_t i = {0};

	s->expired++;
	s->expired_ms = clock_mono_ms();
	if (s->watched)
		s->expired_alive = waitid(P_PID,
		    (id_t)s->watched->actors[0].pid, &i,
		    WEXITED | WNOHANG | WNOWAIT) == 0 && i.si_pid == 0;
}

static struct run_request
request(void)
{
	static const char ENV[] = "A=1\0B=2";

	memset(&seen, 0, sizeof seen);
	sem_init(&seen.flushed, 0, 0);
	return (struct run_request){.env = ENV, .env_bytes = sizeof ENV,
	    .env_count = 2, .body_fd = -1,
	    .deadline_mono_ms = clock_mono_ms() + PATIENCE_MS, .client_fd = -1,
	    .ctx = &seen, .output = on_output, .flush = on_flush,
	    .log = on_log, .expired = on_expired};
}

static struct run_result
go(struct invoke_pool *p, const struct run_request *q)
{
	struct run *r = run_new();
	struct run_result result;

	assert_non_null(r);
	run_request(r, p, q, &result);
	run_free(r);
	if (result.end == RUN_REFUSED)
		print_message("refused: %s\n", result.text);
	return result;
}

static void
assert_out(const char *text)
{
	assert_int_equal(seen.out_len, strlen(text));
	assert_memory_equal(seen.out, text, strlen(text));
}

/* ---- scripts ---------------------------------------------------------- */

static void
say_hello(struct world_child *c)
{
	if (!world_receive(c))
		return;
	assert_memory_equal(c->env, "A=1\0B=2", 8);
	world_done(c, ABI_END_EXIT, 0, false, "hello");
}

static void
write_and_log(struct world_child *c)
{
	if (!world_receive(c))
		return;
	assert_int_equal(write(c->out_fd, "piped ", 6), 6);
	assert_int_equal(write(c->err_fd, "oops\n", 5), 5);
	world_done(c, ABI_END_EXIT, 9, false, "inline");
}

static void
echo_body(struct world_child *c)
{
	char body[64];
	ssize_t n;

	if (!world_receive(c))
		return;
	n = pread(c->in_fd, body, sizeof body - 1, 0);
	body[n > 0 ? n : 0] = '\0';
	assert_true(c->head.body_bytes == (uint64_t)n);
	world_done(c, ABI_END_EXIT, 0, false, body);
}

/* Ends with the request unread: it never began. */
static void
die_unread(struct world_child *c)
{
	struct pollfd p = {c->ctl_fd, POLLIN, 0};

	poll(&p, 1, 10000);
}

static void
die_amid(struct world_child *c)
{
	if (world_receive(c))
		assert_int_equal(write(c->out_fd, "part", 4), 4);
}

static void
hang(struct world_child *c)
{
	if (world_receive(c))
		world_wait_gone(c);
}

/* Writes without end: its time must be up all the same. */
static void
write_for_ever(struct world_child *c)
{
	char text[1024] = {0};

	if (!world_receive(c))
		return;
	signal(SIGPIPE, SIG_IGN);
	while (write(c->out_fd, text, sizeof text) > 0)
		;
}

static void
flush_between(struct world_child *c)
{
	if (!world_receive(c))
		return;
	assert_int_equal(write(c->out_fd, "one ", 4), 4);
	world_flush(c);
	sem_wait(flushed);	/* it has gone out before we go on */
	assert_int_equal(write(c->out_fd, "two", 3), 3);
	world_done(c, ABI_END_EXIT, 0, false, "");
}

static void
close_output_and_go_on(struct world_child *c)
{
	if (!world_receive(c))
		return;
	assert_int_equal(write(c->out_fd, "all", 3), 3);
	io_close(&c->out_fd);
	world_wait_gone(c);
}

static void
serve_again(struct world_child *c)
{
	char text[16];
	int n = 0;

	while (world_receive(c)) {
		snprintf(text, sizeof text, "%d", ++n);
		world_done(c, ABI_END_EXIT, 0, true, text);
	}
}

static void
talk_nonsense(struct world_child *c)
{
	if (!world_receive(c))
		return;
	send(c->ctl_fd, "nonsense", 8, MSG_NOSIGNAL);
	world_wait_gone(c);
}

static void
send_descriptors(struct world_child *c)
{
	struct abi_done d = {.magic = ABI_MAGIC};
	struct iovec iov = {&d, sizeof d};

	if (!world_receive(c))
		return;
	sock_send(c->ctl_fd, &iov, 1, &c->ctl_fd, 1, 0);
	world_wait_gone(c);
}

static void
crash_said(struct world_child *c)
{
	if (world_receive(c))
		world_done(c, ABI_END_SIGNAL, SIGSEGV, false, "");
}

static void
no_exec(struct world_child *c)
{
	if (world_receive(c))
		world_done(c, ABI_END_NO_EXEC, ENOENT, true, "");
}

/* ---- how it ends ------------------------------------------------------ */

static void
inline_output_comes_through(void **state)
{
	const struct world_plan plan = {.script = {say_hello}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	struct run_result r = go(world_pool(w, "plain"), &q);

	(void)state;
	assert_int_equal(r.end, RUN_EXIT);
	assert_int_equal(r.status, 0);
	assert_int_equal(r.peak_kb, 77);
	assert_int_equal(r.cpu_us, 88);
	assert_out("hello");
	assert_int_equal(world_seen(w, LAUNCH_KILL), 0);
	world_close(w);
}

static void
pipes_come_before_inline_output(void **state)
{
	const struct world_plan plan = {.script = {write_and_log}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	struct run_result r = go(world_pool(w, "plain"), &q);

	(void)state;
	assert_int_equal(r.end, RUN_EXIT);
	assert_int_equal(r.status, 9);
	assert_out("piped inline");
	assert_int_equal(seen.log_len, 5);
	assert_memory_equal(seen.log, "oops\n", 5);
	world_close(w);
}

static void
a_body_is_handed_over(void **state)
{
	const struct world_plan plan = {.script = {echo_body}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	FILE *f = tmpfile();

	(void)state;
	assert_true(fputs("the body", f) >= 0 && fflush(f) == 0);
	q.body_fd = fileno(f);
	q.body_bytes = 8;
	assert_int_equal(go(world_pool(w, "plain"), &q).end, RUN_EXIT);
	assert_out("the body");
	fclose(f);
	world_close(w);
}

static void
one_that_never_began_is_replaced(void **state)
{
	const struct world_plan plan = {.script = {die_unread, die_unread,
	    die_unread, die_unread, say_hello}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	struct run_result r = go(world_pool(w, "plain"), &q);

	(void)state;
	assert_int_equal(r.end, RUN_EXIT);
	assert_out("hello");
	assert_int_equal(world_seen(w, LAUNCH_REPORT), 0);
	world_close(w);
}

static void
children_that_never_begin_are_given_up(void **state)
{
	const struct world_plan plan = {.script = {die_unread}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	struct run_result r = go(world_pool(w, "plain"), &q);

	(void)state;
	assert_int_equal(r.end, RUN_REFUSED);
	assert_int_equal(r.status, LAUNCH_BROKEN);
	assert_true(strlen(r.text) > 0);
	world_close(w);
}

/* A zygote that died leaves a stock of dead children behind. */
static void
a_dead_stock_is_passed_over(void **state)
{
	const struct world_plan plan = {.script = {say_hello},
	    .all_dead = true, .hand_out = 8};
	struct world *w = world_open(&plan);
	struct invoke_pool *p = world_pool(w, "plain");
	struct run_request q;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		q = request();
		assert_int_equal(go(p, &q).end, RUN_EXIT);
		assert_out("hello");
	}
	world_close(w);
}

static void
the_launcher_says_how_it_died(void **state)
{
	static const struct {
		int wait_status, code;
		enum run_end end;
		int status;
	} CASES[] = {
	    {SIGKILL, 0, RUN_SIGNAL, SIGKILL},
	    {(128 + SIGABRT) << 8, 0, RUN_SIGNAL, SIGABRT},
	    {3 << 8, 0, RUN_EXIT, 3},
	    {0, 0, RUN_EXIT, 0},
	    {SIGKILL, LAUNCH_END_MEMORY, RUN_MEMORY, 0},
	    {SIGKILL, LAUNCH_END_DEADLINE, RUN_TIMEOUT, 0},
	    {0, LAUNCH_END_LOST, RUN_SIGNAL, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		const struct world_plan plan = {.script = {die_amid},
		    .report_status = CASES[i].wait_status,
		    .report_code = CASES[i].code};
		struct world *w = world_open(&plan);
		struct run_request q = request();
		struct run_result r = go(world_pool(w, "plain"), &q);

		assert_int_equal(r.end, CASES[i].end);
		assert_int_equal(r.status, CASES[i].status);
		assert_out("part");
		world_close(w);
	}
}

/* One that closes its socket and lives on is not left alone. */
static void
one_without_a_word_is_ended(void **state)
{
	const struct world_plan plan = {.script = {die_amid}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	int status;

	(void)state;
	go(world_pool(w, "plain"), &q);
	assert_true(world_ended(w, 0, PATIENCE_MS, &status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	world_close(w);
}

static void
nonsense_ends_it(void **state)
{
	world_script *const SCRIPTS[] = {talk_nonsense, send_descriptors};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		const struct world_plan plan = {.script = {SCRIPTS[i]},
		    .report_status = SIGKILL};
		struct world *w = world_open(&plan);
		struct run_request q = request();
		int status;

		assert_int_equal(go(world_pool(w, "plain"), &q).end,
		    RUN_SIGNAL);
		assert_true(world_ended(w, 0, PATIENCE_MS, &status));
		world_close(w);
	}
}

static void
a_crash_retires_the_zygote(void **state)
{
	const struct world_plan plan = {.script = {crash_said}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	struct run_result r = go(world_pool(w, "plain"), &q);
	int i;

	(void)state;
	assert_int_equal(r.end, RUN_SIGNAL);
	assert_int_equal(r.status, SIGSEGV);
	for (i = 0; i < PATIENCE_MS / 5 && world_seen(w, LAUNCH_RETIRE) == 0; i++)
		usleep(5000);
	assert_int_equal(world_seen(w, LAUNCH_RETIRE), 1);
	world_close(w);
}

static void
a_failed_exec_is_told(void **state)
{
	const struct world_plan plan = {.script = {no_exec}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	struct run_result r = go(world_pool(w, "tool"), &q);

	(void)state;
	assert_int_equal(r.end, RUN_NO_EXEC);
	assert_int_equal(r.status, ENOENT);
	world_close(w);
}

/* ---- time ------------------------------------------------------------- */

/*
 * TERM does nothing to it, so KILL follows.  On a busy machine the time may be
 * up before it begins: then once more, with more time.
 */
static void
time_is_up(void **state)
{
	const struct world_plan plan = {.script = {hang}};
	struct world *w = NULL;
	struct run_request q;
	struct run_result r;
	int64_t start_ms, took_ms, given_ms = 50;
	int status;

	(void)state;
	signal(SIGTERM, SIG_IGN);	/* what is started inherits that */
	do {
		given_ms *= 4;
		if (w)
			world_close(w);
		w = world_open(&plan);
		q = request();
		start_ms = clock_mono_ms();
		q.deadline_mono_ms = start_ms + given_ms;
		seen.watched = w;
		r = go(world_pool(w, "plain"), &q);
		took_ms = clock_mono_ms() - start_ms;
	} while (!seen.expired && given_ms < PATIENCE_MS);
	signal(SIGTERM, SIG_DFL);
	assert_int_equal(r.end, RUN_TIMEOUT);
	assert_int_equal(seen.expired, 1);
	assert_true(seen.expired_ms >= start_ms + given_ms);
	assert_true(seen.expired_alive);
	assert_true(took_ms >= given_ms + 900);
	assert_true(world_ended(w, 0, PATIENCE_MS, &status));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(world_seen(w, LAUNCH_WATCH), 1);
	world_close(w);
}

static void
time_is_up_though_it_writes(void **state)
{
	const struct world_plan plan = {.script = {write_for_ever}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	int64_t start_ms = clock_mono_ms();
	int status;

	(void)state;
	q.deadline_mono_ms = start_ms + 100;
	assert_int_equal(go(world_pool(w, "plain"), &q).end, RUN_TIMEOUT);
	assert_true(clock_mono_ms() - start_ms < PATIENCE_MS);
	assert_true(world_ended(w, 0, PATIENCE_MS, &status));
	world_close(w);
}

static void
silence_is_up(void **state)
{
	const struct world_plan plan = {.script = {hang}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	int status;

	(void)state;
	q.deadline_mono_ms = 0;
	q.idle_timeout_ms = 100;
	assert_int_equal(go(world_pool(w, "plain"), &q).end, RUN_TIMEOUT);
	assert_int_equal(seen.expired, 1);
	assert_true(world_ended(w, 0, PATIENCE_MS, &status));
	world_close(w);
}

static void
closed_output_is_an_end(void **state)
{
	const struct world_plan plan = {.script = {close_output_and_go_on}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	int64_t start_ms = clock_mono_ms();
	int status;

	(void)state;
	assert_int_equal(go(world_pool(w, "plain"), &q).end, RUN_CLOSED);
	assert_true(clock_mono_ms() - start_ms < PATIENCE_MS);
	assert_out("all");
	assert_true(world_ended(w, 0, PATIENCE_MS, &status));
	world_close(w);
}

/* ---- clients ---------------------------------------------------------- */

static void
a_flush_goes_out_at_once(void **state)
{
	const struct world_plan plan = {.script = {flush_between}};
	struct world *w = world_open(&plan);
	struct run_request q = request();

	(void)state;
	assert_int_equal(go(world_pool(w, "plain"), &q).end, RUN_EXIT);
	assert_int_equal(seen.flushes, 1);
	assert_out("one two");
	world_close(w);
}

static void
enough_is_enough(void **state)
{
	const struct world_plan plan = {.script = {write_for_ever}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	int status;

	(void)state;
	seen.want_no_more_after = 1;
	assert_int_equal(go(world_pool(w, "plain"), &q).end, RUN_STOPPED);
	assert_true(world_ended(w, 0, PATIENCE_MS, &status));
	world_close(w);
}

static void
a_client_that_leaves_ends_it(void **state)
{
	const struct world_plan plan = {.script = {hang}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	int sv[2], status;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	close(sv[1]);
	q.client_fd = sv[0];
	q.stop_on_leave = true;
	assert_int_equal(go(world_pool(w, "plain"), &q).end, RUN_STOPPED);
	assert_true(world_ended(w, 0, PATIENCE_MS, &status));
	close(sv[0]);
	world_close(w);
}

static void
a_client_that_leaves_may_be_ignored(void **state)
{
	const struct world_plan plan = {.script = {say_hello}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	int sv[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	close(sv[1]);
	q.client_fd = sv[0];
	assert_int_equal(go(world_pool(w, "plain"), &q).end, RUN_EXIT);
	assert_out("hello");
	close(sv[0]);
	world_close(w);
}

/* ---- again ------------------------------------------------------------ */

static void
a_child_serves_again(void **state)
{
	const struct world_plan plan = {.script = {serve_again}};
	struct world *w = world_open(&plan);
	struct invoke_pool *p = world_pool(w, "reuse");
	struct run_request q;
	char text[16];
	int i;

	(void)state;
	for (i = 1; i <= 5; i++) {
		q = request();
		assert_int_equal(go(p, &q).end, RUN_EXIT);
		snprintf(text, sizeof text, "%d", i);
		assert_out(text);
	}
	assert_int_equal(world_seen(w, LAUNCH_LEASE), 1);
	world_close(w);
}

/* "again" is its word; one that did not say so is ended for sure. */
static void
one_that_ought_to_end_is_ended(void **state)
{
	const struct world_plan plan = {.script = {say_hello}};
	struct world *w = world_open(&plan);
	struct run_request q = request();
	int status;

	(void)state;
	assert_int_equal(go(world_pool(w, "reuse"), &q).end, RUN_EXIT);
	assert_true(world_ended(w, 0, PATIENCE_MS, &status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	world_close(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(inline_output_comes_through),
	    cmocka_unit_test(pipes_come_before_inline_output),
	    cmocka_unit_test(a_body_is_handed_over),
	    cmocka_unit_test(one_that_never_began_is_replaced),
	    cmocka_unit_test(children_that_never_begin_are_given_up),
	    cmocka_unit_test(a_dead_stock_is_passed_over),
	    cmocka_unit_test(the_launcher_says_how_it_died),
	    cmocka_unit_test(one_without_a_word_is_ended),
	    cmocka_unit_test(nonsense_ends_it),
	    cmocka_unit_test(a_crash_retires_the_zygote),
	    cmocka_unit_test(a_failed_exec_is_told),
	    cmocka_unit_test(time_is_up),
	    cmocka_unit_test(time_is_up_though_it_writes),
	    cmocka_unit_test(silence_is_up),
	    cmocka_unit_test(closed_output_is_an_end),
	    cmocka_unit_test(a_flush_goes_out_at_once),
	    cmocka_unit_test(enough_is_enough),
	    cmocka_unit_test(a_client_that_leaves_ends_it),
	    cmocka_unit_test(a_client_that_leaves_may_be_ignored),
	    cmocka_unit_test(a_child_serves_again),
	    cmocka_unit_test(one_that_ought_to_end_is_ended),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
