/*
 * bothy build: makes the binaries of a site's functions.
 */
#include "builder.h"
#include "cli.h"
#include "site.h"
#include "table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	bool debug, sanitize;
};

static const struct opt build_opts[] = {
	{"debug", 0, OPT_SWITCH, NULL, offsetof(struct options, debug),
	    "the unoptimised ones of `invoke --debug`"},
	{"sanitize", 0, OPT_SWITCH, NULL, offsetof(struct options, sanitize),
	    "those of `invoke --sanitize`"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* Chooses the functions that are named, or all. 0, or -1. */
static int
choose(const struct site *s, int argc, char **argv, struct job *jobs,
    size_t *n, struct err *e)
{
	const struct conf_function *f;
	size_t i;

	*n = 0;
	for (i = 0; argc == 0 && i < s->conf->nfunctions; i++) {
		f = &s->conf->functions[i];
		if (f->runtime == SNAP_RUNTIME_C)
			jobs[(*n)++].function = f;
	}
	for (i = 0; i < (size_t)argc; i++) {
		f = site_function(s, argv[i], e);
		if (!f)
			return -1;
		if (f->runtime == SNAP_RUNTIME_C)
			jobs[(*n)++].function = f;
	}
	return 0;
}

static const struct column columns[] = {
    {"function", "FUNCTION"},
    {"result", "RESULT"},
    {"ms", "MS"},
    {NULL, NULL},
};

static json_t *
rows(const struct job *jobs, size_t n)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < n; i++) {
		const struct job *j = &jobs[i];

		json_array_append_new(all, json_pack("{s:s, s:s, s:I, s:s*}",
		    "function", j->function->name, "result",
		    builder_word(j->outcome), "ms", (json_int_t)j->ms,
		    "binary", *j->result.binary ? j->result.binary : NULL));
	}
	return all;
}

/* Prints what happened; the exit code of the whole. */
static int
report(const struct cli *c, struct job *jobs, size_t n)
{
	json_t *table = rows(jobs, n);
	int code = CLI_OK;
	size_t i;

	for (i = 0; i < n; i++) {
		builder_say(&jobs[i]);
		if (jobs[i].outcome == BUILD_BROKEN && code == CLI_OK)
			code = CLI_INVALID;
		if (jobs[i].outcome == BUILD_FAILED)
			code = jobs[i].error.code == ENOENT ? CLI_MISSING :
			    CLI_FAILED;
	}
	if (n || c->json)
		table_print(table, columns, c->json);
	else
		puts("no function of `runtime: c`: nothing to build");
	json_decref(table);
	return code;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	enum build_variant variant = o->sanitize ? BUILD_SANITIZE :
	    o->debug ? BUILD_DEBUG : BUILD_RELEASE;
	char id[SNAP_ID_SIZE];
	struct site s;
	struct job *jobs;
	struct err e;
	size_t n;
	int code;

	if (o->debug && o->sanitize)
		return cli_usage("build", "choose --debug or --sanitize");
	code = site_open(c, &s, c->json);
	if (code != CLI_OK)
		return code;
	jobs = builder_jobs(s.conf->nfunctions + (size_t)argc);
	if (!jobs || site_builder(c, &s, variant, &e) < 0 ||
	    choose(&s, argc, argv, jobs, &n, &e) < 0) {
		if (!jobs)
			err_set(&e, 0, "no memory");
		code = cli_fail(&e, CLI_FAILED);
	} else {
		builder_run(&s.build, jobs, n, NULL);
		code = report(c, jobs, n);
		if (code == CLI_OK && variant == BUILD_RELEASE)
			code = site_refresh(&s, id);
	}
	builder_free(jobs, s.conf->nfunctions + (size_t)argc);
	site_close(&s);
	return code;
}

const struct command command_build = {
	.name = "build",
	.arguments = "[FUNCTION...]",
	.summary = "compile what changed",
	.help =
	    "Compiles what changed of the named functions, or of all. "
	    "What was compiled before from the same sources, headers, "
	    "flags and compiler is not compiled again.",
	.opts = build_opts,
	.size = sizeof(struct options),
	.most = 1000,
	.tables = true,
	.words = "@functions",
	.run = run,
};
