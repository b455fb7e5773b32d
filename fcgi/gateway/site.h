/*
 * A site's configuration in use: one checked snapshot with all that is
 * prepared from it, held by each request that began under it.
 *
 * Run by bothy-fcgi.  Reload builds a new struct site and swaps the pointer;
 * requests that run keep the old one, and the last of them frees it.
 */
#ifndef GATEWAY_SITE_H
#define GATEWAY_SITE_H

#include "cgienv.h"
#include "cors.h"
#include "files.h"
#include "proxies.h"
#include "storage.h"

#include "fcgi/conf/snapshot.h"
#include "fcgi/invoke/invoke.h"
#include "fcgi/invoke/stats.h"
#include "store/base/err.h"

#include <stdatomic.h>
#include <stdbool.h>

struct site_function {
	const char *name;
	const struct snap_function *fn;
	struct invoke_pool *pool;	/* NULL: not loaded yet */
	struct cgienv_static own;
	struct storage_grants *grants;	/* NULL: it uses no store */
	unsigned stats_slot;
};

struct site {
	atomic_uint refs;
	struct snapshot *snapshot;
	const char *base_path, *aws_path;
	struct cors cors;
	struct proxies proxies;
	struct files files;
	struct site_function *functions;
	size_t nfunctions;
	struct invoke *invoke;
	struct stats *stats;
	int held_fd;	/* so that its release is not removed, or -1 */
};

/*
 * Takes over the snapshot in any case.  With `lazy` (plain CGI: one request,
 * one thread) a function is loaded when it is asked for, else all are, and
 * their secrets and environments checked.  NULL with the error set.
 */
struct site *site_take(struct snapshot *s, struct invoke *v,
    struct stats *stats, bool lazy, struct err *e);

/* A function by its index, loaded; NULL with the error set. */
struct site_function *site_function(struct site *s, size_t i, struct err *e);

struct site *site_hold(struct site *s);
void site_release(struct site *s);	/* NULL is fine */

/*
 * The snapshot for the site as it lies there: the compiled one if it is
 * fresh, else deploy.yaml is checked and compiled.  NULL with the first error
 * set; unless `quiet`, all errors of the file go to stderr.  With `dev`, a
 * function that has never compiled is no error: its address shows why.
 */
struct snapshot *site_snapshot(const char *site_dir, const char *state_dir,
    const char *stage, bool dev, bool quiet, struct err *e);

#endif
