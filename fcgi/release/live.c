/*
 * Which release is live, and the switch to another: one rename of a link
 * (release.h).  Runs in git's hook, in bothy rollback, at a gateway's start.
 */
#include "release.h"

#include "store/base/plant.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char TARGET[] = "releases/";

/* The number that a link leads to, 0 if it is not there; -1 with the error. */
static int64_t
read_link(const char *path, struct err *e)
{
	char target[64], *end;
	unsigned long number;
	ssize_t n;

	n = readlink(path, target, sizeof target - 1);
	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot read %s", path);
	target[n] = '\0';
	if (strncmp(target, TARGET, sizeof TARGET - 1) == 0) {
		number = strtoul(target + sizeof TARGET - 1, &end, 10);
		if (*end == '\0' && number > 0 && number <= RELEASE_MAX)
			return (int64_t)number;
	}
	return err_set(e, EINVAL, "%s is no link to releases/N", path);
}

int64_t
release_live(const char *site, struct err *e)
{
	char path[PATH_MAX];

	if (release_path(path, e, "%s/live", site) < 0)
		return -1;
	return read_link(path, e);
}

/* PATH becomes a link to a release, from one moment to the next. */
static int
point(const char *path, int64_t number, struct err *e)
{
	char fresh[PATH_MAX], target[64];

	snprintf(target, sizeof target, "%s%" PRId64, TARGET, number);
	if (release_path(fresh, e, "%s.new", path) < 0)
		return -1;
	unlink(fresh);
	if (symlink(target, fresh) < 0)
		return err_sys(e, "cannot make %s", fresh);
	if (rename(fresh, path) < 0)
		return err_sys(e, "cannot switch %s", path);
	return 0;
}

int64_t
release_left(const char *site, time_t *since)
{
	char path[PATH_MAX];
	struct err ignored;
	struct stat st;

	if (release_path(path, &ignored, "%s/deploy/before", site) < 0 ||
	    lstat(path, &st) < 0)
		return 0;
	*since = st.st_mtime;
	return read_link(path, &ignored);
}

int
release_switch(const char *site, uint32_t number, struct err *e)
{
	char link[PATH_MAX], before[PATH_MAX];
	int64_t live = release_live(site, e);
	struct release r;

	if (release_read(site, number, &r, e) < 0)
		return err_set(e, ENOENT,
		    "there is no release %u; `bothy "
		    "releases` lists them",
		    number);
	if (release_path(link, e, "%s/live", site) < 0 ||
	    release_path(before, e, "%s/deploy/before", site) < 0)
		return -1;
	/* Done again after a crash, it is not what was before. */
	if ((live > 0 && live != (int64_t)number &&
		point(before, live, e) < 0) ||
	    point(link, number, e) < 0)
		return -1;
	return planted(PLANT_LIVE_UNSYNCED) ? 0 : release_sync_names(site, e);
}
