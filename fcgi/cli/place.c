/*
 * Finds the site, the state directory, our programs and the SDK for bothy's
 * commands.  Never makes anything but the state directory.
 */
#include "place.h"

#include "fcgi/release/release.h"
#include "store/base/io.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
place_path(char *out, struct err *e, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = io_vpath(out, e, fmt, ap);
	va_end(ap);
	return rc;
}

/* Cuts the last component off; false at the root. */
static int
go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash || strcmp(path, "/") == 0)
		return 0;
	slash[slash == path] = '\0';
	return 1;
}

/* True if it holds deploy.yaml, or what a deployed site has instead. */
static bool
is_site(const char *dir)
{
	char file[PATH_MAX];
	struct err ignored;

	return release_is_site(dir) ||
	    (place_path(file, &ignored, "%s/deploy.yaml", dir) == 0 &&
	        access(file, F_OK) == 0);
}

/* The nearest directory upwards that is a site. */
static int
search_up(char *site, struct err *e)
{
	char here[PATH_MAX];

	if (!getcwd(here, sizeof here))
		return err_sys(e, "cannot tell the working directory");
	memcpy(site, here, PATH_MAX);
	do {
		if (is_site(site))
			return 0;
	} while (go_up(site));
	return err_set(e, ENOENT, "no deploy.yaml in %s or above it; go to a "
	    "site, name one with --site DIR, or make one with `bothy init`",
	    here);
}

/* An absolute path for a directory that may not exist. */
static int
absolute(const char *path, char *out, struct err *e)
{
	char here[PATH_MAX];

	if (realpath(path, out))
		return 0;
	if (path[0] == '/')
		return place_path(out, e, "%s", path);
	if (!getcwd(here, sizeof here))
		return err_sys(e, "cannot tell the working directory");
	return place_path(out, e, "%s/%s", here, path);
}

int
place_find(struct place *p, const char *site, const char *state,
    struct err *e)
{
	if (!site)
		site = getenv("BOTHY_SITE");
	if (site && *site) {
		if (!realpath(site, p->site))
			return err_sys(e, "cannot find the site %s", site);
	} else if (search_up(p->site, e) < 0)
		return -1;
	p->stage[0] = '\0';
	if (!state)
		state = getenv("BOTHY_STATE");
	if (state && *state)
		return absolute(state, p->state, e);
	return place_path(p->state, e, "%s/.bothy", p->site);
}

int
place_make_state(const struct place *p, struct err *e)
{
	struct stat st;

	if (stat(p->state, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return io_mkdirs(p->state, 0711, e);
}

/* The directory of this program's file. */
static int
own_directory(char *out, struct err *e)
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);

	if (n < 0)
		return err_sys(e, "cannot tell where bothy is installed");
	out[n] = '\0';
	go_up(out);
	return 0;
}

int
place_which(const char *name, char *out)
{
	const char *path = getenv("PATH");
	char dirs[PATH_MAX];
	char *dir, *rest = dirs;
	struct err ignored;

	if (snprintf(dirs, sizeof dirs, "%s:/usr/sbin:/sbin",
	    path && *path ? path : "/usr/bin:/bin") >= (int)sizeof dirs)
		return -1;
	while ((dir = strsep(&rest, ":"))) {
		if (*dir == '/' &&
		    place_path(out, &ignored, "%s/%s", dir, name) == 0 &&
		    access(out, X_OK) == 0)
			return 0;
	}
	return -1;
}

int
place_program(const char *name, char *out, struct err *e)
{
	char dir[PATH_MAX];

	if (own_directory(dir, e) < 0 ||
	    place_path(out, e, "%s/%s", dir, name) < 0)
		return -1;
	if (access(out, X_OK) == 0 || place_which(name, out) == 0)
		return 0;
	return err_set(e, ENOENT, "%s is neither in %s nor in $PATH; it "
	    "belongs beside bothy: install it again", name, dir);
}

/* True if libbothy.a and bothy.h are there. */
static int
is_sdk(const char *include, const char *lib)
{
	char file[PATH_MAX];
	struct err ignored;

	return place_path(file, &ignored, "%s/bothy.h", include) == 0 &&
	    access(file, R_OK) == 0 &&
	    place_path(file, &ignored, "%s/libbothy.a", lib) == 0 &&
	    access(file, R_OK) == 0;
}

int
place_sdk(const char *sdk, char *include, char *lib, struct err *e)
{
	char dir[PATH_MAX];

	if (!sdk)
		sdk = getenv("BOTHY_SDK");
	if (sdk && *sdk) {
		if (absolute(sdk, include, e) < 0)
			return -1;
		memcpy(lib, include, PATH_MAX);
		if (is_sdk(include, lib))
			return 0;
		return err_set(e, ENOENT,
		    "no bothy.h and libbothy.a in %s (--sdk or $BOTHY_SDK)",
		    include);
	}
	if (own_directory(dir, e) < 0)
		return -1;
	go_up(dir);
	if (place_path(include, e, "%s/sdk", dir) < 0)
		return -1;
	memcpy(lib, include, PATH_MAX);
	if (is_sdk(include, lib))
		return 0;
	if (place_path(include, e, "%s/include", dir) < 0 ||
	    place_path(lib, e, "%s/lib/bothy", dir) < 0)
		return -1;
	if (is_sdk(include, lib))
		return 0;
	return err_set(e, ENOENT, "cannot find bothy.h and libbothy.a below "
	    "%s; name their directory with --sdk DIR", dir);
}
