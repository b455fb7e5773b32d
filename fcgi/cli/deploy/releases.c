/*
 * bothy releases: what was deployed, what serves, and the room it takes.
 */
#include "deployed.h"

#include "fcgi/cli/table.h"
#include "store/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct column columns[] = {
    {"release", "RELEASE"},
    {"state", "STATE"},
    {"made", "MADE"},
    {"commit", "COMMIT"},
    {"author", "AUTHOR"},
    {"changed", "CHANGED"},
    {"subject", "SUBJECT"},
    {"mb", "MB"},
    {NULL, NULL},
};

static json_t *
row(const struct release_site *s, uint32_t number, bool live, bool json)
{
	char dir[PATH_MAX], made[CLOCK_ISO_SIZE], text[32] = "";
	struct release r;
	struct err ignored;
	uint64_t bytes = 0;
	time_t t;

	if (release_read(s->dir, number, &r, &ignored) < 0)
		return json_pack("{s:I, s:s}", "release", (json_int_t)number,
		    "state", "damaged");
	if (place_path(dir, &ignored, "%s/releases/%u", s->dir, number) == 0)
		bytes = release_disk_bytes(dir);
	clock_iso(r.time_ms, made);
	t = (time_t)(r.time_ms / 1000);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M", localtime(&t));
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:f}", "release",
	    (json_int_t)number, "state", live ? "live" : "", "made",
	    json ? made : text, "commit",
	    json ? r.commit : (r.commit[8] = '\0', r.commit), "author",
	    r.author, "changed", r.changed, "subject", r.subject, "mb",
	    (double)bytes / 1000000);
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	char dir[PATH_MAX];
	struct release_site s;
	uint32_t *numbers = NULL;
	int64_t live;
	json_t *rows;
	struct err e;
	size_t n, i;
	int code;

	(void)values;
	(void)argc;
	(void)argv;
	code = deployed_open(c, &s);
	if (code != CLI_OK)
		return code;
	live = release_live(s.dir, &e);
	if (live < 0 || release_list(s.dir, &numbers, &n, &e) < 0 ||
	    place_path(dir, &e, "%s/releases", s.dir) < 0) {
		free(numbers);
		return cli_fail(&e, CLI_FAILED);
	}
	rows = json_array();
	for (i = n; i-- > 0;)
		json_array_append_new(
		    rows, row(&s, numbers[i], numbers[i] == live, c->json));
	free(numbers);
	if (n || c->json)
		table_print(rows, columns, c->json);
	else
		puts("nothing was pushed yet");
	if (n && !c->json)
		printf("\n%.1f MB in all, what releases share counted once; "
		       "%d are kept\n",
		    (double)release_disk_bytes(dir) / 1000000, s.keep);
	json_decref(rows);
	return CLI_OK;
}

const struct command command_releases = {
    .name = "releases",
    .arguments = "",
    .summary = "list what was deployed",
    .help = "Lists a deployed site's releases, the newest first: which is "
	    "live, its commit and author, the functions and how many files "
	    "changed against the one that was live before, and its size.",
    .tables = true,
    .run = run,
};
