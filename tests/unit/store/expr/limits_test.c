/*
 * What is too long, too deep or too much is refused with DynamoDB's text, and
 * what is just not, is taken.
 */
#include "store/expr/expr.h"

#include "store/base/buf.h"
#include "store/value/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_MAX = 64 << 20 };

struct world {
	struct arena arena;
	struct expr_scope scope;
	struct buf text;
	struct err e;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	arena_init(&w->arena, ARENA_MAX);
	buf_init(&w->text, 1 << 20);
	assert_int_equal(expr_scope_init(&w->scope, &w->arena, NULL, NULL,
	    &w->e), 0);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	buf_release(&w->text);
	arena_release(&w->arena);
	free(w);
	return 0;
}

static void
repeat(struct world *w, const char *s, size_t n)
{
	while (n-- > 0)
		buf_puts(&w->text, s);
}

static int
condition(struct world *w)
{
	const struct expr *x;
	int rc = expr_parse_condition(&w->scope, buf_str(&w->text),
	    w->text.len, &x, &w->e);

	if (rc == 0)
		expr_true(x, NULL);
	buf_reset(&w->text);
	return rc;
}

static void
refused(struct world *w, int rc, const char *text)
{
	assert_int_equal(rc, -1);
	assert_int_equal(w->e.code, FAULT_VALIDATION);
	assert_string_equal(w->e.text, text);
}

/* --- length --------------------------------------------------------------- */

static void
nothing(void **state)
{
	struct world *w = *state;
	const struct expr *x;
	const struct expr_update *u;
	const struct expr_projection *p;

	refused(w, expr_parse_condition(&w->scope, "", 0, &x, &w->e),
	    "Invalid ConditionExpression: The expression can not be empty;");
	refused(w, expr_parse_filter(&w->scope, "", 0, &x, &w->e),
	    "Invalid FilterExpression: The expression can not be empty;");
	refused(w, expr_parse_key(&w->scope, "", 0, &x, &w->e),
	    "Invalid KeyConditionExpression: The expression can not be empty;");
	refused(w, expr_parse_update(&w->scope, "", 0, &u, &w->e),
	    "Invalid UpdateExpression: The expression can not be empty;");
	refused(w, expr_parse_projection(&w->scope, "", 0, &p, &w->e),
	    "Invalid ProjectionExpression: The expression can not be empty;");
}

static void
length(void **state)
{
	struct world *w = *state;
	const struct expr_update *u;
	const struct expr_projection *p;

	repeat(w, " ", EXPR_TEXT_MAX - 5);
	buf_puts(&w->text, "a = b");
	assert_int_equal(condition(w), 0);
	repeat(w, " ", EXPR_TEXT_MAX - 4);
	buf_puts(&w->text, "a = b");
	refused(w, condition(w), "Invalid ConditionExpression: Expression "
	    "size has exceeded the maximum allowed size; expression size: "
	    "4097");
	repeat(w, "(", 200004);
	refused(w, condition(w), "Invalid ConditionExpression: Expression "
	    "size has exceeded the maximum allowed size; expression size: "
	    "200004");
	repeat(w, "x", EXPR_TEXT_MAX);
	assert_int_equal(expr_parse_projection(&w->scope, w->text.data,
	    EXPR_TEXT_MAX, &p, &w->e), 0);
	refused(w, expr_parse_update(&w->scope, w->text.data,
	    EXPR_TEXT_MAX + 1, &u, &w->e), "Invalid UpdateExpression: "
	    "Expression size has exceeded the maximum allowed size;");
}

static void
many_paths(void **state)
{
	struct world *w = *state;
	const struct expr_projection *p;
	size_t i;

	for (i = 0; i < 800; i++)
		buf_printf(&w->text, "%sx%zu", i ? "," : "", i);
	assert_int_equal(expr_parse_projection(&w->scope, w->text.data,
	    w->text.len, &p, &w->e), 0);
	assert_int_equal(p->count, 800);
	buf_puts(&w->text, ",x7");
	refused(w, expr_parse_projection(&w->scope, w->text.data, w->text.len,
	    &p, &w->e), "Invalid ProjectionExpression: Two document paths "
	    "overlap with each other; must remove or rewrite one of these "
	    "paths; path one: [x7], path two: [x7]");
}

/* --- depth and number ----------------------------------------------------- */

#define TOO_MANY "Invalid ConditionExpression: The expression contains too " \
	"many operators; operator count: 301"

/* a<b or (a<b or (...)): 2 * n - 1 operators. */
static void
nest(struct world *w, size_t n)
{
	repeat(w, "a<b or (", n - 1);
	buf_puts(&w->text, "a<b");
	repeat(w, ")", n - 1);
}

