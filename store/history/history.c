/*
 * The history of a store, opened: handles and the tip.  Runs in the
 * daemon (the checkpoint's thread, and readers with views of their own) and
 * in commands that read a store; libgit2 is seen only by the files named
 * history*, pack* and thin*.
 */
#include "history_internal.h"

#include "store/base/io.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	CACHE_BYTES = 16 * 1024 * 1024,
	CACHED_TREE_BYTES = 32 * 1024	/* 256 directories are 8 KB */
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

/*
 * One configuration for all: ours.  A store may belong to another uid than
 * root's, who looks at it; the user's own git settings are nothing to us; and
 * what is inflated has a sum of its own, so that hashing it again on each read
 * would only make a log half as fast.
 */
static void
start_library(void)
{
	static const int LEVELS[] = { GIT_CONFIG_LEVEL_SYSTEM,
		GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_XDG,
		GIT_CONFIG_LEVEL_PROGRAMDATA };
	size_t i;

	git_libgit2_init();
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
	git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, (ssize_t)CACHE_BYTES);
	git_libgit2_opts(GIT_OPT_SET_CACHE_OBJECT_LIMIT, GIT_OBJECT_TREE,
	    (size_t)CACHED_TREE_BYTES);
	for (i = 0; i < sizeof LEVELS / sizeof *LEVELS; i++)
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, LEVELS[i], "");
}

void
history_start_library(void)
{
	pthread_once(&library_once, start_library);
}

/* --- views ------------------------------------------------------------------- */

static int
open_handles(struct history *h, struct history_view *v, struct err *e)
{
	v->h = h;
	v->repo = NULL;
	v->odb = NULL;
	if (git_repository_open_ext(&v->repo, h->path,
	    GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE, NULL) ||
	    git_repository_odb(&v->odb, v->repo)) {
		history_git_error(e, h->path);
		git_repository_free(v->repo);
		v->repo = NULL;
		return -1;
	}
	return 0;
}

static void
close_handles(struct history_view *v)
{
	git_odb_free(v->odb);
	git_repository_free(v->repo);
	v->odb = NULL;
	v->repo = NULL;
}

int
history_view_open(struct history *h, struct history_view *v, struct err *e)
{
	pthread_rwlock_rdlock(&h->packs);
	if (open_handles(h, v, e)) {
		pthread_rwlock_unlock(&h->packs);
		return -1;
	}
	return 0;
}

void
history_view_close(struct history_view *v)
{
	close_handles(v);
	pthread_rwlock_unlock(&v->h->packs);
}

int
history_reopen(struct history *h, struct err *e)
{
	struct history_view fresh;

	if (open_handles(h, &fresh, e))
		return -1;
	close_handles(&h->own);
	h->own = fresh;
	return 0;
}

/* --- the tip ------------------------------------------------------------------ */

void
history_tip_set(struct history *h, const struct history_raw *tip)
{
	pthread_mutex_lock(&h->mutex);
	h->has_tip = tip != NULL;
	if (tip)
		h->tip = *tip;
	pthread_mutex_unlock(&h->mutex);
}

int
history_tip_read(struct history *h, struct err *e)
{
	struct history_raw tip;
	git_oid id;
	int r = history_ref_read(&h->own, HISTORY_MAIN, &id, e);

	if (r < 0)
		return -1;
	if (r > 0) {
		if (history_read_commit(&h->own, &id, &tip, e))
			return -1;
		if (!tip.public.position)
			return err_set(e, FAULT_INTERNAL, "history: the tip %s"
			    " has no position: not a checkpoint of a store",
			    tip.public.id.hex);
	}
	history_tip_set(h, r > 0 ? &tip : NULL);
	return 0;
}

int
history_tip(struct history *h, struct history_commit *out, struct err *e)
{
	int r;

	(void)e;
	pthread_mutex_lock(&h->mutex);
	r = h->has_tip;
	if (r)
		*out = h->tip.public;
	pthread_mutex_unlock(&h->mutex);
	return r;
}

/* --- open, close ------------------------------------------------------------------ */

void
history_hurry(struct history *h, bool on)
{
	atomic_store(&h->hurried, on);
}

/* One without a byte is what a crash has left. */
static bool
has_head(int dir_fd)
{
	struct stat st;

	return fstatat(dir_fd, "HEAD", &st, 0) == 0 && st.st_size > 0;
}

static int
open_dirs(struct history *h, struct err *e)
{
	h->dir_fd = open(h->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->dir_fd < 0 && errno == ENOENT && !h->read_only) {
		if (mkdir(h->path, 0700))
			return err_sys(e, "make %s", h->path);
		h->dir_fd = open(h->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (h->dir_fd < 0)
		return err_sys(e, "open %s", h->path);
	if (!h->read_only && !has_head(h->dir_fd) &&
	    history_make(h->dir_fd, e))
		return -1;
	h->pack_fd = openat(h->dir_fd, "objects/pack",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->pack_fd < 0)
		return err_sys(e, "open %s/objects/pack", h->path);
	return 0;
}

/* The name history.git lasts once the store's directory is synced. */
static int
sync_store(const char *store_dir, struct err *e)
{
	int fd = open(store_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (fd < 0 || fsync(fd))
		r = err_sys(e, "sync %s", store_dir);
	io_close(&fd);
	return r;
}

struct history *
history_open(const char *store_dir, bool read_only, struct err *e)
{
	struct history *h = calloc(1, sizeof *h);

	history_start_library();
	if (!h || asprintf(&h->path, "%s/history.git", store_dir) < 0) {
		free(h);
		err_set(e, ENOMEM, "no memory for the history");
		return NULL;
	}
	h->read_only = read_only;
	h->dir_fd = h->pack_fd = -1;
	pthread_rwlock_init(&h->packs, NULL);
	pthread_mutex_init(&h->mutex, NULL);
	if (open_dirs(h, e) || (!read_only && (sync_store(store_dir, e) ||
	    history_clear(h, e))) || history_reopen(h, e) ||
	    history_tip_read(h, e) || history_recall(h, e) ||
	    history_read_anew(h, e)) {
		history_close(h);
		return NULL;
	}
	h->untidy = true;
	h->commits = -1;
	return h;
}

void
history_close(struct history *h)
{
	if (!h)
		return;
	close_handles(&h->own);
	io_close(&h->dir_fd);
	io_close(&h->pack_fd);
	pthread_rwlock_destroy(&h->packs);
	pthread_mutex_destroy(&h->mutex);
	free(h->doomed);
	free(h->path);
	free(h);
}
