/*
 * Releases of a deployed site, as they lie on disk (DESIGN).
 *
 * Used by bothy (git's hooks, releases, rollback), and by the gateway at its
 * start.  Never builds, never reads
 * git's objects.
 *
 * A site is named by its directory: absolute, links resolved.
 */
#ifndef RELEASE_RELEASE_H
#define RELEASE_RELEASE_H

#include "store/base/err.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum {
	RELEASE_COMMIT_SIZE = 41, /* 40 hex digits and a NUL */
	RELEASE_TEXT_SIZE = 256,  /* of a line of text, cut to fit */
	RELEASE_NAME_SIZE = 128,
	RELEASE_HTTP_SIZE = 256,
	RELEASE_STAGE_SIZE = 65,
	RELEASE_STAGES_MAX = 50,
	RELEASE_MAX = 999999999, /* the highest number */
	RELEASE_KEEP = 5,	 /* kept unless told */
	RELEASE_KEEP_MAX = 1000,
	RELEASE_BUILD_S = 600, /* that a build may take, unless told */
	RELEASE_BUILD_MAX_S = 86400,
	RELEASE_BUILD_MB = 2048, /* memory of one of its programs, likewise */
	RELEASE_BUILD_LEAST_MB = 64,
	RELEASE_BUILD_MAX_MB = 1024 * 1024
};

/* --- the site (site.c) ---------------------------------------------------- */

struct release_site {
	char dir[PATH_MAX];
	char repository[PATH_MAX];	/* absolute; bare */
	char branch[RELEASE_NAME_SIZE]; /* "main" */
	char stage[RELEASE_STAGE_SIZE]; /* its name; "": it is no stage */
	char url[1024];			/* where it is reached, or "" */
	char http[RELEASE_HTTP_SIZE]; /* path that takes pushes, below basePath;
					 or "" */
	int keep;
	int build_s;  /* that a build may take */
	int build_mb; /* and each of its programs; all of them twice that */
};

/* True if the directory is a deployed site's. */
bool release_is_site(const char *dir);

/* True for "", and for a path that `http` can be: "/deploy.git". */
bool release_http_valid(const char *path);

/* Reads and writes SITE/bothy.json: 0, or -1 with the error (ENOENT). */
int release_site_read(struct release_site *s, const char *dir, struct err *e);
int release_site_write(const struct release_site *s, struct err *e);

/*
 * Takes the site's deploy lock: a descriptor to close.  Without `wait`, a lock
 * that another has is -1 with EWOULDBLOCK.
 */
int release_lock(const char *dir, bool wait, struct err *e);

