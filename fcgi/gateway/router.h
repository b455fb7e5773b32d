/*
 * Which function answers a method and a path.
 *
 * Runs in the gateway, once per request, on the trie that lies in the
 * snapshot; allocates nothing and reads nothing else.  The cost follows the
 * path, not the number of routes: a trie node is visited at most once.
 *
 * Order: full matches first, segment by segment a literal before {name}; then
 * {name+} routes, the most specific first; then $default.  A route whose
 * method does not fit is passed over.  Static files belong between full
 * matches and the rest: see `kind`.
 *
 * {name} takes one segment of at least one byte.  {name+} takes the rest of
 * the path, which may be empty after a slash: "/docs/{file+}" has "/docs/" but
 * not "/docs".
 */
#ifndef GATEWAY_ROUTER_H
#define GATEWAY_ROUTER_H

#include "fcgi/conf/snapshot.h"
#include "store/base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum route_result {
	ROUTE_FOUND,
	ROUTE_METHOD,	/* a path that exists, for other methods: 405 */
	ROUTE_NONE	/* 404 */
};

struct route_param {
	const char *name;	/* "room-id" */
	const char *variable;	/* "BOTHY_PARAM_room_id" */
	const char *value;	/* in the path given, not terminated */
	size_t len;
};

/* Strings belong to the snapshot, values to the path. */
struct route_match {
	uint32_t function;	/* for snapshot_function() */
	const char *key;	/* "GET /rooms/{room-id}" or "$default" */
	enum snap_kind kind;
	struct route_param params[SNAP_MAX_PARAMS];
	size_t nparams;
	size_t rest_at;		/* SNAP_KIND_GREEDY: where in the path the rest
				 * begins, behind its slash */
	unsigned allow;		/* ROUTE_METHOD: bits 1 << enum snap_method */
};

/*
 * `path` is decoded, without basePath, and begins with a slash.  HEAD takes
 * GET's route if it has none of its own; ANY takes every method, also such as
 * are not in enum snap_method.  For ROUTE_NONE only `allow` (0) is set.
 */
enum route_result router_match(const struct snapshot *s, const char *method,
    const char *path, struct route_match *m);

/*
 * The methods that some route has for this path, $default aside, as bits
 * 1 << enum snap_method; what a CORS preflight and OPTIONS ask for.
 */
unsigned router_methods(const struct snapshot *s, const char *path);

/* Appends "GET, HEAD, POST" for an Allow header; ANY stands for all seven. */
void router_allow(unsigned methods, struct buf *out);

#endif
