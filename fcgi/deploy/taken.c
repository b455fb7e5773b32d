/*
 * What follows when git takes a push: it goes live with its ref, and the pusher
 * is told where (deploy.h, DESIGN).  Runs in git's hooks behind pre-receive.
 */
#include "deploy.h"

#include "refline.h"
#include "stage.h"
#include "steps.h"

#include "store/base/io.h"
#include "store/base/plant.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* True if a ref is that of the site or a stage, which is *s then. */
static bool
find_site(const struct release_site *site, const char *ref,
    struct release_site *s)
{
	const char *branch = refline_branch(ref);

	*s = *site;
	return branch && (strcmp(branch, site->branch) == 0 ||
	    stage_find(site, branch, s));
}

/*
 * That the ref may move: a release waits for it.  git goes on where its shell
 * could not read the hook that makes one.
 */
static int
check_ref(const struct release_site *site, char *const words[3], struct err *e)
{
	struct release_site s;
	struct prepared p;

	if (!find_site(site, words[2], &s))
		return 0;
	if (prepared_read(&p, s.dir, e) == 0) {
		if (strcmp(p.ref, words[2]) == 0 &&
		    strcmp(p.commit, words[1]) == 0)
			return 0;
	} else if (e->code != ENOENT)
		return -1;
	return err_set(e, EPERM, "%s moves with a release that was made for "
	    "it, and there is none: push again; if that is refused as well, "
	    "`bothy site create` on the host makes the hooks anew", words[2]);
}

int
deploy_ref_prepared(const char *site, struct err *e)
{
	char line[REFLINE_BYTES], *words[3];
	struct release_site s;

	if (release_site_read(&s, site, e) < 0)
		return -1;
	while (fgets(line, sizeof line, stdin))
		if (refline_split(line, words) == 0 &&
		    check_ref(&s, words, e) < 0)
			return -1;
	if (planted(PLANT_OBJECTS_UNSYNCED))
		return 0;
	if (planted(PLANT_RELEASE_UNSYNCED))
		return release_sync_names("objects/pack", e);
	return release_sync(".", e);
}

/* What became of one ref. */
static int
settle_ref(const struct release_site *site, const char *ref, struct err *e)
{
	struct release_site s;
	struct prepared p;
	enum settled settled;
	int lock_fd;

	if (!find_site(site, ref, &s))
		return 0;
	lock_fd = release_lock(s.dir, true, e);
	if (lock_fd < 0)
		return -1;
	settled = release_settle(&s, &p, e);
	io_close(&lock_fd);
	if (s.stage[0])
		release_stages_changed(site->dir);
	return settled == SETTLE_FAILED ? -1 : 0;
}

int
deploy_ref_committed(const char *site, struct err *e)
{
	char line[REFLINE_BYTES], *words[3];
	struct release_site s;
	int rc = 0;

	if (release_site_read(&s, site, e) < 0)
		return -1;
	while (rc == 0 && fgets(line, sizeof line, stdin))
		if (refline_split(line, words) == 0)
			rc = settle_ref(&s, words[2], e);
	return rc;
}

/* ":8080" of "http://host:8080/prefix", or "". */
static const char *
port_of(const char *url, int *len)
{
	const char *host = strstr(url, "://");
	const char *end, *port;

	*len = 0;
	if (!host)
		return "";
	host += 3;
	end = host + strcspn(host, "/");
	for (port = end; port > host && port[-1] >= '0' && port[-1] <= '9';)
		port--;
	if (port == end || port == host || port[-1] != ':')
		return "";
	port--;
	*len = (int)(end - port);
	return port;
}

/* What stands before the path of a route; of a stage with a host, that. */
static int
find_address(const struct release_site *site, const struct release_site *s,
    const struct conf *conf, char *out, struct err *e)
{
	struct stage stage;
	const char *port;
	int len;

	if (!s->stage[0])
		return release_path(out, e, "%s%s", s->url, conf->base_path);
	if (stage_look(site, s->branch, &stage, e) < 0)
		return -1;
	if (*stage.address == '/')
		return release_path(out, e, "%s%s", s->url, stage.base);
	port = port_of(s->url, &len);
	return release_path(out, e, "http%s://%s%.*s%s",
	    strncmp(s->url, "http:", 5) == 0 ? "" : "s", stage.address, len,
	    port, conf->base_path);
}

/* Where each route is reached. */
static void
say_addresses(const struct release_site *site, const struct release_site *s)
{
	struct conf_options o = {
	    .stage = s->stage[0] ? s->stage : getenv("BOTHY_STAGE")};
	char address[PATH_MAX];
	struct errlist errors;
	struct err ignored;
	struct conf *conf;
	size_t i;

	errlist_init(&errors);
	if (conf_load(s->dir, &o, &conf, &errors) == 0) {
		if (find_address(site, s, conf, address, &ignored) == 0)
			for (i = 0; i < conf->nroutes; i++)
				steps_say("  %-7s %s%s",
				    snapshot_method_name(
					conf->routes[i].method),
				    address, conf->routes[i].path);
		conf_free(conf);
	}
	errlist_release(&errors);
}

/* True if what was pushed is what serves. */
static bool
is_live(const struct release_site *s, int64_t *live, struct err *e)
{
	char ref[2 * RELEASE_NAME_SIZE];
	char commit[RELEASE_COMMIT_SIZE];
	struct release r;

	*live = release_live(s->dir, e);
	snprintf(ref, sizeof ref, "refs/heads/%s", s->branch);
	return *live > 0 && release_read(s->dir, (uint32_t)*live, &r, e) == 0 &&
	       release_ref(s->repository, ref, commit, e) > 0 &&
	       strcmp(commit, r.commit) == 0;
}

static int
tell(const struct release_site *site, const struct release_site *s,
    struct err *e)
{
	int64_t live;
	int lock_fd;

	if (!is_live(s, &live, e))
		return e->code ? -1
			       : err_set(e, EIO,
				     "the push is in the "
				     "repository, but not live; `bothy "
				     "releases` says what is");
	steps_say("release %" PRId64 "%s%s is live", live,
	    s->stage[0] ? " of stage " : "", s->stage);
	say_addresses(site, s);
	lock_fd = release_lock(s->dir, false, e);
	if (lock_fd >= 0) /* else the next push removes what is old */
		release_trim(s);
	io_close(&lock_fd);
	return 0;
}

/* The branch is deleted: of a stage, that is too. */
static int
end_stage(const struct deploy_tools *t, const struct release_site *site,
    const char *branch, struct err *e)
{
	char name[RELEASE_STAGE_SIZE];

	if (release_stage_name(branch, name, e) < 0 ||
	    release_stage_state(site->dir, name) != STAGE_LEAVES)
		return 0;
	if (t->gone(site->dir, name, e) == 0)
		steps_say("stage %s is gone", name);
	else
		steps_say("stage %s is reached no more; %s", name, e->text);
	return 0;
}

int
deploy_post_receive(
    const struct deploy_tools *t, const char *site, struct err *e)
{
	char line[REFLINE_BYTES], *words[3];
	struct release_site s, stage;
	const char *branch;
	int rc = 0;

	*e = (struct err){0};
	if (release_site_read(&s, site, e) < 0)
		return -1;
	while (rc == 0 && fgets(line, sizeof line, stdin)) {
		branch = refline_split(line, words) == 0
			     ? refline_branch(words[2])
			     : NULL;
		if (!branch)
			continue;
		if (refline_none(words[1]))
			rc = end_stage(t, &s, branch, e);
		else
			rc = tell(&s,
			    stage_find(&s, branch, &stage) ? &stage : &s, e);
	}
	return rc;
}
