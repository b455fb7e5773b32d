/*
 * Brings what is live and what the ref says together again (release.h): the
 * one place that decides whether what was prepared goes live.
 */
#include "release.h"

#include "store/base/io.h"
#include "store/base/plant.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* It never was live, so nobody runs it. */
static enum settled
drop(const struct release_site *s, const struct prepared *p, struct err *e)
{
	int64_t live = release_live(s->dir, e);

	if (live < 0 || (live != (int64_t)p->number &&
			    release_remove(s->dir, p->number, e) < 0))
		return SETTLE_FAILED;
	return prepared_remove(s->dir, e) < 0 ? SETTLE_FAILED : SETTLE_DROPPED;
}

/* Git still is to do something, and not we for it. */
static bool
is_anothers(const struct prepared *p)
{
	return prepared_is_pending(p) && p->pid != getppid();
}

/*
 * The ref as it is now is there after a power cut too: what is live never is
 * ahead of it, and the mark outlives what git had locked.
 */
static int
sync_ref(const struct release_site *s, const struct prepared *p, struct err *e)
{
	if (!prepared_is_pending(p) &&
	    release_ref_unlock(s->repository, p->ref, e) < 0)
		return -1;
	if (planted(PLANT_LIVE_BEFORE_REF) || planted(PLANT_OBJECTS_UNSYNCED) ||
	    planted(PLANT_RELEASE_UNSYNCED))
		return 0;
	return release_sync(s->repository, e);
}

static enum settled
go_live(const struct release_site *s, const struct prepared *p, struct err *e)
{
	if (planted(PLANT_MARK_REMOVED_FIRST))
		prepared_remove(s->dir, e);
	if (release_switch(s->dir, p->number, e) < 0 ||
	    prepared_remove(s->dir, e) < 0)
		return SETTLE_FAILED;
	return SETTLE_LIVE;
}

/* A stage of which the ref is deleted, or is not after all. */
static enum settled
settle_drop(const struct release_site *s, bool gone, struct err *e)
{
	if (gone)
		return release_stage_leave(s, e) < 0 ? SETTLE_FAILED
						     : SETTLE_LEFT;
	return prepared_remove(s->dir, e) < 0 ? SETTLE_FAILED : SETTLE_DROPPED;
}

enum settled
release_settle(const struct release_site *s, struct prepared *p, struct err *e)
{
	char commit[RELEASE_COMMIT_SIZE];
	bool moved;
	int there;

	if (prepared_read(p, s->dir, e) < 0)
		return e->code == ENOENT ? SETTLE_NOTHING : SETTLE_FAILED;
	there = release_ref(s->repository, p->ref, commit, e);
	if (there < 0)
		return SETTLE_FAILED;
	moved = p->number == 0 ? !there && access(s->repository, F_OK) == 0
			       : there && strcmp(commit, p->commit) == 0;
	if (is_anothers(p) || (!moved && prepared_is_pending(p)))
		return SETTLE_PENDING;
	if (sync_ref(s, p, e) < 0)
		return SETTLE_FAILED;
	if (p->number == 0)
		return settle_drop(s, moved, e);
	return moved ? go_live(s, p, e) : drop(s, p, e);
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
