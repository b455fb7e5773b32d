/*
 * bothy logs: shows the access log and what functions, gateway and launcher
 * wrote, in the order of time.
 */
#include "cli.h"
#include "logshow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINES_DEFAULT = 50, LINES_MAX = 100000, NAP_MS = 200 };

struct options {
	bool follow;
	const char *lines;
};

static const struct opt logs_opts[] = {
	{"follow", 'f', OPT_SWITCH, NULL, offsetof(struct options, follow),
	    "go on with what is added, until Ctrl-C"},
	{"lines", 'n', OPT_VALUE, "N", offsetof(struct options, lines),
	    "how many lines at first (50)"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct timespec nap = {0, NAP_MS * 1000000L};
	const struct options *o = values;
	long lines = o->lines ? strtol(o->lines, NULL, 10) : LINES_DEFAULT;
	struct logshow show;
	struct logtail tail;
	struct place p;
	struct err e;

	if (lines < 1 || lines > LINES_MAX)
		return cli_usage("logs", "--lines is a number from 1 to %d",
		    (int)LINES_MAX);
	if (cli_place(c, &p, &e) < 0 ||
	    logtail_open(&tail, p.state, argc ? argv[0] : NULL, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	logshow_init(&show, p.state, c->json);
	logtail_read(&tail, (size_t)lines, logshow_entry, &show);
	if (!show.shown && !o->follow && !c->json)
		fprintf(stderr, "bothy: nothing%s%s is logged in %s/log "
		    "yet\n",
		    argc ? " of " : "", argc ? argv[0] : "", p.state);
	while (o->follow && fflush(stdout) == 0) {
		nanosleep(&nap, NULL);
		logtail_read(&tail, 0, logshow_entry, &show);
	}
	logtail_close(&tail);
	return CLI_OK;
}

const struct command command_logs = {
	.name = "logs",
	.arguments = "[FUNCTION]",
	.summary = "show requests and what functions wrote",
	.help =
	    "Shows requests and what functions wrote, of all or of one, "
	    "in the order of time. --json prints the lines as they are in "
	    "STATE/log.",
	.opts = logs_opts,
	.size = sizeof(struct options),
	.most = 1,
	.tables = true,
	.words = "@functions",
	.run = run,
};
