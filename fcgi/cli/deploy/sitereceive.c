/*
 * bothy site receive: what git's hooks in a site's repository run for each
 * push (githooks(5)).
 */
#include "smoke.h"
#include "stagedata.h"
#include "stagegone.h"

#include "fcgi/cli/cli.h"
#include "fcgi/deploy/deploy.h"

#include <stdio.h>
#include <string.h>

enum { GONE_MS = 10000 };

static int
gone(const char *site, const char *stage, struct err *e)
{
	return stage_gone(site, stage, GONE_MS, e);
}

static int
pre_receive(const struct cli *c, const char *site, struct err *e)
{
	char include[PATH_MAX], lib[PATH_MAX], program[PATH_MAX];
	struct deploy_tools t = {.program = program,
	    .include_dir = include,
	    .lib_dir = lib,
	    .smoke = smoke_run,
	    .gone = gone,
	    .copy = stage_data};
	struct err none;

	if (place_program("bothy", program, e) < 0)
		return -1;
	/* A host without a compiler takes programs that are built. */
	if (place_sdk(c->sdk, include, lib, &none) < 0)
		t.include_dir = t.lib_dir = NULL;
	return deploy_pre_receive(&t, site, e);
}

static int
receive(const struct cli *c, const char *hook, const char *site, struct err *e)
{
	const struct deploy_tools after = {.gone = gone};

	if (strcmp(hook, "pre-receive") == 0)
		return pre_receive(c, site, e);
	if (strcmp(hook, "ref-prepared") == 0)
		return deploy_ref_prepared(site, e);
	if (strcmp(hook, "ref-committed") == 0)
		return deploy_ref_committed(site, e);
	return deploy_post_receive(&after, site, e);
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	static const char *const hooks[] = {"pre-receive", "ref-prepared",
	    "ref-committed", "post-receive", NULL};
	struct place p;
	struct err e;
	int i;

	(void)values;
	(void)argc;
	for (i = 0; hooks[i] && strcmp(hooks[i], argv[0]) != 0; i++)
		;
	if (!hooks[i])
		return cli_usage("site receive",
		    "HOOK is pre-receive, "
		    "ref-prepared, ref-committed or post-receive");
	if (cli_place(c, &p, &e) < 0 || receive(c, hooks[i], p.site, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	return CLI_OK;
}

const struct command command_site_receive = {
    .name = "site receive",
    .arguments = "HOOK",
    .summary = "deploy what is pushed; git runs it",
    .help = "What the hooks of a site's repository run: pre-receive "
	    "checks and builds a release, or refuses the push; "
	    "ref-committed makes it live; post-receive says where.",
    .least = 1,
    .most = 1,
    .words = "pre-receive ref-prepared ref-committed post-receive",
    .run = run,
};
