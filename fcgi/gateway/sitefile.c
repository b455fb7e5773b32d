/*
 * Finding the site, as sitefile.h describes it.
 */
#include "sitefile.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 16 * 1024 };

static int
take_line(struct sitefile *s, const char *file, int number, char *line,
    struct err *e)
{
	char *value = strchr(line, '=');
	const char **to = NULL;

	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if (value)
		*value++ = '\0';
	if (strcmp(line, "site") == 0)
		to = &s->site;
	else if (strcmp(line, "state") == 0)
		to = &s->state;
	else if (strcmp(line, "launch") == 0)
		to = &s->launcher;
	if (!to || !value || value[0] != '/') {
		err_set(e, EINVAL, "lines are site=, state= or launch= with "
		    "an absolute path");
		err_at(e, file, number, 1);
		return -1;
	}
	if (!*to)
		*to = strdup(value);
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

int
sitefile_find(struct sitefile *s, const char *argv0, struct err *e)
{
	int rc = 1;

	if (!s->site)
		s->site = getenv("BOTHY_SITE");
	if (!s->state)
		s->state = getenv("BOTHY_STATE");
	if (!s->site && argv0)
		rc = read_beside(s, argv0, e);
	if (rc < 0)
		return -1;
	s->site = resolve(s->site ? s->site : ".", e);
	if (!s->site)
		return -1;
	s->state = s->state ? absolute(s->state) : default_state(s->site);
	return s->state ? 0 : err_set(e, ENOMEM, "out of memory");
}
