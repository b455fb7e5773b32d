/*
 * Finds the stage of a deployed site that a command is for (place.h).
 */
#include "place.h"

#include "fcgi/conf/conf.h"
#include "fcgi/release/release.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * True if the site's own stage is called so.  Before its first release that is
 * what the push says that was refused, as for want of a secret.
 */
static bool
is_own(const struct release_site *s, const char *wanted)
{
	struct conf_options o = {.stage = getenv("BOTHY_STAGE")};
	char pushed[PATH_MAX];
	struct errlist errors;
	struct err ignored;
	struct conf *conf;
	bool own = false;

	errlist_init(&errors);
	if (release_live(s->dir, &ignored) == 0 &&
	    place_path(pushed, &ignored, "%s/deploy/next", s->dir) == 0)
		o.release_dir = pushed;
	if (conf_load(s->dir, &o, &conf, &errors) == 0) {
		own = strcmp(wanted, conf->stage) == 0;
		conf_free(conf);
	}
	errlist_release(&errors);
	return own;
}

/* The place is the stage from now on. */
static int
go_to(struct place *p, const char *name, const char *state, struct err *e)
{
	char dir[PATH_MAX];

	if (release_stage_dir(p->site, name, dir, e) < 0)
		return -1;
	memcpy(p->site, dir, sizeof p->site);
	snprintf(p->stage, sizeof p->stage, "%s", name);
	return state ? 0 : place_path(p->state, e, "%s/.bothy", p->site);
}

int
place_stage(
    struct place *p, const char *wanted, const char *state, struct err *e)
{
	char name[RELEASE_STAGE_SIZE];
	struct release_site s;

	if (!release_is_site(p->site))
		return 0;
	if (release_site_read(&s, p->site, e) < 0)
		return -1;
	if (s.stage[0])
		snprintf(p->stage, sizeof p->stage, "%s", s.stage);
	if (!wanted || strcmp(wanted, s.branch) == 0 ||
	    strcmp(wanted, s.stage) == 0)
		return 0;
	if (!s.stage[0] && release_stage_name(wanted, name, e) == 0 &&
	    release_stage_state(p->site, name) == STAGE_THERE)
		return go_to(p, name, state, e);
	if (!s.stage[0] && is_own(&s, wanted))
		return 0;
	return err_set(e, ENOENT,
	    "there is no stage %.100s; git push <remote> BRANCH makes one, "
	    "and `bothy stage ls` lists them",
	    wanted);
}
