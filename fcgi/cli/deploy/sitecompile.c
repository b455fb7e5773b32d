/*
 * bothy site compile: the part of a deployment that runs confined, started by
 * pre-receive (fcgi/deploy/programs.c).  Reads and writes only what the
 * sandbox leaves it; what it says goes to the pusher.
 */
#include "fcgi/cli/builder.h"
#include "fcgi/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIXED = 4 }; /* INCLUDE LIB WORK BUILD, then functions */

/* "NAME:static:HANDLER" -> what the builder needs of a function. */
static int
parse(char *text, const char *work, struct conf_function *f, struct err *e)
{
	char *linkage = strchr(text, ':'), *handler = NULL, *source;

	if (linkage) {
		*linkage++ = '\0';
		handler = strchr(linkage, ':');
	}
	if (!handler)
		return err_set(e, EINVAL, "a function is NAME:LINK:HANDLER");
	*handler++ = '\0';
	source = malloc(PATH_MAX);
	if (!source)
		return err_set(e, ENOMEM, "no memory");
	f->source = source;
	f->name = text;
	f->handler = handler;
	f->linkage = strcmp(linkage, "dynamic") == 0 ? SNAP_LINK_DYNAMIC
						     : SNAP_LINK_STATIC;
	return place_path(source, e, "%s/%s", work, handler);
}

/* Each as it ends, but what was built before. */
static void
tell(const struct job *j)
{
	if (j->outcome != BUILD_CURRENT)
		printf("%7.2f s  %s %s\n", (double)j->ms / 1000,
		    j->function->name, builder_word(j->outcome));
	fflush(stdout);
	builder_say(j);
}

static int
compile(const struct build *b, struct conf_function *functions, size_t n)
{
	struct job *jobs = builder_jobs(n);
	int code = CLI_OK;
	size_t i;

	for (i = 0; jobs && i < n; i++)
		jobs[i].function = &functions[i];
	if (jobs)
		builder_run(b, jobs, n, tell);
	for (i = 0; jobs && i < n; i++)
		if (jobs[i].outcome == BUILD_BROKEN ||
		    jobs[i].outcome == BUILD_FAILED)
			code = CLI_INVALID;
	if (!jobs)
		code = CLI_FAILED;
	builder_free(jobs, n);
	return code;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	struct build b = {.include_dir = argv[0],
	    .lib_dir = argv[1],
	    .site_dir = argv[2],
	    .state_dir = argv[3],
	    .variant = BUILD_RELEASE};
	size_t n = (size_t)argc - FIXED, i;
	struct conf_function *functions = calloc(n + 1, sizeof *functions);
	struct err e;
	int code = CLI_OK;

	(void)c;
	(void)values;
	if (!functions) {
		err_set(&e, ENOMEM, "no memory");
		return cli_fail(&e, CLI_FAILED);
	}
	for (i = 0; i < n && code == CLI_OK; i++)
		if (parse(argv[FIXED + i], argv[2], &functions[i], &e) < 0)
			code = cli_fail(&e, CLI_FAILED);
	if (code == CLI_OK)
		code = compile(&b, functions, n);
	for (i = 0; i < n; i++)
		free((void *)(uintptr_t)functions[i].source);
	free(functions);
	return code;
}

const struct command command_site_compile = {
    .name = "site compile",
    .arguments = "INCLUDE LIB WORK BUILD FUNCTION...",
    .summary = "compile what is pushed; site receive runs it",
    .help = "What site receive runs confined: builds functions, each said "
	    "as NAME:static:HANDLER or NAME:dynamic:HANDLER, whose sources "
	    "are in WORK, into the cache BUILD.",
    .least = FIXED + 1,
    .most = FIXED + 1000,
    .run = run,
};
