/*
 * Smoke requests (smoke.h).  Runs in pre-receive, with the deploy lock held,
 * beside the release that is live: functions run as in production, but in a
 * launcher of their own that ends with each, reading the site's documents and
 * writing nothing.
 */
#include "smoke.h"

#include "forgetgit.h"

#include "fcgi/cli/confined.h"
#include "fcgi/cli/event.h"
#include "fcgi/cli/logline.h"
#include "fcgi/cli/reach.h"
#include "fcgi/cli/request.h"
#include "fcgi/conf/smoke.h"
#include "fcgi/conf/zone.h"
#include "fcgi/data/data.h"
#include "fcgi/deploy/steps.h"
#include "fcgi/gateway/path.h"
#include "fcgi/gateway/router.h"
#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ONE_MS = 30000,	 /* that a request may take */
	ALL_MS = 120000, /* that all of them may */
	CALL_MS = 30000, /* a call of the store */
	DECLARATION_MAX = 1 << 20
};

struct smoke {
	struct place place;   /* the site, with a state of the requests' own */
	char state[PATH_MAX]; /* the site's */
	struct conf *conf;
	struct snapshot *snapshot;
	int64_t until_ms;
	struct steps steps;
};

/* One request. */
struct shot {
	struct smoke *s;
	struct smoke_request wanted;
	const struct conf_function *function;
	struct envlist env;
	struct buf body;
	struct cgi_result result;
	struct cgikeep keep;
};

/* --- the release ---------------------------------------------------------- */

/* What it could write to, it reads. */
static int
only_read(struct conf *conf, struct conf_function *f, struct err *e)
{
	size_t n = f->read_paths.count, m = f->write_paths.count;
	const char **all;

	if (m == 0)
		return 0;
	all = zone_alloc(conf->zone, (n + m) * sizeof *all);
	if (!all)
		return err_set(e, ENOMEM, "no memory");
	if (n)
		memcpy(all, f->read_paths.items, n * sizeof *all);
	memcpy(all + n, f->write_paths.items, m * sizeof *all);
	f->read_paths = (struct conf_list){all, n + m};
	f->write_paths = (struct conf_list){NULL, 0};
	return 0;
}

static int
load(struct smoke *s, const char *release_dir, struct err *e)
{
	struct conf_options o = {.state_dir = s->state,
	    .stage = getenv("BOTHY_STAGE"),
	    .release_dir = release_dir,
	    .require_builds = true};
	struct errlist errors;
	size_t i;
	int rc;

	errlist_init(&errors);
	rc = conf_load(s->place.site, &o, &s->conf, &errors);
	if (rc < 0)
		errlist_print(&errors, stderr);
	errlist_release(&errors);
	if (rc < 0)
		return err_set(e, EINVAL, "deploy.yaml has errors");
	for (i = 0; rc == 0 && i < s->conf->nfunctions; i++)
		rc = only_read(s->conf, &s->conf->functions[i], e);
	return rc;
}

/* The snapshot that the launcher is given. */
static int
describe(struct smoke *s, struct err *e)
{
	char id[SNAP_ID_SIZE], path[PATH_MAX];

	if (io_remove_tree(AT_FDCWD, s->place.state) < 0)
		return err_sys(e, "cannot remove %s", s->place.state);
	if (place_make_state(&s->place, e) < 0 ||
	    snapshot_write(s->conf, s->place.state, id, e) < 0 ||
	    place_path(path, e, "%s/snap/%s", s->place.state, id) < 0)
		return -1;
	s->snapshot = snapshot_open(path, e);
	return s->snapshot ? 0 : -1;
}

/* --- its documents -------------------------------------------------------- */

static bool
has_table(struct client *c, const char *name)
{
	struct buf body, reply;
	struct err ignored;
	bool there;

	buf_init(&body, 1024);
	buf_init(&reply, DECLARATION_MAX);
	buf_puts(&body, "{\"TableName\":");
	buf_json(&body, name, strlen(name));
	buf_putc(&body, '}');
	there = buf_ok(&body) &&
		client_call(c, OP_DESCRIBE_TABLE, CLIENT_REPEATABLE, body.data,
		    body.len, &reply, &ignored) == 0;
	buf_release(&body);
	buf_release(&reply);
	return there;
}

