/*
 * Which site a pushed branch belongs to (stage.h).  Runs in git's hooks.  What
 * the pushed tree says of stages is not asked: who may push one could name any
 * address.
 */
#include "stage.h"

#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What serves now; NULL with the error. */
static struct conf *
load_live(const struct release_site *site, struct err *e)
{
	struct conf_options o = {.stage = getenv("BOTHY_STAGE")};
	struct conf *conf = NULL;
	struct errlist errors;
	int64_t live = release_live(site->dir, e);

	if (live < 0)
		return NULL;
	if (live == 0) {
		err_set(e, ENOENT,
		    "push %s first: what serves says which branches are "
		    "stages",
		    site->branch);
		return NULL;
	}
	errlist_init(&errors);
	if (conf_load(site->dir, &o, &conf, &errors) < 0)
		*e = errors.items[0];
	errlist_release(&errors);
	return conf;
}

/* By the rules of what serves. */
static int
find_rule(const struct release_site *site, const struct conf *conf,
    const char *branch, struct stage *out, struct err *e)
{
	char name[RELEASE_STAGE_SIZE];
	int found;

	if (conf->stages.count == 0)
		return err_set(e, EINVAL,
		    "%.100s: this site is deployed from %s alone: git push "
		    "<remote> HEAD:%s; deploy.stages in its deploy.yaml "
		    "allows others",
		    branch, site->branch, site->branch);
	if (stages_branch_wrong(branch))
		return err_set(e, EINVAL, "%.100s: a branch that is a stage %s",
		    branch, stages_branch_wrong(branch));
	found = stages_find(conf, branch, out->address, e);
	if (found == 0)
		err_set(e, EINVAL,
		    "%s: deploy.stages in the deploy.yaml of %s has no such "
		    "branch",
		    branch, site->branch);
	if (found != 1 || release_stage_name(branch, name, e) < 0)
		return -1;
	if (strcmp(name, conf->stage) == 0)
		return err_set(e, EINVAL,
		    "%s: the stage of %s is called so; take another branch",
		    branch, site->branch);
	return 0;
}

int
stage_look(const struct release_site *site, const char *branch,
    struct stage *out, struct err *e)
{
	struct conf *conf = load_live(site, e);
	int rc;

	if (!conf)
		return -1;
	rc = find_rule(site, conf, branch, out, e);
	if (rc == 0)
		rc = release_path(out->base, e, "%s%s", conf->base_path,
		    *out->address == '/' ? out->address : "");
	snprintf(out->own, sizeof out->own, "%s", conf->stage);
	memcpy(out->site, site->dir, sizeof out->site);
	conf_free(conf);
	return rc;
}

int
stage_allowed(const char *branch, struct err *e)
{
	const char *some = getenv("BOTHY_DEPLOY_BRANCHES");

	if (!some || stages_fits_any(some, branch))
		return 0;
	return err_set(e, EACCES, "%.100s: this key may deploy %.200s alone",
	    branch, some);
}

/* The text of one of git's, from 0 on; NULL: there are no more. */
static const char *
push_option(int i)
{
	const char *count = getenv("GIT_PUSH_OPTION_COUNT");
	char name[32];

	if (!count || i >= atoi(count))
		return NULL;
	snprintf(name, sizeof name, "GIT_PUSH_OPTION_%d", i);
	return getenv(name);
}

int
stage_options(struct stage *stage, struct err *e)
{
	static const char DATA[] = "data-from=";
	const char *text, *from;
	int i;

	for (i = 0; (text = push_option(i)); i++) {
		from = text + sizeof DATA - 1;
		if (strncmp(text, DATA, sizeof DATA - 1) != 0)
			return err_set(e, EINVAL,
			    "-o %.64s is not known; there is -o "
			    "data-from=prod",
			    text);
		if (!stage)
			return err_set(e, EINVAL,
			    "-o data-from is for stages, which are made with "
			    "the documents of this branch");
		if (strcmp(from, "prod") != 0 && strcmp(from, stage->own) != 0)
			return err_set(e, EINVAL,
			    "-o data-from=%.64s: documents come from prod "
			    "alone",
			    from);
		stage->copy = true;
	}
	return 0;
}

/* What was dropped is gone before it is made anew. */
static int
wait_for_last(const struct deploy_tools *t, const struct release_site *site,
    const char *branch, struct stage *stage, struct err *e)
{
	char name[RELEASE_STAGE_SIZE], dir[PATH_MAX];
	enum stage_state state;

	if (release_stage_name(branch, name, e) < 0 ||
	    release_stage_dir(site->dir, name, dir, e) < 0)
		return -1;
	/* A deletion that was killed in its midst is settled first. */
	if (release_stage_state(site->dir, name) == STAGE_THERE &&
	    release_reconcile(dir, e) < 0)
		return -1;
	state = release_stage_state(site->dir, name);
	stage->fresh = state != STAGE_THERE;
	if (state != STAGE_LEAVES)
		return 0;
	steps_say("stage %s was dropped; ending what still runs on it", name);
	return t->gone(site->dir, name, e);
}

int
stage_open(const struct deploy_tools *t, const struct release_site *site,
    const char *branch, struct stage *stage, struct release_site *out,
    struct err *e)
{
	if (wait_for_last(t, site, branch, stage, e) < 0 ||
	    release_stage_make(site, branch, out, e) < 0)
		return -1;
	if (setenv("BOTHY_STAGE", out->stage, 1) < 0)
		return err_sys(e, "cannot set BOTHY_STAGE");
	return 0;
}

void
stage_undo(const struct deploy_tools *t, const struct release_site *stage,
    const char *site)
{
	char own[PATH_MAX];
	struct err ignored;

	/* What was put there by hand stays. */
	if (release_path(own, &ignored, "%s/.env", stage->dir) == 0 &&
	    access(own, F_OK) < 0 && release_stage_leave(stage, &ignored) == 0)
		t->gone(site, stage->stage, &ignored);
}

int
stage_find(const struct release_site *site, const char *branch,
    struct release_site *out)
{
	char name[RELEASE_STAGE_SIZE], dir[PATH_MAX];
	struct err ignored;

	return strcmp(branch, site->branch) != 0 &&
	       release_stage_name(branch, name, &ignored) == 0 &&
	       release_stage_dir(site->dir, name, dir, &ignored) == 0 &&
	       release_is_site(dir) &&
	       release_site_read(out, dir, &ignored) == 0 &&
	       strcmp(out->branch, branch) == 0;
}
