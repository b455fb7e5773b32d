/*
 * Ends stages whose branch is deleted (stagegone.h).  Runs in git's hooks, and
 * in commands that come by after a kill; never touches one that has a branch.
 */
#include "stagegone.h"

#include "fcgi/cli/quit.h"

#include "fcgi/conf/conf.h"
#include "fcgi/conf/secret.h"
#include "fcgi/data/data.h"
#include "fcgi/release/release.h"
#include "store/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NAP_MS = 50, SAY_MS = 200, STORE_MS = 20000 };

/* A gateway may have it started once more until it has seen the end. */
static int
end_functions(const char *site, const char *stage, const char *dir,
    const char *state, int wait_ms, struct err *e)
{
	const struct link_options o = {.site_dir = dir, .state_dir = state};
	const struct timespec nap = {0, NAP_MS * 1000000L};
	int64_t until_ms = clock_mono_ms() + wait_ms;

	for (;;) {
		quit_launcher(&o, SAY_MS);
		if (!release_stage_runs(site, stage))
			return 0;
		if (clock_mono_ms() >= until_ms)
			return err_set(e, EBUSY,
			    "what runs on it finishes first, and what comes "
			    "by then, as a push or `bothy stage ls`, removes "
			    "it");
		nanosleep(&nap, NULL);
	}
}

static void
end_store(const char *state)
{
	struct data_place at;
	struct err ignored;

	if (data_place(&at, state, &ignored) == 0)
		data_stop(&at, STORE_MS);
}

static void
forget_secrets(const char *site, const char *stage)
{
	struct conf_options o = {.stage = NULL};
	struct errlist errors;
	struct conf *conf;
	struct err ignored;
	char **names;
	size_t i;

	errlist_init(&errors);
	if (conf_load(site, &o, &conf, &errors) == 0) {
		if (secret_list(conf->service, stage, &names, &ignored) == 0) {
			for (i = 0; names[i]; i++)
				secret_remove(
				    conf->service, stage, names[i], &ignored);
			secret_list_free(names);
		}
		conf_free(conf);
	}
	errlist_release(&errors);
}

int
stage_gone(const char *site, const char *stage, int wait_ms, struct err *e)
{
	char dir[PATH_MAX], state[PATH_MAX];

	if (release_stage_state(site, stage) != STAGE_LEAVES)
		return 0;
	if (release_stage_dir(site, stage, dir, e) < 0 ||
	    release_path(state, e, "%s/.bothy", dir) < 0 ||
	    end_functions(site, stage, dir, state, wait_ms, e) < 0)
		return -1;
	end_store(state);
	forget_secrets(site, stage);
	return release_stage_remove(site, stage, e);
}

void
stage_sweep(const char *site)
{
	struct stage_list *left = malloc(sizeof *left);
	char dir[PATH_MAX];
	struct err ignored;
	size_t i;

	/* Of a deletion that was killed in its midst. */
	if (left && release_stages(site, false, left, &ignored) == 0)
		for (i = 0; i < left->n; i++)
			if (release_stage_dir(
				site, left->names[i], dir, &ignored) == 0)
				release_reconcile(dir, &ignored);
	if (left && release_stages(site, true, left, &ignored) == 0)
		for (i = 0; i < left->n; i++)
			stage_gone(site, left->names[i], 0, &ignored);
	free(left);
	release_stages_clear(site);
}
