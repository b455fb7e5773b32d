/*
 * bothy store diff: what documents became from one state to another.
 */
#include "cmd.h"

#include <stdio.h>
#include <string.h>

struct options {
	const char *from, *to, *limit;
};

static const struct opt opts[] = {
	{"from", 0, OPT_VALUE, "STATE", offsetof(struct options, from),
	    "the earlier state: a time, a backup or a commit"},
	{"to", 0, OPT_VALUE, "STATE", offsetof(struct options, to),
	    "the later one (now)"},
	{"limit", 'n', OPT_VALUE, "N", offsetof(struct options, limit),
	    "at most N documents (1000)"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

static int
put_options(const struct options *o, struct reply *r, struct err *e)
{
	char state[256];

	storecmd_state(o->from, state);
	reply_string(r, "From", state);
	if (o->to) {
		storecmd_state(o->to, state);
		reply_string(r, "To", state);
	}
	return storecmd_limit(o->limit, r, e);
}

void
storecmd_differences(const struct json_node *list)
{
	const struct json_node *d;
	struct text table, file;
	struct buf title;

	buf_init(&title, 64 * 1024);
	for (d = list->first; d; d = d->next) {
		table = storetext_member(d, "TableName");
		file = storetext_member(d, "File");
		buf_reset(&title);
		buf_add(&title, table.p, table.n);
		buf_putc(&title, '/');
		buf_add(&title, file.p, file.n);
		storecmd_delta(&(struct text){buf_str(&title), title.len},
		    json_member(d, "Old"), json_member(d, "New"));
	}
	buf_release(&title);
}

static int
print_diff(struct storelink *l, const struct json_node *n, const void *told)
{
	long long added = storetext_integer(n, "Added");
	long long removed = storetext_integer(n, "Removed");
	long long changed = storetext_integer(n, "Changed");
	const struct json_node *list = json_member(n, "Differences");

	(void)l;
	(void)told;
	storecmd_differences(list);
	fflush(stdout);
	fprintf(stderr, "bothy: %lld new, %lld changed, %lld removed", added,
	    changed, removed);
	if ((size_t)(added + removed + changed) > list->count)
		fprintf(stderr, "; %zu are shown, --limit N shows more",
		    list->count);
	fputs("\n", stderr);
	return CLI_OK;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	struct storelink l;
	struct reply r;
	struct err e;
	int code;

	if (!o->from)
		return cli_usage("store diff", "say from which state: --from "
		    "'1h ago', --from BACKUP or --from COMMIT");
	code = storecmd_any(c, &l, &r, argc, argv);
	if (code != CLI_OK)
		return code;
	if (put_options(o, &r, &e) == 0)
		return storecmd_answer(&l, OP_DIFF, CLIENT_PLAIN, &r,
		    print_diff, NULL);
	storelink_close(&l);
	return cli_fail(&e, CLI_USAGE);
}

const struct command command_store_diff = {
	.name = "store diff",
	.chapter = "their past",
	.arguments = "[TABLE [KEY [SORTKEY]]]",
	.summary = "show what changed between two states",
	.help =
	    "Shows what changed from one state to another, or to now: in a "
	    "document, a table, or all of them.",
	.opts = opts,
	.size = sizeof(struct options),
	.most = 9,
	.tables = true,
	.words = "@tables",
	.run = run,
};
