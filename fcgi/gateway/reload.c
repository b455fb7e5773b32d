/*
 * The site in use and how a new one takes its place: checked first, then
 * swapped as one pointer; a bad one is refused and the old one goes on.
 */
#include "gateway.h"

#include <stdio.h>
#include <string.h>

static struct site *
hold(struct gateway *g)
{
	struct site *s;

	pthread_rwlock_rdlock(&g->site_lock);
	s = site_hold(g->site);
	pthread_rwlock_unlock(&g->site_lock);
	return s;
}

static void
warm_up(struct site *s)
{
	size_t i;

	for (i = 0; i < s->nfunctions; i++)
		if (s->functions[i].fn->warm)
			invoke_pool_warm(s->functions[i].pool);
}

/* Tells of a refusal once, not at each look at the same bad file. */
static int
refuse(struct gateway *g, const struct err *e)
{
	char text[sizeof g->refused];

	if (e->file[0])
		snprintf(text, sizeof text, "%s:%d:%d: %s", e->file, e->line,
		    e->col, e->text);
	else
		snprintf(text, sizeof text, "%s", e->text);
	if (!g->site && !g->is_stage)
		fprintf(stderr, "bothy-fcgi: cannot start: %s\n", text);
	else if (strcmp(text, g->refused) != 0)
		gateway_log(g, "error", "the new configuration is refused, "
		    "the old one goes on: %s", text);
	snprintf(g->refused, sizeof g->refused, "%s", text);
	return -1;
}

/* With reload_lock held. */
static int
reload(struct gateway *g, bool force)
{
	struct site *fresh, *old = g->site;
	struct snapshot *snapshot;
	struct err e = {0};

	if (old && !force && snapshot_fresh(old->snapshot))
		return 0;
	snapshot = site_snapshot(g->site_dir, g->state_dir, g->stage,
	    g->dev, old != NULL || g->is_stage, &e);
	if (!snapshot)
		return refuse(g, &e);
	if (old && !force &&
	    strcmp(snapshot_id(snapshot), snapshot_id(old->snapshot)) == 0) {
		snapshot_free(snapshot);
		return 0;
	}
	fresh = site_take(snapshot, g->invoke, g->stats, g->cgi, &e);
	if (!fresh)
		return refuse(g, &e);
	if (g->base_path)
		fresh->base_path = g->base_path;
	pthread_rwlock_wrlock(&g->site_lock);
	g->site = fresh;
	pthread_rwlock_unlock(&g->site_lock);
	site_release(old);
	g->refused[0] = '\0';
	if (!g->cgi) {
		warm_up(fresh);
		gateway_log(g, "info", "configuration %s is in use",
		    snapshot_id(snapshot));
	}
	return 1;
}

int
gateway_reload(struct gateway *g, bool force)
{
	int rc;

	pthread_mutex_lock(&g->reload_lock);
	rc = reload(g, force);
	pthread_mutex_unlock(&g->reload_lock);
	return rc;
}

/*
 * A resident looks at each request, as the CGI program would that it stands
 * for.  What was refused is left to who looks by time.
 */
struct site *
gateway_site(struct gateway *g)
{
	struct site *s = hold(g);

	if (!g->idle_ms || snapshot_fresh(s->snapshot))
		return s;
	pthread_mutex_lock(&g->reload_lock);
	if (!g->refused[0])
		reload(g, false);
	pthread_mutex_unlock(&g->reload_lock);
	site_release(s);
	return hold(g);
}
