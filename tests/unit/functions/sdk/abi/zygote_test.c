/*
 * The zygote's engine in a process of its own, with this test as its launcher
 * and as the gateway of its children.
 */
#include "functions/sdk/abi.h"
#include "functions/sdk/child.h"
#include "functions/sdk/zygote.h"
#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 60000 };

struct host {
	char scratch[64];
	pid_t pid;
	int fd;			/* the launcher's end */
};

struct message {
	struct abi_zygote head;
	char body[ABI_Z_TEXT + 1];
	size_t len, nfds;
	int fds[2 * ABI_Z_BATCH];
};

/* ---- what the zygote is ----------------------------------------------- */

static int
init_well(void)
{
	return 0;
}

static int
init_badly(void)
{
	return 7;
}

static void *
sleep_long(void *unused)
{
	sleep(60);
	return unused;
}

static int
init_with_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, sleep_long, NULL);
}

static int
init_with_process(void)
{
	if (fork() == 0) {
		close_range(3, ~0U, 0);
		sleep(1);
		_exit(0);
	}
	return 0;
}

/* Answers with what MODE asks for; its output is its HOME. */
static void __attribute__((noreturn))
child(int ctl_fd, char *const own[2], unsigned reuse)
{
	static struct child_request r;
	struct abi_done d = {.end = ABI_END_EXIT, .status = 3};

	while (child_receive(ctl_fd, own, &r) > 0) {
		const char *mode = r.envp[0];
		const char *home = r.envp[r.head.env_count];

		if (strcmp(mode, "MODE=spin") == 0)
			for (;;)
				pause();
		if (strcmp(mode, "MODE=crash") == 0)
			kill(getpid(), SIGKILL);
		if (strcmp(mode, "MODE=stdout") == 0 &&
		    (child_flush(ctl_fd) < 0 || write(1, "out", 3) != 3 ||
		        write(2, "err", 3) != 3))
			_exit(90);
		if (strcmp(mode, "MODE=fds") == 0)
			d.status = fcntl(4, F_GETFD) < 0 && errno == EBADF ? 3
			                                                   : 4;
		d.again = reuse == 0;
		child_done(ctl_fd, &d, home, strlen(home));
		if (!d.again)
			_exit(5);
	}
	_exit(0);
}

/* ---- the test as launcher --------------------------------------------- */

static void
start(struct host *h, int (*init)(void), const char *reuse)
{
	const struct zygote_ops ops = {init, child};
	char number[16];
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	strcpy(h->scratch, "/tmp/bothy-zygote-XXXXXX");
	assert_non_null(mkdtemp(h->scratch));
	h->pid = fork();
	assert_true(h->pid >= 0);
	if (h->pid == 0) {
		close(sv[0]);
		snprintf(number, sizeof number, "%d", sv[1]);
		setenv(ABI_ENV_ZYGOTE, number, 1);
		setenv(ABI_ENV_CONTAIN, "subreaper", 1);
		setenv(ABI_ENV_SCRATCH, h->scratch, 1);
		setenv(ABI_ENV_REUSE, reuse, 1);
		_exit(zygote_run(&ops));
	}
	close(sv[1]);
	h->fd = sv[0];
}

static int
status_of(struct host *h)
{
	struct timespec tick = {0, 5000000};
	int status = 0, i;

	for (i = 0; i < PATIENCE_MS / 5; i++) {
		if (waitpid(h->pid, &status, WNOHANG) == h->pid)
			return status;
		nanosleep(&tick, NULL);
	}
	kill(h->pid, SIGKILL);
	waitpid(h->pid, &status, 0);
	return -1;
}

/* Ends it in order: 0 if it left by itself. */
static int
finish(struct host *h)
{
	int status;

	io_close(&h->fd);
	status = status_of(h);
	assert_int_equal(io_remove_tree(AT_FDCWD, h->scratch), 0);
	return status;
}

