/*
 * Quarantine that nobody is in any more (quarantine.h).  Runs in pre-receive;
 * what it can't remove is left to the next push.
 */
#include "quarantine.h"

#include "fcgi/release/release.h"
#include "store/base/io.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STALE_S = 24 * 3600, NAMES = 64, NAME_BYTES = 64 };

static const char PREFIX[] = "tmp_objdir-", RECEIVES[] = "receive-pack";

/* When anything in it was written to last. */
static time_t
last_change(char *directory)
{
	char *paths[2] = {directory, NULL};
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	time_t last = 0;
	FTSENT *f;

	if (!walk)
		return time(NULL);
	while ((f = fts_read(walk)))
		if ((f->fts_info == FTS_D || f->fts_info == FTS_F) &&
		    f->fts_statp->st_mtime > last)
			last = f->fts_statp->st_mtime;
	fts_close(walk);
	return last;
}

/* True if the process receives a push to the repository. */
static bool
receives(const char *pid, const char *repository)
{
	char name[64], cwd[PATH_MAX], words[256];
	int fd;
	ssize_t n;

	snprintf(name, sizeof name, "/proc/%.20s/cwd", pid);
	n = readlink(name, cwd, sizeof cwd - 1);
	if (n < 0 || (size_t)n != strlen(repository) ||
	    memcmp(cwd, repository, (size_t)n) != 0)
		return false;
	snprintf(name, sizeof name, "/proc/%.20s/cmdline", pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : io_read(fd, words, sizeof words);
	io_close(&fd);
	return n > 0 && memmem(words, (size_t)n, RECEIVES, sizeof RECEIVES - 1);
}

/* Another git than the hook's own. */
static bool
others_receive(const char *repository)
{
	DIR *d = opendir("/proc");
	const struct dirent *de;
	bool found = !d;

	while (!found && (de = readdir(d)))
		found = isdigit((unsigned char)de->d_name[0]) &&
			atol(de->d_name) != getppid() &&
			receives(de->d_name, repository);
	if (d)
		closedir(d);
	return found;
}

static bool
is_own(const char *name)
{
	const char *own = getenv("GIT_QUARANTINE_PATH");
	const char *slash = own ? strrchr(own, '/') : NULL;

	return slash && strcmp(slash + 1, name) == 0;
}

struct names {
	char list[NAMES][NAME_BYTES];
	size_t n;
};

/* All but the hook's own, as many as fit: the rest is the next push's. */
static void
find_all(const char *objects, struct names *out)
{
	DIR *d = opendir(objects);
	const struct dirent *de;

	out->n = 0;
	while (d && out->n < NAMES && (de = readdir(d)))
		if (strncmp(de->d_name, PREFIX, sizeof PREFIX - 1) == 0 &&
		    strlen(de->d_name) < NAME_BYTES && !is_own(de->d_name))
			strcpy(out->list[out->n++], de->d_name);
	if (d)
		closedir(d);
}

void
quarantine_clear(const char *repository)
{
	char objects[PATH_MAX], path[PATH_MAX];
	struct err ignored;
	struct names found;
	bool busy;
	size_t i;

	if (release_path(objects, &ignored, "%s/objects", repository) < 0)
		return;
	/* In this order: whose git begins later makes one that is not found. */
	find_all(objects, &found);
	busy = found.n && others_receive(repository);
	for (i = 0; i < found.n; i++)
		if (release_path(
			path, &ignored, "%s/%s", objects, found.list[i]) == 0 &&
		    (!busy || time(NULL) - last_change(path) > STALE_S))
			io_remove_tree(AT_FDCWD, path);
}