static void
nested(void **state)
{
	struct world *w = *state;

	nest(w, 150);
	assert_int_equal(condition(w), 0);
	nest(w, 151);
	refused(w, condition(w), TOO_MANY);
	nest(w, 400);
	refused(w, condition(w), TOO_MANY);
}

static void
chained(void **state)
{
	struct world *w = *state;

	repeat(w, "a<b or ", 149);
	buf_puts(&w->text, "a<b");
	assert_int_equal(condition(w), 0);
	repeat(w, "a<b or ", 150);
	buf_puts(&w->text, "a<b");
	refused(w, condition(w), TOO_MANY);
}

static void
negated(void **state)
{
	struct world *w = *state;

	repeat(w, "not ", 299);
	buf_puts(&w->text, "a<b");
	assert_int_equal(condition(w), 0);
	repeat(w, "not ", 1000);
	buf_puts(&w->text, "a<b");
	refused(w, condition(w), TOO_MANY);
	repeat(w, "not (", 299);
	buf_puts(&w->text, "a<b");
	repeat(w, ")", 299);
	assert_int_equal(condition(w), 0);
}

static void
bracketed(void **state)
{
	struct world *w = *state;
	const struct expr_update *u;

	repeat(w, "(", 100);
	buf_puts(&w->text, "a<b");
	repeat(w, ")", 100);
	refused(w, condition(w), "Invalid ConditionExpression: The expression "
	    "has redundant parentheses;");
	repeat(w, "(", EXPR_TEXT_MAX);
	refused(w, condition(w), "Invalid ConditionExpression: Syntax error; "
	    "token: \"(\", near: \"(((\"");
	buf_puts(&w->text, "a = ");
	repeat(w, "(", 1000);
	refused(w, condition(w), "Invalid ConditionExpression: Syntax error; "
	    "token: \"(\", near: \"(((\"");
	buf_puts(&w->text, "SET a = ");
	repeat(w, "(", 1000);
	refused(w, expr_parse_update(&w->scope, w->text.data, w->text.len, &u,
	    &w->e), "Invalid UpdateExpression: Syntax error; token: \"(\", "
	    "near: \"(((\"");
}

static void
called(void **state)
{
	struct world *w = *state;
	const struct expr_update *u;

	buf_puts(&w->text, "a < ");
	repeat(w, "f(", 200);
	buf_puts(&w->text, "b");
	repeat(w, ")", 200);
	refused(w, condition(w), "Invalid ConditionExpression: Invalid "
	    "function name; function: f");
	buf_puts(&w->text, "a < ");
	repeat(w, "size(", 500);
	buf_puts(&w->text, "b");
	repeat(w, ")", 500);
	refused(w, condition(w), TOO_MANY);
	buf_puts(&w->text, "SET a = ");
	repeat(w, "if_not_exists(b,", 200);
	buf_puts(&w->text, "c");
	repeat(w, ")", 200);
	assert_int_equal(expr_parse_update(&w->scope, w->text.data,
	    w->text.len, &u, &w->e), 0);
}

/* --- maps ----------------------------------------------------------------- */

/* One member. */
static struct value
map_of(struct member *m, const char *name, enum value_type type,
    const char *text, size_t n)
{
	*m = (struct member){
		{name, strlen(name)}, {.type = type, .text = {text, n}}
	};
	return (struct value){.type = VALUE_M, .count = 1, .members = m};
}

static void
names(void **state)
{
	struct world *w = *state;
	struct member m;
	struct value map;

	repeat(w, "n", EXPR_NAME_MAX + 1);
	map = map_of(&m, "#n", VALUE_S, w->text.data, EXPR_NAME_MAX);
	assert_int_equal(expr_scope_init(&w->scope, &w->arena, &map, NULL,
	    &w->e), 0);
	map = map_of(&m, "#n", VALUE_S, w->text.data, EXPR_NAME_MAX + 1);
	refused(w, expr_scope_init(&w->scope, &w->arena, &map, NULL, &w->e),
	    "ExpressionAttributeNames contains invalid value: Attribute name "
	    "is too large, must be less than 65536 bytes for key #n");
}

