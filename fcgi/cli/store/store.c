/*
 * bothy store: the documents of a site.  What all its commands take, and the
 * table of them; each is in a file of its own or of its family.
 */
#include "cmd.h"

static const struct command *const store_commands[] = {
	&command_store_tables,
	&command_store_ls,
	&command_store_get,
	&command_store_put,
	&command_store_edit,
	&command_store_rm,
	&command_store_query,
	&command_store_scan,
	&command_store_path,
	&command_store_log,
	&command_store_blame,
	&command_store_show,
	&command_store_diff,
	&command_store_restore,
	&command_store_backup,
	&command_store_backups,
	&command_store_checkpoint,
	&command_store_mirror,
	&command_store_adopt,
	&command_store_forget,
	&command_store_import,
	&command_store_export,
	&command_store_merge,
	&command_store_copy,
	&command_store_receive,
	&command_store_check,
	&command_store_reindex,
	&command_store_stat,
	&command_store_create,
	&command_store_stop,
	NULL,
};

const struct command command_store = {
	.name = "store",
	.arguments = "COMMAND ...",
	.summary = "look into the documents, change them, restore them",
	.help =
	    "Works on the documents of the site, or of a store that --dir "
	    "names: `bothy help store COMMAND` says how. A document is named "
	    "by its table, its partition key and, if there is one, its sort "
	    "key; of what type they are the table knows.",
	.opts = storelink_opts,
	.size = sizeof(struct storelink_options),
	.tables = true,
	.words = "@tables",
	.below = store_commands,
};
