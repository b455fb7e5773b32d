/*
 * The daemon's limits, tightened so that they bite: peers that stall, memory
 * that is used up, places that are taken.
 */
#include "store/daemon/conn.h"
#include "store/daemon/server.h"

#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/sock.h"
#include "store/wire/frame.h"
#include "store/wire/operation.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 60000, STALL_MS = 300 };

static const char TABLE[] = "{\"TableName\":\"notes\",\"KeySchema\":"
    "[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],"
    "\"AttributeDefinitions\":[{\"AttributeName\":\"id\","
    "\"AttributeType\":\"S\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}";

static struct server server;
static pthread_t thread;
static char dir[64];

static void *
serve(void *arg)
{
	server_run(arg);
	return NULL;
}

static void
begin(const struct server_limits *limits)
{
	struct store_options o = {.force = true, .checkpoint_ms = -1};
	struct err e;

	snprintf(dir, sizeof dir, "/tmp/server_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	server_init(&server);
	server.limits = *limits;
	server.store = store_open(dir, &o, &e);
	assert_non_null(server.store);
	server.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	server.place_fd = server.dir_fd;
	snprintf(server.socket, sizeof server.socket, "store.sock");
	assert_int_equal(server_open(&server, &e), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, &server), 0);
}

static void
end(void)
{
	server_leave(&server);
	pthread_join(thread, NULL);
	server_close(&server);
	store_close(server.store);
	server_release(&server);
	relays_release(&server.relays);
	io_close(&server.dir_fd);
	assert_int_equal(io_remove_tree(AT_FDCWD, dir), 0);
}

static struct server_limits
usual(void)
{
	struct server s;
	struct server_limits limits;

	server_init(&s);
	limits = s.limits;
	serverlog_release(&s.log);
	return limits;
}

/* --- a client ------------------------------------------------------------ */

static int
connect_only(void)
{
	int fd = sock_connect_at(server.dir_fd, "store.sock", SOCK_STREAM);

	assert_true(fd >= 0);
	return fd;
}

/* The hello that came, or false: closed before. */
static bool
hear_hello(int fd, struct frame_hello *h)
{
	char bytes[FRAME_HELLO_SIZE];
	struct err e;

	if (io_read_all(fd, bytes, sizeof bytes) < 0)
		return false;
	assert_int_equal(frame_read_hello(bytes, sizeof bytes, h, &e), 0);
	return true;
}

static void
add_request(struct buf *b, uint32_t id, enum operation op, const char *body,
    size_t n, const struct frame_hello *prove)
{
	struct frame_request r = {.id = id, .operation = (uint16_t)op,
	    .body = body, .nbody = n};
	unsigned char proof[TOKEN_PROOF_SIZE];

	if (prove) {
		token_prove(server.secret, prove->challenge, proof);
		r.flags = FRAME_PROOF;
		r.token = (char *)proof;
		r.ntoken = sizeof proof;
	}
	assert_int_equal(frame_write_request(b, &r), 0);
}

/* The status of the next reply, and its id; or -1: closed. */
static int
hear(int fd, uint32_t *id)
{
	char head[FRAME_REPLY_SIZE], *body;
	struct frame_reply r;
	struct err e;
	size_t n;

	if (io_read_all(fd, head, sizeof head) < 0)
		return -1;
	n = (size_t)frame_size(head, sizeof head, FRAME_REPLY_SIZE,
	    FRAME_REPLY_MAX) - sizeof head;
	body = malloc(n + 1);
	assert_non_null(body);
	assert_int_equal(n ? io_read_all(fd, body, n) : 0, 0);
	free(body);
	assert_int_equal(frame_read_reply(head, sizeof head, &r, &e), 0);
	if (id)
		*id = r.id;
	return r.status;
}

/* Connected and proven: true, or false: too late. */
static bool
prove(int fd)
{
	struct frame_hello h;
	struct buf b;
	int status = -1;

	assert_true(hear_hello(fd, &h));
	buf_init(&b, FRAME_REQUEST_MAX);
	add_request(&b, 1, OP_LIST_TABLES, "{}", 2, &h);
	if (send(fd, b.data, b.len, MSG_NOSIGNAL) == (ssize_t)b.len)
		status = hear(fd, NULL);
	buf_release(&b);
	assert_in_range(status + 1, 0, 1);
	return status == 0;
}