/* snprintf into PATH_MAX bytes: 0, or -1 if it does not fit. */
int release_path(char *out, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* --- stages (stage.c) ----------------------------------------------------- */

/*
 * The name of a branch as a stage, also of its secrets: letters, digits, '_'
 * and '-', which stands for all else.
 */
int release_stage_name(
    const char *branch, char name[RELEASE_STAGE_SIZE], struct err *e);

/* SITE/stages/NAME, into PATH_MAX bytes: 0 or -1. */
int release_stage_dir(
    const char *site, const char *name, char *out, struct err *e);

enum stage_state {
	STAGE_NONE,
	STAGE_THERE,
	STAGE_LEAVES /* dropped; what ran on it may run still */
};

enum stage_state release_stage_state(const char *site, const char *name);

struct stage_list {
	char names[RELEASE_STAGES_MAX][RELEASE_STAGE_SIZE];
	size_t n;
};

/* Those that are there, or those that leave, by name.  0 or -1. */
int release_stages(
    const char *site, bool leaving, struct stage_list *out, struct err *e);

/*
 * The stage of a branch, which is made if it is not there, with the site's
 * settings of now.  0; or -1 with the error: another branch has the name
 * already, or there are too many.
 */
int release_stage_make(const struct release_site *site, const char *branch,
    struct release_site *out, struct err *e);

/* Has gateways look at them again: a release is live, or one has gone. */
void release_stages_changed(const char *site);

/* From now on it is no site; what is there stays.  0 or -1. */
int release_stage_leave(const struct release_site *stage, struct err *e);

/* True while somebody holds one of its releases (hold.h). */
bool release_stage_runs(const char *site, const char *name);

/* Removes all that lies there; nothing of it runs.  0 or -1. */
int release_stage_remove(const char *site, const char *name, struct err *e);

/* Removes the rest of one whose removal was killed. */
void release_stages_clear(const char *site);

/* --- the disk (sync.c) ---------------------------------------------------- */

/*
 * All that was written to the file system of a directory, names and bytes; and
 * only the names in it.  0 or -1: what follows may say that it is there.
 */
int release_sync(const char *path, struct err *e);
int release_sync_names(const char *path, struct err *e);

/* --- one release (record.c) ----------------------------------------------- */

struct release {
	uint32_t number;
	char commit[RELEASE_COMMIT_SIZE];
	char author[RELEASE_TEXT_SIZE];
	char subject[RELEASE_TEXT_SIZE]; /* of the commit's message */
	char changed[RELEASE_TEXT_SIZE]; /* "hello, orders; 3 files" */
	int64_t time_ms;		 /* when it was made */
};

/* Writes DIR/release.json, not synced; reads that of a number.  0 or -1. */
int release_write(const struct release *r, const char *dir, struct err *e);
int release_read(
    const char *site, uint32_t number, struct release *r, struct err *e);

/*
 * The numbers of all releases, ascending, in an array to free().  0, or -1
 * with the error set.
 */
int release_list(
    const char *site, uint32_t **numbers, size_t *n, struct err *e);

/* --- what is live (live.c) ------------------------------------------------ */

/* The live release's number, 0 if none is yet; -1 with the error set. */
int64_t release_live(const char *site, struct err *e);

/* Makes a release live, durably, by one rename. 0 or -1. */
int release_switch(const char *site, uint32_t number, struct err *e);

/* What was live before, and since when it isn't; 0 if nothing was. */
int64_t release_left(const char *site, time_t *since);

/* --- what waits for its ref (prepared.c, gitref.c, settle.c) -------------- */

struct prepared {
	uint32_t number; /* 0: the ref is deleted, and the stage goes */
	char ref[RELEASE_NAME_SIZE]; /* "refs/heads/main" */
	char old[RELEASE_COMMIT_SIZE], commit[RELEASE_COMMIT_SIZE];
	pid_t pid;	  /* of git's process that moves the ref */
	uint64_t started; /* when that was started, as /proc says */
};

/*
 * Writes, reads, removes SITE/deploy/prepared, durably.  ENOENT: nothing
 * waits.
 */
int prepared_write(const struct prepared *p, const char *site, struct err *e);
int prepared_read(struct prepared *p, const char *site, struct err *e);
int prepared_remove(const char *site, struct err *e);

/* When a process was started, in the kernel's ticks; 0 if it is gone. */
uint64_t prepared_started(pid_t pid);

/* True while the process that is to move the ref runs. */
bool prepared_is_pending(const struct prepared *p);

/*
 * The commit that a ref stands at, from the repository's files.  1 and the
 * commit; 0 if there is no such ref; -1 with the error set.
 */
int release_ref(const char *repository, const char *ref,
    char commit[RELEASE_COMMIT_SIZE], struct err *e);

/*
 * Removes what a git that has ended in midst of moving a ref left locked: any
 * other would be refused.  0 or -1.
 */
int release_ref_unlock(const char *repository, const char *ref, struct err *e);

enum settled {
	SETTLE_FAILED = -1,
	SETTLE_NOTHING, /* nothing waits */
	SETTLE_PENDING, /* git has not decided yet */
	SETTLE_LIVE,	/* what waited is live now */
	SETTLE_DROPPED, /* git refused it: removed */
	SETTLE_LEFT	/* the branch is deleted: the stage leaves */
};

/*
 * With the lock held: makes what waits live if its ref has moved there, or
 * removes it if it never will.  `p` is told what it was.  While git runs, only
 * a hook of its own does so: others find it pending.
 */
enum settled release_settle(
    const struct release_site *s, struct prepared *p, struct err *e);

/*
 * The same at a gateway's start: takes the lock, and leaves it all to a push
 * that has it.  A directory that is no deployed site is fine.  0 or -1.
 */
int release_reconcile(const char *site, struct err *e);

/* --- keeping and removing (trim.c) ---------------------------------------- */

/*
 * With the lock held: removes all but the newest `keep`, the live one, the one
 * that was live until a minute ago (somebody may be about to hold it), and
 * those that are held (hold.h); and what an interrupted removal left.  Gives
 * how many it removed.
 */
int release_trim(const struct release_site *s);

/* Removes a release that nobody runs: whole, or not at all.  0 or -1. */
int release_remove(const char *site, uint32_t number, struct err *e);

/* Bytes on disk of a directory; a file that has several names counts once. */
uint64_t release_disk_bytes(const char *directory);

#endif
