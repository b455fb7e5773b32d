/*
 * Requests: the table of cases, what lands in the struct, what each wants for
 * grants, and arenas of every size.
 */
#include "store/wire/request.h"

#include "store/base/buf.h"
#include "store/base/io.h"
#include "store/value/fault.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CASES "tests/cases/request/requests"

struct world {
	struct arena arena;
	struct request r;
	struct err err;
};

static void
open_world(struct world *w)
{
	memset(w, 0, sizeof *w);
	arena_init(&w->arena, REQUEST_ARENA_MAX);
}

static int
parse(struct world *w, int op, const char *body)
{
	return request_read(&w->r, op, false, &w->arena, body, strlen(body),
	    &w->err);
}

static void
parse_ok(struct world *w, int op, const char *body)
{
	if (parse(w, op, body) < 0)
		fail_msg("%s: %s", body, w->err.text);
}

static void
is_text(struct text t, const char *s)
{
	assert_non_null(t.p);
	assert_int_equal(t.n, strlen(s));
	assert_memory_equal(t.p, s, t.n);
}

/* --- the table of cases --------------------------------------------------- */

static const char *
verdict(struct world *w, const char *op, const char *body, char *out,
    size_t size)
{
	const struct operation_info *info;
	bool plain = strncmp(op, "plain ", 6) == 0;

	op += plain ? 6 : 0;
	info = operation_named(op, strlen(op));
	assert_non_null(info);
	if (request_read(&w->r, (int)info->op, plain, &w->arena, body,
	    strlen(body), &w->err) == 0)
		return "ok";
	if (w->err.code == FAULT_VALIDATION)
		return w->err.text;
	snprintf(out, size, "%s %s", fault_name(w->err.code), w->err.text);
	return out;
}

static void
one_case(char *line)
{
	char *op = strsep(&line, "\t"), *body = strsep(&line, "\t");
	char *want = line, out[1024];
	const char *got;
	struct world w;
	size_t n;

	assert_non_null(want);
	open_world(&w);
	got = verdict(&w, op, body, out, sizeof out);
	n = strlen(want);
	if (n && want[n - 1] == '*' ? strncmp(got, want, n - 1) != 0 :
	    strcmp(got, want) != 0)
		fail_msg("%s %.200s\n  is  %s\n  not %s", op, body, got, want);
	arena_release(&w.arena);
}

static void
cases_get_their_verdict(void **state)
{
	struct buf b;
	struct err e;
	char *rest, *line;
	int count = 0;

	(void)state;
	buf_init(&b, 16 << 20);
	if (io_read_file(AT_FDCWD, CASES, &b, &e) < 0)
		fail_msg("%s", e.text);
	rest = b.data;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (!*line || *line == '#')
			continue;
		one_case(line);
		count++;
	}
	assert_true(count > 100);
	buf_release(&b);
}

/* --- what lands in the struct --------------------------------------------- */

static void
an_update_is_whole(void **state)
{
	const struct item_request *r;
	struct world w;

	(void)state;
	open_world(&w);
	parse_ok(&w, OP_UPDATE_ITEM, "{\"TableName\":\"abc\",\"Key\":"
	    "{\"id\":{\"S\":\"k\"}},\"UpdateExpression\":\"SET #a = :v\","
	    "\"ConditionExpression\":\"#b = :w\","
	    "\"ExpressionAttributeNames\":{\"#b\":\"bb\",\"#a\":\"aa\"},"
	    "\"ExpressionAttributeValues\":{\":w\":{\"N\":\"1.0\"},"
	    "\":v\":{\"S\":\"\\u0041\"}},\"ReturnValues\":\"ALL_NEW\","
	    "\"ReturnConsumedCapacity\":\"TOTAL\","
	    "\"ReturnItemCollectionMetrics\":\"SIZE\","
	    "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}");
	r = &w.r.item;
	assert_int_equal(r->kind, ITEM_UPDATE);
	is_text(r->table, "abc");
	is_text(r->update, "SET #a = :v");
	is_text(r->condition, "#b = :w");
	assert_null(r->projection.p);
	assert_int_equal(r->returns, RETURN_ALL_NEW);
	assert_int_equal(r->on_failure, RETURN_ALL_OLD);
	assert_int_equal(w.r.capacity, CAPACITY_TOTAL);
	assert_int_equal(w.r.metrics, METRICS_SIZE);
	assert_int_equal(r->names->count, 2);
	is_text(r->names->members[0].name, "#a");	/* in order */
	is_text(r->names->members[0].value.text, "aa");
	is_text(value_member(r->values, ":w", 2)->text, "1");
	is_text(value_member(r->values, ":v", 2)->text, "A");
	is_text(value_member(r->key, "id", 2)->text, "k");
	arena_release(&w.arena);
}

