/*
 * bothy store reindex, adopt, forget, stop: what keeps a store well.
 */
#include "cmd.h"

#include "store/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LEAVE_MS = 60 * 1000 };

/* --- reindex ------------------------------------------------------------ */

/* The daemon leaves, and the next one makes the index before it listens. */
static int
start_again(const struct cli *c, const struct data_place *p)
{
	static const struct timespec PAUSE = {0, 10 * 1000 * 1000};
	int64_t begin_ms = clock_mono_ms();
	struct storelink l;
	int code;

	while (storelink_listens(p) &&
	    clock_mono_ms() - begin_ms < LEAVE_MS)
		nanosleep(&PAUSE, NULL);
	code = storelink_open(c, &l);
	if (code != CLI_OK)
		return code;
	storelink_close(&l);
	printf("the index was made anew in %.1f s\n",
	    (double)(clock_mono_ms() - begin_ms) / 1000);
	return CLI_OK;
}

static int
run_reindex(struct cli *c, const void *values, int argc, char **argv)
{
	struct data_place p;
	struct storelink l;
	struct reply r;
	int code = storelink_open(c, &l);

	(void)values;
	(void)argc;
	(void)argv;
	if (code != CLI_OK)
		return code;
	p = l.place;
	storelink_begin(&l, &r);
	code = storecmd_finish(&l, OP_REINDEX, &r, NULL);
	return code == CLI_OK ? start_again(c, &p) : code;
}

const struct command command_store_reindex = {
	.name = "store reindex",
	.chapter = "upkeep",
	.arguments = "",
	.summary = "make the index anew from files and journal",
	.help =
	    "Makes the index anew from the files and the journal, for which "
	    "the store's daemon is started again: functions wait meanwhile. "
	    "Nobody needs to: it is done by itself where the index can't be "
	    "trusted.",
	.run = run_reindex,
};

/* --- adopt -------------------------------------------------------------- */

struct adopt_options {
	const char *path;
};

static const struct opt adopt_opts[] = {
	{"file", 0, OPT_VALUE, "FILE", offsetof(struct adopt_options, path),
	    "what this file has, wherever it lies"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

static int
run_adopt(struct cli *c, const void *values, int argc, char **argv)
{
	const struct adopt_options *o = values;
	char path[PATH_MAX];
	struct storelink l;
	struct reply r;
	int code;

	if (o->path && !realpath(o->path, path)) {
		struct err e;

		err_sys(&e, "%s", o->path);
		return cli_fail(&e, CLI_FAILED);
	}
	code = storecmd_any(c, &l, &r, argc, argv);
	if (code != CLI_OK)
		return code;
	if (o->path)
		reply_string(&r, "Path", path);
	return storecmd_finish(&l, OP_ADOPT, &r, "Refused");
}

const struct command command_store_adopt = {
	.name = "store adopt",
	.chapter = "in and out",
	.arguments = "[TABLE [KEY [SORTKEY]]]",
	.summary = "take over files that were edited by hand",
	.help =
	    "Makes what was edited by hand in a document's file, in those "
	    "of a table, or in all of them, a write like any other. Until "
	    "then the store keeps to what it wrote; a file that it has to "
	    "replace goes to conflicts/.",
	.opts = adopt_opts,
	.size = sizeof(struct adopt_options),
	.most = 9,
	.tables = true,
	.words = "@tables",
	.run = run_adopt,
};

/* --- forget ------------------------------------------------------------- */

struct forget_options {
	bool yes;
};

static const struct opt forget_opts[] = {
	{"yes", 'y', OPT_SWITCH, NULL, offsetof(struct forget_options, yes),
	    "don't ask"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* What was erased, and where it may still be: an exit code. */
static int
tell_forgotten(struct storelink *l, const struct json_node *n,
    const void *told)
{
	const struct json_node *list = json_member(n, "Mirrors"), *m;
	struct text name, error;
	int code = CLI_OK;

	(void)l;
	(void)told;
	printf("erased from %lld commits, %lld lines of the journal, %lld "
	    "files%s\n", storetext_integer(n, "States"),
	    storetext_integer(n, "Lines"), storetext_integer(n, "Files"),
	    json_member(n, "Deleted")->type == JSON_TRUE ? "" :
	    "; there was no such document any more");
	for (m = list ? list->first : NULL; m; m = m->next) {
		name = storetext_member(m, "Name");
		error = storetext_member(m, "Error");
		if (!error.n) {
			printf("erased from the mirror %.*s\n", (int)name.n,
			    name.p);
			continue;
		}
		fprintf(stderr, "bothy: the mirror %.*s still has it: %.*s\n",
		    (int)name.n, name.p, (int)error.n, error.p);
		code = CLI_FAILED;
	}
	fflush(stdout);
	fputs("bothy: clones that were made of the history or its mirrors, "
	    "exports and copies can't be reached: erase it there "
	    "yourself\n", stderr);
	return code;
}

static int
run_forget(struct cli *c, const void *values, int argc, char **argv)
{
	const struct forget_options *o = values;
	struct storewords t;
	struct storelink l;
	struct reply r;
	int code = storecmd_document(c, &l, &t, &r, argc, argv);

	if (code != CLI_OK)
		return code;
	if (o->yes || storecmd_agreed("erase this document and all that it "
	        "ever was, from journal, index, history, backups and mirrors? "
	        "it can't be taken back;"))
		return storecmd_answer(&l, OP_FORGET, CLIENT_PLAIN, &r,
		    tell_forgotten, NULL);
	storelink_close(&l);
	return CLI_FAILED;
}

const struct command command_store_forget = {
	.name = "store forget",
	.chapter = "their past",
	.arguments = "TABLE KEY [SORTKEY]",
	.summary = "erase a document and its past, for good",
	.help =
	    "Erases a document and all that it ever was, from files, "
	    "journal, index, history, backups and mirrors, as laws on "
	    "erasure ask for, and lists the clones that it can't reach. "
	    "The history is written anew, which takes its time.",
	.opts = forget_opts,
	.size = sizeof(struct forget_options),
	.least = 2,
	.most = 9,
	.tables = true,
	.words = "@tables",
	.run = run_forget,
};

/* --- stop --------------------------------------------------------------- */

static int
run_stop(struct cli *c, const void *values, int argc, char **argv)
{
	struct data_place p;
	struct storelink l;
	struct reply r;
	struct err e;
	int code;

	(void)values;
	(void)argc;
	(void)argv;
	if (storelink_place(c, &p, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	if (!storelink_listens(&p)) {
		puts("it isn't running");
		return CLI_OK;
	}
	code = storelink_open(c, &l);
	if (code != CLI_OK)
		return code;
	storelink_begin(&l, &r);
	return storecmd_finish(&l, OP_STOP, &r, NULL);
}

const struct command command_store_stop = {
	.name = "store stop",
	.chapter = "upkeep",
	.arguments = "",
	.summary = "end the store's daemon",
	.help =
	    "Ends the store's daemon, once it has answered what it was "
	    "asked. It leaves by itself when nobody has asked for a "
	    "minute, and is started again when somebody does.",
	.run = run_stop,
};
