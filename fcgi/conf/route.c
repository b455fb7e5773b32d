/*
 * Routes as deploy.yaml writes them -> checked struct conf_route.  Runs where
 * a configuration is loaded; what a request matches is the router's business.
 */
#include "check.h"
#include "format.h"
#include "suggest.h"

#include <string.h>
#include <strings.h>

/* --- the path ------------------------------------------------------------- */

/* A route on its way through the checks. */
struct draft {
	struct checker *c;
	const struct node *n;
	struct conf_route route;
	struct conf_param params[SNAP_MAX_PARAMS];
	struct buf shape;	/* "GET /a/{}/{+}": equal for equal routes */
};

/* "BOTHY_PARAM_room_id" for "room-id": what no variable has becomes '_'. */
static const char *
variable_name(struct zone *a, const char *name)
{
	char *s = zone_printf(a, "BOTHY_PARAM_%s", name);
	char *p;

	for (p = s; p && *p; p++)
		if (*p == '-' || *p == '.')
			*p = '_';
	return s;
}

static int
add_param(struct draft *d, const char *name, size_t len)
{
	struct conf_param *p = &d->params[d->route.nparams], *q;
	const char *why;

	if (d->route.nparams == SNAP_MAX_PARAMS)
		return check_fail(d->c, d->n, "more than %d parameters in a "
		    "path", SNAP_MAX_PARAMS);
	p->name = zone_strndup(d->c->zone, name, len);
	if (!p->name)
		return -1;
	why = format_param_name(p->name);
	if (why)
		return check_fail(d->c, d->n, "the parameter '{%.64s}' %s",
		    p->name, why);
	p->variable = variable_name(d->c->zone, p->name);
	if (!p->variable)
		return -1;
	for (q = d->params; q < p; q++)
		if (strcmp(q->variable, p->variable) == 0)
			return check_fail(d->c, d->n, "the parameters '{%s}' "
			    "and '{%s}' would both be the variable %s; "
			    "rename one", q->name, p->name, p->variable);
	d->route.nparams++;
	return 0;
}

/* What may stand in a literal segment: visible, and not special in a URL. */
static int
check_literal(struct draft *d, const char *s, size_t n)
{
	size_t i;

	if ((n == 1 && s[0] == '.') || (n == 2 && memcmp(s, "..", 2) == 0))
		return check_fail(d->c, d->n, "the segment '%.*s' never "
		    "reaches a function", (int)n, s);
	for (i = 0; i < n; i++) {
		if ((s[i] == '{' || s[i] == '}'))
			return check_fail(d->c, d->n, "'%.*s': a parameter "
			    "must be a whole segment, as in /a/{name}/b",
			    n > 80 ? 80 : (int)n, s);
		if (s[i] == '%')
			return check_fail(d->c, d->n, "'%.*s': paths are "
			    "decoded before they are compared; write the "
			    "character, not its %% code",
			    n > 80 ? 80 : (int)n, s);
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f ||
		    strchr("?#*\\", s[i]))
			return check_fail(d->c, d->n, "'%.*s' has a character "
			    "that no path can have",
			    n > 80 ? 80 : (int)n, s);
	}
	return 0;
}

static int
add_segment(struct draft *d, const char *s, size_t n, bool last)
{
	bool greedy;

	if (n == 0 && !last)
		return check_fail(d->c, d->n, "an empty segment ('//') in a "
		    "path");
	if (n < 2 || s[0] != '{' || s[n - 1] != '}') {
		buf_add(&d->shape, s, n);
		return check_literal(d, s, n);
	}
	greedy = n > 2 && s[n - 2] == '+';
	if (greedy && !last)
		return check_fail(d->c, d->n, "'%.*s' takes the rest of the "
		    "path; it must be last", n > 80 ? 80 : (int)n, s);
	buf_puts(&d->shape, greedy ? "{+}" : "{}");
	if (greedy)
		d->route.kind = SNAP_KIND_GREEDY;
	else if (d->route.kind == SNAP_KIND_EXACT)
		d->route.kind = SNAP_KIND_PARAMETER;
	return add_param(d, s + 1, n - (greedy ? 3 : 2));
}

static int
read_path(struct draft *d, const char *path)
{
	size_t n, segments = 0;

	if (path[0] != '/')
		return check_fail(d->c, d->n, "the path '%.80s' must begin "
		    "with a slash", path);
	if (strlen(path) > SNAP_MAX_PATH)
		return check_fail(d->c, d->n, "a path of more than %d bytes",
		    SNAP_MAX_PATH);
	while (*path == '/') {
		n = strcspn(++path, "/");
		if (++segments > SNAP_MAX_SEGMENTS)
			return check_fail(d->c, d->n, "more than %d segments "
			    "in a path", SNAP_MAX_SEGMENTS);
		buf_putc(&d->shape, '/');
		if (add_segment(d, path, n, path[n] == '\0') < 0)
			return -1;
		path += n;
	}
	return 0;
}

