/*
 * One program run confined as functions are (fcgi/launch), with a limit of
 * time and memory, and gone with all that it started when it ends.
 */
#ifndef DEPLOY_CONFINE_H
#define DEPLOY_CONFINE_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct confine {
	const char *program; /* absolute */
	char *const *argv, *const *envp;
	const char *directory; /* where it works; it may run things */
	const char *scratch;   /* the same, and write */
	const char *const *read_paths, *const *write_paths;
	size_t nread, nwrite;
	uid_t owner;   /* confine_owner's */
	bool required; /* not without isolation of files */
	int limit_s;
	int limit_mb; /* of one process; all of them twice that */
};

/*
 * The uid that the site's builds run as: one of its own under root, which
 * never builds itself; else 0, our own.  0 or -1.
 */
int confine_owner(const char *site, uid_t *owner, struct err *e);

/*
 * Runs it, its output passed on to the pusher as it comes.  0 and its wait
 * status; or -1 with the error: it could not be started, or passed a limit.
 */
int confine_run(const struct confine *c, int *status, struct err *e);

#endif
