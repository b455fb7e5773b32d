/*
 * Builds a release's functions by `bothy site compile` in the sandbox, and
 * links what came of it into the release (programs.h).
 *
 * The sources are checked out once more, into deploy/sources: make may write
 * among them, and what it leaves there is no part of what was pushed.
 */
#include "programs.h"

#include "checkout.h"
#include "confine.h"
#include "steps.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COPY_BYTES = 256 * 1024, WORDS_BYTES = 1024 * 1024 };

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
	char *envp[] = {path, lang, home, tmp, getenv("CC") ? cc : NULL, NULL};
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
	    .limit_s = m->site->build_s};
	int status;

	snprintf(home, sizeof home, "HOME=%s", p->scratch);
	snprintf(tmp, sizeof tmp, "TMPDIR=%s", p->scratch);
	snprintf(cc, sizeof cc, "CC=%s", getenv("CC") ? getenv("CC") : "");
	if (confine_run(&c, &status, e) < 0)
		return -1;
	if (WIFSIGNALED(status))
		return err_set(e, EINTR, "the build was killed by signal %d",
		    WTERMSIG(status));
	return WEXITSTATUS(status) == 0
		   ? 0
		   : err_set(e, EINVAL, "the build failed");
}

/* --- what came of it
 * ---------------------------------------------------------- */

/*
 * Opens what the builder says is the function's program.  It is not ours to
 * trust: a plain file, of who built it, below the cache.
 */
static int
open_built(
    const struct places *p, const char *function, char *path, struct err *e)
{
	char link[PATH_MAX], target[PATH_MAX];
	uid_t owner = p->owner ? p->owner : geteuid();
	struct stat st;
	ssize_t n;
	int fd = -1;

	if (release_path(link, e, "%s/build/%s", p->build, function) < 0)
		return -1;
	n = readlink(link, target, sizeof target - 1);
	target[n < 0 ? 0 : n] = '\0';
	if (n < 0 || strncmp(target, ".cache/", 7) != 0 ||
	    strstr(target, "..") ||
	    release_path(path, e, "%s/build/%s", p->build, target) < 0)
		return err_set(
		    e, ENOENT, "the build left no program of %s", function);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_uid != owner && st.st_uid != geteuid())) {
		io_close(&fd);
		return err_set(e, EINVAL,
		    "the build of %s left something "
		    "else than a program",
		    function);
	}
	return fd;
}

static int
copy_bytes(int from_fd, int to_fd)
{
	char *chunk = malloc(COPY_BYTES);
	ssize_t n = -1;

	while (chunk && (n = io_read(from_fd, chunk, COPY_BYTES)) > 0)
		if (io_write_all(to_fd, chunk, (size_t)n) < 0) {
			n = -1;
			break;
		}
	free(chunk);
	return n == 0 ? 0 : -1;
}

/*
 * The same file by another name: what did not change takes no room.  Under
 * root it belongs to the build's user, who could write to it later, so that it
 * is copied.
 */
static int
put_program(const struct places *p, const char *path, int from_fd,
    const char *to, struct err *e)
{
	int fd, rc = 0;

	if (!p->owner && linkat(AT_FDCWD, path, AT_FDCWD, to, 0) == 0)
		return 0;
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (fd < 0 || copy_bytes(from_fd, fd) < 0 || fchmod(fd, 0755) < 0)
		rc = err_sys(e, "cannot write %s", to);
	io_close(&fd);
	return rc;
}

/* Two files with the same bytes. */
static bool
is_same(const char *a, const char *b)
{
	int fds[2] = {
	    open(a, O_RDONLY | O_CLOEXEC), open(b, O_RDONLY | O_CLOEXEC)};
	char chunks[2][8192];
	struct stat st[2];
	ssize_t n = -1, m;

	if (fds[0] >= 0 && fds[1] >= 0 && fstat(fds[0], &st[0]) == 0 &&
	    fstat(fds[1], &st[1]) == 0 && st[0].st_size == st[1].st_size) {
		if (st[0].st_ino == st[1].st_ino &&
		    st[0].st_dev == st[1].st_dev)
			n = 0;
		else
			do {
				n = io_read(fds[0], chunks[0], sizeof *chunks);
				m = io_read(fds[1], chunks[1], sizeof *chunks);
			} while (n > 0 && m == n &&
				 memcmp(chunks[0], chunks[1], (size_t)n) == 0);
	}
	io_close(&fds[0]);
	io_close(&fds[1]);
	return n == 0;
}

/* Adds a name to the list of what changed, as far as it fits. */
static void
note_changed(char *changed, const char *name)
{
	size_t n = strlen(changed), room = RELEASE_TEXT_SIZE - 40;

	if (n + strlen(name) + 3 < room)
		sprintf(changed + n, "%s%s", n ? ", " : "", name);
	else if (n > 3 && strcmp(changed + n - 3, "...") != 0)
		strcat(changed, ", ...");
}

static int
take_program(const struct making *m, const struct places *p,
    const struct conf_function *f, char *changed, struct err *e)
{
	char from[PATH_MAX], to[PATH_MAX], live[PATH_MAX];
	int fd, rc = -1;

	fd = open_built(p, f->name, from, e);
	if (fd >= 0 && release_path(to, e, "%s/bin/%s", m->dir, f->name) == 0 &&
	    release_path(live, e, "%s/live/bin/%s", m->site->dir, f->name) == 0)
		rc = put_program(p, from, fd, to, e);
	io_close(&fd);
	if (rc == 0 && !is_same(to, live))
		note_changed(changed, f->name);
	return rc;
}

/* --- the whole
 * ---------------------------------------------------------------- */

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

int
programs_make(const struct making *m, char *changed, struct err *e)
{
	size_t i;
	char bin[PATH_MAX];
	struct places p;
	int rc = 0;

	changed[0] = '\0';
	if (release_path(bin, e, "%s/bin", m->dir) < 0 ||
	    io_mkdirs(bin, 0755, e) < 0)
		return -1;
	if (!any_built(m->conf))
		return 0;
	if (make_places(m, &p, e) < 0 || build(m, &p, e) < 0)
		return -1;
	for (i = 0; rc == 0 && i < m->conf->nfunctions; i++)
		if (is_built(&m->conf->functions[i]))
			rc = take_program(
			    m, &p, &m->conf->functions[i], changed, e);
	io_remove_tree(AT_FDCWD, p.work);
	io_remove_tree(AT_FDCWD, p.scratch);
	return rc;
}
