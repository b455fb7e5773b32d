/*
 * conf_load(): the order in which deploy.yaml becomes a struct conf, and the
 * checks that look at more than one key.  Runs in the CLI, and in the gateway
 * at start and reload.
 */
#include "conf.h"

#include "check.h"
#include "envfile.h"
#include "format.h"
#include "grants.h"
#include "settings.h"
#include "tables.h"
#include "yaml.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char DEPLOYED_STAGE[] = "prod";	/* unless it says else */

/* What a site has that nothing was pushed to. */
static const char NOTHING[] = "service: nothing-yet\n"
			      "provider: {name: bothy}\n";

enum { CONF_MAX_MEMORY = 64 * 1024 * 1024, CONF_MAX_PATH = 4096 };

/* A load in progress. */
struct load {
	struct conf *conf;
	struct conf_options opt;	/* state_dir absolute */
	struct errlist *errors;
	struct vars vars;
	struct checker check;
	const char *home;	/* the site's directory, links resolved */
	const char *file;	/* deploy.yaml by the name that is asked for */
	const char *env_file;	/* absolute, or NULL */
	struct stamp file_stamp, env_stamp;	/* before they were read */
};

/* --- files ---------------------------------------------------------------- */

static int
fail_file(struct load *l, const char *file, const struct err *e)
{
	if (e->code == EFBIG)
		return errlist_add(l->errors, file, 1, 1, "the file has more "
		    "than %d bytes%s", CONF_MAX_FILE,
		    strcmp(file, CONF_FILE) == 0 ?
		    "; move parts of it into files of their own, as in "
		    "'functions: ${file(functions.yml)}'" : "");
	return errlist_add(l->errors, file, 0, 0, "%s", e->text);
}

static int
fail_directory(struct load *l, const char *path)
{
	return errlist_add(l->errors, path, 0, 0, "the site's directory: %s",
	    strerror(errno));
}

static bool
has(const char *directory, const char *name)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof path, "%s/%s", directory, name) <
	    (int)sizeof path && access(path, F_OK) == 0;
}

/*
 * The release to read, NULL if it is no deployed site.  What goes live during
 * the load is seen by the stamp, which is older than the link's reading.
 */
static const char *
choose_release(struct load *l)
{
	if (l->opt.release_dir)
		return l->opt.release_dir;
	if (has(l->home, CONF_FILE) || !has(l->home, CONF_DEPLOYED))
		return NULL;
	return zone_printf(l->conf->zone, "%s/live", l->home);
}

/* There is no release, and that is fine: a directory without any file. */
static int
find_nothing(struct load *l)
{
	l->conf->nothing_yet = 1;
	l->conf->directory = l->vars.directory =
	    zone_printf(l->conf->zone, "%s/releases", l->home);
	return l->conf->directory ? 0 : -1;
}

/* Where deploy.yaml lies: the site itself, or the tree of a release. */
static int
find_tree(struct load *l)
{
	const char *release = choose_release(l), *tree = l->home;
	struct zone *a = l->conf->zone;
	char real[PATH_MAX];

	if (release)
		tree = zone_printf(a, "%s/tree", release);
	l->file = zone_printf(a, "%s/" CONF_FILE, tree);
	if (!tree || !l->file)
		return -1;
	l->file_stamp = stamp_take(l->file);
	if (release && !realpath(release, real))
		return errno == ENOENT && l->opt.nothing_yet ?
		    find_nothing(l) :
		    errno == ENOENT ? errlist_add(l->errors, l->home, 0, 0,
		    "nothing was deployed here yet; git push does it") :
		    fail_directory(l, release);
	if (release) {
		l->conf->release = zone_strdup(a, real);
		tree = zone_printf(a, "%s/tree", real);
	}
	l->conf->directory = l->vars.directory = tree;
	if (!tree)
		return -1;
	l->vars.site_fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return l->vars.site_fd < 0 ? fail_directory(l, tree) : 0;
}

/* The site's directory, and the state directory's name made absolute. */
static int
find_directories(struct load *l, const char *site_dir)
{
	char real[PATH_MAX];
	const char *state = l->opt.state_dir;

	if (!realpath(site_dir, real))
		return fail_directory(l, site_dir);
	l->home = zone_strdup(l->conf->zone, real);
	if (!l->home || find_tree(l) < 0)
		return -1;
	if (!state || state[0] == '/')
		return 0;
	if (!getcwd(real, sizeof real))
		return errlist_add(l->errors, state, 0, 0,
		    "the state directory: %s", strerror(errno));
	l->opt.state_dir = zone_printf(l->conf->zone, "%s/%s", real, state);
	return l->opt.state_dir ? 0 : -1;
}

