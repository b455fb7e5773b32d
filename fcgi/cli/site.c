/*
 * Opens a site for a command (site.h).
 */
#include "site.h"

#include "deploy/stagegone.h"

#include "fcgi/deploy/stage.h"
#include "fcgi/release/release.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
site_load(struct site *s, struct errlist *errors)
{
	struct conf_options opt = {.state_dir = s->place.state,
	    .stage = s->stage,
	    .release_dir = s->pushed[0] ? s->pushed : NULL};
	struct conf *conf;

	if (conf_load(s->place.site, &opt, &conf, errors) < 0)
		return CLI_INVALID;
	conf_free(s->conf);
	s->conf = conf;
	return CLI_OK;
}

static void
print_errors(const struct errlist *errors, bool json)
{
	struct buf text;

	if (!json) {
		errlist_print(errors, stderr);
		return;
	}
	buf_init(&text, 4 * 1024 * 1024);
	errlist_json(errors, &text);
	printf("%s\n", buf_str(&text));
	buf_release(&text);
}

/* What the last push left, if nothing is live yet. */
static void
find_pushed(struct site *s)
{
	struct err ignored;

	if (!release_is_site(s->place.site) ||
	    release_live(s->place.site, &ignored) != 0 ||
	    place_path(s->pushed, &ignored, "%s/deploy/next",
	        s->place.site) < 0 ||
	    access(s->pushed, F_OK) < 0)
		s->pushed[0] = '\0';
}

/*
 * The stage that deploy.yaml is read for.  A deployed site's own is what it
 * says itself, by whatever name it was asked for.
 */
static void
choose_stage(const struct cli *c, struct site *s)
{
	if (s->place.stage[0])
		s->stage = s->place.stage;
	else if (c->stage && !release_is_site(s->place.site))
		s->stage = c->stage;
	else
		s->stage = getenv("BOTHY_STAGE");
}

/* A stage that the site allows has secrets before it is pushed. */
static int
find_allowed(const struct cli *c, struct site *s, struct err *e)
{
	struct release_site site;
	struct stage stage;

	if (place_find(&s->place, c->site, c->state, e) < 0 ||
	    release_site_read(&site, s->place.site, e) < 0 ||
	    stage_look(&site, c->stage, &stage, e) < 0 ||
	    release_stage_name(c->stage, s->own, e) < 0)
		return -1;
	s->stage = s->own;
	return 0;
}

static int
find_site(const struct cli *c, struct site *s, bool pushed, struct err *e)
{
	if (cli_place(c, &s->place, e) < 0)
		return pushed && c->stage && e->code == ENOENT ?
		    find_allowed(c, s, e) : -1;
	choose_stage(c, s);
	return 0;
}

/* Where routes begin: a stage's path is the site's to say. */
static void
find_base(struct site *s)
{
	struct release_site own, site;
	struct stage stage;
	struct err ignored;
	char dir[PATH_MAX];

	if (place_path(s->base, &ignored, "%s", s->conf->base_path) < 0)
		s->base[0] = '\0';
	if (!s->place.stage[0] ||
	    release_site_read(&own, s->place.site, &ignored) < 0 ||
	    place_path(dir, &ignored, "%s/../..", s->place.site) < 0 ||
	    release_site_read(&site, dir, &ignored) < 0 ||
	    stage_look(&site, own.branch, &stage, &ignored) < 0)
		return;
	if (stage.address[0] == '/')
		memcpy(s->base, stage.base, sizeof s->base);
}

static int
open_site(const struct cli *c, struct site *s, bool pushed, bool json)
{
	struct errlist errors;
	struct err e;
	int code;

	memset(s, 0, sizeof *s);
	if (find_site(c, s, pushed, &e) < 0 ||
	    release_reconcile(s->place.site, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	if (!s->place.stage[0] && release_is_site(s->place.site))
		stage_sweep(s->place.site);
	if (pushed)
		find_pushed(s);
	errlist_init(&errors);
	code = site_load(s, &errors);
	if (code != CLI_OK)
		print_errors(&errors, json);
	else
		find_base(s);
	errlist_release(&errors);
	return code;
}

int
site_open(const struct cli *c, struct site *s, bool json)
{
	return open_site(c, s, false, json);
}

int
site_open_pushed(const struct cli *c, struct site *s, bool json)
{
	return open_site(c, s, true, json);
}

void
site_close(struct site *s)
{
	conf_free(s->conf);
	s->conf = NULL;
}

int
site_builder(const struct cli *c, struct site *s, enum build_variant variant,
    struct err *e)
{
	if (s->conf->release)
		return err_set(e, EROFS, "%s is deployed by git push, which "
		    "builds it; change it where it is written, and push",
		    s->place.site);
	if (place_sdk(c->sdk, s->include, s->lib, e) < 0 ||
	    place_make_state(&s->place, e) < 0)
		return -1;
	s->build = (struct build){s->place.site, s->place.state, s->include,
	    s->lib, variant};
	return 0;
}

int
site_snapshot(const struct site *s, char *id, struct err *e)
{
	if (place_make_state(&s->place, e) < 0)
		return -1;
	return snapshot_write(s->conf, s->place.state, id, e);
}

int
site_refresh(struct site *s, char *id)
{
	struct errlist errors;
	struct err e;
	int code;

	errlist_init(&errors);
	code = site_load(s, &errors);
	if (code != CLI_OK)
		errlist_print(&errors, stderr);
	else if (site_snapshot(s, id, &e) < 0)
		code = cli_fail(&e, CLI_FAILED);
	errlist_release(&errors);
	return code;
}

const struct conf_function *
site_function(const struct site *s, const char *name, struct err *e)
{
	const struct conf_function *f = conf_find(s->conf, name);
	const char *near = NULL;
	size_t i, d, least = 4;

	if (f)
		return f;
	for (i = 0; i < s->conf->nfunctions; i++) {
		d = cli_distance(name, s->conf->functions[i].name);
		if (d < least) {
			least = d;
			near = s->conf->functions[i].name;
		}
	}
	err_set(e, ENOENT, "deploy.yaml has no function %s%s%s%s", name,
	    near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	return NULL;
}