static void
get(struct host *h, uint32_t type, struct message *m)
{
	struct iovec iov[2] = {{&m->head, sizeof m->head},
	    {m->body, ABI_Z_TEXT}};
	struct pollfd p = {h->fd, POLLIN, 0};
	ssize_t n;

	m->nfds = 2 * ABI_Z_BATCH;
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	n = sock_recv(h->fd, iov, 2, m->fds, &m->nfds, 0);
	assert_true(n >= (ssize_t)sizeof m->head);
	assert_int_equal(m->head.magic, ABI_MAGIC);
	assert_int_equal(m->head.type, type);
	m->len = (size_t)n - sizeof m->head;
	m->body[m->len] = '\0';
}

static void
ask(struct host *h, uint32_t count)
{
	struct abi_zygote m = {ABI_MAGIC, ABI_Z_FORK, count, 0};

	assert_int_equal(send(h->fd, &m, sizeof m, 0), sizeof m);
}

static void
get_children(struct host *h, uint32_t count, struct message *m)
{
	ask(h, count);
	get(h, ABI_Z_CHILDREN, m);
	assert_int_equal(m->head.count, count);
	assert_int_equal(m->nfds, 2 * count);
	assert_int_equal(m->len, count * sizeof(struct abi_child));
}

static struct abi_exit
get_exit(struct host *h)
{
	struct message m;
	struct abi_exit x;

	get(h, ABI_Z_EXITED, &m);
	assert_int_equal(m.head.count, 1);
	assert_int_equal(m.len, sizeof x);
	memcpy(&x, m.body, sizeof x);
	return x;
}

/* ---- the test as gateway ---------------------------------------------- */

static void
request(int ctl_fd, const char *mode, int out_fd, int err_fd)
{
	char env[64];
	size_t n = (size_t)snprintf(env, sizeof env, "MODE=%s", mode) + 1;
	struct abi_request r = {.magic = ABI_MAGIC, .flags = ABI_NO_STDIN,
	    .env_bytes = (uint32_t)n, .env_count = 1};
	struct iovec iov[2] = {{&r, sizeof r}, {env, n}};
	int fds[2] = {out_fd, err_fd};

	if (out_fd >= 0)
		r.flags |= ABI_HAS_OUTPUTS;
	assert_true(sock_send(ctl_fd, iov, 2, fds, out_fd >= 0 ? 2 : 0, 0) > 0);
}

static struct abi_done
answer(int ctl_fd, char *out, size_t size)
{
	struct abi_done d = {0};
	struct iovec iov[2] = {{&d, sizeof d}, {out, size - 1}};
	struct pollfd p = {ctl_fd, POLLIN, 0};
	ssize_t n;

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	n = sock_recv(ctl_fd, iov, 2, NULL, NULL, 0);
	assert_true(n >= (ssize_t)sizeof d);
	assert_int_equal(abi_done_check(&d, (size_t)n), 0);
	out[d.inline_bytes] = '\0';
	return d;
}

static void
drop(struct message *m)
{
	size_t i;

	for (i = 0; i < m->nfds; i++)
		close(m->fds[i]);
}

/* ---- tests ------------------------------------------------------------ */

static void
serves_a_request_in_a_child(void **state)
{
	struct host h;
	struct message m;
	struct abi_child c;
	struct abi_done d;
	char out[256], home[128];
	struct abi_exit x;

	(void)state;
	start(&h, init_well, "1");
	get(&h, ABI_Z_READY, &m);
	get_children(&h, 1, &m);
	memcpy(&c, m.body, sizeof c);
	request(m.fds[0], "fds", -1, -1);
	d = answer(m.fds[0], out, sizeof out);
	assert_int_equal(d.end, ABI_END_EXIT);
	assert_int_equal(d.status, 3);
	assert_false(d.again);
	snprintf(home, sizeof home, "HOME=%s/", h.scratch);
	assert_int_equal(strncmp(out, home, strlen(home)), 0);
	x = get_exit(&h);
	assert_int_equal(x.serial, c.serial);
	assert_true(WIFEXITED(x.wait_status));
	assert_int_equal(WEXITSTATUS(x.wait_status), 5);
	assert_true(x.max_rss_kb > 0);
	drop(&m);
	assert_int_equal(finish(&h), 0);
}

