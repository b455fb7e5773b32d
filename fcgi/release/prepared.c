/*
 * SITE/deploy/prepared: the release that waits for its ref (release.h).
 */
#include "release.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PREPARED_BYTES = 4096 };

static int
path_of(const char *site, char *path, struct err *e)
{
	return release_path(path, e, "%s/deploy/prepared", site);
}

/* What was cut off while it was written; nobody else writes one now. */
static void
remove_drafts(const char *site)
{
	char path[PATH_MAX];
	const struct dirent *de;
	struct err ignored;
	DIR *d = NULL;

	if (release_path(path, &ignored, "%s/deploy", site) == 0)
		d = opendir(path);
	while (d && (de = readdir(d)))
		if (strncmp(de->d_name, "prepared.", 9) == 0)
			unlinkat(dirfd(d), de->d_name, 0);
	if (d)
		closedir(d);
}

int
prepared_write(const struct prepared *p, const char *site, struct err *e)
{
	char path[PATH_MAX], *text;
	json_t *o;
	int rc;

	if (path_of(site, path, e) < 0)
		return -1;
	remove_drafts(site);
	o = json_pack("{s:I, s:s, s:s, s:s, s:I, s:I}", "release",
	    (json_int_t)p->number, "ref", p->ref, "old", p->old, "commit",
	    p->commit, "pid", (json_int_t)p->pid, "started",
	    (json_int_t)p->started);
	text = o ? json_dumps(o, 0) : NULL;
	rc = text ? io_replace_file(path, text, strlen(text), 0600, e)
		  : err_set(e, ENOMEM, "no memory");
	free(text);
	json_decref(o);
	return rc;
}

static int
take(const json_t *o, const char *key, char *out, size_t room)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && snprintf(out, room, "%s", s) < (int)room ? 0 : -1;
}

int
prepared_read(struct prepared *p, const char *site, struct err *e)
{
	char path[PATH_MAX];
	struct buf text;
	json_t *o = NULL;
	json_int_t n;
	int rc = -1;

	memset(p, 0, sizeof *p);
	if (path_of(site, path, e) < 0)
		return -1;
	buf_init(&text, PREPARED_BYTES);
	if (io_read_file(AT_FDCWD, path, &text, e) == 0) {
		o = json_loadb(buf_str(&text), text.len, 0, NULL);
		n = json_integer_value(json_object_get(o, "release"));
		if (take(o, "ref", p->ref, sizeof p->ref) == 0 &&
		    take(o, "old", p->old, sizeof p->old) == 0 &&
		    take(o, "commit", p->commit, sizeof p->commit) == 0 &&
		    n >= 0 && n <= RELEASE_MAX)
			rc = 0;
		else
			err_set(e, EINVAL,
			    "%s is damaged; remove it and push "
			    "again",
			    path);
		p->number = (uint32_t)n;
		p->pid = (pid_t)json_integer_value(json_object_get(o, "pid"));
		p->started =
		    (uint64_t)json_integer_value(json_object_get(o, "started"));
	}
	json_decref(o);
	buf_release(&text);
	return rc;
}

int
prepared_remove(const char *site, struct err *e)
{
	char path[PATH_MAX];

	if (path_of(site, path, e) < 0)
		return -1;
	if (unlink(path) < 0)
		return errno == ENOENT ? 0
				       : err_sys(e, "cannot remove %s", path);
	*strrchr(path, '/') = '\0';
	return release_sync_names(path, e);
}

uint64_t
prepared_started(pid_t pid)
{
	enum { FIELDS_AFTER_NAME = 19 }; /* proc(5): the 22nd in all */
	char path[64], line[1024], *s;
	struct err ignored;
	struct buf text;
	int i;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	buf_init(&text, sizeof line);
	if (pid <= 0 || io_read_file(AT_FDCWD, path, &text, &ignored) < 0)
		text.len = 0;
	snprintf(line, sizeof line, "%s", text.len ? buf_str(&text) : "");
	buf_release(&text);
	s = strrchr(line, ')');
	/* What has ended and was not waited for moves no ref either. */
	if (!s || s[1] == '\0' || s[2] == 'Z')
		return 0;
	for (i = 0; s && i <= FIELDS_AFTER_NAME; i++)
		s = strchr(s + 1, ' ');
	return s ? strtoull(s, NULL, 10) : 0;
}

bool
prepared_is_pending(const struct prepared *p)
{
	return p->started && prepared_started(p->pid) == p->started;
}
