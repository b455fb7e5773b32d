/*
 * bothy check: reads deploy.yaml, tells all that is wrong with it, and writes
 * the snapshot that the gateway starts from.
 */
#include "cli.h"
#include "site.h"
#include "table.h"

#include "fcgi/conf/schema.h"

#include <stdio.h>

struct options {
	bool schema;
};

static const struct opt check_opts[] = {
	{"schema", 0, OPT_SWITCH, NULL, offsetof(struct options, schema),
	    "print the JSON Schema of deploy.yaml instead"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

static int
print_schema(void)
{
	struct buf text;

	buf_init(&text, 1024 * 1024);
	schema_write(&text);
	fputs(buf_str(&text), stdout);
	buf_release(&text);
	return CLI_OK;
}

/* Says which functions still have to be built. */
static size_t
count_unbuilt(const struct conf *conf)
{
	size_t i, n = 0;

	for (i = 0; i < conf->nfunctions; i++) {
		if (conf->functions[i].binary)
			continue;
		fprintf(stderr, "%s:%d:%d: note: %s is not built yet; "
		    "`bothy build` does it\n",
		    conf->functions[i].place.file,
		    conf->functions[i].place.line,
		    conf->functions[i].place.col, conf->functions[i].name);
		n++;
	}
	return n;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	char id[SNAP_ID_SIZE];
	json_t *facts;
	struct site s;
	struct err e;
	size_t unbuilt;
	int code;

	(void)argc;
	(void)argv;
	if (o->schema)
		return print_schema();
	code = site_open(c, &s, c->json);
	if (code != CLI_OK)
		return code;
	if (site_snapshot(&s, id, &e) < 0) {
		site_close(&s);
		return cli_fail(&e, CLI_FAILED);
	}
	unbuilt = count_unbuilt(s.conf);
	facts = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:s}", "site",
	    s.place.site, "service", s.conf->service, "stage", s.conf->stage,
	    "functions", (int)s.conf->nfunctions, "routes",
	    (int)s.conf->nroutes, "unbuilt", (int)unbuilt, "snapshot", id);
	if (c->json)
		table_json(facts);
	else
		printf("%s/deploy.yaml is good: service %s, stage %s, "
		    "%zu function%s, %zu route%s\n", s.place.site,
		    s.conf->service, s.conf->stage, s.conf->nfunctions,
		    s.conf->nfunctions == 1 ? "" : "s", s.conf->nroutes,
		    s.conf->nroutes == 1 ? "" : "s");
	json_decref(facts);
	site_close(&s);
	return CLI_OK;
}

const struct command command_check = {
	.name = "check",
	.arguments = "",
	.summary = "check deploy.yaml, all errors at once",
	.help =
	    "Checks deploy.yaml and tells all its errors at once. If "
	    "there are none, writes STATE/snap/current, which the gateway "
	    "starts from; if there are, exits with 3.",
	.opts = check_opts,
	.size = sizeof(struct options),
	.tables = true,
	.run = run,
};
