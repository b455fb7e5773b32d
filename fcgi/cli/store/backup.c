/*
 * bothy store backup, backups, checkpoint: states with a name.
 */
#include "cmd.h"

#include <stdio.h>

static int
run_simple(struct cli *c, enum operation op, const char *member,
    const char *value)
{
	struct storelink l;
	struct reply r;
	int code = storelink_open(c, &l);

	if (code != CLI_OK)
		return code;
	storelink_begin(&l, &r);
	if (value)
		reply_string(&r, member, value);
	return storecmd_finish(&l, op, &r, NULL);
}

static int
run_backup(struct cli *c, const void *values, int argc, char **argv)
{
	(void)values;
	(void)argc;
	return run_simple(c, OP_BACKUP, "Name", argv[0]);
}

const struct command command_store_backup = {
	.name = "store backup",
	.chapter = "their past",
	.arguments = "NAME",
	.summary = "name the state of now, for ever",
	.help =
	    "Takes a checkpoint and gives it a name, a tag of the history, "
	    "by which `bothy store restore --at NAME` finds it. It is never "
	    "thinned.",
	.least = 1,
	.most = 1,
	.tables = true,
	.run = run_backup,
};

static int
run_checkpoint(struct cli *c, const void *values, int argc, char **argv)
{
	(void)values;
	(void)argc;
	(void)argv;
	return run_simple(c, OP_CHECKPOINT, NULL, NULL);
}

const struct command command_store_checkpoint = {
	.name = "store checkpoint",
	.chapter = "their past",
	.arguments = "",
	.summary = "commit to the history what isn't there yet",
	.help =
	    "Commits to the history what was written since the last "
	    "checkpoint; that happens by itself, too, every second or so.",
	.tables = true,
	.run = run_checkpoint,
};

/* --- backups ------------------------------------------------------------ */

static int
print_backups(struct storelink *l, const struct json_node *list,
    const void *told)
{
	enum { NAME, TIME, COMMIT, POSITION };
	static const char *const titles[] = {"NAME", "TIME", "COMMIT",
	    "POSITION", NULL};
	struct storegrid *g = storegrid_new(titles);
	const struct json_node *b;
	char time[32];

	(void)l;
	(void)told;
	if (!list->first)
		puts("there is no backup; `bothy store backup NAME` makes "
		    "one");
	for (b = list->first; g && b; b = b->next) {
		storegrid_row(g);
		storetext_cell(g, NAME, json_member(b, "Name"));
		storetext_time(json_member(b, "Time"), time);
		storegrid_string(g, TIME, time);
		storetext_commit(g, COMMIT, b);
		storetext_cell(g, POSITION, json_member(b, "Position"));
	}
	if (g && list->first)
		storegrid_print(g);
	storegrid_free(g);
	return CLI_OK;
}

static int
run_backups(struct cli *c, const void *values, int argc, char **argv)
{
	(void)values;
	(void)argc;
	(void)argv;
	return storecmd_list(c, OP_BACKUPS, "Backups", print_backups);
}

const struct command command_store_backups = {
	.name = "store backups",
	.chapter = "their past",
	.arguments = "",
	.summary = "list the states that have a name",
	.help = "Lists the backups, from which `bothy store restore` takes.",
	.tables = true,
	.run = run_backups,
};
