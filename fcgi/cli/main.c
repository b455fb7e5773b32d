/*
 * bothy: the command line.  Finds the command, parses its options, runs it.
 * Needs no root and keeps nothing running that it started.
 */
#include "cli.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Checks that stdout took everything, so that a full disk is no success. */
static int
finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	/* It may have failed long ago: errno is another's by now. */
	fputs("bothy: cannot write the output; is the disk full, or "
	    "its reader gone?\n", stderr);
	return code == CLI_OK ? CLI_FAILED : code;
}

static int
unknown(const struct command *group, const char *word)
{
	const char *near = command_nearest(group ? group->below : commands,
	    word);

	return cli_usage(group ? group->name : NULL,
	    "there is no command %s%s%s%s%s%s", group ? group->name : "",
	    group ? " " : "", word, near ? "; did you mean " : "",
	    near ? near : "", near ? "?" : "");
}

static int
help(int argc, char **argv)
{
	const struct command *group = NULL, *cmd;

	if (argc == 0) {
		help_overview();
		return CLI_OK;
	}
	cmd = command_find(commands, argv[0]);
	if (cmd && cmd->below && argc > 1) {
		group = cmd;
		cmd = command_find(group->below, argv[1]);
	}
	if (!cmd)
		return unknown(group, argv[group ? 1 : 0]);
	help_command(group, cmd);
	return CLI_OK;
}

/* Parses what follows the command's word, and runs it. */
static int
run(const struct command *group, const struct command *cmd, struct cli *c,
    void *of_group, int argc, char **argv)
{
	struct opt_set sets[3];
	size_t n = 0;
	struct err e;
	void *values = calloc(1, cmd->size ? cmd->size : 1);
	int code;

	if (!values) {
		err_set(&e, 0, "no memory");
		return cli_fail(&e, CLI_FAILED);
	}
	if (cmd->opts)
		sets[n++] = (struct opt_set){cmd->opts, values};
	if (of_group)
		sets[n++] = (struct opt_set){group->opts, of_group};
	sets[n++] = (struct opt_set){cli_opts, c};
	if (opt_parse(sets, n, &argc, argv, false, &e) < 0)
		code = cli_usage(cmd->name, "%s", e.text);
	else if (c->help) {
		help_command(group, cmd);
		code = CLI_OK;
	} else if (c->json && !cmd->tables)
		code = cli_usage(cmd->name, "%s has no --json", cmd->name);
	else if (argc < cmd->least || argc > cmd->most)
		code = cli_usage(cmd->name, "%s takes %s", cmd->name,
		    *cmd->arguments ? cmd->arguments : "no argument");
	else
		code = cmd->run(c, values, argc, argv);
	free(values);
	return code;
}

/* A command that has others below it: one of them is the next word. */
static int
run_below(const struct command *group, struct cli *c, int argc, char **argv)
{
	void *values = calloc(1, group->size ? group->size : 1);
	struct opt_set sets[] = {{group->opts, values}, {cli_opts, c}};
	const struct command *cmd;
	struct err e;
	int code;

	if (!values) {
		err_set(&e, 0, "no memory");
		return cli_fail(&e, CLI_FAILED);
	}
	c->group = values;
	if (opt_parse(sets, 2, &argc, argv, true, &e) < 0)
		code = cli_usage(group->name, "%s", e.text);
	else if (argc == 0) {
		help_command(NULL, group);
		code = c->help ? CLI_OK : CLI_USAGE;
	} else {
		cmd = command_find(group->below, argv[0]);
		code = cmd ? run(group, cmd, c, values, argc - 1, argv + 1) :
		    unknown(group, argv[0]);
	}
	c->group = NULL;
	free(values);
	return code;
}

int
main(int argc, char **argv)
{
	struct cli c = {.site = NULL};
	struct opt_set set = {cli_opts, &c};
	const struct command *cmd;
	struct err e;

	signal(SIGPIPE, SIG_DFL);
	argc--;
	argv++;
	if (opt_parse(&set, 1, &argc, argv, true, &e) < 0)
		return cli_usage(NULL, "%s", e.text);
	if (argc == 0 && !c.help) {
		help_overview();
		return finish(CLI_USAGE);
	}
	if (argc == 0 || strcmp(argv[0], "help") == 0)
		return finish(help(argc ? argc - 1 : 0, argv + 1));
	cmd = command_find(commands, argv[0]);
	if (!cmd)
		return unknown(NULL, argv[0]);
	if (cmd->below)
		return finish(run_below(cmd, &c, argc - 1, argv + 1));
	return finish(run(NULL, cmd, &c, NULL, argc - 1, argv + 1));
}