static int
read_site(struct load *l)
{
	struct buf bytes;
	struct err e;

	buf_init(&bytes, CONF_MAX_FILE);
	if (l->conf->nothing_yet)
		l->vars.root = yaml_read(l->conf->zone, CONF_FILE, NOTHING,
		    sizeof NOTHING - 1, l->errors);
	else if (io_read_file(l->vars.site_fd, CONF_FILE, &bytes, &e) < 0)
		fail_file(l, CONF_FILE, &e);
	else
		l->vars.root = yaml_read(l->conf->zone, CONF_FILE,
		    buf_str(&bytes), bytes.len, l->errors);
	buf_release(&bytes);
	if (l->vars.root && l->vars.root->type != NODE_MAP)
		return check_fail(&l->check, l->vars.root, "the file must be "
		    "a map of keys, not %s", node_kind(l->vars.root));
	return l->vars.root ? 0 : -1;
}

/* The env file may be absent, unless it was asked for by name. */
static int
read_env(struct load *l)
{
	const char *name = l->opt.env_file ? l->opt.env_file : CONF_ENV_FILE;
	struct zone *a = l->conf->zone;
	char cwd[PATH_MAX];
	struct buf bytes;
	struct err e;
	int rc = 0;

	if (name[0] == '/')
		l->env_file = zone_strdup(a, name);
	else if (!l->opt.env_file)
		l->env_file = zone_printf(a, "%s/%s", l->home, name);
	else if (getcwd(cwd, sizeof cwd))
		l->env_file = zone_printf(a, "%s/%s", cwd, name);
	if (!l->env_file)
		return errlist_add(l->errors, name, 0, 0,
		    "its directory can't be told");
	l->env_stamp = stamp_take(l->env_file);
	buf_init(&bytes, CONF_MAX_FILE);
	if (io_read_file(AT_FDCWD, l->env_file, &bytes, &e) == 0)
		rc = envfile_read(a, zone_strdup(a, name), buf_str(&bytes),
		    bytes.len, &l->vars.env, l->errors);
	else if (e.code != ENOENT || l->opt.env_file)
		rc = fail_file(l, name, &e);
	buf_release(&bytes);
	return rc;
}

/* The node at "functions.hello.timeout", variables resolved on the way. */
static struct node *
find_node(struct load *l, const char *path)
{
	struct node *n = l->vars.root;
	size_t len;
	long at;

	for (;;) {
		len = strcspn(path, ".");
		n = vars_resolve(&l->vars, n);
		at = n && n->type == NODE_MAP ? node_index(n, path, len) : -1;
		if (at < 0)
			return NULL;
		n = n->items[at];
		if (path[len] == '\0')
			return n;
		path += len + 1;
	}
}

/* --- the stage ------------------------------------------------------------ */

/* Params need it, so it is told before anything else. */
static void
find_stage(struct load *l)
{
	const char *asked = l->opt.stage, *stage = l->check.site.stage;
	struct node *n;

	if (asked && asked[0]) {
		if (format_name(asked))
			errlist_add(l->errors, "--stage", 0, 0, "'%.64s' %s",
			    asked, format_name(asked));
		stage = l->conf->made_with.stage;
	} else {
		n = find_node(l, "provider.stage");
		n = n ? vars_resolve(&l->vars, n) : NULL;
		if (n && n->type == NODE_SCALAR && !format_name(n->text))
			stage = n->text;
		else if (l->conf->release)
			stage = DEPLOYED_STAGE;
	}
	l->conf->stage = l->vars.stage = stage ? stage : "";
}

/* --- checks over several keys --------------------------------------------- */

static struct node *
find_key(struct load *l, const struct conf_function *f, const char *key)
{
	char path[256];

	snprintf(path, sizeof path, "functions.%.64s.%s", f->name, key);
	return find_node(l, path);
}

static void
check_timeouts(struct load *l, const struct conf_function *f)
{
	const struct node *n = find_key(l, f, "timeout");

	if (!n || f->timeout_ms > 0)
		return;
	if (f->response != SNAP_RESPONSE_STREAM)
		check_fail(&l->check, n, "functions.%s.timeout 0 (none) needs "
		    "response: stream", f->name);
	if (f->idle_timeout_ms == 0)
		check_fail(&l->check, n, "functions.%s.timeout 0 (none) needs "
		    "an idleTimeout", f->name);
}

static int
by_name(const void *pa, const void *pb)
{
	const struct conf_pair *a = pa, *b = pb;

	return strcmp(a->name, b->name);
}

