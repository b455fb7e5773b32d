/*
 * Pushes to other branches than the site's own: stages.
 */
#ifndef DEPLOY_STAGE_H
#define DEPLOY_STAGE_H

#include "deploy.h"

#include "fcgi/conf/conf.h"
#include "fcgi/conf/stages.h"

/* What a site's live release says of one branch. */
struct stage {
	char address[STAGES_ADDRESS_SIZE]; /* as stages_fit() gives it */
	char base[PATH_MAX]; /* the site's basePath and a path's address */
	bool fresh;	     /* nothing of it was there before */
	bool copy;	     /* the pusher asks for the site's documents */
	char site[PATH_MAX]; /* its directory */
	char own[RELEASE_STAGE_SIZE]; /* the stage that the site itself is */
};

/*
 * Looks whether the site allows the branch: 0, or -1 with the reason why it
 * does not.
 */
int stage_look(const struct release_site *site, const char *branch,
    struct stage *out, struct err *e);

/*
 * Whether who pushes may push this branch: over HTTP a key may be for some
 * alone (BOTHY_DEPLOY_BRANCHES, of the gateway).  0 or -1.
 */
int stage_allowed(const char *branch, struct err *e);

/*
 * The branch's own site, made if it is not there.  From then on the process is
 * that stage's (BOTHY_STAGE).  0 or -1.
 */
int stage_open(const struct deploy_tools *t, const struct release_site *site,
    const char *branch, struct stage *stage, struct release_site *out,
    struct err *e);

/*
 * What the pusher asks for by git push -o: data-from=prod, for a stage alone,
 * which goes into stage->copy.  `stage` is NULL for the site.  0, or -1 with
 * the error.
 */
int stage_options(struct stage *stage, struct err *e);

/* Takes that back: the push was refused, and nothing else was there. */
void stage_undo(const struct deploy_tools *t, const struct release_site *stage,
    const char *site);

/* The stage that a branch is: 1, 0 if there is none. */
int stage_find(const struct release_site *site, const char *branch,
    struct release_site *out);

/*
 * stagejudge.c: what site and stage may not say in deploy.yaml for each other's
 * sake.  Of a stage, `stage` and what it could reach of the site by: another
 * service, more files, the same store; of the site, for which `stage` is NULL,
 * a stage's name.  0 or -1.
 */
int stage_judge(const struct release_site *pushed, const struct stage *stage,
    const struct conf *conf, struct err *e);

#endif
