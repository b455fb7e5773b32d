/*
 * Replies, byte for byte: members, items in both kinds of JSON, capacity,
 * failures.
 */
#include "store/wire/reply.h"

#include "store/value/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ITEM "{\"a\":{\"S\":\"x\"},\"n\":{\"NS\":[\"1\",\"2\"]}}"

struct world {
	struct buf b;
	struct arena a;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	if (!w)
		return -1;
	buf_init(&w->b, 4096);
	arena_init(&w->a, 1 << 20);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	buf_release(&w->b);
	arena_release(&w->a);
	free(w);
	return 0;
}

static void
members_and_lists(void **state)
{
	struct world *w = *state;
	const struct text name = {"q\"", 2};
	struct reply r;

	reply_open(&r, &w->b, NULL, false);
	reply_integer(&r, "Count", -3);
	reply_list(&r, "L");
	reply_close(&r);
	reply_list(&r, "M");
	reply_string(&r, NULL, "a\n");
	reply_bool(&r, NULL, true);
	reply_object(&r, NULL);
	reply_close(&r);
	reply_number(&r, NULL, 0.5);
	reply_number(&r, NULL, 3);
	reply_number(&r, NULL, 1e300 * 1e300);
	reply_close(&r);
	reply_time(&r, "T", 1700000000007);
	reply_name(&r, &name);
	reply_raw(&r, NULL, "[1]", 3);
	reply_object(&r, "open");
	assert_int_equal(reply_close_all(&r), 0);
	assert_string_equal(buf_str(&w->b), "{\"Count\":-3,\"L\":[],\"M\":"
	    "[\"a\\n\",true,{},0.5,3.0,null],\"T\":1700000000.007,"
	    "\"q\\\"\":[1],\"open\":{}}");
}

static void
items_are_copied_or_made_plain(void **state)
{
	struct world *w = *state;
	struct reply r;

	reply_open(&r, &w->b, NULL, false);
	reply_item_bytes(&r, "Item", ITEM, strlen(ITEM));
	assert_int_equal(reply_close_all(&r), 0);
	assert_string_equal(buf_str(&w->b), "{\"Item\":" ITEM "}");
	buf_reset(&w->b);
	reply_open(&r, &w->b, &w->a, true);
	reply_list(&r, "Items");
	reply_item_bytes(&r, NULL, ITEM, strlen(ITEM));
	reply_item_bytes(&r, NULL, "{}", 2);
	assert_int_equal(reply_close_all(&r), 0);
	assert_string_equal(buf_str(&w->b),
	    "{\"Items\":[{\"a\":\"x\",\"n\":{\"$set\":[1,2]}},{}]}");
}

static void
a_value_is_an_item_too(void **state)
{
	struct world *w = *state;
	struct member m = {{"a", 1}, {.type = VALUE_N, .text = {"7", 1}}};
	const struct value item = {.type = VALUE_M, .count = 1,
	    .members = &m};
	struct reply r;

	reply_open(&r, &w->b, NULL, false);
	reply_item(&r, "Attributes", &item);
	assert_int_equal(reply_close_all(&r), 0);
	assert_string_equal(buf_str(&w->b), "{\"Attributes\":{\"a\":"
	    "{\"N\":\"7\"}}}");
	buf_reset(&w->b);
	reply_open(&r, &w->b, &w->a, true);
	reply_item(&r, "Attributes", &item);
	assert_int_equal(reply_close_all(&r), 0);
	assert_string_equal(buf_str(&w->b), "{\"Attributes\":{\"a\":7}}");
}

static void
what_is_no_item_fails(void **state)
{
	struct world *w = *state;
	struct reply r;

	reply_open(&r, &w->b, &w->a, true);
	reply_item_bytes(&r, "Item", "nonsense", 8);
	assert_int_equal(reply_close_all(&r), -1);
	reply_open(&r, &w->b, NULL, false);
	while (buf_ok(&w->b))
		reply_string(&r, "x", "more than there is room for");
	assert_int_equal(reply_close_all(&r), -1);
}

static void
capacity_by_table_and_index(void **state)
{
	static const struct capacity_index indexes[] = {
		{"g", true, 1}, {"l", false, 0.5},
	};
	const struct capacity c = {.read = 2, .table = 0.5,
	    .indexes = indexes, .nindexes = 2};
	const struct text table = {"abc", 3};
	struct world *w = *state;
	struct reply r;

	reply_open(&r, &w->b, NULL, false);
	reply_capacity(&r, "A", &table, &c, false, false);
	reply_capacity(&r, "B", &table, &c, true, true);
	assert_int_equal(reply_close_all(&r), 0);
	assert_string_equal(buf_str(&w->b),
	    "{\"A\":{\"TableName\":\"abc\",\"CapacityUnits\":2.0},"
	    "\"B\":{\"TableName\":\"abc\",\"CapacityUnits\":2.0,"
	    "\"ReadCapacityUnits\":2.0,\"Table\":{\"CapacityUnits\":0.5,"
	    "\"ReadCapacityUnits\":0.5},\"GlobalSecondaryIndexes\":{\"g\":"
	    "{\"CapacityUnits\":1.0,\"ReadCapacityUnits\":1.0}},"
	    "\"LocalSecondaryIndexes\":{\"l\":{\"CapacityUnits\":0.5,"
	    "\"ReadCapacityUnits\":0.5}}}}");
}

static void
failures_carry_what_was_there(void **state)
{
	const struct cancel_reason reasons[] = {
		{0, NULL, NULL, 0},
		{FAULT_CONDITION, "The conditional request failed", ITEM,
		    sizeof ITEM - 1},
		{FAULT_VALIDATION, "no", NULL, 0},
		{FAULT_CONFLICT, "busy", NULL, 0},
	};
	struct world *w = *state;
	struct err e;

	err_set(&e, FAULT_CONDITION, "The conditional \"request\" failed");
	assert_int_equal(reply_fault(&w->b, NULL, false, &e, ITEM,
	    sizeof ITEM - 1), 0);
	assert_string_equal(buf_str(&w->b), "{\"message\":\"The conditional "
	    "\\\"request\\\" failed\",\"Item\":" ITEM "}");
	buf_reset(&w->b);
	assert_int_equal(reply_canceled(&w->b, &w->a, true, reasons, 4), 0);
	assert_string_equal(buf_str(&w->b), "{\"message\":\"Transaction "
	    "cancelled, please refer cancellation reasons for specific reasons "
	    "[None, ConditionalCheckFailed, ValidationError, "
	    "TransactionConflict]\",\"CancellationReasons\":[{\"Code\":"
	    "\"None\"},{\"Code\":\"ConditionalCheckFailed\",\"Message\":"
	    "\"The conditional request failed\",\"Item\":{\"a\":\"x\",\"n\":"
	    "{\"$set\":[1,2]}}},{\"Code\":\"ValidationError\",\"Message\":"
	    "\"no\"},{\"Code\":\"TransactionConflict\",\"Message\":"
	    "\"busy\"}]}");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(members_and_lists),
		TEST(items_are_copied_or_made_plain),
		TEST(a_value_is_an_item_too),
		TEST(what_is_no_item_fails),
		TEST(capacity_by_table_and_index),
		TEST(failures_carry_what_was_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
