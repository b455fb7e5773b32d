/*
 * bothy store merge: documents that were edited in a clone of the history
 * become those of the store.  It is a git push, which anybody may do without
 * us; storereceive.c is its other end.
 */
#include "cmd.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct options {
	bool atomic, dry;
};

static const struct opt opts[] = {
	{"atomic", 0, OPT_SWITCH, NULL, offsetof(struct options, atomic),
	    "all or nothing: with a conflict nothing is merged"},
	{"dry-run", 0, OPT_SWITCH, NULL, offsetof(struct options, dry),
	    "only say what it would do"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* git's exit status is ours; what is said comes from the other end. */
static int
push(char *const *argv)
{
	struct err e;
	int status, rc;
	pid_t pid;

	rc = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (rc) {
		err_set(&e, rc, "cannot run git: %s", strerror(rc));
		return cli_fail(&e, CLI_MISSING);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			err_sys(&e, "cannot wait for git");
			return cli_fail(&e, CLI_FAILED);
		}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CLI_OK
	                                                     : CLI_FAILED;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	char git[] = "git", in[] = "-C", verb[] = "push", quiet[] = "-q";
	char atomic[] = "--atomic", dry[] = "--push-option=dry-run";
	char to[PATH_MAX], spec[512], *args[10];
	struct storelink l;
	struct err e;
	int code, n = 0;

	if (snprintf(spec, sizeof spec, "%s:refs/heads/import/merge",
	        argc > 1 ? argv[1] : "HEAD") >= (int)sizeof spec)
		return cli_usage("store merge", "%s: too long", argv[1]);
	code = storelink_open(c, &l);	/* so that the hooks are there */
	if (code != CLI_OK)
		return code;
	storelink_close(&l);
	if (place_path(to, &e, "%s/history.git", l.place.dir) < 0)
		return cli_fail(&e, CLI_FAILED);
	args[n++] = git;
	args[n++] = in;
	args[n++] = argv[0];
	args[n++] = verb;
	args[n++] = quiet;
	if (o->atomic)
		args[n++] = atomic;
	if (o->dry)
		args[n++] = dry;
	args[n++] = to;
	args[n++] = spec;
	args[n] = NULL;
	return push(args);
}

const struct command command_store_merge = {
	.name = "store merge",
	.chapter = "in and out",
	.arguments = "CLONE [REVISION]",
	.summary = "take over documents that were edited in a clone",
	.help =
	    "Merges what was changed in CLONE, a clone of the store's "
	    "history.git, up to REVISION (HEAD unless told): each document "
	    "that is still what it was when it was fetched. One that was "
	    "written to since stays as it is, is told, and the exit status "
	    "is 1. `git push origin HEAD:import/NAME` in the clone does the "
	    "same, from elsewhere too.",
	.opts = opts,
	.size = sizeof(struct options),
	.least = 1,
	.most = 2,
	.run = run,
};
