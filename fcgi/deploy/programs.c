/*
 * Builds a release's functions by `bothy site compile` in the sandbox
 * (programs.h); what came of it is taken by built.c.
 *
 * The sources are checked out once more, into deploy/sources: make may write
 * among them, and what it leaves there is no part of what was pushed.
 */
#include "programs.h"

#include "built.h"
#include "checkout.h"
#include "confine.h"
#include "memory.h"
#include "steps.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	WORDS_BYTES = 1024 * 1024,
	CACHE_MAX_MB = 1024 /* more of it is not kept, and built anew */
};

/* --- what the builder is given -------------------------------------------- */

struct places {
	char work[PATH_MAX];  /* a copy of the tree */
	char build[PATH_MAX]; /* the cache, kept */
	char scratch[PATH_MAX];
	uid_t owner;
};

static int
make_owned(const char *path, uid_t owner, struct err *e)
{
	if (io_mkdirs(path, 0711, e) < 0)
		return -1;
	if (owner && chown(path, owner, (gid_t)owner) < 0)
		return err_sys(e, "cannot give %s to the build's user", path);
	return 0;
}

static int
make_places(const struct making *m, struct places *p, struct err *e)
{
	const char *site = m->site->dir;
	struct checkout ignored;

	if (confine_owner(site, &p->owner, e) < 0 ||
	    release_path(p->work, e, "%s/deploy/sources", site) < 0 ||
	    release_path(p->build, e, "%s/deploy/build", site) < 0 ||
	    release_path(p->scratch, e, "%s/deploy/scratch", site) < 0)
		return -1;
	if (io_remove_tree(AT_FDCWD, p->work) < 0 ||
	    io_remove_tree(AT_FDCWD, p->scratch) < 0)
		return err_sys(e, "cannot empty %s/deploy", site);
	if (make_owned(p->build, p->owner, e) < 0 ||
	    make_owned(p->scratch, p->owner, e) < 0)
		return -1;
	return checkout_tree(
	    m->repo, m->commit, p->work, p->owner, &ignored, e);
}

static bool
is_built(const struct conf_function *f)
{
	return f->runtime == SNAP_RUNTIME_C;
}

static bool
any_built(const struct conf *conf)
{
	size_t i;

	for (i = 0; i < conf->nfunctions; i++)
		if (is_built(&conf->functions[i]))
			return true;
	return false;
}

/* What `bothy site compile` is called with, word after word. */
static size_t
add_words(const struct making *m, const struct places *p, struct buf *b)
{
	const char *first[] = {"bothy", "site", "compile",
	    m->tools->include_dir, m->tools->lib_dir, p->work, p->build};
	const struct conf *conf = m->conf;
	const struct conf_function *f;
	size_t i, n = 0;

	for (; n < sizeof first / sizeof *first; n++)
		buf_add(b, first[n], strlen(first[n]) + 1);
	for (i = 0; i < conf->nfunctions; i++) {
		f = &conf->functions[i];
		if (!is_built(f))
			continue;
		buf_printf(b, "%s:%s:%s", f->name,
		    f->linkage == SNAP_LINK_DYNAMIC ? "dynamic" : "static",
		    f->source + strlen(conf->directory) + 1);
		buf_putc(b, '\0');
		n++;
	}
	return n;
}

/* The words in a buffer as an argument vector, to free(); or NULL. */
static char **
make_vector(struct buf *b, size_t n)
{
	char **argv = buf_ok(b) ? calloc(n + 1, sizeof *argv) : NULL;
	char *word = b->data;
	size_t i;

	if (!argv)
		return NULL;
	for (i = 0; i < n; i++, word += strlen(word) + 1)
		argv[i] = word;
	return argv;
}

