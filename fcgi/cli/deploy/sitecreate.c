/*
 * bothy site create: a repository that deploys what is pushed to it.
 */
#include "fcgi/cli/cli.h"
#include "fcgi/deploy/deploy.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *branch, *keep, *url;
};

static const struct opt create_opts[] = {
    {"branch", 0, OPT_VALUE, "NAME", offsetof(struct options, branch),
	"the branch that is deployed (main)"},
    {"keep", 0, OPT_VALUE, "N", offsetof(struct options, keep),
	"releases that are kept, the live one with them (5)"},
    {"url", 0, OPT_VALUE, "URL", offsetof(struct options, url),
	"where the site is reached: begins the addresses shown"},
    {NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* Of a site that is there, what is not asked for stays. */
static int
choose(const struct options *o, struct release_site *s, struct err *e)
{
	const char *branch = o->branch ? o->branch : s->branch;
	const char *url = o->url ? o->url : s->url;
	char *end = NULL;
	long keep = o->keep ? strtol(o->keep, &end, 10) : s->keep;

	if (strlen(branch) >= sizeof s->branch - 16 || *branch == '\0' ||
	    *branch == '-' || *branch == '/' || strpbrk(branch, " ~^:?*[\\") ||
	    strstr(branch, "..") || strstr(branch, "//"))
		return err_set(e, EINVAL, "%.64s can't be a branch", branch);
	if ((end && (*end || end == o->keep)) || keep < 1 ||
	    keep > RELEASE_KEEP_MAX)
		return err_set(e, EINVAL,
		    "--keep takes a number from 1 to "
		    "%d, not %.64s",
		    RELEASE_KEEP_MAX, o->keep);
	if (*url && strncmp(url, "http://", 7) != 0 &&
	    strncmp(url, "https://", 8) != 0)
		return err_set(e, EINVAL,
		    "--url begins with https:// or "
		    "http://");
	if (strlen(url) >= sizeof s->url)
		return err_set(e, ENAMETOOLONG, "--url is too long");
	if (branch != s->branch)
		snprintf(s->branch, sizeof s->branch, "%s", branch);
	if (url != s->url)
		snprintf(s->url, sizeof s->url, "%s", url);
	s->keep = (int)keep;
	return 0;
}

/* What it has already, if it is one; else as usual. */
static void
begin(const char *name, struct release_site *s)
{
	char dir[PATH_MAX], real[PATH_MAX];
	struct err ignored;
	size_t n = strlen(name);

	if (n > 4 && strcmp(name + n - 4, ".git") == 0)
		n -= 4;
	if (place_path(dir, &ignored, "%.*s", (int)n, name) < 0 ||
	    !realpath(dir, real) || release_site_read(s, real, &ignored) < 0)
		*s = (struct release_site){
		    .branch = "main", .keep = RELEASE_KEEP};
}

/* user@host:path, as git takes it: what is typed on the other side. */
static void
say_next(const struct release_site *s)
{
	const struct passwd *user = getpwuid(geteuid());
	char host[256] = "";

	if (gethostname(host, sizeof host - 1) < 0 || !*host)
		snprintf(host, sizeof host, "HOST");
	printf("\nwhere the site is written:\n"
	       "  git remote add bothy ssh://%s@%s%s\n"
	       "  git push bothy %s\n",
	    user ? user->pw_name : "USER", host, s->repository, s->branch);
	printf("\nand here, for a web server, once something was pushed:\n"
	       "  bothy --site %s config\n",
	    s->dir);
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	struct release_site s;
	char program[PATH_MAX];
	struct err e;

	(void)c;
	(void)argc;
	begin(argv[0], &s);
	if (choose(values, &s, &e) < 0)
		return cli_usage("site create", "%s", e.text);
	if (place_program("bothy", program, &e) < 0 ||
	    deploy_create(argv[0], program, &s, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	printf("made   %s    the repository to push to\n", s.repository);
	printf("made   %s    the site: releases, documents, logs\n", s.dir);
	say_next(&s);
	return CLI_OK;
}

const struct command command_site_create = {
    .name = "site create",
    .arguments = "NAME",
    .summary = "make a site that is deployed by git push",
    .help = "Makes the bare repository NAME.git and the site's directory "
	    "NAME beside it. What is pushed to the repository's main is "
	    "checked, built and goes live, or is refused. Of a site that "
	    "is there, hooks and settings are written anew, and only "
	    "options that are given change.",
    .opts = create_opts,
    .size = sizeof(struct options),
    .least = 1,
    .most = 1,
    .run = run,
};
