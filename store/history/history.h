/*
 * The store's memory: history.git, a bare git repository whose branch `main`
 * has one commit a checkpoint.  A commit's tree is the data/ directory at a
 * position of the journal, so that a clone is a full export.
 *
 * What a call says it has made lasts when the call returns: pack, index and
 * directory are synced before the branch, the branch before the call ends.
 *
 * Threads: history_commit, history_tidy, history_forget, the tags and the
 * holds belong to one thread, the checkpoint's (and to others only while that
 * one is in none of them); all that reads, and history_push, may be called
 * from any thread at any time.  No callback may call back in here with a call
 * of the checkpoint's.
 *
 * A commit's id is not for keeping: thinning rewrites the chain behind it.
 * What lasts is its position, its tag, and what is held (history_hold).
 */
#ifndef HISTORY_HISTORY_H
#define HISTORY_HISTORY_H

#include "store/base/buf.h"
#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HISTORY_ID_SIZE = 41,		/* 40 of 0-9a-f and '\0' */
	HISTORY_PATH_MAX = 1024,	/* bytes of a path below data/ */
	HISTORY_DEPTH_MAX = 8,		/* names in one */
	HISTORY_TAG_MAX = 100,		/* bytes of a tag's name */
	HISTORY_NOTE_MAX = 1000		/* bytes of a commit's note */
};

/* The object id of a commit; "" for none, which stands for an empty tree. */
struct history_id {
	char hex[HISTORY_ID_SIZE];
};

struct history;

/*
 * Opens `store_dir`/history.git, made if it isn't there; `store_dir` is
 * locked by the caller.  What a crash left half done is cleared away.
 * `read_only`: nothing is made, cleared or written by any later call.
 * NULL with *e.
 */
struct history *history_open(const char *store_dir, bool read_only,
    struct err *e);

/*
 * Notes, for as long as the repository is there, that it was begun anew at
 * `now_ms`, because one with all that was before is gone: 0 or -1 with *e.
 */
int history_begun_anew(struct history *h, int64_t now_ms, struct err *e);
void history_close(struct history *h);		/* NULL is fine */

/*
 * While it is on, whatever reads much, upkeep and erasure end soon, with
 * FAULT_ENDED and nothing lost; a checkpoint that is under way may.
 */
void history_hurry(struct history *h, bool on);

/* --- checkpoints ----------------------------------------------------------- */

/*
 * One document as its file is to be.  `path` is below data/
 * ("messages/a1/room.json"), without empty, "." or ".git"-like names; `bytes`
 * NULL: it is gone (fine if it never was).  A path that ends in '/' (bytes
 * NULL): all below it is gone, before the other changes of this commit.
 */
struct history_change {
	const char *path;
	const void *bytes;
	size_t n;
};

/*
 * Gives the next change: 1 with *c (borrowed until the next call), 0 at the
 * end, -1 with *e.  In any order, each path once, but one that is gone may be
 * told so again; in order of the paths (strcmp) it is cheapest.
 */
typedef int history_next(void *ctx, struct history_change *c, struct err *e);

struct history_meta {
	uint64_t position;	/* of the journal; never below the tip's */
	int64_t time_ms;	/* since 1970; never before the tip's is used */
	const char *note;	/* first line ("backup monday"), or NULL */
	bool whole;		/* the changes are all there is: the tree
				   begins empty */
};

struct history_made {
	struct history_id id;
	uint64_t changes, objects;
	uint64_t bytes;		/* by which the packs grew */
};

/*
 * Makes the next commit of main.  Memory is bounded, however many changes.
 * Without a difference to the tip's tree, at the tip's position and without
 * a note, nothing is made and the tip is given.  -1 with *e: the tip is the
 * old one, or (only if the directory's last sync failed) maybe the new one.
 */
int history_commit(struct history *h, history_next *next, void *ctx,
    const struct history_meta *m, struct history_made *made, struct err *e);

struct history_commit {
	struct history_id id;
	uint64_t position;
	int64_t time_ms;	/* whole seconds */
	char subject[200];	/* "messages 3, users 1 gone", or the note */
};

/* Main's tip, from its trailer: 1, 0 before the first commit, -1 with *e. */
int history_tip(struct history *h, struct history_commit *out, struct err *e);

/* --- reading --------------------------------------------------------------- */

/*
 * What a person names: a tag, an id of 4 to 40 digits, "@POSITION" (the newest
 * commit not beyond), a time "2026-11-22T10:00:00Z" or
 * "2026-11-22T10:00:00.123Z" (the newest commit not later), "" for the tip.
 * -1 with *e (FAULT_NOT_FOUND, FAULT_VALIDATION).
 */
