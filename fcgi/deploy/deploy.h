/*
 * git push is the deployment (DESIGN).
 *
 * Used by bothy: `site create`, and `site receive`, which git's hooks run.
 * Single-threaded.  What is said to the pusher goes to stderr at once.
 */
#ifndef DEPLOY_DEPLOY_H
#define DEPLOY_DEPLOY_H

#include "fcgi/release/release.h"
#include "store/base/err.h"

enum {
	DEPLOY_MAX_FILES = 20000,
	DEPLOY_MAX_FILE_MB = 100,
	DEPLOY_MAX_TREE_MB = 1024,
	DEPLOY_MAX_DEPTH = 32, /* folders */
	DEPLOY_READ_MB = 1024  /* memory to put an object together in */
};

/* What of this bothy a deployment uses; all borrowed, absolute. */
struct deploy_tools {
	const char *program;		   /* bothy itself */
	const char *include_dir, *lib_dir; /* of the SDK; NULL: none here */
	/*
	 * Sends the site's smoke requests to a release that is not live, and
	 * tells the pusher of each.  0, or -1 with the error.
	 */
	int (*smoke)(const char *site, const char *release_dir, struct err *e);
	/*
	 * Ends what runs on a stage that was dropped, in bounded time, and
	 * removes all of it.  0, or -1 with the error (EBUSY: it runs still).
	 */
	int (*gone)(const char *site, const char *stage, struct err *e);
	/*
	 * Gives a stage that has no documents those of the site, as they are
	 * now; both are directories.  0, or -1 with the error.
	 */
	int (*copy)(const char *site, const char *stage, struct err *e);
};

/*
 * Makes NAME.git (bare, with its hooks) and NAME, the site; or of one that is
 * there its hooks, settings and bothy.json anew.  `name` is a path whose last
 * part has letters, digits, '.', '_' and '-' only; `wanted` holds branch, keep,
 * build_s, build_mb and url, and is filled in.  0, or -1 with the error set.
 */
int deploy_create(const char *name, const char *program,
    struct release_site *wanted, struct err *e);

/*
 * The hooks, with git's environment, working directory and standard input.  0;
 * or -1, with everything said to the pusher but the error.
 */
int deploy_pre_receive(
    const struct deploy_tools *t, const char *site, struct err *e);
int deploy_ref_prepared(const char *site, struct err *e);
int deploy_ref_committed(const char *site, struct err *e);
int deploy_post_receive(
    const struct deploy_tools *t, const char *site, struct err *e);

#endif
