/*
 * bothy, the command line: what every command is given and gives back.
 *
 * A command is one file with one `const struct command`; commands.c lists
 * them.  Commands write their result to stdout, everything else to stderr,
 * and never call exit().
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "options.h"
#include "place.h"

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* What a command returns, and the program exits with (bothy.1). */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,		/* it was tried and did not work */
	CLI_USAGE = 2,		/* the command line makes no sense */
	CLI_INVALID = 3,	/* deploy.yaml or a source has errors */
	CLI_MISSING = 4,	/* a program or a service is not there */
	CLI_FUNCTION = 5	/* the invoked function failed */
};

/* The options that every command takes, parsed. */
struct cli {
	const char *site, *state, *stage, *sdk;	/* as given, or NULL */
	bool json, help;
	const void *group;	/* options of the command above, or NULL */
};

struct command {
	const char *name;	/* "build"; below another: "store get" */
	const char *chapter;	/* of the overview, where there are many */
	const char *arguments;	/* "FUNCTION", "" for none; for the usage */
	const char *summary;	/* one line of the overview */
	const char *help;	/* lines below the options, or NULL */
	const struct opt *opts;	/* its own options, ended by a NULL name */
	size_t size;		/* bytes of the struct they are stored in */
	int least, most;	/* positional arguments */
	bool tables;		/* --json is of use here */
	const char *words;	/* what completes: words, "@functions" or
				 * "@tables" */
	const struct command *const *below;	/* its own commands, or NULL */
	int (*run)(struct cli *c, const void *values, int argc, char **argv);
};

/* The options of struct cli. */
extern const struct opt cli_opts[];

/* All commands in the overview's order, ended by NULL. */
extern const struct command *const commands[];

/* The last word of a command's name, by which it is called. */
const char *command_word(const struct command *cmd);

/* The command of a list that is called so, or NULL. */
const struct command *command_find(const struct command *const *list,
    const char *word);

/* The word of the list that is nearest, or NULL if none is near. */
const char *command_nearest(const struct command *const *list,
    const char *word);

/*
 * Print the overview, or one command's help, to stdout; `group` is the command
 * that it is below, or NULL.
 */
void help_overview(void);
void help_command(const struct command *group, const struct command *cmd);

/* Prints the error for a person, with "bothy: "; gives `code`. */
int cli_fail(const struct err *e, enum cli_exit code);

/* Prints a usage error and how to get help; gives CLI_USAGE. */
int cli_usage(const char *command, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Finds the site and its state directory: 0, or -1 with the error set. */
int cli_place(const struct cli *c, struct place *p, struct err *e);

/* Levenshtein's distance of two short names. */
size_t cli_distance(const char *a, const char *b);

extern const struct command command_init, command_build, command_check,
    command_run, command_invoke, command_routes, command_logs, command_status,
    command_site, command_releases, command_rollback, command_stage,
    command_store,
    command_secret, command_key, command_config, command_completion;

#endif
