/*
 * Any text (UTF-8, as a request has it) as a statement: it is taken or refused
 * with a reason; what was taken becomes a request of a table, whose condition,
 * update and columns work on an item and give values that keep the promises of
 * value.h.  Then once more with little memory.
 */
#include "store/partiql/partiql.h"

#include "item.h"

#include "store/base/utf8.h"
#include "store/value/fault.h"

#include <errno.h>
#include <string.h>

#define PARAMETERS "{\"L\":[{\"S\":\"k\"},{\"N\":\"3\"},{\"SS\":[\"a\"]}," \
	"{\"M\":{\"p\":{\"S\":\"k\"},\"q\":{\"N\":\"1\"}}}]}"

enum { LITTLE = 8192 };

static const struct expr_keys KEYS = {
	{{"p", VALUE_S}}, {{"q", VALUE_N}}, 1, 1
};

static void
is_reason(const struct err *e)
{
	require((e->code == FAULT_VALIDATION || e->code == FAULT_LIMIT ||
	    e->code == ENOMEM) && *e->text);
}

static void
use(struct arena *a, const struct request_trees *t, const struct value *item)
{
	const struct value key = {.type = VALUE_M};
	struct value out;
	struct err e;

	if (t->condition) {
		expr_true(t->condition, item);
		expr_true(t->condition, NULL);
	}
	if (t->update) {
		if (expr_apply(a, t->update, item, &key, NULL, &out, &e) == 0)
			is_sound(&out);
		else
			is_reason(&e);
	}
	if (t->projection) {
		if (expr_project(a, t->projection, item, &out, &e) == 0)
			is_sound(&out);
		else
			is_reason(&e);
	}
}

static void
plan(struct arena *a, const struct partiql *q, const struct value *item)
{
	struct expr_key_range range;
	struct item_request one;
	struct partiql_ranges ranges;
	struct err e;
	size_t i;
	int rc;

	rc = partiql_item(q, a, &KEYS, &one, &e);
	if (rc > 0) {
		require(one.item || one.key);
		is_sound(one.item ? one.item : one.key);
		use(a, one.trees, item);
	} else if (rc == 0) {
		require(q->kind == PARTIQL_SELECT);
		rc = partiql_range(q, a, &KEYS, &ranges, &e);
		require(rc < 0 || ranges.query || ranges.count == 1);
		for (i = 0; rc == 0 && i < ranges.count; i++) {
			const struct request_trees *t = ranges.list[i].trees;

			use(a, t, item);
			require(ranges.query == (t->keys != NULL));
			if (t->keys &&
			    expr_key_find(t->keys, &KEYS, &range, &e) < 0)
				is_reason(&e);
		}
	}
	if (rc < 0)
		is_reason(&e);
}

static void
run(size_t room, const char *text, size_t n, const struct value *parameters,
    const struct value *item)
{
	struct partiql q;
	struct arena a;
	struct err e;
	size_t i;

	for (i = 0; i <= parameters->count; i++) {
		arena_init(&a, room);
		if (partiql_read(&q, &a, text, n, parameters->items, i, &e) <
		    0)
			is_reason(&e);
		else
			plan(&a, &q, item);
		arena_release(&a);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	const char *text = (const char *)input;
	struct value parameters, item;
	struct arena a;
	struct err e;

	if (n > REQUEST_STATEMENT_MAX || !utf8_valid(text, n))
		return 0;
	arena_init(&a, ARENA_MAX);
	require(typed_read(&a, PARAMETERS, strlen(PARAMETERS), &parameters,
	    &e) == 0);
	require(typed_read_item(&a, ITEM, strlen(ITEM), &item, &e) == 0);
	run(ARENA_MAX, text, n, &parameters, &item);
	run((n * 97) % LITTLE, text, n, &parameters, &item);
	arena_release(&a);
	return 0;
}
