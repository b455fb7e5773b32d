/*
 * What the sources of variables have: params, the env file, deploy.yaml
 * itself, other files, the stage, secrets.  The only place from where a
 * configuration opens other files: inside the site, and never over a link.
 */
#include "vars.h"

#include "conf.h"
#include "format.h"
#include "store/base/io.h"
#include "suggest.h"
#include "yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct source {
	const char *name;
	bool takes_arg;
	enum vars_result (*look)(struct vars *v, const struct node *at,
	    const char *arg, const char *address, struct node **out);
};

/* --- trees: self and file ------------------------------------------------- */

/* The child of a list or a map by one part of an address, or NULL. */
static struct node *
child(const struct node *n, const char *part, size_t len)
{
	unsigned long i;
	char *end;
	long at;

	if (n->type == NODE_MAP) {
		at = node_index(n, part, len);
		return at < 0 ? NULL : n->items[at];
	}
	if (n->type != NODE_LIST || *part < '0' || *part > '9')
		return NULL;
	i = strtoul(part, &end, 10);
	return end == part + len && i < n->count ? n->items[i] : NULL;
}

/* Follows "a.b.0" from `n`, with variables on the way resolved. */
static enum vars_result
follow(struct vars *v, struct node *n, const char *address, struct node **out)
{
	const char *part = address;
	size_t len;

	for (;;) {
		n = vars_resolve(v, n);
		if (!n)
			return VARS_BAD;
		if (!part) {
			*out = n;
			return VARS_FOUND;
		}
		len = strcspn(part, ".");
		n = child(n, part, len);
		if (!n) {
			snprintf(v->why, sizeof v->why, "there is no '%.*s'",
			    len > 60 ? 60 : (int)len, part);
			return VARS_MISSING;
		}
		part = part[len] ? part + len + 1 : NULL;
	}
}

static enum vars_result
look_self(struct vars *v, const struct node *at, const char *arg,
    const char *address, struct node **out)
{
	(void)arg;
	if (!address || !*address)
		return vars_fail(v, at, "${self:} needs the keys to what it "
		    "stands for, as in ${self:custom.name}");
	return follow(v, v->root, address, out);
}

/*
 * Opens a file below the site, part by part, so that no link is followed;
 * -1 with errno, EXDEV for a path that leaves the site.
 */
static int
open_inside(int site_fd, const char *path)
{
	char part[256];
	int fd = dup(site_fd), next;
	size_t n;

	while (fd >= 0) {
		n = strcspn(path, "/");
		if (n == 0 || n >= sizeof part ||
		    (n == 2 && memcmp(path, "..", 2) == 0)) {
			close(fd);
			errno = n >= sizeof part ? ENAMETOOLONG : EXDEV;
			return -1;
		}
		memcpy(part, path, n);
		part[n] = '\0';
		path += n;
		next = openat(fd, part, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
		    O_CLOEXEC | (*path ? O_DIRECTORY : 0));
		io_close(&fd);
		if (next < 0 || !*path)
			return next;
		fd = next;
		path++;
	}
	return -1;
}

static bool
is_yaml(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (strcmp(dot, ".yml") == 0 || strcmp(dot, ".yaml") == 0 ||
	    strcmp(dot, ".json") == 0);
}

/* Reads an included file into its slot; its errors stand in the list. */
static enum vars_result
read_file(struct vars *v, const struct node *at, struct vars_file *f)
{
	char path[PATH_MAX];
	struct buf bytes;
	struct err e;
	int fd;

	if (snprintf(path, sizeof path, "%s/%s", v->directory, f->path) >=
	    (int)sizeof path)
		return vars_fail(v, at, "%.200s is too long a name", f->path);
	f->stamp = stamp_take(path);
	fd = open_inside(v->site_fd, f->path);
	if (fd < 0 && errno == ENOENT) {
		f->absent = true;
		return VARS_FOUND;
	}
	if (fd < 0 && (errno == EXDEV || errno == ELOOP || errno == ENOTDIR))
		return vars_fail(v, at, "%.200s is outside of the site or "
		    "behind a link; ${file()} reads neither", f->path);
	if (fd < 0)
		return vars_fail(v, at, "cannot open %.200s: %s", f->path,
		    strerror(errno));
	buf_init(&bytes, CONF_MAX_FILE);
	if (io_read_fd(fd, f->path, &bytes, &e) < 0)
		vars_fail(v, at, e.code == EFBIG ? "%s; divide it" : "%s",
		    e.text);
	else
		f->root = yaml_read(v->zone, f->path, buf_str(&bytes),
		    bytes.len, v->errors);
	close(fd);
	buf_release(&bytes);
	return f->root ? VARS_FOUND : VARS_BAD;
}

