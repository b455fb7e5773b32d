/*
 * The table of bothy's commands, and the help that is made from it.
 */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct opt cli_opts[] = {
	{"site", 0, OPT_VALUE, "DIR", offsetof(struct cli, site),
	    "the site (else $BOTHY_SITE, else upwards from here)"},
	{"state", 0, OPT_VALUE, "DIR", offsetof(struct cli, state),
	    "its state (else $BOTHY_STATE, else SITE/.bothy)"},
	{"stage", 0, OPT_VALUE, "NAME", offsetof(struct cli, stage),
	    "the stage (else $BOTHY_STAGE, else deploy.yaml's)"},
	{"sdk", 0, OPT_VALUE, "DIR", offsetof(struct cli, sdk),
	    "bothy.h and libbothy.a (else $BOTHY_SDK)"},
	{"json", 0, OPT_SWITCH, NULL, offsetof(struct cli, json),
	    "tables as JSON"},
	{"help", 'h', OPT_SWITCH, NULL, offsetof(struct cli, help),
	    "this help"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

const struct command *const commands[] = {
	&command_init,
	&command_build,
	&command_check,
	&command_run,
	&command_invoke,
	&command_routes,
	&command_logs,
	&command_status,
	&command_site,
	&command_releases,
	&command_rollback,
	&command_stage,
	&command_store,
	&command_secret,
	&command_key,
	&command_config,
	&command_completion,
	NULL,
};

const char *
command_word(const struct command *cmd)
{
	const char *space = strrchr(cmd->name, ' ');

	return space ? space + 1 : cmd->name;
}

const struct command *
command_find(const struct command *const *list, const char *word)
{
	size_t i;

	for (i = 0; list[i]; i++) {
		if (strcmp(command_word(list[i]), word) == 0)
			return list[i];
	}
	return NULL;
}

enum { NAME_MAX_NEAR = 32, CHAPTER_COLUMN = 14 };

size_t
cli_distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_NEAR + 1];
	size_t i, j, n = strlen(b), diagonal, above, best;

	if (strlen(a) > NAME_MAX_NEAR || n > NAME_MAX_NEAR)
		return NAME_MAX_NEAR;
	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= n; j++) {
			above = row[j];
			best = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[n];
}

const char *
command_nearest(const struct command *const *list, const char *word)
{
	const char *nearest = NULL;
	size_t i, d, least = 3;

	for (i = 0; list[i]; i++) {
		d = cli_distance(word, command_word(list[i]));
		if (d < least) {
			least = d;
			nearest = command_word(list[i]);
		}
	}
	return nearest;
}

static bool
is_of(const struct command *cmd, const char *chapter)
{
	return cmd->chapter && strcmp(cmd->chapter, chapter) == 0;
}

/* "documents   ls, get, put, ..." */
static void
put_chapter(const struct command *const *list, const char *chapter)
{
	char names[512] = "";
	size_t i, n = 0;

	for (i = 0; list[i]; i++)
		if (is_of(list[i], chapter) && n < sizeof names)
			n += (size_t)snprintf(names + n, sizeof names - n,
			    "%s%s", n ? ", " : "", command_word(list[i]));
	printf("  %-12s", chapter);
	opt_wrap(names, CHAPTER_COLUMN, CHAPTER_COLUMN);
}

static bool
is_first(const struct command *const *list, size_t at, const char *chapter)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (is_of(list[i], chapter))
			return false;
	return true;
}

/* What each does; of many, which there are. */
static void
put_list(const struct command *const *list)
{
	size_t i;

	for (i = 0; list[i]; i++)
		if (list[i]->chapter && is_first(list, i, list[i]->chapter))
			put_chapter(list, list[i]->chapter);
	for (i = 0; list[i] && !list[i]->chapter; i++)
		printf("  %-12s%s\n", command_word(list[i]),
		    list[i]->summary);
	putchar('\n');
}

static size_t
add_names(char *names, size_t n, size_t size, const struct opt *opts,
    bool json)
{
	const struct opt *o;

	for (o = opts; o && o->name; o++)
		if ((json || strcmp(o->name, "json") != 0) && n < size)
			n += (size_t)snprintf(names + n, size - n,
			    "%s --%s%s%s", n ? "," : "", o->name,
			    o->value ? " " : "", o->value ? o->value : "");
	return n;
}

/* The options that all below a group take: their help is the group's. */
static void
put_shared(const struct command *group, const struct command *cmd)
{
	char names[512] = "", line[640];
	size_t n;

	n = add_names(names, 0, sizeof names, group->opts, true);
	add_names(names, n, sizeof names, cli_opts, cmd->tables);
	snprintf(line, sizeof line, "As `bothy help %s` has them:%s",
	    group->name, names);
	opt_wrap(line, 0, 0);
}

void
help_overview(void)
{
	puts("usage: bothy [--site DIR] [--state DIR] COMMAND ...\n");
	put_list(commands);
	puts("`bothy help COMMAND` says more, and bothy(1) all of it.");
}

void
help_command(const struct command *group, const struct command *cmd)
{
	printf("usage: bothy %s%s%s%s\n\n", cmd->name,
	    cmd->opts ? " [OPTION...]" : "", *cmd->arguments ? " " : "",
	    cmd->arguments);
	if (cmd->help) {
		opt_wrap(cmd->help, 0, 0);
		putchar('\n');
	}
	if (cmd->below)
		put_list(cmd->below);
	if (cmd->opts) {
		opt_help(cmd->opts, true);
		putchar('\n');
	}
	if (group)
		put_shared(group, cmd);
	else
		opt_help(cli_opts, cmd->tables);
}

int
cli_fail(const struct err *e, enum cli_exit code)
{
	err_print(e, "bothy");
	return (int)code;
}

int
cli_usage(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "bothy: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nbothy: `bothy help%s%s` shows what there is\n",
	    command ? " " : "", command ? command : "");
	return CLI_USAGE;
}

int
cli_place(const struct cli *c, struct place *p, struct err *e)
{
	return place_find(p, c->site, c->state, e) < 0 ?
	    -1 : place_stage(p, c->stage, c->state, e);
}
