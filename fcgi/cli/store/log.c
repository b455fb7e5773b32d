/*
 * bothy store log, blame: what became of a document, and when.
 */
#include "cmd.h"

#include <stdio.h>

enum { COMMIT_SHOWN = 10 };

struct options {
	const char *at, *limit;
	bool brief;
};

static const struct opt opts[] = {
	{"at", 0, OPT_VALUE, "STATE", offsetof(struct options, at),
	    "begin with this state: a time, a backup or a commit"},
	{"limit", 'n', OPT_VALUE, "N", offsetof(struct options, limit),
	    "at most N of them (100)"},
	{"brief", 0, OPT_SWITCH, NULL, offsetof(struct options, brief),
	    "without what changed"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

static int
put_options(const struct options *o, struct reply *r, struct err *e)
{
	char state[256];

	if (o->at) {
		storecmd_state(o->at, state);
		reply_string(r, "From", state);
	}
	return storecmd_limit(o->limit, r, e);
}

/* "2026-11-22 10:20:30  1a2b3c4d5e  messages 3", or "not in a commit yet". */
static void
title(const struct json_node *v, struct buf *out)
{
	struct text commit = storetext_member(v, "Commit");
	struct text subject = storetext_member(v, "Subject");
	char time[32];

	buf_reset(out);
	if (json_member(v, "Pending")) {
		buf_puts(out, "now; no checkpoint has it yet");
		return;
	}
	storetext_time(json_member(v, "Time"), time);
	buf_printf(out, "%s  %.*s  %.*s", time,
	    (int)(commit.n < COMMIT_SHOWN ? commit.n : COMMIT_SHOWN), commit.p,
	    (int)subject.n, subject.p);
}

/* Said beside the output, which is empty. */
static void
say_nothing(const struct json_node *versions)
{
	if (!versions->first)
		fputs("bothy: the history has nothing of it\n", stderr);
}

/* Each version with how it differs from the one before, which is the next. */
static void
print_versions(const struct json_node *reply, bool brief)
{
	const struct json_node *v = json_member(reply, "Versions"), *old;
	bool more = json_member(reply, "More");
	struct buf line;

	buf_init(&line, 64 * 1024);
	say_nothing(v);
	for (v = v->first; v; v = v->next) {
		title(v, &line);
		old = json_member(v->next, "Item");
		if (brief || (!v->next && more))
			printf("%s\n", buf_str(&line));
		else
			storecmd_delta(&(struct text){buf_str(&line),
			    line.len}, old, json_member(v, "Item"));
	}
	buf_release(&line);
	if (more)
		fputs("bothy: there are more; --limit N shows so many\n",
		    stderr);
}

/* The commits that changed a table, or anything. */
static void
print_commits(const struct json_node *reply)
{
	enum { TIME, COMMIT, POSITION, WHAT };
	static const char *const titles[] = {"TIME", "COMMIT", "POSITION",
	    "WHAT", NULL};
	const struct json_node *v = json_member(reply, "Versions");
	struct storegrid *g = storegrid_new(titles);
	char time[32];

	for (v = v->first; g && v; v = v->next) {
		storegrid_row(g);
		storetext_time(json_member(v, "Time"), time);
		storegrid_string(g, TIME, time);
		storetext_commit(g, COMMIT, v);
		storetext_cell(g, POSITION, json_member(v, "Position"));
		storetext_cell(g, WHAT, json_member(v, "Subject"));
	}
	say_nothing(json_member(reply, "Versions"));
	if (g && storegrid_rows(g))
		storegrid_print(g);
	storegrid_free(g);
	if (json_member(reply, "More"))
		fputs("bothy: there are more; --limit N shows so many\n",
		    stderr);
}

/* What the words of the command line have to say to the reply. */
struct told {
	bool document, brief;
};

static int
print_log(struct storelink *l, const struct json_node *n, const void *told)
{
	const struct told *t = told;

	(void)l;
	if (t->document)
		print_versions(n, t->brief);
	else
		print_commits(n);
	return CLI_OK;
}

static int
run_log(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	const struct told told = {argc > 1, o->brief};
	struct storelink l;
	struct reply r;
	struct err e;
	int code = storecmd_any(c, &l, &r, argc, argv);

	if (code != CLI_OK)
		return code;
	if (put_options(o, &r, &e) == 0)
		return storecmd_answer(&l, OP_LOG, CLIENT_PLAIN, &r, print_log,
		    &told);
	storelink_close(&l);
	return cli_fail(&e, CLI_USAGE);
}

const struct command command_store_log = {
	.name = "store log",
	.chapter = "their past",
	.arguments = "[TABLE [KEY [SORTKEY]]]",
	.summary = "list what a document was before",
	.help =
	    "Lists the versions of a document, the newest first, with what "
	    "changed in each; of a table, or of all, the commits that "
	    "changed anything. Older ones are thinned: after an hour one a "
	    "minute is left, after a day one an hour, after a month one a "
	    "day.",
	.opts = opts,
	.size = sizeof(struct options),
	.most = 9,
	.tables = true,
	.words = "@tables",
	.run = run_log,
};

/* --- blame -------------------------------------------------------------- */

/* The document as it is, which lives as long as the link; NULL without. */
static const struct json_node *
get(struct storelink *l, const struct text *request, struct err *e)
{
	const struct json_node *n;
	struct buf reply;
	char *copy;

	buf_init(&reply, FRAME_REPLY_MAX);
	if (client_call(l->client, OP_GET_ITEM, CLIENT_PLAIN, request->p,
	        request->n, &reply, e) < 0) {
		buf_release(&reply);
		return NULL;
	}
	copy = arena_copy(&l->arena, buf_str(&reply), reply.len);
	n = copy ? json_read(&l->arena, copy, reply.len, 2, e) : NULL;
	buf_release(&reply);
	return json_member(n, "Item");
}

static const struct json_node *
member_of(const struct json_node *item, const struct text *name)
{
	const struct json_node *n;

	for (n = item ? item->first : NULL; n; n = n->next)
		if (text_compare(&n->name, name) == 0)
			return n;
	return NULL;
}

/* The document is asked for, too: values are not in the reply. */
static int
print_blame(struct storelink *l, const struct json_node *reply,
    const void *told)
{
	enum { ATTRIBUTE, SINCE, COMMIT, VALUE };
	static const char *const titles[] = {"ATTRIBUTE", "SINCE", "COMMIT",
	    "VALUE", NULL};
	const struct json_node *a = json_member(reply, "Attributes");
	struct storegrid *g = storegrid_new(titles);
	const struct json_node *item;
	struct text name;
	struct err e;
	char time[32];

	(void)told;
	item = get(l, &(struct text){l->body.data, l->body.len}, &e);
	for (a = a->first; g && a; a = a->next) {
		name = storetext_member(a, "Name");
		storegrid_row(g);
		storetext_cell(g, ATTRIBUTE, json_member(a, "Name"));
		storetext_time(json_member(a, "Time"), time);
		storegrid_string(g, SINCE, json_member(a, "Pending") ? "now" :
		    time);
		storetext_commit(g, COMMIT, a);
		storetext_cell(g, VALUE, member_of(item, &name));
	}
	if (g)
		storegrid_print(g);
	storegrid_free(g);
	return CLI_OK;
}

static int
run_blame(struct cli *c, const void *values, int argc, char **argv)
{
	struct storewords t;
	struct storelink l;
	struct reply r;
	int code = storecmd_document(c, &l, &t, &r, argc, argv);

	(void)values;
	return code != CLI_OK ? code
	                      : storecmd_answer(&l, OP_BLAME, CLIENT_PLAIN, &r,
	                            print_blame, NULL);
}

const struct command command_store_blame = {
	.name = "store blame",
	.chapter = "their past",
	.arguments = "TABLE KEY [SORTKEY]",
	.summary = "show since when each attribute has its value",
	.help =
	    "Shows for each attribute of a document since when it has its "
	    "value, and in which commit of the history it came.",
	.least = 2,
	.most = 9,
	.tables = true,
	.words = "@tables",
	.run = run_blame,
};
