/*
 * Refs of the history: read by libgit2 (they may be packed), written by plain
 * calls, for libgit2 syncs neither file nor directory.  Only the checkpoint's
 * thread writes; nobody else may hold a lock file of ours.
 */
#include "history_internal.h"

#include "store/base/io.h"
#include "store/base/plant.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REF_BYTES = 512 };		/* of a ref's name, with room */

int
history_ref_read(struct history_view *v, const char *name, git_oid *id,
    struct err *e)
{
	int r = git_reference_name_to_id(id, v->repo, name);

	if (r == GIT_ENOTFOUND)
		return 0;
	return r ? history_git_error(e, name) : 1;
}

/*
 * The directory of a ref: "refs/heads/main" -> open "refs/heads".  (git takes
 * away one that is empty when it packs the refs.)
 */
static int
open_parent(struct history *h, const char *name, const char **leaf,
    struct err *e)
{
	const char *slash = strrchr(name, '/');
	char dir[64];
	int fd;

	*leaf = slash + 1;
	snprintf(dir, sizeof dir, "%.*s", (int)(slash - name), name);
	fd = openat(h->dir_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !mkdirat(h->dir_fd, dir, 0700))
		fd = openat(h->dir_fd, dir,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		err_sys(e, "open history.git/%s", dir);
	return fd;
}

/* The lock file, whole and synced; what a failure leaves of it is removed. */
static int
write_lock(int dir_fd, const char *lock, const git_oid *id, struct err *e)
{
	char text[GIT_OID_HEXSZ + 2];
	int r = 0;
	int fd = openat(dir_fd, lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);

	if (fd < 0)
		return err_sys(e, "make %s", lock);
	git_oid_fmt(text, id);
	text[GIT_OID_HEXSZ] = '\n';
	if (io_write_all(fd, text, GIT_OID_HEXSZ + 1))
		r = err_sys(e, "write %s", lock);
	else if (fsync(fd))
		r = err_sys(e, "sync %s", lock);
	io_close(&fd);
	if (r)
		unlinkat(dir_fd, lock, 0);
	return r;
}

int
history_ref_write(struct history *h, const char *name, const git_oid *id,
    struct err *e)
{
	char lock[HISTORY_TAG_MAX + 16];
	const char *leaf;
	int fd = open_parent(h, name, &leaf, e);
	int r = -1;

	if (fd < 0)
		return -1;
	snprintf(lock, sizeof lock, "%s.lock", leaf);
	if (write_lock(fd, lock, id, e))
		goto out;
	if (renameat(fd, lock, fd, leaf)) {
		err_sys(e, "put history.git/%s in place", name);
		unlinkat(fd, lock, 0);
		goto out;
	}
	if (!planted(PLANT_REF_UNSYNCED) && fsync(fd))
		err_sys(e, "sync the directory of history.git/%s", name);
	else
		r = 0;
out:
	io_close(&fd);
	return r;
}

/* Syncs the directory that lost a name: the nearest one that is still there. */
static int
sync_above(struct history *h, const char *name, struct err *e)
{
	char dir[REF_BYTES];
	char *slash;
	int fd = -1, r;

	snprintf(dir, sizeof dir, "%s", name);
	while (fd < 0 && (slash = strrchr(dir, '/'))) {
		*slash = '\0';
		fd = openat(h->dir_fd, dir,
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	r = fd < 0 || fsync(fd) ? err_sys(e, "sync history.git/%s", dir) : 0;
	io_close(&fd);
	return r;
}

/* (A packed ref is removed by writing packed-refs anew: libgit2 does that.) */
int
history_ref_remove(struct history *h, const char *name, struct err *e)
{
	int r = git_reference_remove(h->own.repo, name);

	if (r && r != GIT_ENOTFOUND)
		return history_git_error(e, name);
	return sync_above(h, name, e);
}

int
history_refs(struct history_view *v, const char *prefix, history_ref_fn *fn,
    void *ctx, struct err *e)
{
	git_reference_iterator *it;
	const char *name;
	git_oid id;
	int r;

	if (git_reference_iterator_new(&it, v->repo))
		return history_git_error(e, "list the refs");
	while ((r = git_reference_next_name(&name, it)) == 0) {
		if (strncmp(name, prefix, strlen(prefix)) != 0 ||
		    git_reference_name_to_id(&id, v->repo, name))
			continue;
		if (fn(ctx, name, &id))
			break;
	}
	git_reference_iterator_free(it);
	if (r && r != GIT_ITEROVER)
		return history_git_error(e, "list the refs");
	return 0;
}
