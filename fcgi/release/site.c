/*
 * SITE/bothy.json, and the deploy lock (release.h).  Runs in bothy, and at a
 * gateway's start.
 */
#include "release.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SITE_BYTES = 64 * 1024 };

int
release_path(char *out, struct err *e, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = io_vpath(out, e, fmt, ap);
	va_end(ap);
	return rc;
}

bool
release_is_site(const char *dir)
{
	char path[PATH_MAX];
	struct err ignored;

	return release_path(path, &ignored, "%s/bothy.json", dir) == 0 &&
	       access(path, F_OK) == 0;
}

/* A text of the file that has to fit; 0 or -1. */
static int
take(const json_t *file, const char *key, char *out, size_t room)
{
	const char *s = json_string_value(json_object_get(file, key));

	return s && snprintf(out, room, "%s", s) < (int)room ? 0 : -1;
}

bool
release_http_valid(const char *path)
{
	const char *s;

	if (!*path)
		return true;
	for (s = path; *s; s++)
		if ((!isalnum((unsigned char)*s) && !strchr("/._-", *s)) ||
		    (*s == '/' && !isalnum((unsigned char)s[1]) && s[1] != '_'))
			return false;
	return *path == '/' && strlen(path) < RELEASE_HTTP_SIZE;
}

/* Sites that were made before it could be had have none. */
static int
take_http(struct release_site *s, const json_t *file)
{
	if (!json_object_get(file, "http"))
		return 0;
	return take(file, "http", s->http, sizeof s->http) < 0 ||
		       !release_http_valid(s->http)
		   ? -1
		   : 0;
}

/* Sites that were made before it could be said have the usual. */
static int
take_build_mb(struct release_site *s, const json_t *file)
{
	const json_t *o = json_object_get(file, "build_mb");
	json_int_t mb = o ? json_integer_value(o) : RELEASE_BUILD_MB;

	if (mb < RELEASE_BUILD_LEAST_MB || mb > RELEASE_BUILD_MAX_MB)
		return -1;
	s->build_mb = (int)mb;
	return 0;
}

/* A stage's own file alone has it. */
static int
take_stage(struct release_site *s, const json_t *file)
{
	char name[RELEASE_STAGE_SIZE];
	struct err ignored;

	if (!json_object_get(file, "stage"))
		return 0;
	return take(file, "stage", s->stage, sizeof s->stage) < 0 ||
		       release_stage_name(s->stage, name, &ignored) < 0 ||
		       strcmp(name, s->stage) != 0
		   ? -1
		   : 0;
}

static int
read_json(struct release_site *s, const json_t *file)
{
	json_int_t keep = json_integer_value(json_object_get(file, "keep"));
	json_int_t build_s =
	    json_integer_value(json_object_get(file, "build_s"));

	if (take(file, "repository", s->repository, sizeof s->repository) < 0 ||
	    take(file, "branch", s->branch, sizeof s->branch) < 0 ||
	    take(file, "url", s->url, sizeof s->url) < 0 ||
	    take_http(s, file) < 0 || take_stage(s, file) < 0 ||
	    s->repository[0] != '/' || keep < 1 || keep > RELEASE_KEEP_MAX ||
	    build_s < 1 || build_s > RELEASE_BUILD_MAX_S ||
	    take_build_mb(s, file) < 0)
		return -1;
	s->keep = (int)keep;
	s->build_s = (int)build_s;
	return 0;
}

int
release_site_read(struct release_site *s, const char *dir, struct err *e)
{
	char path[PATH_MAX];
	json_t *file = NULL;
	struct buf text;
	int rc = -1;

	memset(s, 0, sizeof *s);
	if (release_path(s->dir, e, "%s", dir) < 0 ||
	    release_path(path, e, "%s/bothy.json", dir) < 0)
		return -1;
	buf_init(&text, SITE_BYTES);
	if (io_read_file(AT_FDCWD, path, &text, e) == 0) {
		file = json_loadb(buf_str(&text), text.len, 0, NULL);
		rc = read_json(s, file);
		if (rc < 0)
			err_set(e, EINVAL,
			    "%s is not what `bothy site "
			    "create` writes; run that again",
			    path);
	}
	json_decref(file);
	buf_release(&text);
	return rc;
}

int
release_site_write(const struct release_site *s, struct err *e)
{
	char path[PATH_MAX], *text;
	json_t *file;
	int rc = -1;

	if (release_path(path, e, "%s/bothy.json", s->dir) < 0)
		return -1;
	file = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i}", "repository",
	    s->repository, "branch", s->branch, "url", s->url, "http", s->http,
	    "keep", s->keep, "build_s", s->build_s, "build_mb", s->build_mb);
	if (file && s->stage[0])
		json_object_set_new(file, "stage", json_string(s->stage));
	text = file ? json_dumps(file, JSON_INDENT(2)) : NULL;
	if (text)
		rc = io_replace_file(path, text, strlen(text), 0644, e);
	else
		err_set(e, EINVAL,
		    "the site's paths and address must be "
		    "UTF-8");
	free(text);
	json_decref(file);
	return rc;
}

/* True if the file is what the path names: a stage may have gone meanwhile. */
static bool
is_named(int fd, const char *path)
{
	struct stat named, held;

	return fstat(fd, &held) == 0 && stat(path, &named) == 0 &&
	       named.st_ino == held.st_ino && named.st_dev == held.st_dev;
}

int
release_lock(const char *dir, bool wait, struct err *e)
{
	char path[PATH_MAX];
	int fd, rc;

	if (release_path(path, e, "%s/deploy/lock", dir) < 0)
		return -1;
	do {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return err_sys(e, "cannot open %s", path);
		do
			rc = flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
		while (rc < 0 && errno == EINTR);
		if (rc < 0) {
			err_sys(e, "cannot lock %s", path);
			io_close(&fd);
			return -1;
		}
		if (is_named(fd, path))
			return fd;
		io_close(&fd);
	} while (true);
}
