/*
 * A line that git gives its hooks for a ref: "OLD NEW REF" (githooks(5)).
 */
#ifndef DEPLOY_REFLINE_H
#define DEPLOY_REFLINE_H

#include <stdbool.h>

enum { REFLINE_BYTES = 1024 };

/* Takes it apart, in place, into three words: 0, or -1 if it is none. */
int refline_split(char *line, char **words);

/* True if a commit is none: the ref was not there, or is deleted. */
bool refline_none(const char *commit);

/* The branch that a ref is, in it; NULL if it is another ref. */
const char *refline_branch(const char *ref);

#endif