/* The provider's variables below the function's own, sorted. */
static void
merge_environment(struct load *l, struct conf_function *f)
{
	const struct conf_pairs *all = &l->check.site.environment;
	struct conf_pairs own = f->environment, out = {0};
	size_t i, j, bytes = 0;

	out.items = zone_alloc(l->conf->zone,
	    (own.count + all->count) * sizeof *out.items);
	if (!out.items)
		return;
	for (i = 0; i < own.count; i++)
		out.items[out.count++] = own.items[i];
	qsort(out.items, out.count, sizeof *out.items, by_name);
	for (i = 0, j = out.count; i < all->count; i++)
		if (j == 0 || !bsearch(&all->items[i], out.items, j,
		    sizeof *out.items, by_name))
			out.items[out.count++] = all->items[i];
	qsort(out.items, out.count, sizeof *out.items, by_name);
	for (i = 0; i < out.count; i++)
		bytes += strlen(out.items[i].name) +
		    strlen(out.items[i].value) + 2;
	if (bytes > CONF_MAX_ENVIRONMENT)
		errlist_add(l->errors, f->place.file, f->place.line,
		    f->place.col, "the environment of functions.%s has %zu "
		    "bytes; %d are the most", f->name, bytes,
		    CONF_MAX_ENVIRONMENT);
	f->environment = out;
}

static void
make_absolute(struct load *l, struct conf_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->items[i][0] != '/' && list->items[i][0] != '\0')
			list->items[i] = zone_printf(l->conf->zone, "%s/%s",
			    l->conf->directory, list->items[i]);
}

static void
finish_functions(struct load *l)
{
	struct node *all = find_node(l, "provider.iam.role.statements");
	struct conf_function *f;
	const struct node *n;
	size_t i;

	for (i = 0; i < l->conf->nfunctions && !l->errors->dropped; i++) {
		f = &l->conf->functions[i];
		check_timeouts(l, f);
		grants_make(&l->check, f, all,
		    find_key(l, f, "iam.role.statements"));
		merge_environment(l, f);
		make_absolute(l, &f->read_paths);
		make_absolute(l, &f->write_paths);
		n = find_key(l, f, "handler");
		if (n && f->handler)
			handler_resolve(&l->check, n, f, &l->opt);
	}
}

/* --- cors ----------------------------------------------------------------- */

/* What API Gateway allows with cors: true. */
static const char *cors_headers[] = {
	"Content-Type", "X-Amz-Date", "Authorization", "X-Api-Key",
	"X-Amz-Security-Token", "X-Amz-User-Agent", "X-Amzn-Trace-Id"
};

static const char *any_origin[] = {"*"};

/* The methods that routes have, and OPTIONS; all if one takes any. */
static void
cors_methods(struct conf *conf)
{
	unsigned bits = 1u << SNAP_OPTIONS;
	struct conf_list *out = &conf->cors.methods;
	uint32_t m;
	size_t i;

	for (i = 0; i < conf->nroutes; i++)
		bits |= conf->routes[i].method == SNAP_ANY ? ~0u :
		    1u << conf->routes[i].method;
	out->items = zone_alloc(conf->zone,
	    SNAP_ANY * sizeof *out->items);
	for (m = 0; m < SNAP_ANY && out->items; m++)
		if (bits & 1u << m)
			out->items[out->count++] = snapshot_method_name(m);
}

static void
finish_cors(struct load *l)
{
	struct conf_cors *cors = &l->check.site.cors;
	struct conf *conf = l->conf;
	const struct node *n;
	size_t i;

	if (cors->enabled && cors->origins.count == 0)
		cors->origins = (struct conf_list){any_origin, 1};
	if (cors->enabled && cors->headers.count == 0)
		cors->headers = (struct conf_list){cors_headers,
		    sizeof cors_headers / sizeof cors_headers[0]};
	n = find_node(l, "provider.httpApi.cors.allowCredentials");
	for (i = 0; i < cors->origins.count && cors->credentials && n; i++)
		if (strcmp(cors->origins.items[i], "*") == 0)
			check_fail(&l->check, n, "allowCredentials needs "
			    "allowedOrigins by name: browsers refuse * then");
	conf->cors = *cors;
	if (cors->enabled && cors->methods.count == 0)
		cors_methods(conf);
}

/* --- what the result was made of ------------------------------------------ */

static void
add_source(struct conf *conf, const char *path, struct stamp stamp,
    bool binary)
{
	if (path)
		conf->sources[conf->nsources++] =
		    (struct conf_source){path, stamp, binary};
}

