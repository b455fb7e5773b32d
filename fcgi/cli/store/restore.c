/*
 * bothy store restore: documents as they were.  What it would change is shown
 * first, and only that is done: a preview's digest goes with the request.
 */
#include "cmd.h"

#include <stdio.h>
#include <string.h>

struct options {
	const char *at, *into, *limit;
	bool yes, dry;
};

static const struct opt opts[] = {
	{"at", 0, OPT_VALUE, "STATE", offsetof(struct options, at),
	    "as it was then: a time, a backup or a commit"},
	{"into", 0, OPT_VALUE, "TABLE", offsetof(struct options, into),
	    "a new table; the one that is there stays as it is"},
	{"dry-run", 0, OPT_SWITCH, NULL, offsetof(struct options, dry),
	    "only show what would change"},
	{"yes", 'y', OPT_SWITCH, NULL, offsetof(struct options, yes),
	    "don't ask"},
	{"limit", 'n', OPT_VALUE, "N", offsetof(struct options, limit),
	    "show at most N documents of the preview (20)"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* TableName and Key are written; the rest. */
static int
put_options(const struct options *o, bool dry, const char *preview,
    struct reply *r, struct err *e)
{
	char state[256];

	storecmd_state(o->at, state);
	reply_string(r, "From", state);
	if (o->into)
		reply_string(r, "Into", o->into);
	if (!dry) {
		reply_string(r, "Preview", preview);
		return 0;
	}
	reply_bool(r, "DryRun", true);
	return storecmd_limit(o->limit, r, e);
}

/* --- the preview -------------------------------------------------------- */

/* "the commit of 2026-11-22 10:20:30", to which the state was brought. */
static void
print_source(const struct json_node *from)
{
	char time[32];

	storetext_time(json_member(from, "Until"), time);
	if (!*time)
		storetext_time(json_member(from, "Time"), time);
	printf("the state of %s", *time ? time : "the beginning");
	if (json_member(from, "Nearest"))
		printf(", the nearest that is known");
	puts(":");
}

/* A line a table; how many documents change in all. */
static long long
print_tables(const struct json_node *tables)
{
	const struct json_node *t;
	long long all = 0, added, removed, changed;
	struct text name;

	for (t = tables->first; t; t = t->next) {
		name = storetext_member(t, "TableName");
		added = storetext_integer(t, "Added");
		removed = storetext_integer(t, "Removed");
		changed = storetext_integer(t, "Changed");
		all += added + removed + changed;
		printf("%.*s%s: %lld to be added, %lld changed, %lld "
		    "removed\n", (int)name.n, name.p,
		    json_member(t, "Created") &&
		    json_member(t, "Created")->type == JSON_TRUE ?
		    " (a new table)" : "", added, changed, removed);
	}
	return all;
}

/* Whether there is anything to do. */
static bool
print_preview(const struct json_node *n)
{
	const struct json_node *list = json_member(n, "Differences"), *t;
	bool creates = false;
	long long all;

	print_source(json_member(n, "From"));
	storecmd_differences(list);
	all = print_tables(json_member(n, "Tables"));
	for (t = json_member(n, "Tables")->first; t; t = t->next)
		creates |= json_member(t, "Created")->type == JSON_TRUE;
	if ((size_t)all > list->count)
		printf("(%zu of %lld documents are shown; --limit N shows "
		    "more)\n", list->count, all);
	if (all == 0 && !creates)
		puts("nothing differs: there is nothing to restore");
	fflush(stdout);
	return all > 0 || creates;
}

/* --- the restore -------------------------------------------------------- */

/* The words of the first request again, with the preview. */
static int
begin_again(struct storelink *l, const struct options *o,
    const struct text *start, const char *preview, struct reply *r,
    struct err *e)
{
	const struct json_node *n = json_read(&l->arena, start->p, start->n,
	    1, e), *m;

	if (!n)
		return -1;
	storelink_begin(l, r);
	for (m = n->first; m; m = m->next)
		if (text_compare(&m->name, &(struct text){"TableName", 9}) ==
		        0 || text_compare(&m->name,
		        &(struct text){"Key", 3}) == 0) {
			reply_name(r, &m->name);
			reply_raw(r, NULL, m->raw.p, m->raw.n);
		}
	return put_options(o, false, preview, r, e);
}

static int
restore(struct storelink *l, const struct options *o,
    const struct json_node *shown)
{
	struct text digest = storetext_member(shown, "Preview");
	char *preview = arena_copy(&l->arena, digest.p, digest.n);
	char *body = arena_copy(&l->arena, l->body.data, l->body.len);
	const struct json_node *n;
	struct text start = {body, l->body.len};
	struct reply r;
	struct err e;

	if (!preview || !body) {
		err_set(&e, 0, "no memory");
		return cli_fail(&e, CLI_FAILED);
	}
	if (begin_again(l, o, &start, preview, &r, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	n = storelink_call(l, OP_RESTORE, CLIENT_PLAIN | CLIENT_WAIT_FILE, &r,
	    &e);
	if (!n)
		return storelink_fail(&e);
	if (l->cli->json)
		storetext_json(&n->raw);
	else
		puts("restored");
	return CLI_OK;
}

static int
preview_and_restore(struct storelink *l, const struct options *o,
    struct reply *r)
{
	const struct json_node *n;
	struct err e;
	bool any;

	if (put_options(o, true, NULL, r, &e) < 0)
		return cli_fail(&e, CLI_USAGE);
	n = storelink_call(l, OP_RESTORE, CLIENT_PLAIN, r, &e);
	if (!n)
		return storelink_fail(&e);
	if (l->cli->json && o->dry) {
		storetext_json(&n->raw);
		return CLI_OK;
	}
	any = l->cli->json || print_preview(n);
	if (!any || o->dry)
		return CLI_OK;
	if (!o->yes && !storecmd_agreed("restore this?"))
		return CLI_FAILED;
	return restore(l, o, n);
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	struct storelink l;
	struct reply r;
	int code;

	if (!o->at)
		return cli_usage("store restore", "say which state: --at '1h "
		    "ago', --at BACKUP or --at COMMIT");
	if (c->json && !o->yes && !o->dry)
		return cli_usage("store restore", "--json wants --yes or "
		    "--dry-run");
	code = storecmd_any(c, &l, &r, argc, argv);
	if (code != CLI_OK)
		return code;
	code = preview_and_restore(&l, o, &r);
	storelink_close(&l);
	return code;
}

const struct command command_store_restore = {
	.name = "store restore",
	.chapter = "their past",
	.arguments = "[TABLE [KEY [SORTKEY]]]",
	.summary = "bring documents back as they were",
	.help =
	    "Brings a document, a table, or all tables back as they were "
	    "at a time, in a backup or in a commit. What will change is "
	    "shown first, and asked for; if anything was written in "
	    "between, nothing is done. A restore is a change like any "
	    "other: it can be taken back.",
	.opts = opts,
	.size = sizeof(struct options),
	.most = 9,
	.tables = true,
	.words = "@tables",
	.run = run,
};