static int
declare(struct client *c, const struct conf_table *t, struct err *e)
{
	struct buf body, reply;
	int rc;

	buf_init(&body, DECLARATION_MAX);
	buf_init(&reply, DECLARATION_MAX);
	buf_puts(&body, "{\"Tables\":[");
	buf_json(&body, t->json, strlen(t->json));
	buf_puts(&body, "]}");
	rc = buf_ok(&body) ? client_call(c, OP_DECLARE, CLIENT_REPEATABLE,
				 body.data, body.len, &reply, e)
			   : err_set(e, ENOMEM, "no memory");
	buf_release(&body);
	buf_release(&reply);
	return rc;
}

/*
 * The store runs, and has the tables that are new, empty.  Those that are there
 * stay as the live release has them.
 */
static int
find_documents(struct smoke *s, struct err *e)
{
	char run[PATH_MAX];
	struct data_place at;
	struct client *c;
	size_t i;
	int rc = 0;

	if (!data_wanted(s->snapshot))
		return 0;
	if (place_path(run, e, "%s/run", s->state) < 0 ||
	    io_mkdirs(run, 0711, e) < 0 || data_place(&at, s->state, e) < 0 ||
	    data_start(&at, s->snapshot, e) < 0)
		return -1;
	c = data_client(&at, CALL_MS);
	if (!c)
		return err_set(e, ENOMEM, "no memory");
	for (i = 0; rc == 0 && i < s->conf->ntables; i++)
		if (!has_table(c, s->conf->tables[i].name))
			rc = declare(c, &s->conf->tables[i], e);
	client_free(c);
	return rc;
}

/* --- one request ---------------------------------------------------------- */

/* Its path within the site, as the gateway finds it. */
static int
find_path(struct shot *t, struct path *p, struct err *e)
{
	const char *base = t->s->conf->base_path;
	size_t n = strlen(base);

	if (path_parse(p, t->wanted.path) != 0)
		return err_set(e, EINVAL, "%s: %s", t->wanted.path,
		    p->reason ? p->reason : "no memory");
	if (strncmp(p->text, base, n) == 0 && p->text[n] == '/') {
		p->site = p->text + n;
		p->site_len = p->len - n;
	}
	return 0;
}

static int
find_function(struct shot *t, struct err *e)
{
	const struct snapshot *s = t->s->snapshot;
	const struct snap_function *f;
	struct route_match m;
	struct path p;
	int rc;

	path_init(&p);
	rc = find_path(t, &p, e);
	if (rc == 0 &&
	    router_match(s, t->wanted.method, p.site, &m) != ROUTE_FOUND)
		rc = err_set(e, ENOENT,
		    "no function answers %s %s; smoke requests go to "
		    "functions, not to files of www/",
		    t->wanted.method, t->wanted.path);
	path_release(&p);
	if (rc != 0)
		return -1;
	f = snapshot_function(s, m.function);
	t->function = conf_find(t->s->conf, snapshot_str(s, f->name));
	return t->function ? 0 : err_set(e, ENOENT, "the release has lost it");
}

static int
make(struct shot *t, struct err *e)
{
	struct event_options o = {
	    .method = t->wanted.method, .path = t->wanted.path};
	struct smoke *s = t->s;
	json_t *event = event_make(s->conf, t->function, &o, e);
	int rc;

	if (!event)
		return -1;
	rc = request_make(s->conf, t->function, event, &t->env, &t->body, e);
	json_decref(event);
	return rc < 0 ? -1
		      : reach_reading(s->state, snapshot_id(s->snapshot),
			    t->function, &t->env, e);
}

/* What is left of the time of all; at most that of one. */
static int
may_take(const struct smoke *s, uint32_t *ms, struct err *e)
{
	int64_t left = s->until_ms - clock_mono_ms();

	if (left <= 0)
		return err_set(e, ETIMEDOUT,
		    "the smoke requests took more than %d s", ALL_MS / 1000);
	*ms = left < ONE_MS ? (uint32_t)left : ONE_MS;
	return 0;
}

