/*
 * bothy site create: the repository that is pushed to, and the site beside it
 * (deploy.h).  May be run again, which puts settings and hooks right.
 */
#include "deploy.h"

#include "git.h"

#include "store/base/buf.h"
#include "store/base/io.h"
#include "store/base/plant.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOOK_BYTES = 4 * PATH_MAX };

/*
 * Git syncs what it is told to, packs are kept as they came (large files are
 * then never unpacked in memory), and what is no sound object is refused.  A
 * collection of garbage locks no ref: killed, it would leave the lock.
 */
static const struct {
	const char *name, *value;
} settings[] = {
    {"core.hooksPath", "hooks"},
    {"core.fsync", "all"},
    {"core.fsyncMethod", "fsync"},
    {"core.bigFileThreshold", "16m"},
    {"receive.fsckObjects", "true"},
    {"receive.unpackLimit", "1"},
    {"receive.advertisePushOptions", "true"},
    {"receive.maxInputSize", "512m"},
    {"gc.autoDetach", "false"},
    {"gc.packRefs", "false"},
    {"gc.writeCommitGraph", "false"},
};

/* Hooks and what is run for them; of the last, for two of its states. */
static const struct {
	const char *name, *body;
} hooks[] = {
    {"pre-receive", "run pre-receive"},
    {"reference-transaction",
	"case $1 in prepared | committed) run \"ref-$1\" ;; esac"},
    {"post-receive", "run post-receive"},
};

/* The launcher's limits are for what git does itself. */
static const char LIFT[] = "\tulimit -S -d \"$(ulimit -H -d)\"\n"
			   "\tulimit -S -t \"$(ulimit -H -t)\"\n";

/* --- names and directories ------------------------------------------------ */

static bool
is_name(const char *name)
{
	const char *s;

	for (s = name; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._-", *s))
			return false;
	return isalnum((unsigned char)name[0]) != 0;
}

/* NAME and NAME.git as absolute paths; the directory that holds them is there.
 */
static int
find_places(const char *name, struct release_site *s, struct err *e)
{
	char given[PATH_MAX], parent[PATH_MAX], *slash;
	const char *last;
	size_t n;

	if (release_path(given, e, "%s", name) < 0)
		return -1;
	n = strlen(given);
	if (n > 4 && strcmp(given + n - 4, ".git") == 0)
		given[n - 4] = '\0';
	slash = strrchr(given, '/');
	last = slash ? slash + 1 : given;
	if (!is_name(last))
		return err_set(e, EINVAL,
		    "a site's name has letters, digits, "
		    "'.', '_' and '-', not %.100s",
		    last);
	if (slash)
		*slash = '\0';
	if (!realpath(!slash ? "." : *given ? given : "/", parent))
		return err_sys(e, "cannot make a site in %s",
		    slash ? given : ".");
	if (strcmp(parent, "/") == 0)
		parent[0] = '\0';
	if (release_path(s->dir, e, "%s/%s", parent, last) < 0)
		return -1;
	return release_path(s->repository, e, "%s/%s.git", parent, last);
}

/* True if the directory holds only what is made before bothy.json. */
static bool
is_begun(const char *dir)
{
	static const char *const made[] = {
	    ".", "..", "releases", "deploy", ".bothy"};
	const struct dirent *de;
	DIR *d = opendir(dir);
	bool is = d != NULL, known;
	size_t i;

	while (is && (de = readdir(d))) {
		known = strncmp(de->d_name, "bothy.json.", 11) == 0;
		for (i = 0; i < sizeof made / sizeof *made; i++)
			known = known || strcmp(de->d_name, made[i]) == 0;
		is = known;
	}
	if (d)
		closedir(d);
	return is;
}

/* True if a directory of the repository is empty, which it was; or gone. */
static bool
is_bare(const char *repository, const char *name)
{
	char path[PATH_MAX];
	struct err ignored;

	return release_path(path, &ignored, "%s/%s", repository, name) == 0 &&
	       (rmdir(path) == 0 || errno == ENOENT);
}

/*
 * True if a repository lacks the hook that is made last, and nothing was ever
 * pushed to it: its making was cut off.
 */
static bool
is_unfinished(const char *repository)
{
	char path[PATH_MAX];
	struct err ignored;

	return release_path(path, &ignored, "%s/hooks/%s", repository,
		   hooks[sizeof hooks / sizeof *hooks - 1].name) == 0 &&
	       access(path, F_OK) < 0 && is_bare(repository, "refs/heads") &&
	       is_bare(repository, "objects/pack");
}

/* A directory of somebody else's is not made a site. */
static int
check_free(const struct release_site *s, struct err *e)
{
	if (access(s->dir, F_OK) == 0 && !release_is_site(s->dir) &&
	    !is_begun(s->dir))
		return err_set(e, EEXIST,
		    "%s is there and no deployed site; "
		    "choose another name, or move it away",
		    s->dir);
	if (access(s->dir, F_OK) < 0 && access(s->repository, F_OK) == 0)
		return err_set(e, EEXIST,
		    "%s is there already; choose "
		    "another name, or move it away",
		    s->repository);
	return 0;
}

static int
make_directories(const struct release_site *s, struct err *e)
{
	static const char *const below[] = {
	    "", "/releases", "/deploy", "/.bothy"};
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof below / sizeof *below; i++)
		if (release_path(path, e, "%s%s", s->dir, below[i]) < 0 ||
		    io_mkdirs(path, 0711, e) < 0)
			return -1;
	return 0;
}

