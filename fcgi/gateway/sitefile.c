/*
 * Finding the site, as sitefile.h describes it.
 */
#include "sitefile.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 16 * 1024 };

static bool
is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

static int
take_line(struct sitefile *s, const char *file, int number, char *line,
    struct err *e)
{
	const char *gateway = NULL;
	const struct {
		const char *name;
		const char **to;
	} KEYS[] = {{"site", &s->site}, {"state", &s->state},
	    {"launch", &s->launcher}, {"gateway", &gateway},
	    {"resident", &s->resident}, {"stage", &s->stage},
	    {"secrets", &s->secrets}, {NULL, NULL}};
	char *value = strchr(line, '=');
	size_t i = 0;
	bool good;

	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if (value)
		*value++ = '\0';
	while (KEYS[i].name && strcmp(line, KEYS[i].name) != 0)
		i++;
	good = KEYS[i].name && value;
	if (good && KEYS[i].to == &s->resident)
		good = is_number(value);
	else if (good && KEYS[i].to == &s->stage)
		good = value[0] != '\0';
	else if (good)
		good = value[0] == '/';
	if (!good) {
		err_set(e, EINVAL, "lines are site=, state=, launch=, "
		    "gateway= or secrets= with an absolute path, stage= with "
		    "a name, or resident= with a number of seconds");
		err_at(e, file, number, 1);
		return -1;
	}
	if (!*KEYS[i].to && KEYS[i].to != &gateway)
		*KEYS[i].to = strdup(value);
	return 0;
}

/* Reads bothy.site in the directory of `program`; 1 if there is none. */
static int
read_beside(struct sitefile *s, const char *program, struct err *e)
{
	const char *slash = strrchr(program, '/');
	char path[PATH_MAX], *line, *next;
	struct buf b;
	int rc = 0, number = 1;

	/* mod_cgid says only the name; the directory is then where we are. */
	if (snprintf(path, sizeof path, "%.*s/bothy.site",
	        slash ? (int)(slash - program) : 1, slash ? program : ".") >=
	    (int)sizeof path)
		return 1;
	buf_init(&b, FILE_MAX);
	if (io_read_file(AT_FDCWD, path, &b, e) < 0)
		rc = e->code == ENOENT ? 1 : -1;
	for (line = b.data; rc == 0 && line && *line; line = next, number++) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		else
			next = line + strlen(line);
		rc = take_line(s, path, number, line, e);
	}
	buf_release(&b);
	return rc;
}

/* An absolute path without links, "" + error if it is not there. */
static const char *
resolve(const char *path, struct err *e)
{
	char *real = realpath(path, NULL);

	if (!real)
		err_sys(e, "cannot find the site %s", path);
	return real;
}

static const char *
default_state(const char *site)
{
	size_t n = strlen(site) + sizeof "/.bothy";
	char *state = malloc(n);

	if (state)
		snprintf(state, n, "%s/.bothy", site);
	return state;
}

static const char *
absolute(const char *path)
{
	char cwd[PATH_MAX], *full;
	size_t n;

	if (path[0] == '/' || !getcwd(cwd, sizeof cwd))
		return path;
	n = strlen(cwd) + strlen(path) + 2;
	full = malloc(n);
	if (full)
		snprintf(full, n, "%s/%s", cwd, path);
	return full;
}

/* The environment's own word goes before the file's. */
static int
hand_on(const char *variable, const char *value, struct err *e)
{
	if (!value || setenv(variable, value, 0) == 0)
		return 0;
	return err_sys(e, "cannot set %s", variable);
}

int
sitefile_find(struct sitefile *s, const char *argv0, struct err *e)
{
	int rc = 1;

	if (!s->site)
		s->site = getenv("BOTHY_SITE");
	if (!s->state)
		s->state = getenv("BOTHY_STATE");
	if (!s->resident)
		s->resident = getenv("BOTHY_RESIDENT");
	if (!s->site && argv0)
		rc = read_beside(s, argv0, e);
	if (rc < 0 || hand_on("BOTHY_STAGE", s->stage, e) < 0 ||
	    hand_on("BOTHY_SECRETS", s->secrets, e) < 0)
		return -1;
	s->site = resolve(s->site ? s->site : ".", e);
	if (!s->site)
		return -1;
	s->state = s->state ? absolute(s->state) : default_state(s->site);
	return s->state ? 0 : err_set(e, ENOMEM, "out of memory");
}