/* A machine that halts for as long as a stall makes us try again. */
static int
connect_proven(void)
{
	int fd, tries = 20;

	while (!prove(fd = connect_only())) {
		assert_true(--tries);
		close(fd);
	}
	return fd;
}

static int
call(int fd, enum operation op, const char *body)
{
	struct buf b;

	buf_init(&b, FRAME_REQUEST_MAX);
	add_request(&b, 7, op, body, strlen(body), NULL);
	assert_int_equal(io_write_all(fd, b.data, b.len), 0);
	buf_release(&b);
	return hear(fd, NULL);
}

/* True if it is closed within our patience; what comes before is dropped. */
static bool
is_closed_in_time(int fd)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	struct pollfd p = {fd, POLLIN, 0};
	char bytes[4096];
	ssize_t n;

	while (clock_mono_ms() < until_ms) {
		if (poll(&p, 1, 100) == 1) {
			n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
			if (n == 0 || (n < 0 && errno != EAGAIN))
				return true;
		}
	}
	return false;
}

/* --- places ---------------------------------------------------------------- */

static void
places(void **state)
{
	struct server_limits limits = usual();
	struct frame_hello h;
	int fds[3], extra, i;

	(void)state;
	limits.connections = 3;
	begin(&limits);
	for (i = 0; i < 3; i++)
		fds[i] = connect_proven();
	extra = connect_only();
	assert_false(hear_hello(extra, &h));
	close(extra);
	for (i = 0; i < 3; i++) {
		assert_int_equal(call(fds[i], OP_LIST_TABLES, "{}"), 0);
		close(fds[i]);
	}
	end();
}

/* --- peers that stall --------------------------------------------------------- */

static void
who_shows_nothing_is_closed(void **state)
{
	struct server_limits limits = usual();
	struct frame_hello h;
	int quiet, known;

	(void)state;
	limits.stall_ms = STALL_MS;
	begin(&limits);
	known = connect_proven();
	quiet = connect_only();
	assert_true(hear_hello(quiet, &h));
	assert_true(is_closed_in_time(quiet));
	assert_int_equal(call(known, OP_LIST_TABLES, "{}"), 0);
	close(quiet);
	close(known);
	end();
}

static void
half_a_frame_is_closed(void **state)
{
	struct server_limits limits = usual();
	int half, quiet;

	(void)state;
	limits.stall_ms = STALL_MS;
	begin(&limits);
	quiet = connect_proven();
	half = connect_proven();
	assert_int_equal(io_write_all(half, "\x20\0\0\0abc", 7), 0);
	assert_true(is_closed_in_time(half));
	/* Who is known and sends nothing may stay. */
	assert_int_equal(call(quiet, OP_LIST_TABLES, "{}"), 0);
	close(half);
	close(quiet);
	end();
}

static void
who_does_not_read_is_closed(void **state)
{
	struct server_limits limits = usual();
	struct pollfd p;
	struct buf b;
	int fd, i;

	(void)state;
	limits.stall_ms = STALL_MS;
	begin(&limits);
	fd = connect_proven();
	buf_init(&b, 64 << 20);
	for (i = 0; i < 100000; i++)
		add_request(&b, (uint32_t)i, OP_LIST_TABLES, "{}", 2, NULL);
	assert_int_equal(io_nonblock(fd), 0);
	p = (struct pollfd){fd, POLLOUT, 0};
	while (poll(&p, 1, 0) == 1 && !(p.revents & (POLLERR | POLLHUP)))
		if (send(fd, b.data, b.len, MSG_NOSIGNAL) < 0)
			break;
	/* Full in both directions; then the other side goes. */
	p.events = 0;
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_true(p.revents & POLLHUP);
	buf_release(&b);
	close(fd);
	end();
}

/* --- memory -------------------------------------------------------------------- */

struct writer {
	pthread_t thread;
	unsigned number;
	bool all_done;
};

/* 300 puts in one piece of bytes: each has a good reply. */
static void *
put_many(void *arg)
{
	struct writer *w = arg;
	bool seen[300] = {false};
	unsigned i, good = 0;
	char body[4096];
	struct buf b;
	uint32_t id;
	int fd = connect_proven(), n;

	buf_init(&b, 64 << 20);
	for (i = 0; i < 300; i++) {
		n = snprintf(body, sizeof body, "{\"TableName\":\"notes\","
		    "\"Item\":{\"id\":{\"S\":\"%u-%u\"},\"t\":{\"S\":\"%03000d\"}"
		    "}}", w->number, i, 1);
		add_request(&b, i, OP_PUT_ITEM, body, (size_t)n, NULL);
	}
	if (io_write_all(fd, b.data, b.len) == 0)
		while (good < 300 && hear(fd, &id) == 0 && id < 300 &&
		    !seen[id]) {
			seen[id] = true;
			good++;
		}
	w->all_done = good == 300;
	buf_release(&b);
	close(fd);
	return NULL;
}

