/*
 * Which stage a request is for, and the gateways of stages (stages.h).  The
 * thread that does what happens by time, or at its start, looks which ones
 * there are; workers open them.
 */
#include "stages.h"

#include "fcgi/conf/stages.h"
#include "fcgi/release/release.h"
#include "store/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum {
	IDLE_MS = 600000, /* then it is closed */
	AGAIN_MS = 1000	  /* after it could not be opened */
};

/* Held by the list, and by each request. */
struct stage {
	atomic_uint refs;
	char name[RELEASE_STAGE_SIZE];
	char dir[PATH_MAX], state[PATH_MAX];
	char at[STAGES_ADDRESS_SIZE]; /* "/feature", or a host */
	char base[PATH_MAX];	      /* of a path: what stands before routes */
	pthread_mutex_t lock;	      /* of opening it */
	atomic_bool open;
	_Atomic int64_t used_ms, failed_ms;
	struct gateway g;
};

/* What `all` was made from, only the thread that looks knows. */
struct stages {
	pthread_rwlock_t lock; /* of `all` */
	struct stage *all[RELEASE_STAGES_MAX];
	atomic_size_t n;
	atomic_size_t busy; /* workers with a request of one */
	pthread_mutex_t look_lock;
	struct timespec seen;
	char snapshot[SNAP_ID_SIZE];
};

/* --- one ------------------------------------------------------------------ */

