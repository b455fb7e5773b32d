/*
 * Where things are: the site, its state directory, our programs, the SDK.
 */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include "store/base/err.h"

#include <limits.h>
#include <stddef.h>

struct place {
	char site[PATH_MAX];	/* absolute, links resolved */
	char state[PATH_MAX];	/* absolute; may not exist yet */
	char stage[65];		/* of a deployed site; "": it is none */
};

/*
 * The site is `site`, else $BOTHY_SITE, else the nearest directory upwards
 * from the working directory that holds deploy.yaml, or bothy.json of a site
 * that is deployed by git push.  The state directory is
 * `state`, else $BOTHY_STATE, else <site>/.bothy.  0, or -1 with the error.
 */
int place_find(struct place *p, const char *site, const char *state,
    struct err *e);

/*
 * Of a deployed site: goes to the stage that is asked for (`wanted` may be
 * NULL), a branch or its name as a stage; `state` as above.  What is asked for
 * may be the site's own stage, too.  0, or -1 with the error (ENOENT: there is
 * none of that name).  Of another site nothing changes.
 */
int place_stage(struct place *p, const char *wanted, const char *state,
    struct err *e);

/*
 * Makes the state directory: 0 or -1.  Functions with uids of their own pass
 * through it (0711) to what is open to them.
 */
int place_make_state(const struct place *p, struct err *e);

/*
 * Path of one of our programs ("bothy-fcgi"): beside this one, else found by
 * $PATH.  `out` has PATH_MAX bytes.  0 or -1.
 */
int place_program(const char *name, char *out, struct err *e);

/*
 * The directories of bothy.h and libbothy.a: `sdk` (both in one), else
 * $BOTHY_SDK, else ../sdk beside this program's directory (the build tree),
 * else <prefix>/include and <prefix>/lib/bothy.  Each has PATH_MAX bytes.
 */
int place_sdk(const char *sdk, char *include, char *lib, struct err *e);

/* The first executable `name` in $PATH, /usr/sbin and /sbin: 0 or -1. */
int place_which(const char *name, char *out);

/* snprintf into PATH_MAX bytes: 0, or -1 if it does not fit. */
int place_path(char *out, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