static void
collect_sources(struct load *l)
{
	struct conf *conf = l->conf;
	size_t i;

	conf->sources = zone_alloc(conf->zone, (l->vars.nfiles +
	    conf->nfunctions + 2) * sizeof *conf->sources);
	if (!conf->sources)
		return;
	add_source(conf, l->file, l->file_stamp, false);
	add_source(conf, l->env_file, l->env_stamp, false);
	for (i = 0; i < l->vars.nfiles; i++)
		add_source(conf, zone_printf(conf->zone, "%s/%s",
		    conf->directory, l->vars.files[i].path),
		    l->vars.files[i].stamp, false);
	for (i = 0; i < conf->nfunctions; i++) {
		const char *link = conf->functions[i].link;

		if (link)
			add_source(conf, link, stamp_take(link), true);
	}
}

/* --- the whole ------------------------------------------------------------ */

static void
take_site(struct load *l)
{
	const struct site_keys *site = &l->check.site;

	l->conf->service = site->service;
	l->conf->base_path = site->base_path;
	l->conf->aws_path = site->aws_path;
	l->conf->confinement_required = site->confinement;
	l->conf->trusted_proxies = site->trusted_proxies;
	l->conf->settings = settings_json(l->conf->zone, &site->store);
	l->conf->any_file_system = site->store.any_file_system;
	l->conf->smoke = site->smoke;
	l->conf->stages = site->stages;
}

static void
finish_tables(struct load *l)
{
	struct node *n = find_node(l, "resources.tables");

	n = n ? vars_resolve(&l->vars, n) : NULL;
	if (n && !l->errors->dropped)
		tables_make(&l->check, n);
}

static void
finish_stages(struct load *l)
{
	struct node *n = find_node(l, "deploy.stages");

	n = n ? vars_resolve(&l->vars, n) : NULL;
	if (n && !l->errors->dropped)
		stages_check(&l->check, n);
}

static void
load(struct load *l, const char *site_dir)
{
	if (find_directories(l, site_dir) < 0 || read_site(l) < 0)
		return;
	read_env(l);
	check_defaults(keys_root.keys, &l->check.site);
	find_stage(l);
	check_value(&l->check, l->vars.root, &keys_root, &l->check.site);
	take_site(l);
	finish_cors(l);
	finish_functions(l);
	finish_tables(l);
	finish_stages(l);
	collect_sources(l);
	if (zone_failed(l->conf->zone))
		errlist_add(l->errors, CONF_FILE, 0, 0,
		    "needs too much memory; make it smaller");
}

/* A copy of the options that outlives the caller's. */
static void
keep_options(struct conf *conf, const struct conf_options *opt)
{
	struct conf_options *own = &conf->made_with;

	*own = *opt;
	if (own->state_dir)
		own->state_dir = zone_strdup(conf->zone, own->state_dir);
	if (own->stage)
		own->stage = zone_strdup(conf->zone, own->stage);
	if (own->env_file)
		own->env_file = zone_strdup(conf->zone, own->env_file);
	if (own->release_dir)
		own->release_dir = zone_strdup(conf->zone, own->release_dir);
}

static struct conf *
conf_new(void)
{
	struct zone *a = zone_new(CONF_MAX_MEMORY);
	struct conf *conf = a ? zone_alloc(a, sizeof *conf) : NULL;

	if (conf)
		conf->zone = a;
	else
		zone_free(a);
	return conf;
}

int
conf_load(const char *site_dir, const struct conf_options *opt,
    struct conf **out, struct errlist *errors)
{
	size_t before = errors->count + errors->dropped;
	struct load *l = calloc(1, sizeof *l);
	struct conf *conf = conf_new();

	*out = NULL;
	if (!l || !conf) {
		free(l);
		conf_free(conf);
		return errlist_add(errors, CONF_FILE, 0, 0, "no memory");
	}
	keep_options(conf, opt);
	l->conf = conf;
	l->opt = *opt;
	l->errors = errors;
	l->vars = (struct vars){.zone = conf->zone, .errors = errors,
	    .site_fd = -1};
	map_init(&l->vars.env);
	l->check = (struct checker){.zone = conf->zone, .errors = errors,
	    .vars = &l->vars, .conf = conf};
	map_init(&l->check.shapes);
	buf_init(&l->check.path, CONF_MAX_PATH);
	load(l, site_dir);
	io_close(&l->vars.site_fd);
	map_release(&l->vars.env);
	map_release(&l->check.shapes);
	buf_release(&l->check.path);
	free(l);
	if (errors->count + errors->dropped > before) {
		errlist_sort(errors, CONF_FILE);
		conf_free(conf);
		return -1;
	}
	*out = conf;
	return 0;
}

void
conf_free(struct conf *c)
{
	if (c)
		zone_free(c->zone);
}

const struct conf_function *
conf_find(const struct conf *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->nfunctions; i++)
		if (strcmp(c->functions[i].name, name) == 0)
			return &c->functions[i];
	return NULL;
}
