/*
 * Matches a path with the routes of one function (routematch.h).
 */
#include "routematch.h"

#include "store/base/buf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
belongs(const struct conf *conf, const struct conf_route *r,
    const struct conf_function *f)
{
	return &conf->functions[r->function] == f;
}

void
routematch_path(const struct conf_route *r, char *path, size_t room)
{
	const char *route = r->path;
	size_t n = 0;

	for (; *route && n + 1 < room; route++) {
		if (!strchr("{}+", *route))
			path[n++] = *route;
	}
	path[n] = '\0';
}

void
routematch_example(const struct conf *conf, const struct conf_function *f,
    char *path, size_t room, const char **method)
{
	const struct conf_route *r = NULL;
	size_t i;

	for (i = 0; i < conf->nroutes && !r; i++) {
		if (belongs(conf, &conf->routes[i], f))
			r = &conf->routes[i];
	}
	snprintf(path, room, "/");
	if (r && r->kind != SNAP_KIND_DEFAULT)
		routematch_path(r, path, room);
	if (*method)
		return;
	*method = r && r->method != SNAP_ANY ?
	    snapshot_method_name(r->method) : "GET";
}

static int
hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Decodes %XX into `out`; what is no escape stays. */
static void
decode(const char *s, struct buf *out)
{
	while (*s) {
		if (s[0] == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
			buf_putc(out, (char)(hex(s[1]) * 16 + hex(s[2])));
			s += 3;
		} else
			buf_putc(out, *s++);
	}
}

static bool
method_fits(const struct conf_route *r, const char *method)
{
	const char *name = snapshot_method_name(r->method);

	return r->method == SNAP_ANY || strcmp(name, method) == 0 ||
	    (r->method == SNAP_GET && strcmp(method, "HEAD") == 0);
}

/* Length of the segment at `s`, up to the next slash. */
static size_t
segment(const char *s)
{
	return strcspn(s, "/");
}

/*
 * Walks the route's pattern along the path, both behind their first slash;
 * values of parameters go into `values`.  True if all of it fits; *rest is
 * where a {name+} began.
 */
static bool
walk(const char *pattern, const char *path, const char **values,
    size_t *lengths, const char **rest)
{
	size_t n, k, i = 0;

	for (;;) {
		n = segment(pattern);
		k = segment(path);
		if (n > 2 && pattern[n - 2] == '+' && pattern[n - 1] == '}') {
			values[i] = *rest = path;
			lengths[i] = strlen(path);
			return true;
		}
		if (pattern[0] == '{') {
			if (k == 0)
				return false;
			values[i] = path;
			lengths[i++] = k;
		} else if (n != k || memcmp(pattern, path, n) != 0)
			return false;
		if (!pattern[n] || !path[k])
			return !pattern[n] && !path[k];
		pattern += n + 1;
		path += k + 1;
	}
}

struct found {
	const struct conf_route *route;
	const char *values[SNAP_MAX_PARAMS];
	size_t lengths[SNAP_MAX_PARAMS];
	const char *rest;
};

/* The most specific route of the function; false if none fits. */
static bool
find(const struct conf *conf, const struct conf_function *f,
    const char *method, const char *path, struct found *best)
{
	struct found one;
	size_t i;

	best->route = NULL;
	for (i = 0; i < conf->nroutes; i++) {
		const struct conf_route *r = &conf->routes[i];

		one.rest = NULL;
		if (!belongs(conf, r, f) || !method_fits(r, method) ||
		    (r->kind != SNAP_KIND_DEFAULT &&
		    !walk(r->path + 1, path + 1, one.values, one.lengths,
		    &one.rest)))
			continue;
		if (best->route && best->route->kind <= r->kind)
			continue;
		one.route = r;
		*best = one;
	}
	return best->route != NULL;
}

static void
set_names(const struct conf *conf, const struct found *m, const char *path,
    struct envlist *env)
{
	struct buf script;
	const char *info = "";

	if (m->route->kind == SNAP_KIND_DEFAULT)
		info = path;
	else if (m->rest)
		info = m->rest - 1;
	buf_init(&script, 64 * 1024);
	buf_puts(&script, conf->base_path);
	buf_add(&script, path, strlen(path) - strlen(info));
	envlist_set(env, "SCRIPT_NAME", buf_str(&script));
	envlist_set(env, "PATH_INFO", info);
	envlist_set(env, "BOTHY_ROUTE", m->route->key);
	buf_release(&script);
}

static void
set_params(const struct found *m, struct envlist *env)
{
	struct buf value;
	size_t i;

	buf_init(&value, 64 * 1024);
	for (i = 0; i < m->route->nparams; i++) {
		buf_reset(&value);
		buf_add(&value, m->values[i], m->lengths[i]);
		envlist_set(env, m->route->params[i].variable,
		    buf_str(&value));
	}
	buf_release(&value);
}

static int
no_route(const struct conf *conf, const struct conf_function *f,
    const char *method, const char *path, struct err *e)
{
	struct buf list;
	size_t i, n = 0;

	buf_init(&list, 256);
	for (i = 0; i < conf->nroutes; i++) {
		if (belongs(conf, &conf->routes[i], f) &&
		    buf_ok(&list))
			buf_printf(&list, "%s%s", n++ ? ", " : "",
			    conf->routes[i].key);
	}
	err_set(e, EINVAL, "%s has no route for %s %s; it answers %s%s",
	    f->name, method, path, buf_str(&list), buf_ok(&list) ? "" :
	    ", ...");
	buf_release(&list);
	return -1;
}

static bool
has_routes(const struct conf *conf, const struct conf_function *f)
{
	size_t i;

	for (i = 0; i < conf->nroutes; i++) {
		if (belongs(conf, &conf->routes[i], f))
			return true;
	}
	return false;
}

int
routematch_environment(const struct conf *conf,
    const struct conf_function *f, const char *method, const char *path,
    struct envlist *env, struct err *e)
{
	size_t base = strlen(conf->base_path);
	struct found m;
	struct buf plain;
	int rc = 0;

	if (strncmp(path, conf->base_path, base) == 0 && path[base] == '/')
		path += base;
	if (path[0] != '/')
		return err_set(e, EINVAL, "the path %s does not begin with a "
		    "slash", path);
	buf_init(&plain, 64 * 1024);
	decode(path, &plain);
	if (find(conf, f, method, buf_str(&plain), &m)) {
		set_names(conf, &m, buf_str(&plain), env);
		set_params(&m, env);
	} else if (has_routes(conf, f))
		rc = no_route(conf, f, method, path, e);
	else {
		envlist_set(env, "SCRIPT_NAME", conf->base_path);
		envlist_set(env, "PATH_INFO", buf_str(&plain));
	}
	buf_release(&plain);
	return rc;
}