static void
older_parameters_are_lists(void **state)
{
	const struct legacy_condition *c;
	struct world w;

	(void)state;
	open_world(&w);
	parse_ok(&w, OP_UPDATE_ITEM, "{\"TableName\":\"abc\",\"Key\":{},"
	    "\"Expected\":{\"x\":{\"Exists\":false},\"y\":{"
	    "\"ComparisonOperator\":\"BETWEEN\",\"AttributeValueList\":["
	    "{\"N\":\"1\"},{\"N\":\"2\"}]},\"z\":{\"Value\":{\"S\":\"q\"}}},"
	    "\"ConditionalOperator\":\"OR\",\"AttributeUpdates\":{\"u\":{"
	    "\"Action\":\"DELETE\"},\"v\":{\"Value\":{\"S\":\"w\"}}}}");
	c = w.r.item.expected.list;
	assert_int_equal(w.r.item.expected.count, 3);
	is_text(c[0].name, "x");
	assert_true(c[0].has_exists && !c[0].exists && !c[0].has_values);
	assert_int_equal(c[0].op, LEGACY_ABSENT);
	assert_int_equal(c[1].op, LEGACY_BETWEEN);
	assert_true(c[1].has_values && c[1].nvalues == 2);
	is_text(c[1].values[1].text, "2");
	is_text(c[2].value->text, "q");
	assert_int_equal(w.r.item.joint, JOINT_OR);
	assert_int_equal(w.r.item.nupdates, 2);
	assert_int_equal(w.r.item.updates[0].action, LEGACY_DELETE);
	assert_null(w.r.item.updates[0].value);
	assert_int_equal(w.r.item.updates[1].action, LEGACY_PUT);
	is_text(w.r.item.updates[1].value->text, "w");
	arena_release(&w.arena);
}

static void
a_batch_has_groups(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	parse_ok(&w, OP_BATCH_GET_ITEM, "{\"RequestItems\":{\"arn:aws:dynamodb:"
	    "eu:1:table/one\":{\"Keys\":[{\"a\":{\"S\":\"x\"}},"
	    "{\"a\":{\"S\":\"y\"}}],\"ConsistentRead\":true,"
	    "\"ProjectionExpression\":\"p\"},\"two\":{\"Keys\":["
	    "{\"b\":{\"B\":\"AA==\"}}]}}}");
	assert_int_equal(w.r.ngroups, 2);
	is_text(w.r.groups[0].table, "one");
	assert_int_equal(w.r.groups[0].count, 2);
	is_text(w.r.groups[0].items[1].table, "one");
	is_text(w.r.groups[0].items[1].projection, "p");
	assert_int_equal(w.r.groups[0].items[1].consistent, CHOICE_YES);
	is_text(value_member(w.r.groups[0].items[1].key, "a", 1)->text, "y");
	assert_int_equal(w.r.groups[1].items[0].key->members[0].value.text.n,
	    1);
	parse_ok(&w, OP_BATCH_WRITE_ITEM, "{\"RequestItems\":{\"one\":[{"
	    "\"DeleteRequest\":{\"Key\":{\"a\":{\"S\":\"x\"}}}},"
	    "{\"PutRequest\":{\"Item\":{\"a\":{\"S\":\"z\"}}}}]}}");
	assert_int_equal(w.r.groups[0].items[0].kind, ITEM_DELETE);
	assert_int_equal(w.r.groups[0].items[1].kind, ITEM_PUT);
	is_text(value_member(w.r.groups[0].items[1].item, "a", 1)->text, "z");
	arena_release(&w.arena);
}