static void
outputs_land_on_1_and_2(void **state)
{
	struct host h;
	struct message m;
	int out[2], err[2];
	char text[16], rest[256];

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	start(&h, init_well, "1");
	get(&h, ABI_Z_READY, &m);
	get_children(&h, 1, &m);
	request(m.fds[0], "stdout", out[1], err[1]);
	close(out[1]);
	close(err[1]);
	assert_int_equal(answer(m.fds[0], rest, sizeof rest).end,
	    ABI_END_NOT_YET);
	assert_int_equal(answer(m.fds[0], rest, sizeof rest).end,
	    ABI_END_EXIT);
	assert_int_equal(read(out[0], text, sizeof text), 3);
	assert_memory_equal(text, "out", 3);
	assert_int_equal(read(err[0], text, sizeof text), 3);
	assert_memory_equal(text, "err", 3);
	close(out[0]);
	close(err[0]);
	drop(&m);
	assert_int_equal(finish(&h), 0);
}

static void
children_differ_and_are_reported(void **state)
{
	struct host h;
	struct message m;
	struct abi_child made[ABI_Z_BATCH];
	bool seen[ABI_Z_BATCH] = {false};
	struct abi_exit gone;
	size_t i, k, left = ABI_Z_BATCH;

	(void)state;
	start(&h, init_well, "1");
	get(&h, ABI_Z_READY, &m);
	get_children(&h, ABI_Z_BATCH, &m);
	memcpy(made, m.body, sizeof made);
	for (i = 0; i < ABI_Z_BATCH; i++)
		for (k = 0; k < i; k++)
			assert_int_not_equal(made[i].serial & 0xff,
			    made[k].serial & 0xff);
	drop(&m);	/* they see the end of file, and end */
	while (left) {
		get(&h, ABI_Z_EXITED, &m);
		for (i = 0; i < m.head.count; i++) {
			memcpy(&gone, m.body + i * sizeof gone, sizeof gone);
			for (k = 0; k < ABI_Z_BATCH - 1; k++)
				if (made[k].serial == gone.serial)
					break;
			assert_int_equal(made[k].serial, gone.serial);
			assert_false(seen[k]);
			assert_int_equal(gone.wait_status, 0);
			seen[k] = true;
			left--;
		}
	}
	assert_int_equal(finish(&h), 0);
}

static void
a_crash_is_reported(void **state)
{
	struct host h;
	struct message m;
	struct abi_exit x;

	(void)state;
	start(&h, init_well, "1");
	get(&h, ABI_Z_READY, &m);
	get_children(&h, 1, &m);
	request(m.fds[0], "crash", -1, -1);
	x = get_exit(&h);
	assert_true(WIFSIGNALED(x.wait_status));
	assert_int_equal(WTERMSIG(x.wait_status), SIGKILL);
	drop(&m);
	assert_int_equal(finish(&h), 0);
}

static void
a_reused_child_serves_again(void **state)
{
	struct host h;
	struct message m;
	char out[256];
	int i;

	(void)state;
	start(&h, init_well, "0");
	get(&h, ABI_Z_READY, &m);
	get_children(&h, 1, &m);
	for (i = 0; i < 3; i++) {
		request(m.fds[0], "plain", -1, -1);
		assert_true(answer(m.fds[0], out, sizeof out).again);
	}
	drop(&m);
	assert_int_equal(get_exit(&h).wait_status, 0);
	assert_int_equal(finish(&h), 0);
}

