/*
 * The client against a store that answers, leaves, dies and stalls: what is
 * sent again, what is not, and what is said then.
 */
#include "server.h"

#include "store/client/client.h"
#include "store/client/prove.h"
#include "store/client/start.h"

#include <errno.h>
#include <signal.h>

enum { PATIENCE_MS = 60000 };

struct world {
	struct server s;
	struct client *c;
	struct buf reply;
	struct err e;
};

static void
open_world(struct world *w, const enum part *parts, int timeout_ms)
{
	struct client_options o = {.timeout_ms = timeout_ms, .token = "tok"};

	memset(w, 0, sizeof *w);
	server_start(&w->s, parts);
	o.socket = w->s.path;
	w->c = client_new(&o);
	assert_non_null(w->c);
	buf_init(&w->reply, 100 << 20);
}

static void
close_world(struct world *w)
{
	client_free(w->c);
	server_stop(&w->s);
	buf_release(&w->reply);
}

static int
call(struct world *w, enum operation op, unsigned flags, const char *body)
{
	return client_call(w->c, op, flags, body, strlen(body), &w->reply,
	    &w->e);
}

static void
ask(struct world *w, enum operation op, unsigned flags, const char *body,
    const char *want)
{
	if (call(w, op, flags, body) < 0)
		fail_msg("%d: %s", w->e.code, w->e.text);
	assert_string_equal(buf_str(&w->reply), want);
}

static void
a_call_is_answered(void **state)
{
	static const enum part parts[] = {PART_ECHO, PART_END};
	struct world w;

	(void)state;
	open_world(&w, parts, PATIENCE_MS);
	assert_int_equal(atomic_load(&w.s.connections), 0);
	ask(&w, OP_GET_ITEM, CLIENT_PLAIN, "{\"a\":1}",
	    "1 1 timed [tok] {\"a\":1}");
	ask(&w, OP_PUT_ITEM, CLIENT_WAIT_FILE | CLIENT_REPEATABLE, "{}",
	    "2 2 timed [] {}");		/* a token is shown once */
	assert_int_equal(client_set_token(w.c, "new"), 0);
	client_set_timeout(w.c, 0);
	ask(&w, OP_STAT, 0, "", "96 0 patient [new] ");
	assert_int_equal(atomic_load(&w.s.connections), 1);
	close_world(&w);
}

static void
a_fault_is_told(void **state)
{
	static const enum part parts[] = {PART_FAULT, PART_END};
	struct world w;

	(void)state;
	open_world(&w, parts, PATIENCE_MS);
	assert_int_equal(call(&w, OP_PUT_ITEM, 0, "{}"), -1);
	assert_int_equal(w.e.code, FAULT_CONDITION);
	assert_string_equal(w.e.text, "The \"condition\"A\n");
	assert_non_null(strstr(buf_str(&w.reply), "\"Item\":{}"));
	close_world(&w);
}

/* Whatever it is, it goes again if the store can't have seen it. */
static void
what_was_not_seen_goes_again(void **state)
{
	static const enum part parts[] = {PART_NO_HELLO, PART_UNREAD,
	    PART_LEAVING, PART_BUSY, PART_END};
	struct world w;

	(void)state;
	open_world(&w, parts, PATIENCE_MS);
	ask(&w, OP_PUT_ITEM, 0, "{}", "2 0 timed [] {}");
	assert_int_equal(atomic_load(&w.s.connections), 4);
	assert_int_equal(atomic_load(&w.s.requests), 4);
	close_world(&w);
}

static void
reads_go_again_writes_never(void **state)
{
	static const enum part parts[] = {PART_READ, PART_ECHO, PART_READ,
	    PART_HALF, PART_ECHO, PART_END};
	struct world w;

	(void)state;
	open_world(&w, parts, PATIENCE_MS);
	ask(&w, OP_GET_ITEM, 0, "r", "1 0 timed [tok] r");
	assert_int_equal(atomic_load(&w.s.connections), 2);
	client_free(w.c);		/* so that the part ends */
	w.c = client_new(&(struct client_options){.socket = w.s.path,
	    .timeout_ms = PATIENCE_MS});
	assert_int_equal(call(&w, OP_UPDATE_ITEM, 0, "w"), -1);
	assert_int_equal(w.e.code, FAULT_UNKNOWN_OUTCOME);
	assert_string_equal(w.e.text, "nobody knows whether this was done: "
	    "the store closed the connection");
	assert_int_equal(atomic_load(&w.s.connections), 3);
	/* one with a ClientRequestToken */
	ask(&w, OP_TRANSACT_WRITE_ITEMS, CLIENT_REPEATABLE, "t",
	    "10 0 timed [] t");
	close_world(&w);
}

