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
	const char *branch, *time, *memory, *http, *keep, *url;
};

static const struct opt create_opts[] = {
    {"branch", 0, OPT_VALUE, "NAME", offsetof(struct options, branch),
	"the branch that is deployed (main)"},
    {"build-memory", 0, OPT_VALUE, "MB", offsetof(struct options, memory),
	"memory of each program of a build; of all, twice that (2048)"},
    {"build-time", 0, OPT_VALUE, "S", offsetof(struct options, time),
	"seconds that a build may take (600)"},
    {"http", 0, OPT_VALUE, "/PATH", offsetof(struct options, http),
	"takes pushes over HTTP at this path, as /deploy.git; '' ends it"},
    {"keep", 0, OPT_VALUE, "N", offsetof(struct options, keep),
	"releases that are kept, the live one with them (5)"},
    {"url", 0, OPT_VALUE, "URL", offsetof(struct options, url),
	"where the site is reached: begins the addresses shown"},
    {NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

static bool
is_branch(const char *name)
{
	return strlen(name) < RELEASE_NAME_SIZE - 16 && *name != '\0' &&
	       *name != '-' && *name != '/' && !strpbrk(name, " ~^:?*[\\") &&
	       !strstr(name, "..") && !strstr(name, "//");
}

/* The number of an option that was given; else it stays. */
static int
take_number(const char *option, const char *text, int least, int most, int *out,
    struct err *e)
{
	long n;
	char *end;

	if (!text)
		return 0;
	n = strtol(text, &end, 10);
	if (*end || end == text || n < least || n > most)
		return err_set(e, EINVAL,
		    "--%s takes a number from %d to %d, not %.64s", option,
		    least, most, text);
	*out = (int)n;
	return 0;
}

static int
take_url(const char *text, struct release_site *s, struct err *e)
{
	if (*text && strncmp(text, "http://", 7) != 0 &&
	    strncmp(text, "https://", 8) != 0)
		return err_set(
		    e, EINVAL, "--url begins with https:// or http://");
	if (strlen(text) >= sizeof s->url)
		return err_set(e, ENAMETOOLONG, "--url is too long");
	strcpy(s->url, text);
	return 0;
}

static int
take_http(const char *text, struct release_site *s, struct err *e)
{
	if (!release_http_valid(text))
		return err_set(e, EINVAL,
		    "--http is a path as /deploy.git: letters, digits, '.', "
		    "'_' and '-', no slash at the end");
	strcpy(s->http, text);
	return 0;
}

/* Of a site that is there, what is not asked for stays. */
static int
choose(const struct options *o, struct release_site *s, struct err *e)
{
	if (o->branch && !is_branch(o->branch))
		return err_set(e, EINVAL, "%.64s can't be a branch", o->branch);
	if (o->branch)
		snprintf(s->branch, sizeof s->branch, "%s", o->branch);
	if (o->url && take_url(o->url, s, e) < 0)
		return -1;
	if (o->http && take_http(o->http, s, e) < 0)
		return -1;
	if (take_number("keep", o->keep, 1, RELEASE_KEEP_MAX, &s->keep, e) <
		0 ||
	    take_number("build-memory", o->memory, RELEASE_BUILD_LEAST_MB,
		RELEASE_BUILD_MAX_MB, &s->build_mb, e) < 0)
		return -1;
	return take_number(
	    "build-time", o->time, 1, RELEASE_BUILD_MAX_S, &s->build_s, e);
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
		*s = (struct release_site){.branch = "main",
		    .keep = RELEASE_KEEP,
		    .build_s = RELEASE_BUILD_S,
		    .build_mb = RELEASE_BUILD_MB};
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
	if (s->http[0])
		printf("or over HTTP, with the secret of a key as password:\n"
		       "  git remote add bothy %s%s\n"
		       "which is made here:\n"
		       "  bothy --site %s key create --allow deploy\n",
		    s->url[0] ? s->url : "https://HOST", s->http, s->dir);
	printf("\nand here, for a web server:\n"
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
