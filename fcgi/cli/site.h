/*
 * A site as the commands work with it: its place, its checked deploy.yaml,
 * and what building its functions takes.
 */
#ifndef CLI_SITE_H
#define CLI_SITE_H

#include "cli.h"
#include "place.h"

#include "fcgi/build/build.h"
#include "fcgi/conf/conf.h"
#include "fcgi/release/release.h"

#include <limits.h>
#include <stdbool.h>

struct site {
	struct place place;
	const char *stage;		/* asked for, or NULL: deploy.yaml's */
	char own[RELEASE_STAGE_SIZE];	/* where `stage` may point to */
	char base[PATH_MAX];		/* before each route */
	char pushed[PATH_MAX];		/* site_open_pushed's release, or "" */
	struct conf *conf;		/* NULL before it is loaded */
	struct build build;		/* points into include and lib */
	char include[PATH_MAX], lib[PATH_MAX];
};

/*
 * Finds and loads the site; with `json`, errors in deploy.yaml are printed as
 * JSON to stdout, else as text to stderr.  CLI_OK, and site_close() is due;
 * or another exit code with everything said.
 */
int site_open(const struct cli *c, struct site *s, bool json);
void site_close(struct site *s);

/*
 * The same; but of a deployed site that has no release yet, what was pushed to
 * it last and was refused for want of a secret.  Of a stage that is not there
 * yet, but may be, it is the site.
 */
int site_open_pushed(const struct cli *c, struct site *s, bool json);

/* Loads deploy.yaml (anew): CLI_OK, or CLI_INVALID with the errors added. */
int site_load(struct site *s, struct errlist *errors);

/*
 * Makes s->build ready: 0, or -1 with the error set, as of a deployed site,
 * whose functions only a push builds.
 */
int site_builder(const struct cli *c, struct site *s,
    enum build_variant variant, struct err *e);

/* Writes the snapshot of s->conf: 0, or -1 with the error set. */
int site_snapshot(const struct site *s, char *id, struct err *e);

/*
 * After a build: loads deploy.yaml anew and writes the snapshot, which names
 * the new binaries.  What pointed into s->conf is gone.  CLI_OK, or another
 * exit code with everything said.
 */
int site_refresh(struct site *s, char *id);

/*
 * The function of that name; or NULL, with an error that names the nearest.
 */
const struct conf_function *site_function(const struct site *s,
    const char *name, struct err *e);

#endif
