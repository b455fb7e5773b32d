/*
 * bothy store get, show, path: one document, as it is, as it was, and where its
 * file lies.
 */
#include "cmd.h"

#include <stdio.h>

/* Prints the member Item of a reply; without one the document isn't there. */
static int
print_item(const struct json_node *reply, int nwords, char **words)
{
	const struct json_node *item = json_member(reply, "Item");
	int i;

	if (item) {
		storetext_json(&item->raw);
		return CLI_OK;
	}
	fprintf(stderr, "bothy: %s has no document", words[0]);
	for (i = 1; i < nwords; i++)
		fprintf(stderr, " %s", words[i]);
	fputs("\n", stderr);
	return CLI_FAILED;
}

static int
run_get(struct cli *c, const void *values, int argc, char **argv)
{
	const struct json_node *n;
	struct storewords t;
	struct storelink l;
	struct reply r;
	struct err e;
	int code = storecmd_document(c, &l, &t, &r, argc, argv);

	(void)values;
	if (code != CLI_OK)
		return code;
	n = storelink_call(&l, OP_GET_ITEM, CLIENT_PLAIN, &r, &e);
	code = n ? print_item(n, argc, argv) : storelink_fail(&e);
	storelink_close(&l);
	return code;
}

const struct command command_store_get = {
	.name = "store get",
	.chapter = "documents",
	.arguments = "TABLE KEY [SORTKEY]",
	.summary = "print a document",
	.help = "Prints a document as plain JSON, as its file has it.",
	.least = 2,
	.most = 9,
	.tables = true,
	.words = "@tables",
	.run = run_get,
};

/* --- show --------------------------------------------------------------- */

struct show_options {
	const char *at;
};

static const struct opt show_opts[] = {
	{"at", 0, OPT_VALUE, "STATE", offsetof(struct show_options, at),
	    "a time, a backup's name or a commit"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

static int
run_show(struct cli *c, const void *values, int argc, char **argv)
{
	const struct show_options *o = values;
	const struct json_node *n;
	struct storewords t;
	struct storelink l;
	struct reply r;
	char state[256];
	struct err e;
	int code;

	if (!o->at)
		return cli_usage("store show", "say which state is meant: "
		    "--at 2026-11-22T10:00:00Z, --at BACKUP or --at COMMIT");
	code = storecmd_document(c, &l, &t, &r, argc, argv);
	if (code != CLI_OK)
		return code;
	storecmd_state(o->at, state);
	reply_string(&r, "From", state);
	n = storelink_call(&l, OP_SHOW, CLIENT_PLAIN, &r, &e);
	if (n && json_member(n, "Nearest"))
		fprintf(stderr, "bothy: the journal doesn't reach back so "
		    "far; this is from the last commit before\n");
	code = n ? print_item(n, argc, argv) : storelink_fail(&e);
	storelink_close(&l);
	return code;
}

const struct command command_store_show = {
	.name = "store show",
	.chapter = "their past",
	.arguments = "TABLE KEY [SORTKEY]",
	.summary = "print a document as it was",
	.help =
	    "Prints a document as it was at a time "
	    "(2026-11-22T10:00:00Z), in a backup, or in a commit of the "
	    "history.",
	.opts = show_opts,
	.size = sizeof(struct show_options),
	.least = 2,
	.most = 9,
	.tables = true,
	.words = "@tables",
	.run = run_show,
};

/* --- path --------------------------------------------------------------- */

/* DIRECTORY/PATH; what is wrong with the file goes to stderr. */
static int
print_path(struct storelink *l, const struct json_node *n, const void *told)
{
	struct text dir = storetext_member(n, "Directory");
	struct text path = storetext_member(n, "Path");
	struct text state = storetext_member(n, "State");

	(void)l;
	(void)told;
	printf("%.*s/%.*s\n", (int)dir.n, dir.p, (int)path.n, path.p);
	if (state.n == 6 && *state.p == 'a')
		fputs("bothy: there is no such file\n", stderr);
	else if (state.n && *state.p != 'w')
		fputs("bothy: the file was edited by hand; `bothy store "
		    "adopt` takes it over\n", stderr);
	return CLI_OK;
}

static int
run_path(struct cli *c, const void *values, int argc, char **argv)
{
	struct storewords t;
	struct storelink l;
	struct reply r;
	int code = storecmd_document(c, &l, &t, &r, argc, argv);

	(void)values;
	return code != CLI_OK ? code
	                      : storecmd_answer(&l, OP_PATH, CLIENT_PLAIN, &r,
	                            print_path, NULL);
}

const struct command command_store_path = {
	.name = "store path",
	.chapter = "documents",
	.arguments = "TABLE KEY [SORTKEY]",
	.summary = "print where a document's file lies",
	.help =
	    "Prints where a document's file lies, or would lie, and says "
	    "on stderr if it isn't there or was edited by hand.",
	.least = 2,
	.most = 9,
	.tables = true,
	.words = "@tables",
	.run = run_path,
};
