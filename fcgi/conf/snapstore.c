/*
 * Snapshots in the state directory: written in one step, switched in another,
 * removed when nobody can mean them any more.  Runs in the CLI, and in the
 * gateway at start and reload.
 */
#include "snapimage.h"

#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { KEEP_SECONDS = 7 * 24 * 60 * 60 };

/* What has been neither current nor made for a week goes. */
static void
prune(const char *dir, const char *id)
{
	const struct dirent *de;
	struct stat st;
	time_t now = time(NULL);
	DIR *d = opendir(dir);

	while (d && (de = readdir(d)))
		if (de->d_name[0] != '.' && strcmp(de->d_name, id) != 0 &&
		    fstatat(dirfd(d), de->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		    now - st.st_mtime > KEEP_SECONDS)
			unlinkat(dirfd(d), de->d_name, 0);
	if (d)
		closedir(d);
}

/* Makes <dir>/current lead to `id`; what it led to is young again. */
static int
switch_current(const char *dir, const char *id, struct err *e)
{
	char current[PATH_MAX], next[PATH_MAX];

	if (snprintf(current, sizeof current, "%s/current", dir) >=
	    (int)sizeof current ||
	    snprintf(next, sizeof next, "%s/.current.%ld", dir,
	    (long)gettid()) >= (int)sizeof next)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    dir);
	utimensat(AT_FDCWD, current, NULL, 0);
	unlink(next);
	if (symlink(id, next) < 0)
		return err_sys(e, "cannot create %s", next);
	if (rename(next, current) < 0) {
		err_sys(e, "cannot put %s in place", current);
		unlink(next);
		return -1;
	}
	return 0;
}

static int
write_image(const struct snapshot *s, const char *state_dir, struct err *e)
{
	char dir[PATH_MAX], path[PATH_MAX];

	if (snprintf(dir, sizeof dir, "%s/snap", state_dir) >=
	    (int)sizeof dir ||
	    snprintf(path, sizeof path, "%s/%s", dir, s->image->id) >=
	    (int)sizeof path)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    state_dir);
	if (io_mkdirs(dir, 0700, e) < 0 ||
	    io_replace_file(path, s->image, s->image->bytes, 0600, e) < 0 ||
	    switch_current(dir, s->image->id, e) < 0)
		return -1;
	prune(dir, s->image->id);
	return 0;
}

int
snapshot_write(const struct conf *c, const char *state_dir,
    char id[SNAP_ID_SIZE], struct err *e)
{
	struct snapshot *s = snapshot_build(c, e);
	int rc;

	if (!s)
		return -1;
	memcpy(id, s->image->id, SNAP_ID_SIZE);
	rc = write_image(s, state_dir, e);
	snapshot_free(s);
	return rc;
}