static int
run_builder(
    const struct making *m, const struct places *p, char **argv, struct err *e)
{
	char home[PATH_MAX + 8], tmp[PATH_MAX + 8], cc[1024];
	char path[] = "PATH=/usr/local/bin:/usr/bin:/bin",
	     lang[] = "LANG=C.UTF-8";
	/* A sanitizer can't look for leaks in the sandbox. */
	char leaks[] = "ASAN_OPTIONS=detect_leaks=0";
	char *envp[7] = {path, lang, home, tmp};
	const char *read_paths[] = {m->tools->include_dir, m->tools->lib_dir};
	const char *write_paths[] = {p->work, p->build};
	struct confine c = {.program = m->tools->program,
	    .argv = argv,
	    .envp = envp,
	    .directory = p->work,
	    .scratch = p->scratch,
	    .read_paths = read_paths,
	    .nread = 2,
	    .write_paths = write_paths,
	    .nwrite = 2,
	    .owner = p->owner,
	    .required = m->conf->confinement_required != 0,
	    .limit_s = m->site->build_s,
	    .limit_mb = m->site->build_mb};
	size_t n = 4;
	int status;

	if (!memory_can_be_bound())
		envp[n++] = leaks;
	if (getenv("CC"))
		envp[n++] = cc;
	snprintf(home, sizeof home, "HOME=%s", p->scratch);
	snprintf(tmp, sizeof tmp, "TMPDIR=%s", p->scratch);
	snprintf(cc, sizeof cc, "CC=%s", getenv("CC") ? getenv("CC") : "");
	if (confine_run(&c, &status, e) < 0) {
		io_remove_tree(AT_FDCWD, p->build); /* what it was at */
		return -1;
	}
	if (WIFSIGNALED(status))
		return err_set(e, EINTR, "the build was killed by signal %d",
		    WTERMSIG(status));
	return WEXITSTATUS(status) == 0
		   ? 0
		   : err_set(e, EINVAL, "the build failed");
}

/* --- the whole ------------------------------------------------------------ */

static int
build(const struct making *m, const struct places *p, struct err *e)
{
	struct buf words;
	char **argv;
	size_t n;
	int rc;

	if (!m->tools->include_dir)
		return err_set(e, ENOENT,
		    "bothy.h and libbothy.a are not installed here, so C "
		    "functions can't be built; push programs that are built, "
		    "as `runtime: exec`");
	buf_init(&words, WORDS_BYTES);
	n = add_words(m, p, &words);
	argv = make_vector(&words, n);
	rc =
	    argv ? run_builder(m, p, argv, e) : err_set(e, ENOMEM, "no memory");
	free(argv);
	buf_release(&words);
	return rc;
}

/* All of them into the release. */
static int
take(const struct making *m, const struct places *p, char *changed,
    struct err *e)
{
	const struct conf *conf = m->conf;
	struct built b = {.cache = p->build,
	    .owner = p->owner,
	    .release = m->dir,
	    .live = m->site->dir,
	    .changed = changed};
	size_t i;

	for (i = 0; i < conf->nfunctions; i++)
		if (is_built(&conf->functions[i]) &&
		    built_take(&b, conf->functions[i].name, e) < 0)
			return -1;
	return 0;
}

/* Refused or not: a build may have filled the disk. */
static void
clear_up(const struct places *p)
{
	if (p->work[0])
		io_remove_tree(AT_FDCWD, p->work);
	if (p->scratch[0])
		io_remove_tree(AT_FDCWD, p->scratch);
	if (p->build[0] && release_disk_bytes(p->build) > (uint64_t)CACHE_MAX_MB
							      << 20)
		io_remove_tree(AT_FDCWD, p->build);
}

int
programs_make(const struct making *m, char *changed, struct err *e)
{
	char bin[PATH_MAX];
	struct places p = {.owner = 0};
	int rc = -1;

	changed[0] = '\0';
	if (release_path(bin, e, "%s/bin", m->dir) < 0 ||
	    io_mkdirs(bin, 0755, e) < 0)
		return -1;
	if (!any_built(m->conf))
		return 0;
	if (make_places(m, &p, e) == 0 && build(m, &p, e) == 0)
		rc = take(m, &p, changed, e);
	clear_up(&p);
	return rc;
}