int history_resolve(struct history *h, const char *name,
    struct history_commit *out, struct err *e);

/* What a name is, if it is a time or a position. */
bool history_read_time(const char *s, int64_t *time_ms);
bool history_read_position(const char *s, uint64_t *position);

/* The commits of main, newest first.  `fn` gives 0 to go on. */
typedef int history_commit_fn(void *ctx, const struct history_commit *c);
int history_list(struct history *h, history_commit_fn *fn, void *ctx,
    struct err *e);

/*
 * One document is named by the paths that it may have had, for a table's
 * fan-out grows: the first that is there is it.
 */
struct history_paths {
	const char *const *path;
	size_t n;
};

/* Its bytes in a commit, appended: 1, 0 if it isn't there, -1 with *e. */
int history_get(struct history *h, const struct history_id *commit,
    struct history_paths p, struct buf *out, struct err *e);

/*
 * The same for many documents, opened once: NULL with *e.  A reader is one
 * thread's, and while it is there no pack goes away.
 */
struct history_reader;
struct history_reader *history_reader_new(struct history *h, struct err *e);
int history_reader_get(struct history_reader *r,
    const struct history_id *commit, struct history_paths p, struct buf *out,
    struct err *e);
void history_reader_free(struct history_reader *r);

/*
 * All that a commit has, by path, in the order of git's trees, but with a
 * table's own files before its documents.  Only what history_blob_read asks
 * for is read; a blob is good until `fn` returns, which gives 0 to go on, 1 to
 * stop (the call gives 1), -1 with *e.
 */
struct history_blob;
typedef int history_name_fn(void *ctx, const char *path,
    const struct history_blob *b, struct err *e);
int history_names(struct history *h, const struct history_id *commit,
    history_name_fn *fn, void *ctx, struct err *e);
int history_blob_read(const struct history_blob *b, struct buf *out,
    struct err *e);

/* The versions of one document, newest first, each where it came to be. */
struct history_version {
	const struct history_commit *commit;
	const char *path;		/* NULL: gone since this commit */
	const void *bytes;		/* NULL with path */
	size_t n;
};
typedef int history_version_fn(void *ctx, const struct history_version *v);
int history_log(struct history *h, struct history_paths p,
    history_version_fn *fn, void *ctx, struct err *e);

/*
 * The commits in which anything below a directory changed ("": in which
 * anything did), newest first.
 */
int history_touched(struct history *h, const char *path,
    history_commit_fn *fn, void *ctx, struct err *e);

/*
 * For each attribute that the document has now (top-level names of its plain
 * JSON): the commit that gave it its value.  1, 0 if there is no such document
 * now, -1 with *e.
 */
typedef int history_blame_fn(void *ctx, const char *name, size_t n,
    const struct history_commit *c);
int history_blame(struct history *h, struct history_paths p,
    history_blame_fn *fn, void *ctx, struct err *e);

/*
 * What differs between two states, in order of the paths.  A side is a commit
 * ("" for nothing at all) and a path in it: "" for all, "messages" for a
 * table, a document's path for one.  Paths are told relative to it ("" for
 * the one document).  A document that only moved (fan-out) is told twice,
 * gone and new.
 */
struct history_side {
	struct history_id commit;
	const char *path;
};
struct history_delta {
	const char *path;
	const void *old_bytes;		/* NULL: not in `from` */
	size_t old_n;
	const void *new_bytes;		/* NULL: not in `to` */
	size_t new_n;
	const char *unfit;		/* why new_bytes is "", or NULL */
};
/* 0 to go on, 1 to stop (the call gives 1), -1 with *e. */
typedef int history_delta_fn(void *ctx, const struct history_delta *d,
    struct err *e);
int history_diff(struct history *h, const struct history_side *from,
    const struct history_side *to, history_delta_fn *fn, void *ctx,
    struct err *e);

/*
 * The same where `to` is somebody's: what is no file there, or longer than
 * `max_bytes`, is told as unfit and isn't read.
 */
int history_diff_pushed(struct history *h, const struct history_side *from,
    const struct history_side *to, size_t max_bytes, history_delta_fn *fn,
    void *ctx, struct err *e);

/* --- tags and holds ---------------------------------------------------------- */

/*
 * A backup is a tag (1 to HISTORY_TAG_MAX of A-Za-z0-9._-, beginning with a
 * letter or digit and no id, position or time).  Its commit is never thinned.
 * FAULT_IN_USE if the name is taken, FAULT_NOT_FOUND if it isn't there.
 */
int history_tag(struct history *h, const char *name,
    const struct history_id *commit, struct err *e);
int history_untag(struct history *h, const char *name, struct err *e);

typedef int history_tag_fn(void *ctx, const char *name,
    const struct history_commit *c);
