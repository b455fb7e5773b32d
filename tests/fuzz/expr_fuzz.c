/*
 * Any text as any kind of expression: it is taken or refused with a reason;
 * what was taken evaluates, a condition and its negation never agree, and an
 * update and a projection give values that keep the promises of value.h.  Then
 * once more with little memory.
 *
 * The first byte says which kind the rest is.
 */
#include "store/expr/expr.h"

#include "item.h"

#include "store/value/fault.h"

#include <errno.h>
#include <string.h>

#define VALUES "{\":b\":{\"B\":\"YQ==\"},\":l\":{\"L\":[{\"N\":\"1\"}]}," \
	"\":m\":{\"M\":{\"k\":{\"S\":\"v\"}}},\":n\":{\"N\":\"12.5\"}," \
	"\":ns\":{\"NS\":[\"1\",\"3\"]},\":s\":{\"S\":\"a\"}," \
	"\":ss\":{\"SS\":[\"a\",\"c\"]},\":t\":{\"BOOL\":true}}"

enum { LITTLE = 4096, TEXT_MAX = 8192 };

struct world {
	struct arena arena;
	struct value values, names, item;
	struct member name[2];
};

static void
world_open(struct world *w)
{
	struct err e;

	arena_init(&w->arena, ARENA_MAX);
	require(typed_read_item(&w->arena, VALUES, strlen(VALUES), &w->values,
	    &e) == 0);
	require(typed_read_item(&w->arena, ITEM, strlen(ITEM), &w->item,
	    &e) == 0);
	w->name[0] = (struct member){
		{"#a", 2}, {.type = VALUE_S, .text = {"a", 1}}
	};
	w->name[1] = (struct member){
		{"#n", 2}, {.type = VALUE_S, .text = {"name", 4}}
	};
	w->names = (struct value){
		.type = VALUE_M, .count = 2, .members = w->name
	};
}

static void
is_reason(const struct err *e)
{
	require((e->code == FAULT_VALIDATION || e->code == ENOMEM) &&
	    *e->text);
}

/* --- kinds ---------------------------------------------------------------- */

static void
condition(struct world *w, struct expr_scope *s, const char *text, size_t n)
{
	char *inverse = malloc(n + 8);
	const struct expr *x, *y;
	struct err e;

	require(inverse != NULL);
	memcpy(inverse, "NOT (", 5);
	memcpy(inverse + 5, text, n);
	inverse[n + 5] = ')';
	if (expr_parse_condition(s, text, n, &x, &e) < 0) {
		is_reason(&e);
	} else {
		expr_true(x, NULL);
		if (expr_parse_filter(s, inverse, n + 6, &y, &e) == 0)
			require(expr_true(x, &w->item) !=
			    expr_true(y, &w->item));
	}
	free(inverse);
}

static void
update(struct world *w, struct expr_scope *s, const char *text, size_t n)
{
	const struct expr_update *u;
	struct value item, part, key = {.type = VALUE_M};
	struct err e;

	if (expr_parse_update(s, text, n, &u, &e) < 0) {
		is_reason(&e);
		return;
	}
	if (expr_apply(s->arena, u, NULL, &key, NULL, &item, &e) < 0)
		is_reason(&e);
	else
		is_sound(&item);
	if (expr_apply(s->arena, u, &w->item, &key, NULL, &item, &e) < 0) {
		is_reason(&e);
		return;
	}
	is_sound(&item);
	if (expr_touched(s->arena, u, &item, &part, &e) < 0)
		is_reason(&e);
	else
		is_sound(&part);
}

static void
projection(struct world *w, struct expr_scope *s, const char *text, size_t n)
{
	const struct expr_projection *p;
	struct value part;
	struct err e;

	if (expr_parse_projection(s, text, n, &p, &e) < 0 ||
	    expr_project(s->arena, p, &w->item, &part, &e) < 0) {
		is_reason(&e);
		return;
	}
	is_sound(&part);
	require(value_item_size(&part) <= value_item_size(&w->item));
}

static void
key(struct expr_scope *s, const char *text, size_t n)
{
	static const struct expr_keys tables[] = {
		{{{"p", VALUE_S}}, {{"q", VALUE_N}}, 1, 1},
		{{{"a", VALUE_S}, {"b", VALUE_S}},
		    {{"c", VALUE_N}, {"d", VALUE_S}, {"p", VALUE_B}}, 2, 3},
	};
	struct expr_key_range range;
	const struct expr *x;
	struct err e;
	size_t i;

	if (expr_parse_key(s, text, n, &x, &e) < 0 ||
	    expr_check_key(x, &e) < 0) {
		is_reason(&e);
		return;
	}
	for (i = 0; i < sizeof tables / sizeof *tables; i++) {
		if (expr_key_find(x, &tables[i], &range, &e) < 0)
			is_reason(&e);
		else
			require(range.hash[0] &&
			    (range.op == EXPR_NONE || range.low));
	}
}

static void
run(struct world *w, size_t room, char kind, const char *text, size_t n)
{
	struct expr_scope s;
	struct arena a;
	struct err e;

	arena_init(&a, room);
	if (expr_scope_init(&s, &a, &w->names, &w->values, &e) < 0) {
		is_reason(&e);
	} else {
		switch (kind % 4) {
		case 0:
			condition(w, &s, text, n);
			break;
		case 1:
			update(w, &s, text, n);
			break;
		case 2:
			projection(w, &s, text, n);
			break;
		default:
			key(&s, text, n);
			break;
		}
		if (expr_scope_finish(&s, &e) < 0)
			is_reason(&e);
	}
	arena_release(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	const char *text = (const char *)input;
	struct world w;

	if (n < 1 || n > TEXT_MAX)
		return 0;
	world_open(&w);
	run(&w, ARENA_MAX, text[0], text + 1, n - 1);
	run(&w, (n * 97) % LITTLE, text[0], text + 1, n - 1);
	arena_release(&w.arena);
	return 0;
}
