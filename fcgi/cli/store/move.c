/*
 * bothy store import, export: many documents, from and to files.
 */
#include "cmd.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
	const char *format;
	bool dry;
};

static const struct opt export_opts[] = {
	{"format", 0, OPT_VALUE, "FORMAT", offsetof(struct options, format),
	    "lines (a JSON document a line), files (a directory), or "
	    "dynamodb (as DynamoDB exports to S3)"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

static const struct opt import_opts[] = {
	{"format", 0, OPT_VALUE, "FORMAT", offsetof(struct options, format),
	    "lines, files or dynamodb; a directory is files unless told, "
	    "anything else lines"},
	{"dry-run", 0, OPT_SWITCH, NULL, offsetof(struct options, dry),
	    "only say what it would do"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* The daemon has another working directory. */
static int
absolute(const char *given, char *out, struct err *e)
{
	char here[PATH_MAX];

	if (*given == '/')
		return place_path(out, e, "%s", given);
	if (!getcwd(here, sizeof here))
		return err_sys(e, "cannot tell the working directory");
	return place_path(out, e, "%s/%s", here, given);
}

/* --- standard input ----------------------------------------------------- */

/* Standard input as a file that the daemon can read. */
static int
spool(char *path, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	char part[64 * 1024];
	ssize_t n = 0;
	int fd;

	if (place_path(path, e, "%s/bothy-import-XXXXXX",
	        tmp && *tmp ? tmp : "/tmp") < 0)
		return -1;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot make %s", path);
	while ((n = io_read(STDIN_FILENO, part, sizeof part)) > 0)
		if (io_write_all(fd, part, (size_t)n) < 0)
			break;
	if (n != 0) {
		err_sys(e, "cannot keep standard input in %s", path);
		unlink(path);
	}
	close(fd);
	return n == 0 ? 0 : -1;
}

/* --- the commands ------------------------------------------------------- */

static bool
is_format(const char *word)
{
	return strcmp(word, "lines") == 0 || strcmp(word, "files") == 0 ||
	    strcmp(word, "dynamodb") == 0;
}

/* What an import has left out, and how much it took. */
static int
print_import(struct storelink *l, const struct json_node *n, const void *told)
{
	enum { WHERE, WHY };
	static const char *const titles[] = {"WHERE", "WHY", NULL};
	const struct json_node *list = json_member(n, "Refused"), *f;
	long long refused = storetext_integer(n, "RefusedCount");
	const struct options *o = told;
	struct storegrid *g = storegrid_new(titles);
	struct text where, why;

	(void)l;
	for (f = list->first; g && f; f = f->next) {
		where = storetext_member(f, "Where");
		why = storetext_member(f, "Text");
		storegrid_row(g);
		storegrid_text(g, WHERE, where.p, where.n);
		storegrid_text(g, WHY, why.p, why.n);
	}
	if (g && list->first)
		storegrid_print(g);
	storegrid_free(g);
	if (refused > (long long)list->count)
		printf("(%zu of those that were refused)\n", list->count);
	printf("read %lld documents: %lld %s, %lld there already, %lld "
	    "refused\n", storetext_integer(n, "Documents"),
	    storetext_integer(n, "Added"), o->dry ? "would be added" : "added",
	    storetext_integer(n, "Same"), refused);
	return refused ? CLI_FAILED : CLI_OK;
}

/* `name` is what the path is called in what is said of it, or NULL. */
static int
transfer(struct cli *c, enum operation op, const struct options *o,
    const char *table, const char *path, const char *name,
    const char *format)
{
	struct storewords t;
	struct storelink l;
	struct reply r;
	int code = storelink_open(c, &l);

	if (code != CLI_OK)
		return code;
	code = storewords_open(&l, table, NULL, &t);
	if (code != CLI_OK) {
		storelink_close(&l);
		return code;
	}
	storelink_begin(&l, &r);
	reply_string(&r, "TableName", table);
	reply_string(&r, "Path", path);
	if (name)
		reply_string(&r, "Name", name);
	reply_string(&r, "Format", format);
	if (o->dry)
		reply_bool(&r, "DryRun", true);
	if (op == OP_EXPORT || c->json)
		return storecmd_finish(&l, op, &r, "RefusedCount");
	return storecmd_answer(&l, op, CLIENT_PLAIN, &r, print_import, o);
}

static int
run_export(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	char path[PATH_MAX];
	struct err e;

	(void)argc;
	if (o->format && !is_format(o->format))
		return cli_usage("store export", "--format is lines, files or "
		    "dynamodb, not %s", o->format);
	if (strcmp(argv[1], "-") == 0)
		return cli_usage("store export", "it writes a file or "
		    "directory; for standard output there is `bothy store scan "
		    "%s --json`", argv[0]);
	if (absolute(argv[1], path, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	return transfer(c, OP_EXPORT, o, argv[0], path, NULL,
	    o->format ? o->format : "lines");
}

const struct command command_store_export = {
	.name = "store export",
	.chapter = "in and out",
	.arguments = "TABLE PATH",
	.summary = "write a table's documents to a file or directory",
	.help =
	    "Writes the documents of a table, as they are at one moment, "
	    "to a new file or directory. For standard output there is "
	    "`bothy store scan TABLE --json`.",
	.opts = export_opts,
	.size = sizeof(struct options),
	.least = 2,
	.most = 2,
	.tables = true,
	.words = "@tables",
	.run = run_export,
};

static int
run_import(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	bool spooled = argc < 2 || strcmp(argv[1], "-") == 0;
	char path[PATH_MAX];
	struct stat st;
	struct err e;
	int code;

	if (o->format && !is_format(o->format))
		return cli_usage("store import", "--format is lines, files or "
		    "dynamodb, not %s", o->format);
	if ((spooled ? spool(path, &e) : absolute(argv[1], path, &e)) < 0)
		return cli_fail(&e, CLI_FAILED);
	if (stat(path, &st) < 0) {
		err_sys(&e, "%s", path);
		return cli_fail(&e, CLI_FAILED);
	}
	code = transfer(c, OP_IMPORT, o, argv[0], path,
	    spooled ? "standard input" : NULL, o->format ? o->format :
	    S_ISDIR(st.st_mode) ? "files" : "lines");
	if (spooled)
		unlink(path);
	return code;
}

const struct command command_store_import = {
	.name = "store import",
	.chapter = "in and out",
	.arguments = "TABLE [PATH]",
	.summary = "read documents from a file or directory into a table",
	.help =
	    "Reads documents from a directory of JSON files, from a file "
	    "with one a line, from an export of DynamoDB's, or from "
	    "standard input into a table. Where the table has another "
	    "document of the same key, that stays, is told, and the exit "
	    "status is 1.",
	.opts = import_opts,
	.size = sizeof(struct options),
	.least = 1,
	.most = 2,
	.tables = true,
	.words = "@tables",
	.run = run_import,
};