static int
send(struct shot *t, struct err *e)
{
	struct smoke *s = t->s;
	struct confined c = {.place = &s->place,
	    .snapshot = snapshot_id(s->snapshot),
	    .env = &t->env,
	    .keep = &t->keep};
	int rc;

	if (find_function(t, e) < 0)
		return -1;
	c.function = t->function->name;
	if (make(t, e) < 0 || may_take(s, &c.limit_ms, e) < 0)
		return -1;
	c.body_fd = request_body(&t->body, e);
	if (c.body_fd < 0)
		return -1;
	rc = confined_run(&c, &t->result, e);
	io_close(&c.body_fd);
	return rc;
}

/* --- what came of it ------------------------------------------------------ */

/* What is wrong about the reply, if anything is. */
static bool
is_wrong(const struct shot *t, char *text, size_t size)
{
	const struct cgi_result *r = &t->result;

	if (r->failure[0])
		snprintf(text, size, "%s", r->failure);
	else if (r->signal)
		snprintf(text, size, "killed by signal %d (%s)", r->signal,
		    strsignal(r->signal));
	else if (r->wrong[0])
		snprintf(text, size, "no CGI reply: %s", r->wrong);
	else if (r->status != t->wanted.status)
		snprintf(text, size, "status %d, not %d", r->status,
		    t->wanted.status);
	else
		return false;
	for (; *text; text++) /* the reply is quoted, and a terminal shows it */
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
	return true;
}

/* The begin of the body, and the last of the log. */
static void
show(const struct shot *t)
{
	const struct conf_function *f = t->function;
	const struct cgikeep *k = &t->keep;
	const char *line;
	size_t i;

	if (k->body_bytes) {
		fputs("its reply begins:\n", stderr);
		steps_text(k->body, k->body_bytes);
		fputs(k->seen_bytes > k->body_bytes ? "...\n" : "\n", stderr);
	}
	if (k->nlines)
		fprintf(stderr, "the log of %s ends:\n", f->name);
	for (i = 0; (line = cgikeep_at(k, i)); i++)
		logline_stderr(f->name,
		    f->runtime == SNAP_RUNTIME_C ? f->binary : NULL, line);
}

static int
judge(const struct shot *t, struct err *e)
{
	char wrong[sizeof t->result.failure];

	if (!is_wrong(t, wrong, sizeof wrong)) {
		steps_done(&t->s->steps, "%s %s: %d", t->wanted.method,
		    t->wanted.path, t->result.status);
		return 0;
	}
	steps_done(
	    &t->s->steps, "%s %s: %s", t->wanted.method, t->wanted.path, wrong);
	show(t);
	return err_set(
	    e, EINVAL, "a smoke request failed (deploy.smoke in deploy.yaml)");
}

static int
try(struct smoke *s, const char *text, struct err *e)
{
	struct shot *t = calloc(1, sizeof *t);
	int rc;

	if (!t || smoke_read(text, &t->wanted) < 0) {
		free(t);
		return err_set(e, ENOMEM, "no memory");
	}
	t->s = s;
	envlist_init(&t->env);
	buf_init(&t->body, EVENT_MAX_BODY);
	rc = send(t, e);
	if (rc == 0)
		rc = judge(t, e);
	envlist_release(&t->env);
	buf_release(&t->body);
	free(t);
	return rc;
}

static int
try_all(struct smoke *s, const char *release_dir, struct err *e)
{
	size_t i;

	if (load(s, release_dir, e) < 0 || describe(s, e) < 0 ||
	    find_documents(s, e) < 0)
		return -1;
	s->until_ms = clock_mono_ms() + ALL_MS;
	for (i = 0; i < s->conf->smoke.count; i++)
		if (try(s, s->conf->smoke.items[i], e) < 0)
			return -1;
	return 0;
}

int
smoke_run(const char *site, const char *release_dir, struct err *e)
{
	struct smoke s = {.conf = NULL};
	int rc = -1;

	forget_git();
	steps_begin(&s.steps);
	if (place_path(s.place.site, e, "%s", site) == 0 &&
	    place_path(s.place.state, e, "%s/deploy/smoke", site) == 0 &&
	    place_path(s.state, e, "%s/.bothy", site) == 0)
		rc = try_all(&s, release_dir, e);
	if (s.place.state[0])
		io_remove_tree(AT_FDCWD, s.place.state);
	snapshot_free(s.snapshot);
	conf_free(s.conf);
	return rc;
}
