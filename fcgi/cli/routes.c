/*
 * bothy routes: which function answers what.
 */
#include "cli.h"
#include "site.h"
#include "table.h"

static const struct column columns[] = {
    {"method", "METHOD"},
    {"path", "PATH"},
    {"function", "FUNCTION"},
    {"runtime", "RUNTIME"},
    {"place", "WHERE"},
    {NULL, NULL},
};

static json_t *
row(const struct conf *conf, const char *base, const struct conf_route *r)
{
	const struct conf_function *f = &conf->functions[r->function];

	return json_pack("{s:s, s:s+, s:s, s:s, s:o}", "method",
	    snapshot_method_name(r->method), "path",
	    r->kind == SNAP_KIND_DEFAULT ? "" : base, r->path,
	    "function", f->name, "runtime",
	    f->runtime == SNAP_RUNTIME_C ? "c" : "exec", "place",
	    json_sprintf("%s:%d", r->place.file, r->place.line));
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	struct site s;
	json_t *rows;
	size_t i;
	int code;

	(void)values;
	(void)argc;
	(void)argv;
	code = site_open(c, &s, c->json);
	if (code != CLI_OK)
		return code;
	rows = json_array();
	for (i = 0; i < s.conf->nroutes; i++)
		json_array_append_new(rows, row(s.conf, s.base,
		    &s.conf->routes[i]));
	table_print(rows, columns, c->json);
	json_decref(rows);
	site_close(&s);
	return CLI_OK;
}

const struct command command_routes = {
	.name = "routes",
	.arguments = "",
	.summary = "list routes and their functions",
	.help =
	    "Lists routes and their functions, in the order of the file. "
	    "A request is matched against exact paths, then {name}, then "
	    "files in www/, then {name+}, then $default.",
	.tables = true,
	.run = run,
};