static void
a_table_is_described(void **state)
{
	const struct table_request *t;
	struct world w;

	(void)state;
	open_world(&w);
	parse_ok(&w, OP_CREATE_TABLE, "{\"TableName\":\"abc\","
	    "\"AttributeDefinitions\":[{\"AttributeName\":\"a\","
	    "\"AttributeType\":\"S\"},{\"AttributeName\":\"b\","
	    "\"AttributeType\":\"N\"}],\"KeySchema\":[{\"AttributeName\":"
	    "\"a\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"b\","
	    "\"KeyType\":\"RANGE\"}],\"GlobalSecondaryIndexes\":[{"
	    "\"IndexName\":\"byB\",\"KeySchema\":[{\"AttributeName\":\"b\","
	    "\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":"
	    "\"INCLUDE\",\"NonKeyAttributes\":[\"x\",\"y\"]},"
	    "\"ProvisionedThroughput\":{\"ReadCapacityUnits\":3,"
	    "\"WriteCapacityUnits\":4}}],\"ProvisionedThroughput\":{"
	    "\"ReadCapacityUnits\":5,\"WriteCapacityUnits\":6},"
	    "\"StreamSpecification\":{\"StreamEnabled\":true,"
	    "\"StreamViewType\":\"NEW_IMAGE\"},\"Tags\":[{\"Key\":\"k\","
	    "\"Value\":\"v\"}],\"History\":false,"
	    "\"TimeToLiveSpecification\":{\"AttributeName\":\"t\","
	    "\"Enabled\":true}}");
	t = &w.r.table;
	assert_int_equal(t->nattributes, 2);
	assert_int_equal(t->attributes[1].type, VALUE_N);
	assert_int_equal(t->key[1].role, ROLE_RANGE);
	assert_int_equal(t->nglobals, 1);
	is_text(t->globals[0].name, "byB");
	assert_int_equal(t->globals[0].change, INDEX_CREATE);
	is_text(t->globals[0].projection, "INCLUDE");
	is_text(t->globals[0].nonkey[1], "y");
	assert_int_equal(t->globals[0].throughput.writes, 4);
	assert_int_equal(t->throughput.reads, 5);
	assert_int_equal(t->stream, CHOICE_YES);
	is_text(t->stream_view, "NEW_IMAGE");
	is_text(t->tags[0].value, "v");
	assert_int_equal(t->history, CHOICE_NO);
	is_text(t->ttl, "t");
	parse_ok(&w, OP_UPDATE_TABLE, "{\"TableName\":\"abc\","
	    "\"GlobalSecondaryIndexUpdates\":[{\"Delete\":{\"IndexName\":"
	    "\"byB\"}}]}");
	assert_int_equal(w.r.table.globals[0].change, INDEX_DELETE);
	arena_release(&w.arena);
}

static void
a_scan_knows_its_segment(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	parse_ok(&w, OP_SCAN, "{\"TableName\":\"abc\",\"Segment\":0,"
	    "\"TotalSegments\":4,\"Limit\":7.9,\"IndexName\":\"iii\","
	    "\"Select\":\"COUNT\",\"ExclusiveStartKey\":{\"a\":"
	    "{\"S\":\"x\"}}}");
	assert_int_equal(w.r.read.segments, 4);
	assert_int_equal(w.r.read.limit, 7);
	assert_int_equal(w.r.read.select, SELECT_COUNT);
	is_text(w.r.read.index, "iii");
	is_text(w.r.read.start->members[0].value.text, "x");
	arena_release(&w.arena);
}

/* --- grants --------------------------------------------------------------- */

static void
every_item_is_a_wish(void **state)
{
	struct access a;
	struct world w;

	(void)state;
	open_world(&w);
	parse_ok(&w, OP_TRANSACT_WRITE_ITEMS, "{\"TransactItems\":["
	    "{\"Put\":{\"TableName\":\"one\",\"Item\":{\"a\":{\"S\":\"x\"}}}},"
	    "{\"ConditionCheck\":{\"TableName\":\"two\",\"Key\":{\"b\":"
	    "{\"S\":\"y\"}},\"ConditionExpression\":\"c\"}}]}");
	assert_true(request_access(&w.r, 0, &a));
	assert_string_equal(a.action, "dynamodb:PutItem");
	is_text(a.table, "one");
	is_text(value_member(a.key, "a", 1)->text, "x");
	assert_true(request_access(&w.r, 1, &a));
	assert_string_equal(a.action, "dynamodb:ConditionCheckItem");
	is_text(value_member(a.key, "b", 1)->text, "y");
	assert_false(request_access(&w.r, 2, &a));

	parse_ok(&w, OP_BATCH_WRITE_ITEM, "{\"RequestItems\":{\"one\":[{"
	    "\"DeleteRequest\":{\"Key\":{}}}],\"two\":[{\"PutRequest\":"
	    "{\"Item\":{}}}]}}");
	assert_true(request_access(&w.r, 1, &a));
	assert_string_equal(a.action, "dynamodb:BatchWriteItem");
	is_text(a.table, "two");
	assert_false(request_access(&w.r, 2, &a));

	parse_ok(&w, OP_QUERY, "{\"TableName\":\"one\",\"IndexName\":\"iii\","
	    "\"KeyConditionExpression\":\"k\"}");
	assert_true(request_access(&w.r, 0, &a));
	is_text(a.index, "iii");
	assert_false(request_access(&w.r, 1, &a));

	parse_ok(&w, OP_LIST_TABLES, "{}");
	assert_true(request_access(&w.r, 0, &a));
	assert_null(a.table.p);
	parse_ok(&w, OP_LOG, "{\"TableName\":\"one\"}");
	assert_true(request_access(&w.r, 0, &a));
	assert_string_equal(a.action, "bothy:Log");
	is_text(a.table, "one");
	arena_release(&w.arena);
}