/* Half of the socket closed: it makes no more, reports the last, and ends. */
static void
drains_when_told(void **state)
{
	struct host h;
	struct message m;
	char out[256];

	(void)state;
	start(&h, init_well, "1");
	get(&h, ABI_Z_READY, &m);
	get_children(&h, 1, &m);
	ask(&h, 0);		/* asked for none, it says nothing */
	assert_int_equal(shutdown(h.fd, SHUT_WR), 0);
	usleep(50000);
	request(m.fds[0], "plain", -1, -1);
	assert_int_equal(answer(m.fds[0], out, sizeof out).status, 3);
	drop(&m);
	assert_int_equal(WEXITSTATUS(get_exit(&h).wait_status), 5);
	assert_int_equal(finish(&h), 0);
}

/* With the launcher gone a child that goes on is ended, not left for ever. */
static void
ends_its_children_when_alone(void **state)
{
	struct host h;
	struct message m;
	struct pollfd p;
	int64_t alone_ms;

	(void)state;
	start(&h, init_well, "1");
	get(&h, ABI_Z_READY, &m);
	get_children(&h, 1, &m);
	request(m.fds[0], "spin", -1, -1);
	alone_ms = clock_mono_ms();
	io_close(&h.fd);
	p = (struct pollfd){m.fds[1], POLLIN, 0};
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_true(clock_mono_ms() - alone_ms > 1000);	/* it may finish */
	drop(&m);
	assert_int_equal(finish(&h), 0);
}

/* Refused children are told of: the launcher must not wait for them. */
static void
says_when_it_made_fewer(void **state)
{
	struct host h;
	struct message m;
	char path[128];

	(void)state;
	start(&h, init_well, "1");
	get(&h, ABI_Z_READY, &m);
	/* Without the directory of its scratch no child can be made. */
	snprintf(path, sizeof path, "%s-moved", h.scratch);
	assert_int_equal(rename(h.scratch, path), 0);
	ask(&h, 4);
	get(&h, ABI_Z_CHILDREN, &m);
	assert_int_equal(m.head.count, 0);
	assert_int_equal(rename(path, h.scratch), 0);
	get_children(&h, 2, &m);
	drop(&m);
	get(&h, ABI_Z_EXITED, &m);
	assert_int_equal(finish(&h), 0);
}

static void
fails(int (*init)(void), const char *why)
{
	struct host h;
	struct message m;

	start(&h, init, "1");
	get(&h, ABI_Z_FAILED, &m);
	assert_non_null(strstr(m.body, why));
	assert_int_equal(recv(h.fd, m.body, sizeof m.body, 0), 0);
	assert_int_equal(WEXITSTATUS(finish(&h)), 1);
}

static void
bad_inits_are_refused(void **state)
{
	(void)state;
	fails(init_badly, "bothy_init failed");
	fails(init_with_thread, "started a thread");
	fails(init_with_process, "left a process");
}

static void
nonsense_is_ignored(void **state)
{
	struct host h;
	struct message m;

	(void)state;
	start(&h, init_well, "1");
	get(&h, ABI_Z_READY, &m);
	assert_int_equal(send(h.fd, "x", 1, 0), 1);
	m.head = (struct abi_zygote){ABI_MAGIC + 1, ABI_Z_FORK, 1, 0};
	assert_int_equal(send(h.fd, &m.head, sizeof m.head, 0),
	    sizeof m.head);
	get_children(&h, 1, &m);
	drop(&m);
	get_exit(&h);
	assert_int_equal(finish(&h), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(serves_a_request_in_a_child),
	    cmocka_unit_test(outputs_land_on_1_and_2),
	    cmocka_unit_test(children_differ_and_are_reported),
	    cmocka_unit_test(a_crash_is_reported),
	    cmocka_unit_test(a_reused_child_serves_again),
	    cmocka_unit_test(drains_when_told),
	    cmocka_unit_test(ends_its_children_when_alone),
	    cmocka_unit_test(says_when_it_made_fewer),
	    cmocka_unit_test(bad_inits_are_refused),
	    cmocka_unit_test(nonsense_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