static void
all_are_served_when_memory_is_short(void **state)
{
	struct server_limits limits = usual();
	struct writer writers[8];
	unsigned i;
	int fd;

	(void)state;
	limits.memory = 1;
	limits.share = 1;
	begin(&limits);
	fd = connect_proven();
	assert_int_equal(call(fd, OP_CREATE_TABLE, TABLE), 0);
	for (i = 0; i < 8; i++) {
		writers[i] = (struct writer){.number = i};
		pthread_create(&writers[i].thread, NULL, put_many,
		    &writers[i]);
	}
	for (i = 0; i < 8; i++) {
		pthread_join(writers[i].thread, NULL);
		assert_true(writers[i].all_done);
	}
	/* All of it is given back, a moment after the last reply. */
	for (i = 0; i < PATIENCE_MS && atomic_load(&server.memory); i++)
		poll(NULL, 0, 1);
	assert_int_equal(atomic_load(&server.memory), 0);
	close(fd);
	end();
	assert_int_equal(atomic_load(&server.connections), 0);
	assert_int_equal(atomic_load(&server.memory), 0);
}

/* --- a relay that comes while a call begins ------------------------------------------ */

/* The linker leads the daemon's calls here (tests/sources.mk). */
struct relay_ref *__real_relays_hold(struct relays *r);
struct relay_ref *__wrap_relays_hold(struct relays *r);
void __real_longwork_add(struct longwork *w, struct call *k);
void __wrap_longwork_add(struct longwork *w, struct call *k);

static atomic_bool comes;		/* before the next call has its relay */
static atomic_uint kept, borrowed;	/* calls that went on, with what body */

struct relay_ref *
__wrap_relays_hold(struct relays *r)
{
	struct settings s;

	if (atomic_exchange(&comes, false)) {
		settings_init(&s);
		snprintf(s.endpoint, sizeof s.endpoint, "no endpoint");
		relays_begin(r, &s);
		settings_release(&s);
	}
	return __real_relays_hold(r);
}

void
__wrap_longwork_add(struct longwork *w, struct call *k)
{
	if (w == &server.relayed)
		atomic_fetch_add(k->request.len ? &kept : &borrowed, 1);
	__real_longwork_add(w, k);
}

/*
 * A read is answered where it was read, from the thread's buffer, unless it
 * goes on elsewhere: then it has its body for itself, since the buffer is
 * another's by the time that it runs.
 */
static void
keeps_what_goes_elsewhere(void **state)
{
	static const char GET[] = "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":{\"S\":\"a\"}}}";
	struct server_limits limits = usual();
	int fd;

	(void)state;
	begin(&limits);
	fd = connect_proven();
	assert_int_equal(call(fd, OP_CREATE_TABLE, TABLE), 0);
	assert_int_equal(call(fd, OP_GET_ITEM, GET), 0);
	assert_int_equal(atomic_load(&kept) + atomic_load(&borrowed), 0);
	atomic_store(&comes, true);
	assert_int_not_equal(call(fd, OP_GET_ITEM, GET), 0);
	close(fd);
	end();
	assert_int_equal(atomic_load(&borrowed), 0);
	assert_int_equal(atomic_load(&kept), 1);
}

/* --- the way out ------------------------------------------------------------------- */

static void
leaves_with_peers_that_stay(void **state)
{
	struct server_limits limits = usual();
	int fd;

	(void)state;
	begin(&limits);
	fd = connect_proven();
	end();
	assert_int_equal(hear(fd, NULL), -1);
	assert_true(send(fd, "x", 1, MSG_NOSIGNAL) < 0);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(who_shows_nothing_is_closed),
		cmocka_unit_test(half_a_frame_is_closed),
		cmocka_unit_test(who_does_not_read_is_closed),
		cmocka_unit_test(all_are_served_when_memory_is_short),
		cmocka_unit_test(keeps_what_goes_elsewhere),
		cmocka_unit_test(leaves_with_peers_that_stay),
	};

	server_block_signals();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