/* --- robust --------------------------------------------------------------- */

static void
a_small_arena_is_an_error(void **state)
{
	static const char BODY[] = "{\"TransactItems\":[{\"Update\":{"
	    "\"TableName\":\"abc\",\"Key\":{\"a\":{\"S\":\"\\u0041\"}},"
	    "\"UpdateExpression\":\"x\",\"ExpressionAttributeNames\":{"
	    "\"#a\":\"b\"},\"ExpressionAttributeValues\":{\":a\":{\"L\":[]}}"
	    "}}]}";
	struct world w;
	size_t max;
	int failures = 0;

	(void)state;
	for (max = 0;; max += 8) {
		memset(&w, 0, sizeof w);
		arena_init(&w.arena, max);
		if (parse(&w, OP_TRANSACT_WRITE_ITEMS, BODY) == 0)
			break;
		assert_int_equal(w.err.code, FAULT_LIMIT);
		arena_release(&w.arena);
		failures++;
	}
	arena_release(&w.arena);
	assert_true(failures > 10);
}

static void
unknown_numbers_are_refused(void **state)
{
	static const int numbers[] = {-1, 0, 14, 31, 63, OP_END, 65535};
	struct world w;
	size_t i;

	(void)state;
	open_world(&w);
	for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		assert_int_equal(parse(&w, numbers[i], "{}"), -1);
		assert_int_equal(w.err.code, FAULT_UNKNOWN_OPERATION);
	}
	arena_release(&w.arena);
}

static void
an_item_has_a_limit(void **state)
{
	struct world w;
	struct buf b;
	int extra;

	(void)state;
	open_world(&w);
	buf_init(&b, 1 << 20);
	for (extra = 0; extra < 2; extra++) {
		buf_reset(&b);
		buf_puts(&b, "{\"TableName\":\"abc\",\"Item\":{\"id\":"
		    "{\"S\":\"");
		while (b.len < VALUE_ITEM_MAX + 36u + (size_t)extra)
			buf_putc(&b, 'a');
		buf_puts(&b, "\"}}}");
		assert_int_equal(parse(&w, OP_PUT_ITEM, buf_str(&b)), -extra);
	}
	assert_string_equal(w.err.text,
	    "Item size has exceeded the maximum allowed size");
	buf_release(&b);
	arena_release(&w.arena);
}

/* No more than ten violations are told, however many there are. */
static void
violations_are_bounded(void **state)
{
	struct world w;
	struct buf b;
	int i;

	(void)state;
	open_world(&w);
	buf_init(&b, 1 << 20);
	buf_puts(&b, "{\"TransactItems\":[");
	for (i = 0; i < 90; i++)
		buf_printf(&b, "%s{\"Delete\":{}}", i ? "," : "");
	buf_puts(&b, "]}");
	assert_int_equal(parse(&w, OP_TRANSACT_WRITE_ITEMS, buf_str(&b)), -1);
	assert_int_equal(strncmp(w.err.text, "10 validation errors detected: ",
	    31), 0);
	buf_release(&b);
	arena_release(&w.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases_get_their_verdict),
		cmocka_unit_test(an_update_is_whole),
		cmocka_unit_test(older_parameters_are_lists),
		cmocka_unit_test(a_batch_has_groups),
		cmocka_unit_test(a_table_is_described),
		cmocka_unit_test(a_scan_knows_its_segment),
		cmocka_unit_test(every_item_is_a_wish),
		cmocka_unit_test(a_small_arena_is_an_error),
		cmocka_unit_test(unknown_numbers_are_refused),
		cmocka_unit_test(an_item_has_a_limit),
		cmocka_unit_test(violations_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
