/*
 * bothy completion: prints a shell's completion script, made from the tables
 * of commands and options, so that it can't fall behind them.
 *
 * The script asks `bothy completion functions` and `tables` for a site's.
 */
#include "cli.h"
#include "site.h"

#include <stdio.h>
#include <string.h>

/* All option names of a table, each as "--name". */
static void
put_options(const struct opt *opts, bool json)
{
	const struct opt *o;

	for (o = opts; o && o->name; o++) {
		if (json || strcmp(o->name, "json") != 0)
			printf(" --%s", o->name);
	}
}

static void
put_names(const struct command *const *list)
{
	size_t i;

	for (i = 0; list[i]; i++)
		printf("%s%s", i ? " " : "", command_word(list[i]));
}

/* What `words` of a command asks the site for. */
static void
put_dynamic(const char *words)
{
	if (words && words[0] == '@')
		printf("\n\t\toffer=\"$offer $(bothy completion %s "
		    "2>/dev/null)\"", words + 1);
}

/* The arm of one command; `pattern` is what comes before its word. */
static void
put_case(const struct command *group, const struct command *cmd)
{
	printf("\t%s%s%s%s) offer=\"", group ? "'" : "", cmd->name,
	    group ? "'" : "", cmd->below ? "*" : "");
	if (cmd->below)
		put_names(cmd->below);
	else if (cmd->words && cmd->words[0] != '@')
		printf("%s", cmd->words);
	put_options(cmd->opts, true);
	if (group)
		put_options(group->opts, true);
	put_options(cli_opts, cmd->tables);
	printf("\"");
	if (!cmd->below)
		put_dynamic(cmd->words);
	puts(" ;;");
}

/*
 * One `case` arm for each command, "" or "name" or "group name"; those below
 * a group come before it.
 */
static void
put_cases(void)
{
	size_t i, j;

	for (i = 0; commands[i]; i++) {
		for (j = 0; commands[i]->below && commands[i]->below[j]; j++)
			put_case(commands[i], commands[i]->below[j]);
		put_case(NULL, commands[i]);
	}
}

/* Behind a word: only a group's command has a second one. */
static void
put_go_on(void)
{
	size_t i;

	printf("\t\t\tcase $command in ");
	for (i = 0; commands[i]; i++)
		if (commands[i]->below)
			printf("%s) ;; ", commands[i]->name);
	puts("*) break ;; esac ;;");
}

static void
print_bash(void)
{
	puts("# bothy's completion for bash: source it, or put it into\n"
	    "# ~/.local/share/bash-completion/completions/bothy\n"
	    "_bothy()\n{\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
	    "prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	    "\tlocal command='' offer i\n"
	    "\tcase $prev in\n"
	    "\t--site|--state|--sdk|--root|--install|--dir)\n"
	    "\t\tCOMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
	    "\t--event|--socket|--file)\n"
	    "\t\tCOMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
	    "\tesac\n"
	    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	    "\t\tcase ${COMP_WORDS[i]} in\n"
	    "\t\t--site|--state|--stage|--sdk|--dir) ((i++)) ;;\n"
	    "\t\t-*) ;;\n"
	    "\t\t*) command=\"$command${command:+ }${COMP_WORDS[i]}\"");
	put_go_on();
	puts("\t\tesac\n"
	    "\tdone\n"
	    "\tcase $command in");
	put_cases();
	printf("\thelp|'') offer='");
	put_names(commands);
	puts(" help' ;;\n\tesac\n"
	    "\tCOMPREPLY=($(compgen -W \"$offer\" -- \"$cur\"))\n"
	    "}\ncomplete -F _bothy bothy");
}

static void
print_zsh(void)
{
	puts("#compdef bothy\n"
	    "# bothy's completion for zsh: a file _bothy in a directory of\n"
	    "# $fpath\n"
	    "_bothy()\n{\n"
	    "\tlocal command='' reply='' i\n"
	    "\tfor ((i = 2; i < CURRENT; i++)); do\n"
	    "\t\tcase ${words[i]} in\n"
	    "\t\t--site|--state|--stage|--sdk|--dir) ((i++)) ;;\n"
	    "\t\t-*) ;;\n"
	    "\t\t*) command=\"$command${command:+ }${words[i]}\"");
	put_go_on();
	puts("\t\tesac\n"
	    "\tdone\n"
	    "\tcase ${words[CURRENT-1]} in\n"
	    "\t--site|--state|--sdk|--root|--install|--dir) _files -/; "
	    "return ;;\n"
	    "\t--event|--socket|--file) _files; return ;;\n"
	    "\tesac\n"
	    "\t_bothy_words $command\n"
	    "\tcompadd -- ${=reply}\n"
	    "}\n"
	    "_bothy_words()\n{\n"
	    "\tlocal offer=''\n"
	    "\tcase $1 in");
	put_cases();
	printf("\thelp|'') offer='");
	put_names(commands);
	puts(" help' ;;\n\tesac\n\treply=$offer\n}\n_bothy \"$@\"");
}

/* The site's functions, or its tables, one a line. */
static int
print_names(const struct cli *c, bool tables)
{
	struct site s;
	size_t i;
	int code = site_open(c, &s, false);

	if (code != CLI_OK)
		return code;
	for (i = 0; tables && i < s.conf->ntables; i++)
		puts(s.conf->tables[i].name);
	for (i = 0; !tables && i < s.conf->nfunctions; i++)
		puts(s.conf->functions[i].name);
	site_close(&s);
	return CLI_OK;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	bool tables = strcmp(argv[0], "tables") == 0;

	(void)values;
	(void)argc;
	if (strcmp(argv[0], "bash") == 0)
		print_bash();
	else if (strcmp(argv[0], "zsh") == 0)
		print_zsh();
	else if (tables || strcmp(argv[0], "functions") == 0)
		return print_names(c, tables);
	else
		return cli_usage("completion", "there is completion for bash "
		    "and zsh, none for %s", argv[0]);
	return CLI_OK;
}

const struct command command_completion = {
	.name = "completion",
	.arguments = "bash | zsh",
	.summary = "print a shell's completion script",
	.help =
	    "Prints a shell's completion script.\n"
	    "bash: source <(bothy completion bash)\n"
	    "zsh: bothy completion zsh >~/.zfunc/_bothy",
	.least = 1,
	.most = 1,
	.words = "bash zsh",
	.run = run,
};
