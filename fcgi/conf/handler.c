/*
 * Handlers -> files: where a function's source lies, where it works, and what
 * the builder made of it.  Runs where a configuration is loaded; looks at
 * files, but opens none and builds nothing.
 */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The directory part of an absolute path. */
static const char *
parent(struct zone *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	return zone_strndup(a, path,
	    slash > path ? (size_t)(slash - path) : 1);
}

static bool
ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n > k && strcmp(s + n - k, end) == 0;
}

/* True if the folder holds a Makefile or a .c file. */
static bool
can_be_built(const char *path)
{
	const struct dirent *de;
	bool found = false;
	DIR *d = opendir(path);

	while (d && !found && (de = readdir(d)))
		found = strcmp(de->d_name, "Makefile") == 0 ||
		    ends_in(de->d_name, ".c");
	if (d)
		closedir(d);
	return found;
}

/* True if `path` lies below the site. */
static bool
inside(const char *site, const char *path)
{
	size_t n = strlen(site);

	if (strcmp(site, "/") == 0)
		return true;
	return strncmp(path, site, n) == 0 && path[n] == '/';
}

static int
check_exec(struct checker *c, const struct node *n, struct conf_function *f,
    const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return check_fail(c, n, "%.200s is no file; runtime exec "
		    "needs an executable", f->handler);
	if (access(f->source, X_OK) < 0)
		return check_fail(c, n, "%.200s can't be executed: %s; try "
		    "chmod +x", f->handler, strerror(errno));
	f->link = f->binary = f->source;
	f->directory = parent(c->zone, f->source);
	return 0;
}

static int
check_c(struct checker *c, const struct node *n, struct conf_function *f,
    const struct stat *st)
{
	if (!inside(c->conf->directory, f->source))
		return check_fail(c, n, "%.200s is outside of the site; what "
		    "is built must be in it", f->handler);
	if (S_ISDIR(st->st_mode)) {
		f->directory = f->source;
		if (!can_be_built(f->source))
			return check_fail(c, n, "there is no .c file and no "
			    "Makefile in %.200s", f->handler);
		return 0;
	}
	f->directory = parent(c->zone, f->source);
	if (!S_ISREG(st->st_mode) || !ends_in(f->source, ".c"))
		return check_fail(c, n, "%.200s is no .c file and no folder; "
		    "for other programs write runtime: exec", f->handler);
	return 0;
}

/* What was built of the function, if that is asked for. */
static void
find_build(struct checker *c, const struct node *n, struct conf_function *f,
    const struct conf_options *opt)
{
	char real[PATH_MAX];
	struct stat st;

	if (!opt->state_dir)
		return;
	if (c->conf->release)
		f->link = zone_printf(c->zone, "%s/bin/%s", c->conf->release,
		    f->name);
	else
		f->link = zone_printf(c->zone, "%s/build/%s", opt->state_dir,
		    f->name);
	if (f->link && realpath(f->link, real) && stat(real, &st) == 0 &&
	    S_ISREG(st.st_mode))
		f->binary = zone_strdup(c->zone, real);
	else if (opt->require_builds)
		check_fail(c, n, "the function '%s' is not built; run bothy "
		    "build, which says why", f->name);
}

void
handler_resolve(struct checker *c, const struct node *n,
    struct conf_function *f, const struct conf_options *opt)
{
	char real[PATH_MAX];
	const char *path = f->handler;
	struct stat st;

	if (path[0] != '/')
		path = zone_printf(c->zone, "%s/%s", c->conf->directory,
		    path);
	if (!path)
		return;
	if (!realpath(path, real) || stat(real, &st) < 0) {
		check_fail(c, n, "the handler %.200s of '%s' can't be found: "
		    "%s", f->handler, f->name, strerror(errno));
		return;
	}
	f->source = zone_strdup(c->zone, real);
	if (!f->source)
		return;
	if (f->runtime == SNAP_RUNTIME_EXEC)
		check_exec(c, n, f, &st);
	else if (check_c(c, n, f, &st) == 0)
		find_build(c, n, f, opt);
}
