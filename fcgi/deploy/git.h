/*
 * The pushed commit, by libgit2, which git.c, checkout.c and create.c alone of
 * this folder see.
 */
#ifndef DEPLOY_GIT_H
#define DEPLOY_GIT_H

#include "fcgi/release/release.h"
#include "store/base/err.h"

struct git_repository;
struct git_commit;

/* Starts libgit2 without the user's own settings. */
void git_start(void);

/*
 * The repository that git's environment names, with the objects of the push,
 * which are in quarantine (githooks(5), pre-receive).  NULL with the error.
 */
struct git_repository *git_of_push(struct err *e);
void git_close(struct git_repository *repo); /* NULL is fine */

/*
 * The commit of that id, its size looked at before it is read; NULL with the
 * error.  git_commit_free() it.
 */
struct git_commit *git_find(
    struct git_repository *repo, const char *id, struct err *e);

/* Fills in commit, author and subject. 0, or -1 if it is no commit. */
int git_describe(struct git_repository *repo, const char *commit,
    struct release *r, struct err *e);

/*
 * How many files differ between two commits; -1 if the older one is not
 * there.
 */
long git_files_changed(
    struct git_repository *repo, const char *older, const char *newer);

/* libgit2's own words on what went wrong. Always -1. */
int git_fail(struct err *e, const char *what);

#endif
