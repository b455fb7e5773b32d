/*
 * Frames: what is written is read again; what is torn, too long or unknown is
 * refused; and the table of operations is whole.
 */
#include "store/wire/frame.h"

#include "store/value/fault.h"
#include "store/wire/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
a_hello_comes_back(void **state)
{
	struct frame_hello h = {.version = FRAME_VERSION, .in_flight_max = 256,
	    .request_max = FRAME_REQUEST_MAX, .reply_max = FRAME_REPLY_MAX},
	    got;
	struct err e;
	struct buf b;

	(void)state;
	memset(h.store_id, 7, sizeof h.store_id);
	memset(h.challenge, 9, sizeof h.challenge);
	buf_init(&b, 1000);
	assert_int_equal(frame_write_hello(&b, &h), 0);
	assert_int_equal(b.len, FRAME_HELLO_SIZE);
	assert_memory_equal(b.data, "\x44\0\0\0BthS\1\0\0\1", 12);
	assert_int_equal(frame_size(b.data, b.len, FRAME_HELLO_SIZE,
	    FRAME_HELLO_SIZE), FRAME_HELLO_SIZE);
	assert_int_equal(frame_read_hello(b.data, b.len, &got, &e), 0);
	assert_int_equal(got.request_max, FRAME_REQUEST_MAX);
	assert_int_equal(got.reply_max, FRAME_REPLY_MAX);
	assert_memory_equal(got.store_id, h.store_id, sizeof h.store_id);
	assert_memory_equal(got.challenge, h.challenge, sizeof h.challenge);
	b.data[8] = 2;
	assert_int_equal(frame_read_hello(b.data, b.len, &got, &e), -1);
	assert_non_null(strstr(e.text, "version 2"));
	b.data[4] = 'X';
	assert_int_equal(frame_read_hello(b.data, b.len, &got, &e), -1);
	buf_release(&b);
}

static void
a_request_comes_back(void **state)
{
	const struct frame_request r = {.id = 0x01020304,
	    .operation = OP_QUERY, .flags = FRAME_PLAIN | FRAME_PROOF,
	    .patience_ms = 5000, .token = "tok", .ntoken = 3, .body = "{}",
	    .nbody = 2};
	struct frame_request got;
	struct err e;
	struct buf b;
	size_t n;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(frame_write_request(&b, &r), 0);
	assert_memory_equal(b.data, "\x15\0\0\0\4\3\2\1\5\0\5\0\x88\x13\0\0"
	    "\3\0\0\0tok{}", 25);
	assert_int_equal(frame_read_request(b.data, b.len, &got, &e), 0);
	assert_int_equal(got.id, r.id);
	assert_int_equal(got.operation, OP_QUERY);
	assert_int_equal(got.flags, r.flags);
	assert_int_equal(got.patience_ms, 5000);
	assert_int_equal(got.ntoken, 3);
	assert_memory_equal(got.token, "tok", 3);
	assert_int_equal(got.nbody, 2);
	assert_memory_equal(got.body, "{}", 2);
	for (n = 0; n < 23; n++)
		assert_int_equal(frame_read_request(b.data, n, &got, &e), -1);
	assert_int_equal(got.id, r.id);		/* so it can be answered */
	b.data[10] = 16;	/* a flag that there is none of */
	assert_int_equal(frame_read_request(b.data, b.len, &got, &e), -1);
	assert_int_equal(e.code, FAULT_SERIALIZATION);
	buf_release(&b);
}

static void
sizes_are_bounded(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		ssize_t size;
	} cases[] = {
		{"", 0, 0}, {"\x10\0\0", 3, 0}, {"\x10\0\0\0", 4, 20},
		{"\x0f\0\0\0", 4, -1}, {"\0\0\0\0", 4, -1},
		{"\x60\0\0\0", 4, 100}, {"\x61\0\0\0", 4, -1},
		{"\xff\xff\xff\xff", 4, -1}, {"\xfc\xff\xff\xff", 4, -1},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(frame_size(cases[i].bytes, cases[i].n,
		    FRAME_REQUEST_SIZE, 100), cases[i].size);
}

static void
a_reply_is_written_in_place(void **state)
{
	struct frame_reply got;
	struct err e;
	struct buf b;
	size_t first, second;

	(void)state;
	buf_init(&b, 60);
	first = frame_begin_reply(&b);
	buf_puts(&b, "{\"Item\":1}");
	assert_int_equal(frame_end_reply(&b, first, 7, 0, 0), 0);
	second = frame_begin_reply(&b);
	assert_int_equal(second, 22);
	buf_puts(&b, "{}");
	assert_int_equal(frame_end_reply(&b, second, 8, FAULT_CONDITION,
	    FRAME_PROGRESS), 0);
	assert_int_equal(frame_read_reply(b.data, 22, &got, &e), 0);
	assert_int_equal(got.id, 7);
	assert_int_equal(got.status, 0);
	assert_memory_equal(got.body, "{\"Item\":1}", got.nbody);
	assert_int_equal(frame_read_reply(b.data + 22, 14, &got, &e), 0);
	assert_int_equal(got.status, FAULT_CONDITION);
	assert_int_equal(got.flags, FRAME_PROGRESS);

	/* One that doesn't fit leaves what was there. */
	second = frame_begin_reply(&b);
	buf_puts(&b, "much too long for this buffer");
	assert_int_equal(frame_end_reply(&b, second, 9, 0, 0), -1);
	assert_int_equal(b.len, 36);
	buf_release(&b);
}

/* An errno value never goes out as a status. */
static void
a_status_is_a_fault(void **state)
{
	struct frame_reply got;
	struct err e;
	struct buf b;

	(void)state;
	buf_init(&b, 60);
	assert_int_equal(frame_end_reply(&b, frame_begin_reply(&b), 1, 28, 0),
	    0);
	assert_int_equal(frame_read_reply(b.data, b.len, &got, &e), 0);
	assert_int_equal(got.status, FAULT_INTERNAL);
	buf_release(&b);
}

static void
operations_have_one_place(void **state)
{
	const struct operation_info *o;
	int number, count = 0;

	(void)state;
	assert_null(operation_info(OP_NONE));
	assert_null(operation_info(-1));
	assert_null(operation_info(OP_END));
	for (number = 0; number < OP_END; number++) {
		o = operation_info(number);
		if (!o)
			continue;
		count++;
		assert_int_equal(o->op, number);
		assert_ptr_equal(operation_named(o->name, strlen(o->name)), o);
		/* Statements need what they do, as in AWS. */
		assert_true(strstr(o->action, o->name) ||
		    strstr(o->action, "dynamodb:PartiQL") == o->action);
	}
	assert_true(count >= 39);
	assert_null(operation_named("getitem", 7));
	assert_null(operation_named("GetItem", 6));
}

/* The numbers are what other versions know them by. */
static void
numbers_stay(void **state)
{
	(void)state;
	assert_int_equal(OP_TRANSACT_WRITE_ITEMS, 10);
	assert_int_equal(OP_DESCRIBE_TIME_TO_LIVE, 38);
	assert_int_equal(OP_GET_RECORDS, 67);
	assert_int_equal(OP_STOP, 113);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hello_comes_back),
		cmocka_unit_test(a_request_comes_back),
		cmocka_unit_test(sizes_are_bounded),
		cmocka_unit_test(a_reply_is_written_in_place),
		cmocka_unit_test(a_status_is_a_fault),
		cmocka_unit_test(operations_have_one_place),
		cmocka_unit_test(numbers_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