/* --- the repository ------------------------------------------------------- */

static int
make_repository(const struct release_site *s, struct err *e)
{
	git_repository_init_options o;
	git_repository *repo = NULL;
	git_config *config = NULL;
	size_t i;
	int rc = 0;

	git_start();
	git_repository_init_options_init(
	    &o, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
	o.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR;
	o.mode = 0700;
	o.initial_head = s->branch;
	if (git_repository_init_ext(&repo, s->repository, &o) ||
	    git_repository_config(&config, repo))
		rc = git_fail(e, s->repository);
	for (i = 0; rc == 0 && i < sizeof settings / sizeof *settings; i++)
		if (git_config_set_string(
			config, settings[i].name, settings[i].value))
			rc = git_fail(e, s->repository);
	git_config_free(config);
	git_repository_free(repo);
	return rc;
}

static int
put_hook(
    const struct release_site *s, const char *program, size_t i, struct err *e)
{
	char path[PATH_MAX];
	struct buf b;
	int rc;

	if (release_path(path, e, "%s/hooks/%s", s->repository, hooks[i].name) <
	    0)
		return -1;
	buf_init(&b, HOOK_BYTES);
	buf_puts(&b, "#!/bin/sh\n# Of `bothy site create`, which writes it "
		     "anew.\nrun() {\n");
	buf_puts(&b, LIFT);
	buf_puts(&b, "\tfor bothy in ");
	buf_shell(&b, program);
	buf_puts(&b, " bothy; do\n\t\tcommand -v \"$bothy\" >/dev/null 2>&1 "
		     "&&\n\t\t\texec \"$bothy\" --site ");
	buf_shell(&b, s->dir);
	buf_printf(&b,
	    " site receive \"$1\"\n\tdone\n\techo \"bothy is not "
	    "to be found: nothing was deployed\" >&2\n\texit 1\n}\n%s\n",
	    hooks[i].body);
	rc = buf_ok(&b) ? io_replace_file(path, b.data, b.len, 0755, e)
			: err_set(e, ENAMETOOLONG, "%s is too long", s->dir);
	buf_release(&b);
	return rc;
}

/* Each is there before what shows that it is whole. */
static int
sync_made(const char *path, struct err *e)
{
	return planted(PLANT_SITE_UNSYNCED) ? 0 : release_sync(path, e);
}

int
deploy_create(const char *name, const char *program,
    struct release_site *wanted, struct err *e)
{
	char path[PATH_MAX];
	size_t i;

	/* Functions pass through, if they have users of their own. */
	umask(022);
	if (find_places(name, wanted, e) < 0 || check_free(wanted, e) < 0 ||
	    make_directories(wanted, e) < 0 ||
	    release_site_write(wanted, e) < 0 || sync_made(wanted->dir, e) < 0)
		return -1;
	if (is_unfinished(wanted->repository) &&
	    io_remove_tree(AT_FDCWD, wanted->repository) < 0)
		return err_sys(e, "cannot remove %s", wanted->repository);
	if (make_repository(wanted, e) < 0 ||
	    sync_made(wanted->repository, e) < 0 ||
	    release_path(path, e, "%s/hooks", wanted->repository) < 0 ||
	    io_mkdirs(path, 0755, e) < 0)
		return -1;
	for (i = 0; i < sizeof hooks / sizeof *hooks; i++)
		if (put_hook(wanted, program, i, e) < 0)
			return -1;
	return sync_made(wanted->repository, e);
}
