/*
 * A commit's tree -> files, of which nothing leads out.
 */
#ifndef DEPLOY_CHECKOUT_H
#define DEPLOY_CHECKOUT_H

#include "store/base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct git_repository;

struct checkout {
	size_t files;
	uint64_t bytes;
};

/*
 * Makes `dir`, which must not be there, and the commit's tree in it: files
 * 0644 or 0755, directories 0755, links that stay inside and lead to
 * something.  All of it is given to `owner` (0: left the caller's).
 * Refused: submodules, names that git or a shell could take for something
 * else (.git, control bytes), what passes the limits of deploy.h.  0; or -1
 * with the error, and what was made so far is left.
 */
int checkout_tree(struct git_repository *repo, const char *commit,
    const char *dir, uid_t owner, struct checkout *out, struct err *e);

/* Why a file can't be called so, or NULL. */
const char *checkout_misnamed(const char *name);

#endif
