/*
 * Brings what is live and what the ref says together again (release.h): the
 * one place that decides whether what was prepared goes live.
 */
#include "release.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* It never was live, so nobody runs it. */
static enum settled
drop(const struct release_site *s, const struct prepared *p, struct err *e)
{
	int64_t live = release_live(s->dir, e);
	char path[PATH_MAX];

	if (live < 0)
		return SETTLE_FAILED;
	if (live != (int64_t)p->number) {
		if (release_path(path, e, "%s/releases/%u", s->dir, p->number) <
		    0)
			return SETTLE_FAILED;
		if (io_remove_tree(AT_FDCWD, path) < 0) {
			err_sys(e, "cannot remove %s", path);
			return SETTLE_FAILED;
		}
	}
	return prepared_remove(s->dir, e) < 0 ? SETTLE_FAILED : SETTLE_DROPPED;
}

/* A stage of which the ref is deleted, or is not after all. */
static enum settled
settle_drop(const struct release_site *s, const struct prepared *p, bool there,
    struct err *e)
{
	if (!there && access(s->repository, F_OK) == 0)
		return release_stage_leave(s, e) < 0 ? SETTLE_FAILED
						     : SETTLE_LEFT;
	if (prepared_is_pending(p))
		return SETTLE_PENDING;
	return prepared_remove(s->dir, e) < 0 ? SETTLE_FAILED : SETTLE_DROPPED;
}

enum settled
release_settle(const struct release_site *s, struct prepared *p, struct err *e)
{
	char commit[RELEASE_COMMIT_SIZE];
	int there;

	if (prepared_read(p, s->dir, e) < 0)
		return e->code == ENOENT ? SETTLE_NOTHING : SETTLE_FAILED;
	there = release_ref(s->repository, p->ref, commit, e);
	if (there < 0)
		return SETTLE_FAILED;
	if (p->number == 0)
		return settle_drop(s, p, there > 0, e);
	if (there && strcmp(commit, p->commit) == 0) {
		if (release_switch(s->dir, p->number, e) < 0 ||
		    prepared_remove(s->dir, e) < 0)
			return SETTLE_FAILED;
		return SETTLE_LIVE;
	}
	return prepared_is_pending(p) ? SETTLE_PENDING : drop(s, p, e);
}

int
release_reconcile(const char *site, struct err *e)
{
	char path[PATH_MAX];
	struct release_site s;
	struct prepared p;
	enum settled settled;
	int lock_fd;

	if (release_path(path, e, "%s/deploy/prepared", site) < 0)
		return -1;
	if (access(path, F_OK) < 0)
		return 0;
	if (release_site_read(&s, site, e) < 0)
		return -1;
	lock_fd = release_lock(site, false, e);
	if (lock_fd < 0)
		return e->code == EWOULDBLOCK ? 0 : -1;
	settled = release_settle(&s, &p, e);
	io_close(&lock_fd);
	return settled == SETTLE_FAILED ? -1 : 0;
}
