/*
 * What the parts of the history share: the repository's handles, its objects
 * read raw, its refs written so that they last.
 */
#ifndef HISTORY_HISTORY_INTERNAL_H
#define HISTORY_HISTORY_INTERNAL_H

#include "history.h"
#include "pack_write.h"

#include <git2.h>
#include <pthread.h>
#include <stdatomic.h>

#define HISTORY_MAIN "refs/heads/main"
#define HISTORY_TAGS "refs/tags/"
#define HISTORY_HELD "refs/bothy/held/"

/* Who makes our commits. */
#define HISTORY_WHO "bothy"
#define HISTORY_MAIL "bothy@localhost"

/* A handle of the repository; nobody shares one between threads. */
struct history_view {
	struct history *h;
	git_repository *repo;
	git_odb *odb;
};

/* A commit, taken apart. */
struct history_raw {
	git_oid id, tree, parent;
	bool has_parent;
	struct history_commit public;	/* position 0: it has no trailer */
};

enum { HISTORY_SAMPLES = 25 };

/*
 * Invariants:
 *   1. A view of `packs` held for reading may find any object: packs are
 *      removed by who holds it for writing only.
 *   2. `tip` is main's, as of the last call of the checkpoint's thread; it is
 *      read and written under `mutex`, as are the figures.
 */
struct history {
	char *path;			/* of history.git */
	atomic_bool hurried;
	bool read_only;
	int dir_fd, pack_fd;
	struct history_view own;	/* the checkpoint thread's */
	pthread_rwlock_t packs;
	pthread_mutex_t mutex;
	bool has_tip;
	struct history_raw tip;
	struct {
		int64_t hour;
		uint64_t bytes;
	} samples[HISTORY_SAMPLES];	/* bytes of packs at full hours */
	uint64_t pack_bytes;		/* now */
	int64_t commits;		/* of main; -1: not counted yet */
	int64_t first_ms;		/* the oldest of them; 0: none */
	int64_t anew_ms;		/* begun anew then; 0: never */
	unsigned holds;			/* made in this run */

	/* Upkeep (history_tidy.c). */
	int64_t now_ms, looked_ms;	/* this call's time, that of a look */
	unsigned since_tidy;		/* commits since that look */
	bool untidy;			/* there may be more to do */
	struct doomed {
		char name[PACK_NAME_SIZE];
		int64_t since_ms;
	} *doomed;			/* packs that were superseded */
	size_t ndoomed;
};

/* Says libgit2's last error behind the text; always -1. */
int history_git_error(struct err *e, const char *what);

/* --- library and views (history.c) --- */
void history_start_library(void);
int history_view_open(struct history *h, struct history_view *v,
    struct err *e);
void history_view_close(struct history_view *v);

/* The handle of the checkpoint's thread, opened anew: packs have gone. */
int history_reopen(struct history *h, struct err *e);

/* --- objects (history_object.c): here what is hurried ends --- */

/* 0, or -1 with *e (FAULT_ENDED) if it is hurried. */
int history_goes_on(const struct history_view *v, struct err *e);

/* FAULT_NOT_FOUND if there is no such object of this type. */
int history_object(struct history_view *v, const git_oid *id,
    git_object_t type, git_odb_object **out, struct err *e);
int history_read_commit(struct history_view *v, const git_oid *id,
    struct history_raw *out, struct err *e);

/* What a name leads to in one tree: 1, 0 if nowhere, -1 with *e. */
int history_step(struct history_view *v, const git_oid *tree,
    const char *name, size_t len, git_oid *id, bool *dir, struct err *e);

/* The id of what lies at `path` in a tree: 1, 0, -1. "" is the tree. */
int history_lookup(struct history_view *v, const git_oid *tree,
    const char *path, git_oid *id, bool *dir, struct err *e);

/* A commit's bytes, as git wants them. */
int history_commit_bytes(const git_oid *tree, const git_oid *parent,
    int64_t time_s, const char *message, struct buf *out, struct err *e);

void history_id_set(struct history_id *out, const git_oid *id);
int history_id_get(const struct history_id *in, git_oid *id, struct err *e);

/* --- refs (history_ref.c) --- */

/* 1, 0 if there is none, -1 with *e. */
int history_ref_read(struct history_view *v, const char *name, git_oid *id,
    struct err *e);
int history_ref_write(struct history *h, const char *name, const git_oid *id,
    struct err *e);
int history_ref_remove(struct history *h, const char *name, struct err *e);

/* Each ref that begins with `prefix`. `fn` gives 0 to go on. */
typedef int history_ref_fn(void *ctx, const char *name, const git_oid *id);
int history_refs(struct history_view *v, const char *prefix,
    history_ref_fn *fn, void *ctx, struct err *e);

/* --- the rest --- */

/* Makes an empty repository in a directory that is there (history_make.c). */
int history_make(int dir_fd, struct err *e);

/* git's settings of it (history_hooks.c). */
extern const char history_config[];

/* Clears away what a crash left (history_make.c). */
int history_clear(struct history *h, struct err *e);

/* Reads main's tip into h->tip. */
int history_tip_read(struct history *h, struct err *e);
void history_tip_set(struct history *h, const struct history_raw *tip);

/* The bytes of packs as they grew or shrank, for history_stat. */
void history_count_bytes(struct history *h, int64_t delta);

/* Weighs the packs that are there. */
int history_weigh(struct history *h, struct err *e);

/* The same at the start: the growth of the last day is told by the packs. */
int history_recall(struct history *h, struct err *e);

/* Reads when it was begun anew, into h->anew_ms (history_make.c). */
int history_read_anew(struct history *h, struct err *e);

#endif
