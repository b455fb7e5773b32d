/*
 * What deploy.yaml of a stage may not say, since the site pays for it: who may
 * push a stage is not always who may push the site.  What serves of the site is
 * the measure.  Runs in pre-receive; opens nothing but that.
 */
#include "stage.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

/* --- files ---------------------------------------------------------------- */

static bool
is_listed(const struct conf_list *list, const char *path)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (strcmp(list->items[i], path) == 0)
			return true;
	return false;
}

/* True if some function of the site may reach it. */
static bool
has_path(const struct conf *site, const char *path, bool write)
{
	const struct conf_function *f;
	size_t i;

	for (i = 0; i < site->nfunctions; i++) {
		f = &site->functions[i];
		if (is_listed(&f->write_paths, path) ||
		    (!write && is_listed(&f->read_paths, path)))
			return true;
	}
	return false;
}

/* Within the release, whose links stay inside. */
static bool
is_own(const struct conf *conf, const char *path)
{
	size_t n = strlen(conf->directory);

	return strncmp(path, conf->directory, n) == 0 && path[n] == '/' &&
	       !strstr(path + n, "/..");
}

static int
judge_paths(const struct conf *site, const struct conf *conf,
    const struct conf_function *f, bool write, struct err *e)
{
	const struct conf_list *list = write ? &f->write_paths : &f->read_paths;
	const char *path;
	size_t i;

	for (i = 0; i < list->count; i++) {
		path = list->items[i];
		if (is_own(conf, path) || has_path(site, path, write))
			continue;
		err_set(e, EACCES,
		    "functions.%s.paths.%s: %.200s: functions of a stage reach "
		    "what those of the site do, which has to have it first",
		    f->name, write ? "write" : "read", path);
		err_at(e, f->place.file, f->place.line, f->place.col);
		return -1;
	}
	return 0;
}

static int
judge_files(const struct conf *site, const struct conf *conf, struct err *e)
{
	size_t i;

	if (site->confinement_required && !conf->confinement_required)
		return err_set(e, EACCES,
		    "provider.confinement: required for the site, and so for "
		    "its stages");
	for (i = 0; i < conf->nfunctions; i++)
		if (judge_paths(site, conf, &conf->functions[i], false, e) <
			0 ||
		    judge_paths(site, conf, &conf->functions[i], true, e) < 0)
			return -1;
	return 0;
}

/* --- documents ------------------------------------------------------------ */

static int
judge_store(const struct conf *site, const struct conf *conf, struct err *e)
{
	json_t *theirs = json_loads(site->settings, 0, NULL);
	json_t *ours = json_loads(conf->settings, 0, NULL);
	const json_t *endpoint = json_object_get(ours, "endpoint");
	int rc = 0;

	if (!theirs || !ours)
		rc = err_set(e, ENOMEM, "no memory");
	else if (endpoint &&
		 json_equal(endpoint, json_object_get(theirs, "endpoint")))
		rc = err_set(e, EACCES,
		    "resources.store.endpoint: the site's documents are "
		    "there, and a stage has others; write ${param:endpoint}, "
		    "and below params what it is");
	else if (json_object_size(json_object_get(ours, "mirrors")))
		rc = err_set(e, EACCES,
		    "resources.store.mirrors: a stage has none, for it would "
		    "overwrite the site's; write mirrors: ${param:mirrors}, "
		    "and {} below params.default");
	json_decref(theirs);
	json_decref(ours);
	return rc;
}

/* --- the whole ------------------------------------------------------------ */

static int
judge_by(const struct conf *site, const struct conf *conf, struct err *e)
{
	if (strcmp(site->service, conf->service) != 0)
		return err_set(e, EINVAL,
		    "a stage is of the same service as the site: %s, not %s",
		    site->service, conf->service);
	return judge_files(site, conf, e) < 0 || judge_store(site, conf, e) < 0
		   ? -1
		   : 0;
}

static int
judge_stage(const struct stage *stage, const struct conf *conf, struct err *e)
{
	struct conf_options o = {.stage = stage->own};
	struct errlist errors;
	struct conf *site;
	int rc;

	errlist_init(&errors);
	if (conf_load(stage->site, &o, &site, &errors) < 0) {
		*e = errors.items[0];
		rc = -1;
	} else {
		rc = judge_by(site, conf, e);
		conf_free(site);
	}
	errlist_release(&errors);
	return rc;
}

int
stage_judge(const struct release_site *pushed, const struct stage *stage,
    const struct conf *conf, struct err *e)
{
	if (stage)
		return judge_stage(stage, conf, e);
	if (release_stage_state(pushed->dir, conf->stage) != STAGE_NONE)
		return err_set(e, EINVAL,
		    "provider.stage is %s, which is a stage of another "
		    "branch; drop that, or call this one otherwise",
		    conf->stage);
	return 0;
}
