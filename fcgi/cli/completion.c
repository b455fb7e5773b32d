/*
 * bothy completion: prints a shell's completion script, made from the tables
 * of commands and options, so that it can't fall behind them.
 *
 * The script asks `bothy completion functions` for a site's functions.
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
put_command_names(void)
{
	size_t i;

	for (i = 0; commands[i]; i++)
		printf("%s%s", i ? " " : "", commands[i]->name);
	printf(" help");
}

/* One `case` arm for each command: its options and its words. */
static void
put_cases(void)
{
	size_t i;

	for (i = 0; commands[i]; i++) {
		const struct command *cmd = commands[i];

		printf("\t%s) offer=\"", cmd->name);
		if (cmd->words && cmd->words[0] != '@')
			printf("%s", cmd->words);
		put_options(cmd->opts, true);
		put_options(cli_opts, cmd->tables);
		printf("\"");
		if (cmd->words && strcmp(cmd->words, "@functions") == 0)
			printf("\n\t\toffer=\"$offer $(bothy completion "
			    "functions 2>/dev/null)\"");
		puts(" ;;");
	}
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
	    "\t--site|--state|--sdk|--root|--install)\n"
	    "\t\tCOMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
	    "\t--event|--socket)\n"
	    "\t\tCOMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
	    "\tesac\n"
	    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	    "\t\tcase ${COMP_WORDS[i]} in\n"
	    "\t\t--site|--state|--stage|--sdk) ((i++)) ;;\n"
	    "\t\t-*) ;;\n"
	    "\t\t*) command=${COMP_WORDS[i]}; break ;;\n"
	    "\t\tesac\n"
	    "\tdone\n"
	    "\tcase $command in");
	put_cases();
	printf("\thelp|'') offer='");
	put_command_names();
	puts("' ;;\n\tesac\n"
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
	    "\t\t--site|--state|--stage|--sdk) ((i++)) ;;\n"
	    "\t\t-*) ;;\n"
	    "\t\t*) command=${words[i]}; break ;;\n"
	    "\t\tesac\n"
	    "\tdone\n"
	    "\tcase ${words[CURRENT-1]} in\n"
	    "\t--site|--state|--sdk|--root|--install) _files -/; return ;;\n"
	    "\t--event|--socket) _files; return ;;\n"
	    "\tesac\n"
	    "\t_bothy_words $command\n"
	    "\tcompadd -- ${=reply}\n"
	    "}\n"
	    "_bothy_words()\n{\n"
	    "\tlocal offer=''\n"
	    "\tcase $1 in");
	put_cases();
	printf("\thelp|'') offer='");
	put_command_names();
	puts("' ;;\n\tesac\n\treply=$offer\n}\n_bothy \"$@\"");
}

static int
print_functions(const struct cli *c)
{
	struct site s;
	size_t i;
	int code = site_open(c, &s, false);

	if (code != CLI_OK)
		return code;
	for (i = 0; i < s.conf->nfunctions; i++)
		puts(s.conf->functions[i].name);
	site_close(&s);
	return CLI_OK;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	(void)values;
	(void)argc;
	if (strcmp(argv[0], "bash") == 0)
		print_bash();
	else if (strcmp(argv[0], "zsh") == 0)
		print_zsh();
	else if (strcmp(argv[0], "functions") == 0)
		return print_functions(c);
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