static void
time_is_up(void **state)
{
	static const enum part parts[] = {PART_SILENT, PART_SILENT, PART_ECHO,
	    PART_END};
	struct world w;

	(void)state;
	open_world(&w, parts, 50);
	assert_int_equal(call(&w, OP_GET_ITEM, 0, "{}"), -1);
	assert_int_equal(w.e.code, ETIMEDOUT);
	client_set_timeout(w.c, PATIENCE_MS);
	assert_int_equal(client_connect(w.c, &w.e), 0);
	client_set_timeout(w.c, 300);
	assert_int_equal(call(&w, OP_PUT_ITEM, 0, "{}"), -1);
	assert_int_equal(w.e.code, FAULT_UNKNOWN_OUTCOME);
	client_set_timeout(w.c, PATIENCE_MS);
	ask(&w, OP_GET_ITEM, 0, "{}", "1 0 timed [tok] {}");
	close_world(&w);
}

static void
nobody_is_there(void **state)
{
	const struct client_options o = {
	    .socket = "/tmp/bothy-client-none/store.sock", .timeout_ms = 50};
	struct client *c = client_new(&o);
	struct buf reply;
	struct err e;

	(void)state;
	assert_non_null(c);
	buf_init(&reply, 100);
	assert_int_equal(client_call(c, OP_PUT_ITEM, 0, "{}", 2, &reply, &e),
	    -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(client_connect(c, &e), -1);
	assert_int_equal(e.code, ENOENT);
	client_free(c);
}

static void
nonsense_is_refused(void **state)
{
	static const enum part parts[] = {PART_NONSENSE, PART_END};
	struct world w;

	(void)state;
	open_world(&w, parts, PATIENCE_MS);
	assert_int_equal(call(&w, OP_PUT_ITEM, 0, "{}"), -1);
	assert_int_equal(w.e.code, FAULT_UNKNOWN_OUTCOME);
	assert_int_equal(call(&w, (enum operation)999, 0, "{}"), -1);
	assert_int_equal(w.e.code, FAULT_UNKNOWN_OPERATION);
	close_world(&w);
}

static void
a_request_has_a_limit(void **state)
{
	static const enum part parts[] = {PART_ECHO, PART_END};
	char *big = malloc(2 << 20);
	struct world w;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', 2 << 20);
	open_world(&w, parts, PATIENCE_MS);
	assert_int_equal(client_call(w.c, OP_PUT_ITEM, 0, big, 2 << 20,
	    &w.reply, &w.e), -1);
	assert_int_equal(w.e.code, FAULT_VALIDATION);
	assert_int_equal(client_call(w.c, OP_PUT_ITEM, 0, big, 1000000,
	    &w.reply, &w.e), 0);
	assert_true(w.reply.len > 1000000);
	buf_release(&w.reply);
	buf_init(&w.reply, 10);
	assert_int_equal(client_call(w.c, OP_PUT_ITEM, 0, big, 100,
	    &w.reply, &w.e), -1);
	assert_int_equal(w.e.code, FAULT_LIMIT);
	close_world(&w);
	free(big);
}

/* --- several at once ------------------------------------------------------ */

static void
count_progress(void *ctx, const char *json, size_t n)
{
	int *sum = ctx;

	assert_int_equal(n, 1);
	*sum += *json - '0' + 1;
}

static void
replies_come_in_any_order(void **state)
{
	static const enum part parts[] = {PART_REVERSED, PART_END};
	struct client_options o = {.timeout_ms = PATIENCE_MS,
	    .progress = count_progress};
	struct world w;
	uint32_t ids[3];
	int sum = 0, i;
	char want[16];

	(void)state;
	open_world(&w, parts, 0);
	client_free(w.c);
	o.socket = w.s.path;
	o.ctx = &sum;
	w.c = client_new(&o);
	for (i = 0; i < 3; i++)
		assert_int_equal(client_send(w.c, OP_GET_ITEM, 0, "{}", 2,
		    &ids[i], &w.e), 0);
	for (i = 0; i < 3; i++) {
		snprintf(want, sizeof want, "reply %d", i);
		assert_int_equal(client_wait(w.c, ids[i], &w.reply, &w.e), 0);
		assert_string_equal(buf_str(&w.reply), want);
	}
	assert_int_equal(sum, 1 + 2 + 3);
	assert_int_equal(client_wait(w.c, ids[0], &w.reply, &w.e), -1);
	assert_int_equal(w.e.code, EINVAL);
	close_world(&w);
}

/* Big requests and big replies at once: neither side waits for ever. */
static void
full_sockets_do_not_lock(void **state)
{
	static const enum part parts[] = {PART_ECHO, PART_END};
	enum { MANY = 200, BIG = 60000 };
	char *big = malloc(BIG);
	uint32_t ids[MANY], more;
	struct world w;
	int i;

	(void)state;
	assert_non_null(big);
	memset(big, 'y', BIG);
	open_world(&w, parts, PATIENCE_MS);
	for (i = 0; i < MANY; i++)
		assert_int_equal(client_send(w.c, OP_GET_ITEM, 0, big, BIG,
		    &ids[i], &w.e), 0);
	for (i = MANY; i-- > 0;) {
		assert_int_equal(client_wait(w.c, ids[i], &w.reply, &w.e), 0);
		assert_true(w.reply.len > BIG);
	}
	for (i = 0; i < CLIENT_IN_FLIGHT_MAX; i++)
		assert_int_equal(client_send(w.c, OP_GET_ITEM, 0, "", 0,
		    &more, &w.e), 0);
	assert_int_equal(client_send(w.c, OP_GET_ITEM, 0, "", 0, &more, &w.e),
	    -1);
	assert_int_equal(w.e.code, FAULT_BUSY);
	close_world(&w);
	free(big);
}

/* All that wait on a connection fail with it, and later ones don't wait. */
static void
a_broken_connection_ends_all(void **state)
{
	static const enum part parts[] = {PART_READ, PART_ECHO, PART_END};
	struct world w;
	uint32_t read, write;

	(void)state;
	open_world(&w, parts, PATIENCE_MS);
	assert_int_equal(client_send(w.c, OP_GET_ITEM, 0, "", 0, &read, &w.e),
	    0);
	if (client_send(w.c, OP_PUT_ITEM, 0, "", 0, &write, &w.e) == 0) {
		assert_int_equal(client_wait(w.c, write, &w.reply, &w.e), -1);
		assert_int_equal(w.e.code, FAULT_UNKNOWN_OUTCOME);
	}
	ask(&w, OP_GET_ITEM, 0, "x", "1 0 timed [tok] x");
	assert_int_equal(client_wait(w.c, read, &w.reply, &w.e), -1);
	assert_int_equal(w.e.code, ECONNRESET);
	close_world(&w);
}

/* --- the key, and starting a daemon --------------------------------------- */

static int
prove_x(const char *key_file, const unsigned char *challenge,
    unsigned char *proof, struct err *e)
{
	(void)e;
	assert_string_equal(key_file, "the key");
	assert_int_equal(challenge[31], 'c');
	memset(proof, 'p', CLIENT_PROOF_SIZE);
	return 0;
}

static void
a_key_is_proved(void **state)
{
	static const enum part parts[] = {PART_ECHO, PART_END};
	struct client_options o = {.key_file = "the key", .prove = prove_x};
	struct world w;
	struct err e;

	(void)state;
	open_world(&w, parts, 0);
	client_free(w.c);
	o.socket = w.s.path;
	w.c = client_new(&o);
	ask(&w, OP_STAT, 0, "{}",
	    "96 4 patient [pppppppppppppppppppppppppppppppp] {}");
	ask(&w, OP_STAT, 0, "{}", "96 0 patient [] {}");
	assert_int_equal(client_prove_key("/tmp/none/key",
	    (const unsigned char *)"", NULL, &e), -1);
	assert_int_equal(e.code, ENOENT);
	close_world(&w);
}

static void
script(const char *path, const char *text)
{
	struct err e;

	assert_int_equal(io_replace_file(path, text, strlen(text), 0700, &e),
	    0);
}

static void
a_daemon_is_started_or_says_why_not(void **state)
{
	char dir[] = "/tmp/bothy-start-XXXXXX", program[64], seen[64];
	const char *const arguments[] = {"--idle", "5", NULL};
	struct start_options o = {.store_dir = "/the/store",
	    .program = program, .arguments = arguments};
	struct buf b;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(program, sizeof program, "%s/bothy-store", dir);
	assert_int_equal(client_start(&o, &e), -1);
	assert_int_equal(e.code, ENOENT);
	script(program, "#!/bin/sh\necho \"$*\" >${0%/*}/seen\n"
	    "sleep 60 >/dev/null 2>&1 & echo $! >>${0%/*}/seen\n");
	assert_int_equal(client_start(&o, &e), 0);
	snprintf(seen, sizeof seen, "%s/seen", dir);
	buf_init(&b, 1000);
	assert_int_equal(io_read_file(AT_FDCWD, seen, &b, &e), 0);
	assert_memory_equal(b.data, "--dir /the/store --idle 5\n", 26);
	kill((pid_t)atoi(b.data + 26), SIGKILL);
	script(program, "#!/bin/sh\necho 'no such store' >&2\nexit 1\n");
	assert_int_equal(client_start(&o, &e), -1);
	assert_string_equal(e.text, "no such store");
	script(program, "#!/bin/sh\nkill -9 $$\n");
	assert_int_equal(client_start(&o, &e), -1);
	assert_non_null(strstr(e.text, "did not start"));
	buf_release(&b);
	io_remove_tree(AT_FDCWD, dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_answered),
		cmocka_unit_test(a_fault_is_told),
		cmocka_unit_test(what_was_not_seen_goes_again),
		cmocka_unit_test(reads_go_again_writes_never),
		cmocka_unit_test(time_is_up),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(a_request_has_a_limit),
		cmocka_unit_test(replies_come_in_any_order),
		cmocka_unit_test(full_sockets_do_not_lock),
		cmocka_unit_test(a_broken_connection_ends_all),
		cmocka_unit_test(a_key_is_proved),
		cmocka_unit_test(a_daemon_is_started_or_says_why_not),
	};

	signal(SIGPIPE, SIG_IGN);	/* of the server's thread */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