/* --- the method ----------------------------------------------------------- */

static int
read_method(struct draft *d, const char *s)
{
	struct suggest near = {.word = s};
	uint32_t i;

	if (strcmp(s, "*") == 0)
		s = "ANY";
	for (i = 0; i < SNAP_METHODS; i++) {
		suggest_offer(&near, snapshot_method_name(i));
		if (strcasecmp(snapshot_method_name(i), s) == 0) {
			d->route.method = i;
			return 0;
		}
	}
	return check_fail(d->c, d->n, "unknown method '%.16s'; %s%s%s", s,
	    near.best ? "did you mean " :
	    "there are GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS and *",
	    near.best ? near.best : "", near.best ? "?" : "");
}

/* --- the whole ------------------------------------------------------------ */

static int
grow_routes(struct checker *c)
{
	size_t room = c->routes_room ? c->routes_room * 2 : 64;
	struct conf_route *routes;

	if (c->conf->nroutes < c->routes_room)
		return 0;
	routes = zone_alloc(c->zone, room * sizeof *routes);
	if (!routes)
		return -1;
	if (c->conf->nroutes)
		memcpy(routes, c->conf->routes,
		    c->conf->nroutes * sizeof *routes);
	c->conf->routes = routes;
	c->routes_room = room;
	return 0;
}

/* Keeps the route unless one of its shape is there already. */
static int
keep(struct draft *d)
{
	struct conf *conf = d->c->conf;
	struct conf_route *r = &d->route;
	const struct map_entry *e;
	size_t bytes = r->nparams * sizeof *r->params;

	e = map_find(&d->c->shapes, buf_str(&d->shape), d->shape.len);
	if (e) {
		const struct conf_route *first =
		    &conf->routes[e - d->c->shapes.entries];

		return check_fail(d->c, d->n, "the route %.200s is the same "
		    "as %.200s in %.100s:%d:%d", r->key, first->key,
		    first->place.file, first->place.line, first->place.col);
	}
	if (conf->nroutes == CONF_MAX_ROUTES)
		return check_fail(d->c, d->n, "more than %d routes",
		    CONF_MAX_ROUTES);
	r->params = zone_alloc(d->c->zone, bytes);
	if (!r->params || grow_routes(d->c) < 0 ||
	    map_set(&d->c->shapes, buf_str(&d->shape), d->shape.len, NULL,
	    NULL) < 0)
		return check_fail(d->c, d->n, "no memory for this route");
	memcpy(r->params, d->params, bytes);
	conf->routes[conf->nroutes++] = *r;
	return 0;
}

static void
read_route(struct draft *d, const char *method, const char *path)
{
	struct zone *a = d->c->zone;
	const char *name;

	if (strcmp(path, "*") == 0 || strcmp(path, "$default") == 0) {
		d->route.kind = SNAP_KIND_DEFAULT;
		d->route.method = SNAP_ANY;
		d->route.path = d->route.key = "$default";
		buf_puts(&d->shape, "$default");
		if (method && strcmp(method, "*") != 0 &&
		    strcasecmp(method, "ANY") != 0)
			check_fail(d->c, d->n, "'*' takes what no other "
			    "route takes, with any method; remove the method");
		else
			keep(d);
		return;
	}
	if (!method) {
		check_fail(d->c, d->n, "the path %.80s needs a method, or * "
		    "for any", path);
		return;
	}
	if (read_method(d, method) < 0)
		return;
	name = snapshot_method_name(d->route.method);
	buf_printf(&d->shape, "%s ", name);
	if (read_path(d, path) < 0)
		return;
	d->route.path = zone_strdup(a, path);
	d->route.key = zone_printf(a, "%s %s", name, path);
	if (d->route.path && d->route.key)
		keep(d);
}

void
route_add(struct checker *c, const struct node *n, uint32_t function,
    const char *method, const char *path)
{
	struct draft d = {.c = c, .n = n};

	d.route.function = function;
	d.route.place = (struct conf_place){n->file, n->line, n->col};
	buf_init(&d.shape, 2 * SNAP_MAX_PATH + 64);
	read_route(&d, method, path);
	buf_release(&d.shape);
}

void
route_add_short(struct checker *c, const struct node *n, uint32_t function,
    const char *text)
{
	char method[17];
	size_t len = strcspn(text, " ");
	const char *path = text + len;

	if (strcmp(text, "*") == 0 || strcmp(text, "$default") == 0) {
		route_add(c, n, function, NULL, text);
		return;
	}
	if (len >= sizeof method || *path == '\0') {
		check_fail(c, n, "'%.80s' must be a method and a path, as in "
		    "'GET /hello', or '*'", text);
		return;
	}
	memcpy(method, text, len);
	method[len] = '\0';
	while (*path == ' ')
		path++;
	route_add(c, n, function, method, path);
}
