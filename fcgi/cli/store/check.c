/*
 * bothy store check: what is not as it should be, or that all is.
 */
#include "cmd.h"
#include "stat.h"

#include <stdio.h>
#include <string.h>

struct options {
	const char *limit;
	bool deep;
};

static const struct opt opts[] = {
	{"deep", 0, OPT_SWITCH, NULL, offsetof(struct options, deep),
	    "read all files, and compare them with index and history"},
	{"limit", 'n', OPT_VALUE, "N", offsetof(struct options, limit),
	    "at most N findings"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* What was asked for. */
struct checked {
	const char *table;		/* NULL: all */
	bool deep;
};

/* What the owner does about findings of a kind (bothy-store(1)). */
static const struct {
	const char *kind, *hint;
} hints[] = {
	{"edited", "`bothy store adopt` makes what was edited a write"},
	{"differs", "`bothy store adopt` makes what was edited a write"},
	{"new", "`bothy store adopt` makes documents of new files"},
	{"extra", "`bothy store adopt` makes documents of new files"},
	{"missing", "`bothy store get TABLE KEY | bothy store put TABLE -` "
	    "writes a file again"},
	{"invalid", "mend the file, then `bothy store adopt`; or remove it"},
	{"foreign", "move away what is none of the store's"},
	{"index", "`bothy store reindex` makes the index anew"},
	{"history", "write such a document again, and the history has it as "
	    "it is"},
	{"journal", "end the store (`bothy store stop`), and put back its "
	    "directory from a backup"},
};

static void
print_problems(const struct json_node *list)
{
	enum { KIND, TABLE, PATH, WHAT };
	static const char *const titles[] = {"KIND", "TABLE", "PATH", "WHAT",
	    NULL};
	struct storegrid *g = storegrid_new(titles);
	const struct json_node *p;
	struct text path, what;

	for (p = list->first; g && p; p = p->next) {
		path = storetext_member(p, "Path");
		what = storetext_member(p, "Text");
		storegrid_row(g);
		storetext_cell(g, KIND, json_member(p, "Kind"));
		storetext_cell(g, TABLE, json_member(p, "TableName"));
		if (path.n)
			storegrid_text(g, PATH, path.p, path.n);
		storegrid_text(g, WHAT, what.p, what.n);
	}
	if (g)
		storegrid_print(g);
	storegrid_free(g);
}

static bool
has_kind(const struct json_node *list, const char *kind)
{
	const struct json_node *p;
	struct text t;

	for (p = list->first; p; p = p->next) {
		t = storetext_member(p, "Kind");
		if (t.n == strlen(kind) && memcmp(t.p, kind, t.n) == 0)
			return true;
	}
	return false;
}

/* Each hint once, though it may be that of two kinds in a row. */
static void
print_hints(const struct json_node *list)
{
	const char *last = "";
	size_t i;

	for (i = 0; i < sizeof hints / sizeof *hints; i++)
		if (has_kind(list, hints[i].kind) &&
		    strcmp(hints[i].hint, last) != 0)
			printf("%s\n", last = hints[i].hint);
}

static void
print_scope(const struct json_node *n, const struct checked *c)
{
	long long documents = storetext_integer(n, "Documents");

	printf("%lld document%s in %s %s compared with %s\n", documents,
	    documents == 1 ? "" : "s", c->table ? c->table : "all tables",
	    documents == 1 ? "was" : "were", c->deep ? "files, index, history "
	    "and journal" : "the names, sizes and times of files (--deep "
	    "reads them)");
}

/* A history that is not the first is no finding, but not to be forgotten. */
static void
warn_of_history(struct storelink *l)
{
	const struct json_node *n;
	char reach[STORESTAT_REACH];
	struct reply r;
	struct err ignored;

	storelink_begin(l, &r);
	n = storelink_call(l, OP_STAT, 0, &r, &ignored);
	n = n ? json_member(n, "History") : NULL;
	if (!n || !json_member(n, "BegunAnew"))
		return;
	storestat_reach(n, reach);
	fprintf(stderr, "bothy: the history: %s\n", reach);
}

static int
print(struct storelink *l, const struct json_node *n, const void *told)
{
	const struct json_node *list = json_member(n, "Problems");
	long long count = storetext_integer(n, "Count");
	long long aside = storetext_integer(n, "Conflicts");

	if (count) {
		print_problems(list);
		printf("%lld finding%s: ", count, count == 1 ? "" : "s");
	} else
		fputs("all is well: ", stdout);
	print_scope(n, told);
	print_hints(list);
	if (count > (long long)list->count)
		printf("%zu are shown; --limit N shows more\n", list->count);
	if (aside)
		printf("%lld edited file%s, which a write replaced, lie%s in "
		    "conflicts/: look through, then remove %s\n", aside,
		    aside == 1 ? "" : "s", aside == 1 ? "s" : "",
		    aside == 1 ? "it" : "them");
	fflush(stdout);
	warn_of_history(l);
	return count ? CLI_FAILED : CLI_OK;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	const struct checked checked = {argc ? argv[0] : NULL, o->deep};
	struct storelink l;
	struct reply r;
	struct err e;
	int code = storelink_open(c, &l);

	if (code != CLI_OK)
		return code;
	storelink_begin(&l, &r);
	if (argc)
		reply_string(&r, "TableName", argv[0]);
	if (o->deep)
		reply_bool(&r, "Deep", true);
	if (storecmd_limit(o->limit, &r, &e) == 0) {
		if (c->json)
			return storecmd_finish(&l, OP_CHECK, &r, "Count");
		return storecmd_answer(&l, OP_CHECK, CLIENT_PLAIN, &r, print,
		    &checked);
	}
	storelink_close(&l);
	return cli_fail(&e, CLI_USAGE);
}

const struct command command_store_check = {
	.name = "store check",
	.chapter = "upkeep",
	.arguments = "[TABLE]",
	.summary = "compare files, index and history",
	.help =
	    "Reports files that were edited by hand, can't be read or don't "
	    "belong there, and what index and history have otherwise, and "
	    "what to do about it. Nothing is changed. The exit status is 1 "
	    "if there is anything to report.",
	.opts = opts,
	.size = sizeof(struct options),
	.most = 1,
	.tables = true,
	.words = "@tables",
	.run = run,
};