static struct stage *
stage_new(const char *site, const char *name, const char *at, const char *base)
{
	struct stage *s = calloc(1, sizeof *s);
	struct err ignored;

	if (!s)
		return NULL;
	if (release_stage_dir(site, name, s->dir, &ignored) < 0 ||
	    release_path(s->state, &ignored, "%s/.bothy", s->dir) < 0 ||
	    release_path(s->base, &ignored, "%s", base) < 0) {
		free(s);
		return NULL;
	}
	snprintf(s->name, sizeof s->name, "%s", name);
	snprintf(s->at, sizeof s->at, "%s", at);
	atomic_init(&s->refs, 1);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

static void
let_go(struct stage *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	if (atomic_load(&s->open))
		gateway_close(&s->g);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* With its lock held. */
static int
open_stage(struct gateway *front, struct stage *s, struct err *e)
{
	struct invoke_options o = {.site_dir = s->dir,
	    .state_dir = s->state,
	    .launcher = front->launcher,
	    .private_launcher = front->private_launcher,
	    .single = front->cgi};

	s->g = (struct gateway){.site_dir = s->dir,
	    .state_dir = s->state,
	    .stage = s->name,
	    .base_path = s->at[0] == '/' ? s->base : NULL,
	    .is_stage = true,
	    .max_body = front->max_body,
	    .cgi = front->cgi,
	    .idle_ms = front->idle_ms,
	    .launcher = front->launcher};
	if (gateway_open(&s->g, &o, e) < 0)
		return -1;
	if (gateway_reload(&s->g, false) >= 0)
		return 0;
	err_set(e, 0, "%s", s->g.refused);
	gateway_close(&s->g);
	return -1;
}

/* True if it is open now, or was. */
static bool
is_open(struct gateway *front, struct stage *s)
{
	struct err e;

	if (atomic_load(&s->open))
		return true;
	pthread_mutex_lock(&s->lock);
	if (!atomic_load(&s->open) &&
	    clock_mono_ms() - atomic_load(&s->failed_ms) >= AGAIN_MS) {
		if (open_stage(front, s, &e) == 0)
			atomic_store(&s->open, true);
		else {
			atomic_store(&s->failed_ms, clock_mono_ms());
			gateway_log(
			    front, "error", "stage %s: %s", s->name, e.text);
		}
	}
	pthread_mutex_unlock(&s->lock);
	return atomic_load(&s->open);
}

/* --- all of them ---------------------------------------------------------- */

int
stages_init(struct gateway *front)
{
	struct stages *all = calloc(1, sizeof *all);

	if (!all)
		return -1;
	pthread_rwlock_init(&all->lock, NULL);
	pthread_mutex_init(&all->look_lock, NULL);
	front->stages = all;
	return 0;
}

void
stages_release(struct gateway *front)
{
	struct stages *all = front->stages;
	size_t i, n = atomic_load(&all->n);

	for (i = 0; i < n; i++)
		let_go(all->all[i]);
	pthread_rwlock_destroy(&all->lock);
	pthread_mutex_destroy(&all->look_lock);
	free(all);
	front->stages = NULL;
}

/* Where the site's own release has the stage; false: nowhere. */
static bool
find_address(const struct gateway *front, const struct site *site,
    const char *name, char at[STAGES_ADDRESS_SIZE])
{
	char dir[PATH_MAX];
	struct release_site s;
	struct err ignored;

	return release_stage_dir(front->site_dir, name, dir, &ignored) == 0 &&
	       release_site_read(&s, dir, &ignored) == 0 &&
	       release_live(dir, &ignored) > 0 &&
	       stages_find_in(site->snapshot, s.branch, at, &ignored) == 1;
}

/* The one that is there already, or a new one. */
static struct stage *
keep_or_make(const struct gateway *front, const struct site *site,
    const char *name, const char *at)
{
	struct stages *all = front->stages;
	char base[PATH_MAX];
	struct err ignored;
	size_t i, n = atomic_load(&all->n);
	struct stage *s;

	if (release_path(base, &ignored, "%s%s", site->base_path, at) < 0)
		return NULL;
	for (i = 0; i < n; i++) {
		s = all->all[i];
		if (strcmp(s->name, name) == 0 && strcmp(s->at, at) == 0 &&
		    strcmp(s->base, base) == 0) {
			atomic_fetch_add(&s->refs, 1);
			return s;
		}
	}
	return stage_new(front->site_dir, name, at, base);
}

/* A path that lies in another stands behind it: see find(). */
static int
by_length(const void *a, const void *b)
{
	const struct stage *const *x = a, *const *y = b;
	size_t n = strlen((*x)->at), m = strlen((*y)->at);

	return n < m ? -1 : n > m;
}

static void
replace(struct stages *all, struct stage **fresh, size_t n)
{
	struct stage *old[RELEASE_STAGES_MAX];
	size_t i, nold;

	pthread_rwlock_wrlock(&all->lock);
	nold = atomic_load(&all->n);
	memcpy(old, all->all, nold * sizeof *old);
	memcpy(all->all, fresh, n * sizeof *fresh);
	atomic_store(&all->n, n);
	pthread_rwlock_unlock(&all->lock);
	for (i = 0; i < nold; i++)
		let_go(old[i]);
}

static void
read_all(struct gateway *front, const struct site *site)
{
	struct stage *fresh[RELEASE_STAGES_MAX] = {NULL};
	struct stage_list *names = malloc(sizeof *names);
	char at[STAGES_ADDRESS_SIZE];
	struct err e;
	size_t i, n = 0;

	if (names && release_stages(front->site_dir, false, names, &e) == 0) {
		for (i = 0; i < names->n; i++) {
			if (!find_address(front, site, names->names[i], at))
				continue;
			fresh[n] =
			    keep_or_make(front, site, names->names[i], at);
			if (fresh[n])
				n++;
		}
		qsort(fresh, n, sizeof *fresh, by_length);
		replace(front->stages, fresh, n);
	}
	free(names);
}

void
stages_look(struct gateway *front)
{
	struct stages *all = front->stages;
	struct site *site;
	char path[PATH_MAX];
	struct err ignored;
	struct stat st;

	if (release_path(path, &ignored, "%s/stages", front->site_dir) < 0 ||
	    stat(path, &st) < 0)
		return; /* then there never was one */
	pthread_mutex_lock(&all->look_lock);
	site = gateway_site(front);
	if (st.st_mtim.tv_sec != all->seen.tv_sec ||
	    st.st_mtim.tv_nsec != all->seen.tv_nsec ||
	    strcmp(all->snapshot, snapshot_id(site->snapshot)) != 0) {
		all->seen = st.st_mtim;
		snprintf(all->snapshot, sizeof all->snapshot, "%s",
		    snapshot_id(site->snapshot));
		read_all(front, site);
	}
	site_release(site);
	pthread_mutex_unlock(&all->look_lock);
}

/* All that are open, held, into an array of RELEASE_STAGES_MAX. */
static size_t
hold_open(struct stages *all, struct stage **out)
{
	size_t i, n = 0;

	pthread_rwlock_rdlock(&all->lock);
	for (i = 0; i < atomic_load(&all->n); i++)
		if (atomic_load(&all->all[i]->open)) {
			atomic_fetch_add(&all->all[i]->refs, 1);
			out[n++] = all->all[i];
		}
	pthread_rwlock_unlock(&all->lock);
	return n;
}

/* One that nobody has asked for some time begins anew, closed. */
static void
rest(struct gateway *front, struct stage *s)
{
	struct stages *all = front->stages;
	struct stage *fresh =
	    stage_new(front->site_dir, s->name, s->at, s->base);
	size_t i;

	if (!fresh)
		return;
	pthread_rwlock_wrlock(&all->lock);
	for (i = 0; i < atomic_load(&all->n) && all->all[i] != s; i++)
		;
	if (i < atomic_load(&all->n)) {
		all->all[i] = fresh;
		atomic_fetch_sub(&s->refs, 1); /* the caller has another */
		fresh = NULL;
	}
	pthread_rwlock_unlock(&all->lock);
	let_go(fresh);
}

void
stages_tick(struct gateway *front, int64_t now_ms)
{
	struct stage *open[RELEASE_STAGES_MAX];
	size_t i, n = hold_open(front->stages, open);

	for (i = 0; i < n; i++) {
		gateway_reload(&open[i]->g, false);
		logfile_look(&open[i]->g.access);
		logfile_look(&open[i]->g.events);
		invoke_tick(open[i]->g.invoke, now_ms);
		if (now_ms - atomic_load(&open[i]->used_ms) > IDLE_MS)
			rest(front, open[i]);
		let_go(open[i]);
	}
}

void
stages_reopen(struct gateway *front)
{
	struct stage *open[RELEASE_STAGES_MAX];
	size_t i, n = hold_open(front->stages, open);

	for (i = 0; i < n; i++) {
		logs_reopen(&open[i]->g.logs);
		let_go(open[i]);
	}
}

void
stages_reload(struct gateway *front)
{
	struct stage *open[RELEASE_STAGES_MAX];
	size_t i, n = hold_open(front->stages, open);

	for (i = 0; i < n; i++) {
		gateway_reload(&open[i]->g, true);
		let_go(open[i]);
	}
}

/* --- a request ------------------------------------------------------------ */

/* "feature.example.org:8080" by its name alone, without case. */
static bool
is_host(const char *field, const char *host)
{
	size_t n = strlen(host);

	return strncasecmp(field, host, n) == 0 &&
	       (field[n] == '\0' || field[n] == ':');
}

static bool
fits(const struct stage *s, struct path *path, const char *host)
{
	return host ? s->at[0] != '/' && is_host(host, s->at)
		    : s->at[0] == '/' && path_enter(path, s->at);
}

/*
 * Held; NULL: it is the site's own.  Of two paths of which one lies in the
 * other, the inner one goes before: it stands behind it.
 */
static struct stage *
find(struct stages *all, struct path *path, const char *host)
{
	struct stage *found = NULL;
	size_t i;

	pthread_rwlock_rdlock(&all->lock);
	for (i = atomic_load(&all->n); i-- > 0 && !found;)
		if (fits(all->all[i], path, host))
			found = all->all[i];
	if (found)
		atomic_fetch_add(&found->refs, 1);
	pthread_rwlock_unlock(&all->lock);
	return found;
}

static int
refuse(struct exchange *x, struct stage *s, const char *why)
{
	struct answer a = {.message = why};

	exchange_refuse(x, 503, OUTCOME_ERROR, why, &a);
	let_go(s);
	return -1;
}

static int
enter(struct exchange *x, struct stage *s)
{
	struct worker *w = x->w;
	struct gateway *front = w->front;
	struct stages *all = front->stages;

	if (front->nworkers > 1 &&
	    atomic_load(&all->busy) >= front->nworkers / 2)
		return refuse(x, s, "too many requests of stages at once");
	if (!is_open(front, s))
		return refuse(x, s,
		    "this stage can't be served; the "
		    "gateway's log says why");
	atomic_fetch_add(&all->busy, 1);
	atomic_store(&s->used_ms, clock_mono_ms());
	stats_move(front->stats, s->g.stats);
	site_release(x->site);
	w->g = &s->g;
	w->stage = s;
	w->fnlog.logs = &s->g.logs;
	x->site = gateway_site(w->g);
	return 0;
}

static bool
there_are(const struct gateway *front)
{
	return atomic_load_explicit(&front->stages->n, memory_order_relaxed) >
	       0;
}

int
stages_by_host(struct exchange *x)
{
	struct worker *w = x->w;
	const char *host = params_header(&w->params, PARAMS_HOST);
	struct stage *s;

	if (w->front->idle_ms)
		stages_look(w->front); /* as it does for deploy.yaml */
	if (!there_are(w->front) || !host)
		return 0;
	s = find(w->front->stages, &w->path, host);
	return s ? enter(x, s) : 0;
}

int
stages_by_path(struct exchange *x)
{
	struct worker *w = x->w;
	struct stage *s;

	if (!there_are(w->front) || w->stage)
		return 0;
	s = find(w->front->stages, &w->path, NULL);
	return s ? enter(x, s) : 0;
}

void
stages_leave(struct worker *w)
{
	struct stage *s = w->stage;

	if (!s)
		return;
	w->stage = NULL;
	w->g = w->front;
	w->fnlog.logs = &w->front->logs;
	atomic_fetch_sub(&w->front->stages->busy, 1);
	let_go(s);
}
