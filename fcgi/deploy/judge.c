/*
 * Judges the deploy.yaml of a new release (judge.h).  Runs in pre-receive;
 * reads secrets only to see that they are there.
 */
#include "judge.h"

#include "steps.h"

#include "fcgi/conf/secret.h"
#include "store/base/buf.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The file's errors, with its place in front of each, to the pusher. */
static void
say_errors(const struct errlist *errors)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		return;
	errlist_print(errors, f);
	if (fclose(f) == 0)
		steps_text(text, n);
	free(text);
}

static int
check_secrets(
    const struct conf *conf, const struct conf_function *f, struct err *e)
{
	struct buf value;
	size_t i;
	int rc = 0;

	buf_init(&value, CONF_MAX_ENVIRONMENT + SECRET_MAX_VALUE);
	for (i = 0; rc == 0 && i < f->environment.count; i++) {
		buf_reset(&value);
		rc = secret_expand(f->environment.items[i].value, conf->service,
		    conf->stage, &value, e);
	}
	if (value.data)
		explicit_bzero(value.data, value.room);
	buf_release(&value);
	return rc;
}

/* A release is never written to: the next push would not have it. */
static int
check_writing(
    const struct conf *conf, const struct conf_function *f, struct err *e)
{
	size_t n = strlen(conf->release), i;
	const char *path;

	for (i = 0; i < f->write_paths.count; i++) {
		path = f->write_paths.items[i];
		if (strncmp(path, conf->release, n) == 0 &&
		    (path[n] == '/' || path[n] == '\0')) {
			err_set(e, EINVAL,
			    "functions.%s.paths.write: %.100s "
			    "lies in the release, which the next push "
			    "replaces; write to an absolute path",
			    f->name, path + n);
			err_at(e, f->place.file, f->place.line, f->place.col);
			return -1;
		}
	}
	return 0;
}

int
judge_load(
    const char *site, const char *release_dir, struct conf **out, struct err *e)
{
	char state[PATH_MAX];
	struct conf_options o = {.state_dir = state,
	    .stage = getenv("BOTHY_STAGE"),
	    .release_dir = release_dir};
	struct errlist errors;
	int rc;

	if (snprintf(state, sizeof state, "%s/.bothy", site) >=
	    (int)sizeof state)
		return err_set(e, ENAMETOOLONG, "%s is too long", site);
	errlist_init(&errors);
	rc = conf_load(site, &o, out, &errors);
	if (rc < 0)
		say_errors(&errors);
	errlist_release(&errors);
	return rc < 0 ? err_set(e, EINVAL, "deploy.yaml has errors") : 0;
}

int
judge_functions(const struct conf *conf, struct err *e)
{
	size_t i;

	for (i = 0; i < conf->nfunctions; i++)
		if (check_secrets(conf, &conf->functions[i], e) < 0 ||
		    check_writing(conf, &conf->functions[i], e) < 0)
			return -1;
	return 0;
}
