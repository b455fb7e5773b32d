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
help(int argc, char **argv)
{
	const struct command *cmd;

	if (argc == 0) {
		help_overview();
		return CLI_OK;
	}
	cmd = command_find(argv[0]);
	if (!cmd)
		return cli_usage(NULL, "there is no command %s", argv[0]);
	help_command(cmd);
	return CLI_OK;
}

static int
run(const struct command *cmd, struct cli *c, int argc, char **argv)
{
	struct opt_set sets[] = {{cmd->opts, NULL}, {cli_opts, c}};
	size_t first = cmd->opts ? 0 : 1;
	struct err e;
	int code;

	sets[0].values = calloc(1, cmd->size ? cmd->size : 1);
	if (!sets[0].values) {
		err_set(&e, 0, "no memory");
		return cli_fail(&e, CLI_FAILED);
	}
	if (opt_parse(sets + first, 2 - first, &argc, argv, false, &e) < 0)
		code = cli_usage(cmd->name, "%s", e.text);
	else if (c->help) {
		help_command(cmd);
		code = CLI_OK;
	} else if (c->json && !cmd->tables)
		code = cli_usage(cmd->name, "%s has no --json", cmd->name);
	else if (argc < cmd->least || argc > cmd->most)
		code = cli_usage(cmd->name, "%s takes %s", cmd->name,
		    *cmd->arguments ? cmd->arguments : "no argument");
	else
		code = cmd->run(c, sets[0].values, argc, argv);
	free(sets[0].values);
	return code;
}

int
main(int argc, char **argv)
{
	struct cli c = {.site = NULL};
	struct opt_set set = {cli_opts, &c};
	const struct command *cmd;
	const char *near;
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
	cmd = command_find(argv[0]);
	if (!cmd) {
		near = command_nearest(argv[0]);
		return cli_usage(NULL, "there is no command %s%s%s%s", argv[0],
		    near ? "; did you mean " : "", near ? near : "",
		    near ? "?" : "");
	}
	return finish(run(cmd, &c, argc - 1, argv + 1));
}
