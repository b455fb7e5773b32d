/*
 * Stages of a site as they lie on disk (release.h): each a site of its own, but
 * for the repository.  Runs in git's hooks, in bothy, and in a gateway, which
 * only reads.
 */
#include "release.h"

#include "store/base/io.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char STAGES[] = "stages";

int
release_stage_name(
    const char *branch, char name[RELEASE_STAGE_SIZE], struct err *e)
{
	size_t i;

	for (i = 0; i < RELEASE_STAGE_SIZE - 1 && branch[i]; i++)
		name[i] = isalnum((unsigned char)branch[i]) || branch[i] == '_'
			      ? branch[i]
			      : '-';
	name[i] = '\0';
	if (branch[i] == '\0' && isalnum((unsigned char)name[0]))
		return 0;
	return err_set(e, EINVAL,
	    "%.100s can't be a stage: it has more than %d bytes, or does not "
	    "begin with a letter or a digit",
	    branch, RELEASE_STAGE_SIZE - 1);
}

int
release_stage_dir(const char *site, const char *name, char *out, struct err *e)
{
	return release_path(out, e, "%s/%s/%s", site, STAGES, name);
}

enum stage_state
release_stage_state(const char *site, const char *name)
{
	char dir[PATH_MAX], left[PATH_MAX];
	struct err ignored;

	if (release_stage_dir(site, name, dir, &ignored) < 0 ||
	    release_path(left, &ignored, "%s/left", dir) < 0)
		return STAGE_NONE;
	if (release_is_site(dir))
		return STAGE_THERE;
	return access(left, F_OK) == 0 ? STAGE_LEAVES : STAGE_NONE;
}

/* --- all of them ---------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool
is_stage(const char *site, const char *name, bool leaving)
{
	enum stage_state state;

	if (!isalnum((unsigned char)name[0]) ||
	    strlen(name) >= RELEASE_STAGE_SIZE)
		return false;
	state = release_stage_state(site, name);
	return state == (leaving ? STAGE_LEAVES : STAGE_THERE);
}

int
release_stages(
    const char *site, bool leaving, struct stage_list *out, struct err *e)
{
	const struct dirent *de;
	char path[PATH_MAX];
	DIR *d;

	out->n = 0;
	if (release_path(path, e, "%s/%s", site, STAGES) < 0)
		return -1;
	d = opendir(path);
	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, "cannot read %s", path);
	while (out->n < RELEASE_STAGES_MAX && (de = readdir(d)))
		if (is_stage(site, de->d_name, leaving))
			snprintf(out->names[out->n++], RELEASE_STAGE_SIZE,
			    "%.*s", RELEASE_STAGE_SIZE - 1, de->d_name);
	closedir(d);
	qsort(out->names, out->n, sizeof *out->names, by_name);
	return 0;
}

/* --- making one ----------------------------------------------------------- */

/* While held, no stage comes or goes: a descriptor to close, or -1. */
static int
lock_all(const char *site, struct err *e)
{
	char path[PATH_MAX];
	int fd;

	if (release_path(path, e, "%s/%s", site, STAGES) < 0 ||
	    io_mkdirs(path, 0711, e) < 0 ||
	    release_path(path, e, "%s/%s/.lock", site, STAGES) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		err_sys(e, "cannot lock %s", path);
		io_close(&fd);
	}
	return fd;
}

/* Names are told apart as hosts are, without case. */
static int
check_new(const struct release_site *site, const char *name, const char *branch,
    struct err *e)
{
	struct stage_list *all = malloc(sizeof *all);
	size_t i;
	int rc;

	if (!all)
		return err_set(e, ENOMEM, "no memory");
	rc = release_stages(site->dir, false, all, e);
	for (i = 0; rc == 0 && i < all->n; i++)
		if (strcasecmp(all->names[i], name) == 0)
			rc = err_set(e, EEXIST,
			    "%s would be stage %s, and %s is one already; "
			    "take a branch that is called otherwise",
			    branch, name, all->names[i]);
	if (rc == 0 && all->n == RELEASE_STAGES_MAX)
		rc = err_set(e, EDQUOT,
		    "there are %d stages; git push <remote> :BRANCH drops one",
		    RELEASE_STAGES_MAX);
	free(all);
	return rc;
}

static int
make_directories(const char *dir, struct err *e)
{
	static const char *const below[] = {
	    "", "/releases", "/deploy", "/.bothy"};
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof below / sizeof *below; i++)
		if (release_path(path, e, "%s%s", dir, below[i]) < 0 ||
		    io_mkdirs(path, 0711, e) < 0)
			return -1;
	return 0;
}

