/*
 * Every case of tests/cases/partiql gives what its file says: a statement as
 * the request it becomes, or its error; and in an arena that is too small it
 * says so and nothing else, whatever the size.
 *
 *	# a comment
 *	keys NAME:TYPE... [/ NAME:TYPE...]	of the table, from here on
 *	with {"L":[...]}			parameters of the next case
 *	STATEMENT
 *	 RESULT
 *
 * Expressions are shown as (operator operand...).
 */
#include "store/partiql/partiql.h"

#include "store/base/io.h"
#include "store/value/fault.h"
#include "store/value/typed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CASES "tests/cases/partiql"

enum { ARENA_MAX = 1 << 20, SHOWN_MAX = 1 << 16, STARVED_MAX = 64 * 1024 };

struct world {
	struct expr_keys keys;
	char names[2 * EXPR_KEY_PARTS][64];
	const char *parameters;		/* of the next case; NULL: none */
};

/* --- what came of it --------------------------------------------------------- */

static void
show_path(struct buf *b, const struct expr_path *p)
{
	size_t i;

	for (i = 0; i < p->count; i++) {
		if (p->steps[i].indexed)
			buf_printf(b, "[%u]", (unsigned)p->steps[i].index);
		else
			buf_printf(b, "%s%.*s", i ? "." : "",
			    (int)p->steps[i].name.n, p->steps[i].name.p);
	}
}

static void
show_tree(struct buf *b, const struct expr *x)
{
	size_t i;

	if (x->op == EXPR_PATH) {
		show_path(b, &x->path);
		return;
	}
	if (x->op == EXPR_VALUE) {
		typed_write(b, &x->value);
		return;
	}
	buf_printf(b, "(%s", expr_op_name(x->op));
	for (i = 0; i < x->nargs; i++) {
		buf_putc(b, ' ');
		show_tree(b, x->args[i]);
	}
	buf_putc(b, ')');
}

static void
show_trees(struct buf *b, const struct request_trees *t)
{
	static const char *const actions[] = {
		[EXPR_SET] = "set", [EXPR_REMOVE] = "remove",
		[EXPR_ADD] = "add", [EXPR_DELETE] = "delete",
	};
	const struct expr_projection *p = t->projection;
	size_t i;

	if (t->keys) {
		buf_puts(b, " by ");
		show_tree(b, t->keys);
	}
	for (i = 0; t->update && i < t->update->count; i++) {
		const struct expr_change *c = &t->update->changes[i];

		buf_printf(b, " %s ", actions[c->action]);
		show_path(b, &c->path);
		if (c->operand) {
			buf_putc(b, ' ');
			show_tree(b, c->operand);
		}
	}
	if (t->condition) {
		buf_puts(b, " if ");
		show_tree(b, t->condition);
	}
	for (i = 0; p && i < p->count; i++) {
		buf_printf(b, "%s%.*s=", i ? " " : " give ",
		    (int)p->names[i].n, p->names[i].p);
		show_path(b, &p->paths[i]);
	}
}

static void
show_item(struct buf *b, const struct item_request *r)
{
	static const char *const kinds[] = {
		[ITEM_GET] = "get", [ITEM_PUT] = "put",
		[ITEM_UPDATE] = "update", [ITEM_DELETE] = "delete",
		[ITEM_CHECK] = "check",
	};
	static const char *const returns[] = {
		[RETURN_NONE] = "", [RETURN_ALL_OLD] = " all-old",
		[RETURN_ALL_NEW] = " all-new",
		[RETURN_UPDATED_OLD] = " updated-old",
		[RETURN_UPDATED_NEW] = " updated-new",
	};

	buf_printf(b, "%s %.*s ", r->insert ? "insert" : kinds[r->kind],
	    (int)r->table.n, r->table.p);
	typed_write_item(b, r->item ? r->item : r->key);
	show_trees(b, r->trees);
	buf_puts(b, returns[r->returns]);
}

static void
show_range(struct buf *b, const struct read_request *r, bool query)
{
	buf_printf(b, "%s %.*s", query ? "query" : "scan", (int)r->table.n,
	    r->table.p);
	if (r->index.p)
		buf_printf(b, ".%.*s", (int)r->index.n, r->index.p);
	show_trees(b, r->trees);
	if (r->forward != CHOICE_ABSENT)
		buf_puts(b, r->forward == CHOICE_NO ? " backward"
		                                    : " forward");
}

/* The statement, read, planned and shown: 0, or a code. */
static int
outcome(const struct world *w, const char *text, struct arena *a,
    struct buf *out)
{
	struct value list = {.type = VALUE_L};
	struct item_request item;
	struct partiql_ranges ranges = {.count = 0};
	struct partiql q;
	struct err e;
	size_t i;
	int rc;

	buf_reset(out);
	if (w->parameters && typed_read(a, w->parameters,
	                         strlen(w->parameters), &list, &e) < 0)
		return e.code;
	rc = partiql_read(&q, a, text, strlen(text), list.items, list.count,
	    &e);
	if (rc == 0)
		rc = partiql_item(&q, a, &w->keys, &item, &e);
	if (rc > 0)
		show_item(out, &item);
	else if (rc == 0)
		rc = partiql_range(&q, a, &w->keys, &ranges, &e);
	for (i = 0; rc == 0 && i < ranges.count; i++) {
		buf_puts(out, i ? "; " : "");
		show_range(out, &ranges.list[i], ranges.query);
	}
	if (rc >= 0)
		return 0;
	buf_printf(out, "error %s", e.text);
	return e.code;
}

/* --- the files ------------------------------------------------------------------- */

