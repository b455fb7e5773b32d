/*
 * Copies a site's documents for a stage (stagedata.h): a checkpoint there, of
 * which a new store is made here.  Runs in pre-receive; the site's store goes
 * on meanwhile.
 */
#include "stagedata.h"

#include "forgetgit.h"

#include "fcgi/conf/conf.h"
#include "fcgi/data/data.h"
#include "fcgi/release/release.h"
#include "store/base/buf.h"
#include "store/base/io.h"
#include "store/client/start.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALL_MS = 600000, REPLY_MAX = 1 << 20 };

/* True once something was ever kept there. */
static bool
is_store(const struct data_place *at)
{
	char path[PATH_MAX];
	struct err ignored;

	return release_path(path, &ignored, "%s/format", at->dir) == 0 &&
	       access(path, F_OK) == 0;
}

static int
find_place(const char *dir, struct data_place *at, struct err *e)
{
	char state[PATH_MAX], run[PATH_MAX];

	return release_path(state, e, "%s/.bothy", dir) < 0 ||
		       release_path(run, e, "%s/run", state) < 0 ||
		       io_mkdirs(run, 0711, e) < 0
		   ? -1
		   : data_place(at, state, e);
}

/* Where the site's own store may lie, its copy may, too. */
static bool
lies_anywhere(const char *site)
{
	struct conf_options o = {.stage = getenv("BOTHY_STAGE")};
	struct errlist errors;
	struct conf *conf;
	bool anywhere = false;

	errlist_init(&errors);
	if (conf_load(site, &o, &conf, &errors) == 0) {
		anywhere = conf->any_file_system;
		conf_free(conf);
	}
	errlist_release(&errors);
	return anywhere;
}

/* `from` may be NULL. */
static int
start(
    const struct data_place *at, const char *from, bool anywhere, struct err *e)
{
	const char *arguments[6] = {"--socket", at->socket};
	const struct start_options o = {
	    .store_dir = at->dir, .arguments = arguments};
	size_t n = 2;

	if (from) {
		arguments[n++] = "--from";
		arguments[n++] = from;
	}
	if (anywhere)
		arguments[n++] = "--force";
	return client_start(&o, e);
}

/* All that was written is in the history. */
static int
checkpoint(const struct data_place *at, struct err *e)
{
	struct client *c = data_client(at, CALL_MS);
	struct buf reply;
	int rc;

	if (!c)
		return err_set(e, ENOMEM, "no memory");
	buf_init(&reply, REPLY_MAX);
	rc = client_call(
	    c, OP_CHECKPOINT, CLIENT_REPEATABLE, "{}", 2, &reply, e);
	buf_release(&reply);
	client_free(c);
	return rc;
}

int
stage_data(const char *site, const char *stage, struct err *e)
{
	char history[PATH_MAX];
	struct data_place from, to;
	bool anywhere = lies_anywhere(site);

	forget_git();
	if (find_place(site, &from, e) < 0 || find_place(stage, &to, e) < 0 ||
	    release_path(history, e, "%s/history.git", from.dir) < 0)
		return -1;
	if (is_store(&to))
		return err_set(e, EEXIST,
		    "the stage has documents already; push without -o "
		    "data-from, or drop the stage first");
	if (!is_store(&from))
		return err_set(e, ENOENT, "there are no documents to copy yet");
	return start(&from, NULL, anywhere, e) < 0 || checkpoint(&from, e) < 0
		   ? -1
		   : start(&to, history, anywhere, e);
}
