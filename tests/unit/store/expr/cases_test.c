/*
 * Every case of tests/cases/expr gives what its file says; and in an arena
 * that is too small for it, it says so and nothing else, whatever the size.
 */
#include "outcome.h"

#include <dirent.h>

#define CASES "tests/cases/expr"

enum { ARENA_MAX = 1 << 20, FEW = 16 };

static void
check(const struct script_case *c, const struct outcome *o)
{
	size_t i;

	if (c->nresults == 0 || c->nresults > o->count)
		fail_msg("%s:%d: %s %s: gives %zu lines, not %zu", c->file,
		    c->line, c->kind, c->text, o->count, c->nresults);
	for (i = 0; i < c->nresults; i++)
		if (strcmp(buf_str(&o->lines[i]), c->results[i]) != 0)
			fail_msg("%s:%d: %s %s\nexpected\n %s\nbut got\n %s",
			    c->file, c->line, c->kind, c->text, c->results[i],
			    buf_str(&o->lines[i]));
}

static void
run(const struct script_case *c)
{
	struct script_world w;
	struct arena arena;
	struct outcome o;

	script_open(&w, c);
	arena_init(&arena, ARENA_MAX);
	outcome_make(c, &w, &arena, &o);
	check(c, &o);
	outcome_release(&o);
	arena_release(&arena);
	script_close(&w);
}

/* With ever more memory, until it is enough. */
static void
starve(const struct script_case *c)
{
	struct script_world w;
	struct arena arena;
	struct outcome o;
	size_t room = 0;
	int code;

	script_open(&w, c);
	do {
		arena_init(&arena, room);
		outcome_make(c, &w, &arena, &o);
		code = o.code;
		if (code != ENOMEM)
			check(c, &o);
		outcome_release(&o);
		arena_release(&arena);
		room += FEW;
	} while (code == ENOMEM);
	script_close(&w);
}

static size_t
run_all(void (*each)(const struct script_case *))
{
	DIR *d = opendir(CASES);
	const struct dirent *de;
	char path[512];
	size_t n = 0;

	assert_non_null(d);
	while ((de = readdir(d))) {
		if (*de->d_name == '.')
			continue;
		snprintf(path, sizeof path, CASES "/%s", de->d_name);
		n += script_run(path, each);
	}
	closedir(d);
	return n;
}

static void
cases(void **state)
{
	(void)state;
	assert_true(run_all(run) > 500);
}

static void
little_memory(void **state)
{
	(void)state;
	run_all(starve);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases),
		cmocka_unit_test(little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
