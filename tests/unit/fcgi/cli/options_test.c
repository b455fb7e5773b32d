/*
 * Tests of the option parser, and of what all commands' tables must keep.
 */
#include "fcgi/cli/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

struct values {
	bool flag;
	const char *name, *debug;
	struct opt_list list;
};

static const struct opt OPTS[] = {
	{"flag", 'f', OPT_SWITCH, NULL, offsetof(struct values, flag), ""},
	{"name", 'n', OPT_VALUE, "N", offsetof(struct values, name), ""},
	{"debug", 0, OPT_MAYBE, "D", offsetof(struct values, debug), ""},
	{"list", 'l', OPT_LIST, "L", offsetof(struct values, list), ""},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

enum { ARGS = 80 };

/* Parses the arguments up to NULL; what is left stays in argv. */
static int
parse(struct values *v, int *argc, const char **argv, bool stop,
    struct err *e)
{
	struct opt_set set = {OPTS, v};
	char *args[ARGS];
	int i, rc;

	memset(v, 0, sizeof *v);
	for (*argc = 0; argv[*argc]; (*argc)++)
		memcpy(&args[*argc], &argv[*argc], sizeof *args);
	rc = opt_parse(&set, 1, argc, args, stop, e);
	for (i = 0; rc == 0 && i < *argc; i++)
		argv[i] = args[i];
	return rc;
}

static void
test_all_forms(void **state)
{
	const char *argv[] = {"a", "-f", "--name", "x", "--list=1", "b",
	    "-l", "2", "--debug=gdb", "--", "--flag", "-n", NULL};
	struct values v = {.flag = false};
	struct err e;
	int argc;

	(void)state;
	assert_int_equal(parse(&v, &argc, argv, false, &e), 0);
	assert_true(v.flag);
	assert_string_equal(v.name, "x");
	assert_string_equal(v.debug, "gdb");
	assert_int_equal(v.list.count, 2);
	assert_string_equal(v.list.items[0], "1");
	assert_string_equal(v.list.items[1], "2");
	assert_int_equal(argc, 4);
	assert_string_equal(argv[0], "a");
	assert_string_equal(argv[1], "b");
	assert_string_equal(argv[2], "--flag");
	assert_string_equal(argv[3], "-n");
}

static void
test_stops_at_the_command(void **state)
{
	const char *argv[] = {"-f", "build", "-x", NULL};
	struct values v = {.flag = false};
	struct err e;
	int argc;

	(void)state;
	assert_int_equal(parse(&v, &argc, argv, true, &e), 0);
	assert_true(v.flag);
	assert_int_equal(argc, 2);
	assert_string_equal(argv[0], "build");
	assert_string_equal(argv[1], "-x");
}

static void
test_maybe_and_dash(void **state)
{
	const char *argv[] = {"--debug", "-", NULL};
	struct values v = {.flag = false};
	struct err e;
	int argc;

	(void)state;
	assert_int_equal(parse(&v, &argc, argv, false, &e), 0);
	assert_string_equal(v.debug, "");
	assert_int_equal(argc, 1);
	assert_string_equal(argv[0], "-");
}

static void
test_numbers_are_no_options(void **state)
{
	const char *argv[] = {"-1", "-.5", "-f", "--", "-f", NULL};
	struct values v = {.flag = false};
	struct err e;
	int argc;

	(void)state;
	assert_int_equal(parse(&v, &argc, argv, false, &e), 0);
	assert_true(v.flag);
	assert_int_equal(argc, 3);
	assert_string_equal(argv[0], "-1");
	assert_string_equal(argv[1], "-.5");
	assert_string_equal(argv[2], "-f");
}

static void
refused(const char **argv, const char *text)
{
	struct values v = {.flag = false};
	struct err e;
	int argc;

	assert_int_equal(parse(&v, &argc, argv, false, &e), -1);
	assert_string_equal(e.text, text);
}

static void
test_refusals(void **state)
{
	(void)state;
	refused((const char *[]){"--nam", NULL}, "there is no option --nam");
	refused((const char *[]){"-z", NULL}, "there is no option -z");
	refused((const char *[]){"-fn", NULL}, "there is no option -fn");
	refused((const char *[]){"--names=x", NULL},
	    "there is no option --names");
	refused((const char *[]){"--flag=1", NULL}, "--flag takes no value");
	refused((const char *[]){"--name", NULL},
	    "--name needs a value: --name N");
	refused((const char *[]){"-l", NULL}, "-l needs a value: -l L");
}

static void
test_list_is_bounded(void **state)
{
	const char *argv[ARGS + 1];
	int i;

	(void)state;
	for (i = 0; i < OPT_LIST_MAX + 1; i++)
		argv[i] = "--list=x";
	argv[i] = NULL;
	refused(argv, "--list may be given 64 times at most");
}

/* No two options of a table, or of tables that go together, are alike. */
static void
differ(const struct opt *a, const struct opt *b)
{
	const struct opt *o;

	for (; a && a->name; a++)
		for (o = b; o && o->name; o++) {
			if (o == a)
				continue;
			assert_string_not_equal(a->name, o->name);
			assert_true(!a->letter || a->letter != o->letter);
		}
}

/* A person finds every command, and no option of it is hidden by another. */
static void
look_at(const struct command *const *list, const struct command *group)
{
	const struct opt *o;
	size_t i;

	for (i = 0; list[i]; i++) {
		const struct command *cmd = list[i];

		assert_ptr_equal(command_find(list, command_word(cmd)), cmd);
		assert_non_null(cmd->summary);
		assert_true(strlen(cmd->summary) < 60);
		assert_true(cmd->least <= cmd->most);
		for (o = cmd->opts; o && o->name; o++)
			assert_true(o->at < cmd->size);
		differ(cmd->opts, cmd->opts);
		differ(cmd->opts, cli_opts);
		if (group)
			differ(cmd->opts, group->opts);
		if (cmd->below)
			look_at(cmd->below, cmd);
		else
			assert_non_null(cmd->run);
	}
}

static void
test_tables(void **state)
{
	(void)state;
	look_at(commands, NULL);
	assert_null(command_find(commands, "nothing"));
	assert_string_equal(command_nearest(commands, "biuld"), "build");
	assert_string_equal(command_nearest(commands, "log"), "logs");
	assert_null(command_nearest(commands, "zzzzzzzz"));
}

static void
test_distance(void **state)
{
	(void)state;
	assert_int_equal(cli_distance("", ""), 0);
	assert_int_equal(cli_distance("kitten", "sitting"), 3);
	assert_int_equal(cli_distance("", "abc"), 3);
	assert_int_equal(cli_distance("abc", ""), 3);
	assert_int_equal(cli_distance(
	    "a-name-that-is-much-longer-than-any-command", "a"), 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_forms),
	    cmocka_unit_test(test_stops_at_the_command),
	    cmocka_unit_test(test_maybe_and_dash),
	    cmocka_unit_test(test_numbers_are_no_options),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_list_is_bounded),
	    cmocka_unit_test(test_tables),
	    cmocka_unit_test(test_distance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
