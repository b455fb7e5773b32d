/*
 * Which branches are stages, and where each is reached: deploy.stages.
 *
 * A rule is a pattern of branches (as feature, or review-*) and an address: a
 * path below the site's, or a host (as *.review.example.org).  One '*' stands
 * for what is not empty and has no slash; in the address it is what it was in
 * the branch.  The first rule that fits holds.
 *
 * Used where pushes are received, by the gateway and by bothy.
 */
#ifndef CONF_STAGES_H
#define CONF_STAGES_H

#include "conf.h"

#include <stdbool.h>

enum {
	STAGES_MAX_RULES = 50,
	STAGES_ADDRESS_SIZE = 256, /* of a path or a host, with its NUL */
	STAGES_BRANCH_SIZE = 101
};

/* What a branch of a stage, a pattern and an address must be, or NULL. */
const char *stages_branch_wrong(const char *branch);
const char *stages_pattern_wrong(const char *pattern);
const char *stages_path_wrong(const char *path);
const char *stages_host_wrong(const char *host);

/* True if the branch fits one of the patterns, which have spaces between. */
bool stages_fits_any(const char *patterns, const char *branch);

/*
 * If the branch fits the pattern: 1, and its address, which begins with a slash
 * if it is a path.  0 if it does not.  -1 with the error: it fits, but makes no
 * address.
 */
int stages_fit(const char *pattern, const char *address, const char *branch,
    char out[STAGES_ADDRESS_SIZE], struct err *e);

/* The same by all rules of a site. */
int stages_find(const struct conf *c, const char *branch,
    char out[STAGES_ADDRESS_SIZE], struct err *e);
int stages_find_in(const struct snapshot *s, const char *branch,
    char out[STAGES_ADDRESS_SIZE], struct err *e);

#endif
