/*
 * Which releases stay, and what they take (release.h).  Runs in git's hook and
 * in bothy releases.
 */
#include "release.h"

#include "store/base/io.h"
#include "store/base/map.h"
#include "store/base/plant.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEFT_S = 60 };

/* The one that was live a moment ago, or 0. */
static int64_t
just_left(const char *site)
{
	time_t since = 0;
	int64_t number = release_left(site, &since);

	return time(NULL) - since < LEFT_S ? number : 0;
}

/* True if nobody holds it: nobody will, either, for it is not live. */
static bool
is_free(const char *site, uint32_t number)
{
	char tree[PATH_MAX];
	struct err ignored;
	bool free_now;
	int fd;

	if (release_path(tree, &ignored, "%s/releases/%u/tree", site, number) <
	    0)
		return false;
	fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	free_now = flock(fd, LOCK_EX | LOCK_NB) == 0;
	close(fd);
	return free_now;
}

/*
 * Out of the way by one rename first, and that on the disk: what is half
 * removed is no release.
 */
int
release_remove(const char *site, uint32_t number, struct err *e)
{
	char from[PATH_MAX], to[PATH_MAX], here[PATH_MAX], there[PATH_MAX];

	if (release_path(here, e, "%s/releases", site) < 0 ||
	    release_path(from, e, "%s/%u", here, number) < 0 ||
	    release_path(there, e, "%s/deploy", site) < 0 ||
	    release_path(to, e, "%s/gone", there) < 0)
		return -1;
	if (io_remove_tree(AT_FDCWD, to) < 0)
		return err_sys(e, "cannot remove %s", to);
	if (rename(from, to) < 0)
		return errno == ENOENT ? 0
				       : err_sys(e, "cannot remove %s", from);
	if (!planted(PLANT_REMOVAL_UNSYNCED) &&
	    (release_sync_names(there, e) < 0 ||
		release_sync_names(here, e) < 0))
		return -1;
	return io_remove_tree(AT_FDCWD, to) < 0
		   ? err_sys(e, "cannot remove %s", to)
		   : 0;
}

int
release_trim(const struct release_site *s)
{
	char gone[PATH_MAX];
	uint32_t *numbers;
	struct err ignored;
	int64_t live = release_live(s->dir, &ignored);
	size_t n, i;
	int64_t left = just_left(s->dir);
	int removed = 0;

	if (release_path(gone, &ignored, "%s/deploy/gone", s->dir) == 0)
		io_remove_tree(AT_FDCWD, gone);
	if (live < 0 || release_list(s->dir, &numbers, &n, &ignored) < 0)
		return 0;
	for (i = 0; i + (size_t)s->keep < n; i++)
		if (numbers[i] != live && numbers[i] != left &&
		    is_free(s->dir, numbers[i]))
			removed +=
			    release_remove(s->dir, numbers[i], &ignored) == 0;
	free(numbers);
	return removed;
}

/* True for a file of several names that was counted by another of them. */
static bool
is_counted(struct map *seen, const struct stat *st)
{
	struct {
		dev_t dev;
		ino_t ino;
	} id = {st->st_dev, st->st_ino};

	if (!S_ISREG(st->st_mode) || st->st_nlink == 1)
		return false;
	if (map_find(seen, (const char *)&id, sizeof id))
		return true;
	map_set(seen, (const char *)&id, sizeof id, NULL, NULL);
	return false;
}

uint64_t
release_disk_bytes(const char *directory)
{
	char path[PATH_MAX], *paths[2] = {path, NULL};
	struct map seen;
	uint64_t bytes = 0;
	FTSENT *f;
	FTS *walk;

	if (snprintf(path, sizeof path, "%s", directory) >= (int)sizeof path)
		return 0;
	walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk)
		return 0;
	map_init(&seen);
	while ((f = fts_read(walk)))
		if (f->fts_info != FTS_DP && f->fts_info != FTS_NS &&
		    f->fts_info != FTS_ERR && f->fts_info != FTS_DNR &&
		    !is_counted(&seen, f->fts_statp))
			bytes += (uint64_t)f->fts_statp->st_blocks * 512;
	map_release(&seen);
	fts_close(walk);
	return bytes;
}
