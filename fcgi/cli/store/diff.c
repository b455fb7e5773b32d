/*
 * bothy store diff: what documents became from one state to another.
 */
#include "cmd.h"

#include <stdio.h>
#include <string.h>

enum { LIMIT_MAX = 100000 };

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
	long long n;

	storecmd_state(o->from, state);
	reply_string(r, "From", state);
	if (o->to) {
		storecmd_state(o->to, state);
		reply_string(r, "To", state);
	}
	if (!o->limit)
		return 0;
	if (storecmd_number("limit", o->limit, LIMIT_MAX, &n, e) < 0)
		return -1;
	reply_integer(r, "Limit", n ? n : LIMIT_MAX);
	return 0;
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

static void
print_diff(const struct json_node *n)
{
	long long added = storetext_integer(n, "Added");
	long long removed = storetext_integer(n, "Removed");
	long long changed = storetext_integer(n, "Changed");
	const struct json_node *list = json_member(n, "Differences");

	storecmd_differences(list);
	fflush(stdout);
	fprintf(stderr, "bothy: %lld new, %lld changed, %lld removed", added,
	    changed, removed);
	if ((size_t)(added + removed + changed) > list->count)
		fprintf(stderr, "; %zu are shown, --limit N shows more",
		    list->count);
	fputs("\n", stderr);
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	const struct json_node *n;
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
	if (put_options(o, &r, &e) < 0)
		code = cli_fail(&e, CLI_USAGE);
	else if (!(n = storelink_call(&l, OP_DIFF, CLIENT_PLAIN, &r, &e)))
		code = storelink_fail(&e);
	else if (c->json)
		storetext_json(&n->raw);
	else
		print_diff(n);
	storelink_close(&l);
	return code;
}

const struct command command_store_diff = {
	.name = "store diff",
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