static void
maps(void **state)
{
	struct world *w = *state;
	char *long_text = calloc(1, EXPR_MAPS_MAX);
	struct member m;
	struct value map;

	assert_non_null(long_text);
	memset(long_text, 'v', EXPR_MAPS_MAX);
	map = map_of(&m, ":v", VALUE_S, long_text, EXPR_MAPS_MAX - 2);
	assert_int_equal(expr_scope_init(&w->scope, &w->arena, NULL, &map,
	    &w->e), 0);
	map = map_of(&m, ":v", VALUE_S, long_text, EXPR_MAPS_MAX - 1);
	refused(w, expr_scope_init(&w->scope, &w->arena, NULL, &map, &w->e),
	    "ExpressionAttributeValues exceeds max size");
	free(long_text);
}

/* --- items ---------------------------------------------------------------- */

static int
apply(struct world *w, const char *text, const struct value *values,
    const struct value *old, struct value *item)
{
	const struct expr_update *u;

	assert_int_equal(expr_scope_init(&w->scope, &w->arena, NULL, values,
	    &w->e), 0);
	assert_int_equal(expr_parse_update(&w->scope, text, strlen(text), &u,
	    &w->e), 0);
	return expr_apply(&w->arena, u, old, old, NULL, item, &w->e);
}

static void
item_size(void **state)
{
	struct world *w = *state;
	struct value old = {.type = VALUE_M}, map, item;
	struct member m;

	repeat(w, "v", VALUE_ITEM_MAX);
	map = map_of(&m, ":v", VALUE_S, w->text.data, VALUE_ITEM_MAX - 1);
	assert_int_equal(apply(w, "SET a = :v", &map, &old, &item), 0);
	map = map_of(&m, ":v", VALUE_S, w->text.data, VALUE_ITEM_MAX);
	refused(w, apply(w, "SET a = :v", &map, &old, &item), "Item size to "
	    "update has exceeded the maximum allowed size");
}

static void
item_depth(void **state)
{
	struct world *w = *state;
	struct value lists[VALUE_DEPTH_MAX + 1], map, item;
	struct value old = {.type = VALUE_M};
	struct member m = {{":v", 2}, {0}};
	size_t i;

	lists[0] = (struct value){.type = VALUE_L};
	for (i = 1; i < VALUE_DEPTH_MAX; i++)
		lists[i] = (struct value){
			.type = VALUE_L, .count = 1, .items = &lists[i - 1]
		};
	m.value = lists[VALUE_DEPTH_MAX - 2];
	map = (struct value){.type = VALUE_M, .count = 1, .members = &m};
	assert_int_equal(apply(w, "SET a = :v", &map, &old, &item), 0);
	old = item;
	assert_int_equal(apply(w, "SET a = list_append(:v, :v)", &map, &old,
	    &item), 0);
	m.value = (struct value){.type = VALUE_M};
	assert_int_equal(apply(w, "SET b = :v", &map, &old, &item), 0);
	old = item;
	m.value = lists[VALUE_DEPTH_MAX - 2];
	assert_int_equal(apply(w, "SET b.c = :v", &map, &old, &item), 0);
	m.value = lists[VALUE_DEPTH_MAX - 1];
	refused(w, apply(w, "SET b.c = :v", &map, &old, &item), "Nesting "
	    "Levels have exceeded supported limits: Attributes in the item "
	    "have nested levels beyond supported limit");
}

/* --- words ---------------------------------------------------------------- */

static void
words(void **state)
{
	static const char *const some[] = {
		"ABORT", "abort", "Zone", "name", "status", "ALTER", "TTL",
		"AuthorizatioN", "serializable", "A", "item", NULL
	};
	size_t i;

	(void)state;
	for (i = 0; some[i]; i++)
		assert_int_equal(expr_reserved(some[i], strlen(some[i])),
		    strcmp(some[i], "A") != 0);
	assert_false(expr_reserved("", 0));
	assert_false(expr_reserved("ABORT\0", 6));
	assert_false(expr_reserved("ABORTED", 7));
	assert_true(expr_reserved("ABORTED", 5));
	assert_false(expr_reserved("AUTHORIZATIONAUTHORIZATION", 26));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(length, setup, teardown),
		cmocka_unit_test_setup_teardown(many_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(nested, setup, teardown),
		cmocka_unit_test_setup_teardown(chained, setup, teardown),
		cmocka_unit_test_setup_teardown(negated, setup, teardown),
		cmocka_unit_test_setup_teardown(bracketed, setup, teardown),
		cmocka_unit_test_setup_teardown(called, setup, teardown),
		cmocka_unit_test_setup_teardown(names, setup, teardown),
		cmocka_unit_test_setup_teardown(maps, setup, teardown),
		cmocka_unit_test_setup_teardown(item_size, setup, teardown),
		cmocka_unit_test_setup_teardown(item_depth, setup, teardown),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