static void
read_keys(struct world *w, char *spec)
{
	char *save, *word;
	size_t n = 0;
	bool range = false;

	w->keys = (struct expr_keys){.nhash = 0};
	for (word = strtok_r(spec, " ", &save); word;
	    word = strtok_r(NULL, " ", &save)) {
		char *colon = strchr(word, ':');
		struct expr_key_part part = {.name = w->names[n]};

		if (!colon) {
			range = true;
			continue;
		}
		*colon = '\0';
		snprintf(w->names[n++], sizeof w->names[0], "%s", word);
		part.type = value_type_parse(colon + 1, strlen(colon + 1));
		if (range)
			w->keys.range[w->keys.nrange++] = part;
		else
			w->keys.hash[w->keys.nhash++] = part;
	}
}

/* With ever more memory: what it says is that there is too little. */
static void
starve(const struct world *w, const char *text, const char *expected)
{
	struct arena a;
	struct buf b;
	size_t room;
	int code;

	buf_init(&b, SHOWN_MAX);
	for (room = 0; room < STARVED_MAX; room += 1 + room / 3) {
		arena_init(&a, room);
		code = outcome(w, text, &a, &b);
		if (code != FAULT_LIMIT && code != ENOMEM)
			assert_string_equal(buf_str(&b), expected);
		arena_release(&a);
	}
	buf_release(&b);
}

static void
run_case(const struct world *w, const char *text, const char *expected,
    const char *file, unsigned line)
{
	struct arena a;
	struct buf b;

	arena_init(&a, ARENA_MAX);
	buf_init(&b, SHOWN_MAX);
	outcome(w, text, &a, &b);
	if (strcmp(buf_str(&b), expected) != 0)
		fail_msg("%s:%u: %s\nexpected\n %s\nbut got\n %s", file, line,
		    text, expected, buf_str(&b));
	starve(w, text, expected);
	buf_release(&b);
	arena_release(&a);
}

/* How many cases the file has. */
static size_t
run_file(const char *path)
{
	struct world w = {.parameters = NULL};
	char *copy, *line, *statement = NULL;
	unsigned number = 0;
	struct buf text;
	struct err e;
	size_t n = 0;

	buf_init(&text, 1 << 20);
	assert_int_equal(io_read_file(AT_FDCWD, path, &text, &e), 0);
	copy = text.data;
	while ((line = strsep(&copy, "\n"))) {
		number++;
		if (*line == '#' || *line == '\0')
			continue;
		if (*line == ' ') {
			assert_non_null(statement);
			run_case(&w, statement, line + 1, path, number);
			statement = NULL;
			w.parameters = NULL;
			n++;
		} else if (strncmp(line, "keys ", 5) == 0)
			read_keys(&w, line + 5);
		else if (strncmp(line, "with ", 5) == 0)
			w.parameters = line + 5;
		else
			statement = line;
	}
	buf_release(&text);
	return n;
}

static void
test_cases(void **state)
{
	DIR *d = opendir(CASES);
	const struct dirent *de;
	char path[512];
	size_t n = 0;

	(void)state;
	assert_non_null(d);
	while ((de = readdir(d))) {
		if (*de->d_name == '.')
			continue;
		snprintf(path, sizeof path, CASES "/%s", de->d_name);
		n += run_file(path);
	}
	closedir(d);
	printf("# %zu cases\n", n);
	assert_true(n > 100);
}

/* --- bounds ------------------------------------------------------------------------- */

/* `head`, `n` times `one`, `tail`. */
static char *
repeat(const char *head, const char *one, size_t n, const char *tail)
{
	size_t size = strlen(head) + n * strlen(one) + strlen(tail) + 1, i;
	char *text = malloc(size), *at;

	assert_non_null(text);
	at = stpcpy(text, head);
	for (i = 0; i < n; i++)
		at = stpcpy(at, one);
	stpcpy(at, tail);
	return text;
}

static int
read_text(char *text, struct err *e)
{
	struct arena a;
	struct partiql q;
	int rc;

	arena_init(&a, ARENA_MAX);
	rc = partiql_read(&q, &a, text, strlen(text), NULL, 0, e);
	arena_release(&a);
	free(text);
	return rc;
}

static void
test_depth(void **state)
{
	static const char *const opens[] = {"(", "NOT ", "[", "size(",
		"{'a':", "<<"};
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof opens / sizeof *opens; i++) {
		assert_int_equal(read_text(repeat(
		    "SELECT * FROM \"abc\" WHERE a = ", opens[i], 1500, ""),
		    &e), -1);
		assert_int_equal(read_text(repeat(
		    "SELECT * FROM \"abc\" WHERE ", opens[i], 1500, "a = 1"),
		    &e), -1);
		assert_int_equal(e.code, FAULT_VALIDATION);
		assert_int_equal(read_text(repeat(
		    "INSERT INTO \"abc\" VALUE ", opens[i], 1500, ""), &e),
		    -1);
		assert_int_equal(e.code, FAULT_VALIDATION);
	}
}

static void
test_breadth(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(read_text(repeat("SELECT * FROM \"abc\" WHERE a = 1",
	    " AND a=1", 1000, ""), &e), 0);
	assert_int_equal(read_text(repeat("SELECT * FROM \"abc\" WHERE a = 1",
	    " OR NOT a=1", 700, ""), &e), 0);
	assert_int_equal(read_text(repeat("UPDATE \"abc\" SET b[0] = 'x'",
	    " REMOVE a", 800, ""), &e), -1);
	assert_non_null(strstr(e.text, "overlap"));
	assert_int_equal(read_text(repeat(
	    "INSERT INTO \"abc\" VALUE {'a': [1", ",1", 4000, "]}"), &e), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_breadth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
