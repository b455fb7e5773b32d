/*
 * deploy.yaml, read and checked: what bothy check, the gateway and the
 * builder work with.
 *
 * conf_load() reads <site>/deploy.yaml, the files that it includes and the
 * site's env file, expands variables, holds everything against the table of
 * keys (keys.h), and resolves handlers.  Of a site that is deployed by git push
 * (it holds bothy.json) deploy.yaml, handlers and www/ are those of one
 * release, and only the env file is the site's own.  It reports all errors at once.  It
 * runs in the CLI and in the gateway at start and reload, never per request,
 * and it never runs user code or reads a secret.
 *
 * Strings belong to the struct conf and live as long as it does.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "errlist.h"
#include "snapshot.h"
#include "stamp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONF_FILE "deploy.yaml"
#define CONF_ENV_FILE ".env"
#define CONF_DEPLOYED "bothy.json"	/* what a deployed site has instead */

enum {
	CONF_MAX_FILE = 1024 * 1024,	/* bytes of deploy.yaml or an include */
	CONF_MAX_FUNCTIONS = 1000,
	CONF_MAX_ROUTES = 10000,
	CONF_MAX_ENVIRONMENT = 32 * 1024, /* bytes of a function's variables */
	CONF_MAX_TABLES = 1000,
	CONF_MAX_GRANTS = 8 * 1024	/* bytes of a function's, as JSON */
};

struct conf_options {
	const char *state_dir;	/* where build/<function> is looked for; NULL:
				 * builds are not looked for at all */
	const char *stage;	/* NULL or "": provider.stage, else "dev", of what
				 * is deployed "prod" */
	const char *env_file;	/* NULL: <site>/.env, which may be absent */
	const char *release_dir;	/* NULL: <site>/live, if it is deployed */
	bool require_builds;	/* a missing build is an error */
	bool nothing_yet;	/* a deployed site without a release is one
				 * without functions, not an error */
};

struct conf_place {
	const char *file;	/* relative to the site */
	int line, col;
};

struct conf_list {
	const char **items;
	size_t count;
};

struct conf_pair {
	const char *name, *value;
};

struct conf_pairs {
	struct conf_pair *items;
	size_t count;
};

/*
 * The numbers are those of struct snap_function, in its units; what a
 * function does not say comes from the provider or from the table of keys.
 */
struct conf_function {
	const char *name;
	const char *handler;	/* as written */
	const char *source;	/* the handler: absolute, links resolved */
	const char *directory;	/* absolute: the source or its directory */
	const char *link;	/* what names the binary: exec: the source,
				 * c: <state>/build/<function>, in a release
				 * <release>/bin/<function>; NULL: none */
	const char *binary;	/* `link` resolved; NULL: not built yet */
	uint32_t runtime, response, on_disconnect, network, linkage;
	uint32_t timeout_ms, idle_timeout_ms, memory_mb;
	uint32_t reserved_concurrency, requests_per_process, warm;
	struct conf_pairs environment;	/* sorted; secrets still ${secret:X} */
	struct conf_list read_paths, write_paths;	/* absolute */
	const char *grants;	/* JSON, as in struct snap_function */
	struct conf_place place;
};

struct conf_table {
	const char *name;
	const char *json;	/* for table_read() of store/table/table.h */
	struct conf_place place;
};

struct conf_param {
	const char *name, *variable;	/* as in struct snap_param */
};

struct conf_route {
	const char *key, *path;	/* as in struct snap_route */
	uint32_t method, kind, function;
	struct conf_param *params;
	size_t nparams;
	struct conf_place place;
};

struct conf_cors {
	uint32_t enabled, credentials, max_age_s;
	struct conf_list origins, methods, headers, exposed;
};

/* A file that the result depends on, as it was before it was read. */
struct conf_source {
	const char *path;	/* absolute */
	struct stamp stamp;
	bool binary;		/* of a function */
};

struct conf {
	const char *service, *stage;
	const char *directory;	/* that holds deploy.yaml: absolute, links
				 * resolved */
	const char *release;	/* the directory of the release that it lies
				 * in, likewise; NULL: of none */
	uint32_t nothing_yet;	/* 1: nothing was deployed, see the options */
	const char *base_path;	/* "" or "/x/y" */
	const char *aws_path;	/* the same, within that */
	uint32_t confinement_required;
	struct conf_list trusted_proxies;
	struct conf_cors cors;
	struct conf_function *functions;
	size_t nfunctions;
	struct conf_route *routes;	/* in the order of the file */
	size_t nroutes;
	struct conf_table *tables;	/* in the order of the file */
	size_t ntables;
	const char *settings;	/* of the store, JSON for settings_read() of
				 * store/engine/settings.h */
	uint32_t any_file_system;	/* the store may lie on */
	struct conf_list smoke;	/* for smoke_read() of smoke.h */
	struct conf_pairs stages;	/* pattern, address: stages.h */
	struct conf_source *sources;
	size_t nsources;
	struct conf_options made_with;	/* strings its own */
	struct zone *zone;	/* owns all of the above */
};

/*
 * 0 and *out (to conf_free), or -1 with at least one error added to `errors`,
 * sorted, and *out NULL.
 */
int conf_load(const char *site_dir, const struct conf_options *opt,
    struct conf **out, struct errlist *errors);
void conf_free(struct conf *c);	/* NULL is fine */

/* The function of that name, or NULL. */
const struct conf_function *conf_find(const struct conf *c, const char *name);

#endif