int history_tags(struct history *h, history_tag_fn *fn, void *ctx,
    struct err *e);

/*
 * Holds a state for as long as a restore from it isn't done: a commit of its
 * own, whose id stays good until history_release.  Thinning waits meanwhile.
 */
int history_hold(struct history *h, const struct history_id *commit,
    struct history_id *held, struct err *e);
int history_release(struct history *h, const struct history_id *held,
    struct err *e);

/* --- pushes ------------------------------------------------------------------ */

/*
 * Sets git's settings, and hooks that run {program, "store", "--dir", STORE,
 * "receive", HOOK} for each push: "pre-receive" with the refs on stdin, then
 * "proc-receive" (githooks(5)), which alone says what becomes of it.  `program`
 * is a path.
 */
int history_hooks(struct history *h, const char *program, struct err *e);

/*
 * The commit of ours that a pushed one was made from, to which it is to be
 * compared (history_diff_pushed): the newest that it goes back to, id "" if it
 * was made from nothing.  0; -1 with *e (FAULT_NOT_FOUND, FAULT_LIMIT).
 */
int history_pushed(struct history *h, const struct history_id *tip,
    struct history_commit *base, struct err *e);

/* It was merged or refused: its objects go.  For the checkpoint's thread. */
int history_pushed_done(struct history *h, const struct history_id *tip,
    struct err *e);

/* --- upkeep ------------------------------------------------------------------ */

/*
 * Older commits give way to fewer: within the newest `all_ms` every commit
 * stays, then one a minute until `minutes_ms`, one an hour until `hours_ms`,
 * then one a day.  0 takes the default: an hour, a day, 31 days.
 * `linger_ms`: how long what was replaced stays on the disk, for mirrors that
 * are pushed to (so that the next push sends the difference only).
 */
struct history_upkeep {
	int64_t now_ms;
	int64_t all_ms, minutes_ms, hours_ms;
	int64_t linger_ms;
	bool keep_all;		/* merge packs, thin nothing */
};

/*
 * One step of upkeep, if one is due: packs are merged, a span is thinned, what
 * nothing reaches is dropped.  Call it between checkpoints; 1 if it did
 * something (call again), 0 if nothing is due, -1 with *e: nothing is lost.
 */
int history_tidy(struct history *h, const struct history_upkeep *u,
    struct err *e);

struct history_stat {
	uint64_t packs, bytes;		/* of pack and index files */
	uint64_t commits;		/* of main */
	uint64_t day_bytes;		/* by which the packs grew in the last
					   24 h, as far as this run knows or
					   the packs that it found tell */
	int64_t since_ms;		/* its oldest commit; 0: there is none */
	int64_t anew_ms;		/* history_begun_anew; 0: never */
	uint64_t foreign_packs;		/* pushed, or made by git itself */
};
int history_stat(struct history *h, struct history_stat *out, struct err *e);

/* Is told, unless `fn` is NULL, how many of how many objects are done. */
struct history_progress {
	void (*fn)(void *ctx, uint64_t done, uint64_t all);
	void *ctx;
};

/*
 * Erasure: rewrites main and the tags so that the documents at these paths
 * were never there, and removes every pack that holds them.  Ids of commits
 * since then change.  FAULT_BUSY while something is held.  *states: how many
 * had one of them.  All of the history is written anew: its documents are
 * copied as they lie, so that it takes as long as to write so many bytes, and
 * as much room; readers are waited for.  Mirrors are to be pushed to at once.
 */
int history_forget(struct history *h, struct history_paths p,
    struct history_progress progress, uint64_t *states, struct err *e);

/* --- mirrors ----------------------------------------------------------------- */

/*
 * Makes main and the tags of the bare repository at `url` (a path, file://,
 * ssh://, https://) what they are here.  The work is done by a child process,
 * `helper` run as {helper, "history-push", repository, url}, whose main calls
 * history_push_main; it is killed after `timeout_ms`, or (ECANCELED) when
 * `stop_fd` can be read; -1: there is none.  Blocks: call it from a thread of
 * its own.
 */
int history_push(struct history *h, const char *helper, const char *url,
    int timeout_ms, int stop_fd, struct err *e);

/* The child's main: its exit status; the reason goes to stderr, one line. */
int history_push_main(int argc, char **argv);

/*
 * Makes `store_dir`/history.git, which must not be there, from a mirror; *tip
 * tells the point of recovery.  No timeout: it is called by who waits; but
 * `stopped(arg)`, unless it is NULL, is asked while something comes.
 */
int history_clone_from(const char *store_dir, const char *url,
    bool (*stopped)(void *arg), void *arg, struct history_commit *tip,
    struct err *e);

#endif