static enum vars_result
look_file(struct vars *v, const struct node *at, const char *arg,
    const char *address, struct node **out)
{
	struct vars_file *f;
	size_t i;

	while (strncmp(arg, "./", 2) == 0)
		arg += 2;
	if (!is_yaml(arg))
		return vars_fail(v, at, "'%.200s' must end in .yml, .yaml or "
		    ".json", arg);
	for (i = 0; i < v->nfiles; i++)
		if (strcmp(v->files[i].path, arg) == 0)
			break;
	f = &v->files[i];
	if (i == v->nfiles) {
		if (i == VARS_MAX_FILES)
			return vars_fail(v, at, "more than %d files",
			    VARS_MAX_FILES);
		*f = (struct vars_file){.path = arg};
		v->nfiles++;
		if (read_file(v, at, f) != VARS_FOUND)
			return VARS_BAD;
	}
	if (f->absent) {
		snprintf(v->why, sizeof v->why, "there is no file %.200s",
		    arg);
		return VARS_MISSING;
	}
	if (!f->root)
		return VARS_BAD;
	return follow(v, f->root, address, out);
}

/* --- single values -------------------------------------------------------- */

static enum vars_result
found_text(struct vars *v, const struct node *at, const char *text,
    struct node **out)
{
	*out = vars_scalar(v, at, text, strlen(text));
	return *out ? VARS_FOUND : VARS_BAD;
}

static enum vars_result
look_param(struct vars *v, const struct node *at, const char *arg,
    const char *address, struct node **out)
{
	struct node *params = node_get(v->root, "params"), *of;
	const char *stages[2] = {v->stage, "default"};
	struct node *value;
	size_t i;

	(void)arg;
	if (!v->stage)
		return vars_fail(v, at, "provider.stage can't depend on a "
		    "param, which depends on the stage");
	if (!address || format_param_name(address))
		return vars_fail(v, at, "the name of a param %s",
		    format_param_name(address ? address : ""));
	if (params)
		params = vars_resolve(v, params);
	for (i = 0; i < 2 && params && params->type == NODE_MAP; i++) {
		of = node_get(params, stages[i]);
		of = of ? vars_resolve(v, of) : NULL;
		if (!of || of->type != NODE_MAP)
			continue;
		value = node_get(of, address);
		if (!value)
			continue;
		*out = vars_resolve(v, value);
		return *out ? VARS_FOUND : VARS_BAD;
	}
	snprintf(v->why, sizeof v->why, "params has no '%.64s' for stage "
	    "'%.64s', nor for default", address, v->stage);
	return VARS_MISSING;
}

static enum vars_result
look_env(struct vars *v, const struct node *at, const char *arg,
    const char *address, struct node **out)
{
	const char *value;

	(void)arg;
	if (!address || !format_identifier(address))
		return vars_fail(v, at, "${env:} needs the name of a variable");
	value = map_get(&v->env, address);
	if (!value) {
		snprintf(v->why, sizeof v->why, "the site's env file does not "
		    "set %.128s", address);
		return VARS_MISSING;
	}
	if (strstr(value, "${secret:"))
		return vars_fail(v, at, "%s in the env file holds "
		    "'${secret:'; write the secret into " CONF_FILE, address);
	return found_text(v, at, value, out);
}

static enum vars_result
look_secret(struct vars *v, const struct node *at, const char *arg,
    const char *address, struct node **out)
{
	char text[160];

	(void)arg;
	if (!address || !format_identifier(address))
		return vars_fail(v, at, "${secret:} needs a name of letters, "
		    "digits and '_', with no digit first");
	snprintf(text, sizeof text, "${secret:%s}", address);
	if (found_text(v, at, text, out) != VARS_FOUND)
		return VARS_BAD;
	(*out)->secret = true;
	return VARS_FOUND;
}

static enum vars_result
look_sls(struct vars *v, const struct node *at, const char *arg,
    const char *address, struct node **out)
{
	(void)arg;
	if (!address || strcmp(address, "stage") != 0)
		return vars_fail(v, at, "only ${sls:stage} is known here");
	if (!v->stage)
		return vars_fail(v, at, "provider.stage can't depend on "
		    "itself");
	return found_text(v, at, v->stage, out);
}

static const struct source sources[] = {
	{"param", false, look_param},
	{"env", false, look_env},
	{"self", false, look_self},
	{"file", true, look_file},
	{"secret", false, look_secret},
	{"sls", false, look_sls},
};

enum vars_result
vars_source(struct vars *v, const struct node *at, const char *source,
    const char *arg, const char *address, struct node **out)
{
	struct suggest near = {.word = source};
	size_t i;

	for (i = 0; i < sizeof sources / sizeof sources[0]; i++) {
		const struct source *s = &sources[i];

		suggest_offer(&near, s->name);
		if (strcmp(s->name, source) != 0)
			continue;
		if (s->takes_arg && !arg)
			return vars_fail(v, at, "write ${%s(path):key}",
			    source);
		if (!s->takes_arg && arg)
			return vars_fail(v, at, "${%s:} takes nothing in "
			    "parentheses", source);
		return s->look(v, at, arg, address, out);
	}
	if (near.best)
		return vars_fail(v, at, "unknown variable source '%.40s'; did "
		    "you mean '%s'?", source, near.best);
	return vars_fail(v, at, "unknown variable source '%.40s'; there are "
	    "param, env, self, file, secret and sls. A literal ${ is written "
	    "\\${", source);
}
