/*
 * Documents as files: what somebody edited is kept before it is replaced, in
 * conflicts/<table>/<name>.<time>.json.
 */
#include "files_internal.h"

#include "store/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	TRIES = 1000,		/* of one name in one millisecond */
	STEM_MAX = 200
};

static int name_it(const struct files_table *t, const struct path_name *name,
    const char *when, unsigned try, char out[PATH_MAX_BYTES]);
static int keep(const struct files *f, int dir_fd, const char *path,
    const char *saved, bool link);
static void tell(struct files_table *t, int dir_fd, const char *path,
    const char *saved);

int
files_aside(struct files_table *t, int dir_fd, const char *path,
    const struct path_name *name, bool link, struct err *e)
{
	struct files *f = t->files;
	char when[CLOCK_ISO_SIZE], saved[PATH_MAX_BYTES];
	unsigned try;

	clock_iso(clock_wall_ms(), when);
	if (mkdirat(f->conflicts_fd, t->dir, FILES_DIR_MODE) == -1 &&
	    errno != EEXIST)
		return err_sys(e, "can't make conflicts/%s", t->dir);
	for (try = 0; try < TRIES; try++) {
		if (name_it(t, name, when, try, saved) == -1)
			break;
		if (keep(f, dir_fd, path, saved, link) == 0) {
			unsynced_note_all(&f->unsynced);
			atomic_fetch_add(&f->edited, 1);
			tell(t, dir_fd, path, saved);
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return err_sys(e, "%s was edited and can't be saved to conflicts/",
	    path);
}

static int
name_it(const struct files_table *t, const struct path_name *name,
    const char *when, unsigned try, char out[PATH_MAX_BYTES])
{
	const char *text = name ? name->text : "table.json";
	size_t stem = strlen(text) - strlen(".json");
	char again[16] = "", compact[CLOCK_ISO_SIZE];
	size_t i, n = 0;
	int len;

	for (i = 0; when[i]; i++)
		if (when[i] != ':')
			compact[n++] = when[i];
	compact[n] = '\0';
	if (try)
		snprintf(again, sizeof again, "-%u", try);
	if (stem > STEM_MAX)
		stem = STEM_MAX;
	len = snprintf(out, PATH_MAX_BYTES, "%s/%.*s.%s%s.json", t->dir,
	    (int)stem, text, compact, again);
	if (len < PATH_MAX_BYTES)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* Under a second name, or moved: nothing that is there is replaced. */
static int
keep(const struct files *f, int dir_fd, const char *path, const char *saved,
    bool link)
{
	struct stat st;

	if (link)
		return linkat(dir_fd, path, f->conflicts_fd, saved, 0);
	if (f->exchange)
		return renameat2(dir_fd, path, f->conflicts_fd, saved,
		    RENAME_NOREPLACE);
	if (fstatat(f->conflicts_fd, saved, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(dir_fd, path, f->conflicts_fd, saved);
}

static void
tell(struct files_table *t, int dir_fd, const char *path, const char *saved)
{
	struct files *f = t->files;
	char from[PATH_MAX_BYTES + 8], to[PATH_MAX_BYTES + 16];
	struct files_edit edit = {t->name, from, to};

	if (!f->options.edited)
		return;
	snprintf(from, sizeof from, "%s/%s",
	    dir_fd == f->data_fd ? "data" : "spare", path);
	snprintf(to, sizeof to, "conflicts/%s", saved);
	f->options.edited(f->options.arg, &edit);
}