/* With all locked. */
static int
make(const struct release_site *site, const char *branch,
    struct release_site *out, struct err *e)
{
	struct release_site was;

	*out = *site;
	out->http[0] = '\0';
	if (release_stage_name(branch, out->stage, e) < 0 ||
	    release_stage_dir(site->dir, out->stage, out->dir, e) < 0)
		return -1;
	snprintf(out->branch, sizeof out->branch, "%s", branch);
	if (!release_is_site(out->dir) ||
	    release_site_read(&was, out->dir, e) < 0) {
		if (check_new(site, out->stage, branch, e) < 0 ||
		    make_directories(out->dir, e) < 0)
			return -1;
	} else if (strcmp(was.branch, branch) != 0)
		return err_set(e, EEXIST,
		    "%s would be stage %s, which is of branch %s; take a "
		    "branch that is called otherwise",
		    branch, out->stage, was.branch);
	return release_site_write(out, e);
}

int
release_stage_make(const struct release_site *site, const char *branch,
    struct release_site *out, struct err *e)
{
	int lock_fd = lock_all(site->dir, e), rc;

	if (lock_fd < 0)
		return -1;
	rc = make(site, branch, out, e);
	io_close(&lock_fd);
	return rc;
}

/* --- coming and going ----------------------------------------------------- */

void
release_stages_changed(const char *site)
{
	struct timespec now[2];
	char path[PATH_MAX];
	struct err ignored;

	/* Finer than what the kernel would write. */
	clock_gettime(CLOCK_REALTIME, &now[0]);
	now[1] = now[0];
	if (release_path(path, &ignored, "%s/%s", site, STAGES) == 0)
		utimensat(AT_FDCWD, path, now, 0);
}

/* SITE of SITE/stages/NAME. */
static void
parent(const struct release_site *stage, char *site)
{
	size_t n =
	    strlen(stage->dir) - strlen(stage->stage) - sizeof STAGES - 1;

	snprintf(site, PATH_MAX, "%.*s", (int)n, stage->dir);
}

int
release_stage_leave(const struct release_site *stage, struct err *e)
{
	char from[PATH_MAX], to[PATH_MAX], site[PATH_MAX];

	if (release_path(from, e, "%s/bothy.json", stage->dir) < 0 ||
	    release_path(to, e, "%s/left", stage->dir) < 0)
		return -1;
	if (rename(from, to) < 0)
		return err_sys(e, "cannot rename %s", from);
	parent(stage, site);
	release_stages_changed(site);
	return 0;
}

bool
release_stage_runs(const char *site, const char *name)
{
	char dir[PATH_MAX], tree[PATH_MAX];
	uint32_t *numbers;
	struct err ignored;
	bool runs = false;
	size_t n, i;
	int fd;

	if (release_stage_dir(site, name, dir, &ignored) < 0 ||
	    release_list(dir, &numbers, &n, &ignored) < 0)
		return false;
	for (i = 0; !runs && i < n; i++) {
		if (release_path(tree, &ignored, "%s/releases/%u/tree", dir,
			numbers[i]) < 0)
			continue;
		fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		runs = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
		io_close(&fd);
	}
	free(numbers);
	return runs;
}

void
release_stages_clear(const char *site)
{
	char gone[PATH_MAX];
	struct err ignored;
	int lock_fd;

	if (release_path(gone, &ignored, "%s/%s/.gone", site, STAGES) < 0 ||
	    access(gone, F_OK) < 0)
		return;
	lock_fd = lock_all(site, &ignored);
	if (lock_fd >= 0)
		io_remove_tree(AT_FDCWD, gone);
	io_close(&lock_fd);
}

int
release_stage_remove(const char *site, const char *name, struct err *e)
{
	char dir[PATH_MAX], gone[PATH_MAX];
	int lock_fd, rc = 0;

	if (release_stage_dir(site, name, dir, e) < 0 ||
	    release_path(gone, e, "%s/%s/.gone", site, STAGES) < 0)
		return -1;
	lock_fd = lock_all(site, e);
	if (lock_fd < 0)
		return -1;
	/* By one rename first, and of what a kill left half removed. */
	if (io_remove_tree(AT_FDCWD, gone) < 0 ||
	    (rename(dir, gone) < 0 && errno != ENOENT) ||
	    io_remove_tree(AT_FDCWD, gone) < 0)
		rc = err_sys(e, "cannot remove %s", dir);
	io_close(&lock_fd);
	return rc;
}
