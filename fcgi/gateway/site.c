/*
 * Building and freeing what site.h describes.
 */
#include "site.h"

#include "fcgi/conf/conf.h"
#include "fcgi/conf/secret.h"
#include "fcgi/release/hold.h"
#include "store/base/buf.h"
#include "store/base/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 64 * 1024 };

static int
load_environment(struct site *s, struct site_function *f, struct err *e)
{
	const struct snap_site *site = snapshot_site(s->snapshot);
	struct buf value;
	size_t i;
	int rc = 0;

	buf_init(&value, VALUE_MAX);
	for (i = 0; rc == 0 && i < f->fn->environment.count; i++) {
		const struct snap_pair *p =
		    snapshot_pair(s->snapshot, f->fn->environment, i);

		buf_reset(&value);
		if (!p)
			continue;
		rc = secret_expand(snapshot_str(s->snapshot, p->value),
		    snapshot_str(s->snapshot, site->service),
		    snapshot_str(s->snapshot, site->stage), &value, e);
		if (rc == 0)
			rc = cgienv_static_add(&f->own,
			    snapshot_str(s->snapshot, p->name),
			    buf_str(&value), e);
	}
	if (value.data)
		explicit_bzero(value.data, value.room);
	buf_release(&value);
	return rc < 0 ? -1 : cgienv_static_finish(&f->own, e);
}

static void
unload_function(struct site_function *f)
{
	invoke_pool_free(f->pool);
	f->pool = NULL;
	cgienv_static_release(&f->own);
	storage_grants_free(f->grants);
	f->grants = NULL;
}

struct site_function *
site_function(struct site *s, size_t i, struct err *e)
{
	struct site_function *f = &s->functions[i];

	if (f->pool)
		return f;
	f->fn = snapshot_function(s->snapshot, i);
	f->name = snapshot_str(s->snapshot, f->fn->name);
	cgienv_static_init(&f->own);
	f->stats_slot = stats_slot(s->stats, f->name);
	f->pool = invoke_pool_new(s->invoke, s->snapshot, (uint32_t)i);
	if (!f->pool) {
		err_set(e, ENOMEM, "no room for function %s", f->name);
		return NULL;
	}
	if (load_environment(s, f, e) == 0 &&
	    storage_grants(snapshot_str(s->snapshot, f->fn->grants),
	        &f->grants, e) == 0)
		return f;
	unload_function(f);
	return NULL;
}

static int
load_proxies(struct site *s, struct err *e)
{
	struct snap_list l = snapshot_site(s->snapshot)->trusted_proxies;
	size_t i;

	for (i = 0; i < l.count; i++)
		if (proxies_add(&s->proxies,
		        snapshot_item(s->snapshot, l, i), e) < 0)
			return -1;
	return 0;
}

static int
load(struct site *s, bool lazy, struct err *e)
{
	const struct snap_site *site = snapshot_site(s->snapshot);
	size_t i;

	s->held_fd = release_hold(snapshot_str(s->snapshot, site->directory));
	s->nfunctions = snapshot_functions(s->snapshot);
	s->base_path = snapshot_str(s->snapshot, site->base_path);
	s->aws_path = snapshot_str(s->snapshot, site->aws_path);
	s->functions = calloc(s->nfunctions + 1, sizeof *s->functions);
	if (!s->functions || cors_load(&s->cors, s->snapshot) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (load_proxies(s, e) < 0 ||
	    files_open(&s->files, snapshot_str(s->snapshot, site->directory),
	        e) < 0)
		return -1;
	for (i = 0; !lazy && i < s->nfunctions; i++)
		if (!site_function(s, i, e))
			return -1;
	return 0;
}

struct site *
site_take(struct snapshot *snapshot, struct invoke *v, struct stats *stats,
    bool lazy, struct err *e)
{
	struct site *s = calloc(1, sizeof *s);

	if (!s) {
		snapshot_free(snapshot);
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	s->snapshot = snapshot;
	s->invoke = v;
	s->stats = stats;
	s->files.root_fd = -1;
	s->held_fd = -1;
	atomic_init(&s->refs, 1);
	cors_init(&s->cors);
	proxies_init(&s->proxies);
	if (load(s, lazy, e) == 0)
		return s;
	site_release(s);
	return NULL;
}

struct site *
site_hold(struct site *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void
site_release(struct site *s)
{
	size_t i;

	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	for (i = 0; s->functions && i < s->nfunctions; i++)
		if (s->functions[i].pool)
			unload_function(&s->functions[i]);
	free(s->functions);
	cors_release(&s->cors);
	proxies_release(&s->proxies);
	files_close(&s->files);
	io_close(&s->held_fd);
	snapshot_free(s->snapshot);
	free(s);
}

/* Checks deploy.yaml and compiles it anew. */
static struct snapshot *
compile(const char *site_dir, const char *state_dir,
    const struct conf_options *o, bool quiet, struct err *e)
{
	struct errlist errors;
	struct conf *c = NULL;
	char id[SNAP_ID_SIZE], path[4096];
	int rc;

	errlist_init(&errors);
	if (conf_load(site_dir, o, &c, &errors) < 0) {
		if (!quiet)
			errlist_print(&errors, stderr);
		*e = errors.items[0];
		errlist_release(&errors);
		return NULL;
	}
	errlist_release(&errors);
	rc = snapshot_write(c, state_dir, id, e);
	conf_free(c);
	if (rc < 0)
		return NULL;
	snprintf(path, sizeof path, "%s/snap/%s", state_dir, id);
	return snapshot_open(path, e);
}

struct snapshot *
site_snapshot(const char *site_dir, const char *state_dir, const char *stage,
    bool dev, bool quiet, struct err *e)
{
	struct conf_options o = {.state_dir = state_dir,
	    .stage = stage,
	    .require_builds = !dev,
	    .nothing_yet = true};
	char path[4096];
	struct snapshot *s;

	snprintf(path, sizeof path, "%s/snap/current", state_dir);
	s = snapshot_open(path, e);
	if (s && snapshot_suits(s, &o) && snapshot_fresh(s))
		return s;
	snapshot_free(s);
	return compile(site_dir, state_dir, &o, quiet, e);
}
