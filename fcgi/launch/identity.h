/*
 * A uid of its own for each function, when the launcher runs as root.
 *
 * The uid is chosen from a fixed range by a hash of site and function name,
 * probing on where it is taken, and kept in a file so that it stays.  A
 * launcher that isn't root has no choice: its functions have its own uid.
 *
 * What root's launcher has to see to: the state directory and scratch/ must be
 * searchable by others (0711) with everything else in them 0700, the scratch
 * directory is chowned to the uid (identity_own), and the built binary and
 * the site's files are readable by others; what isn't fails as EACCES.
 */
#ifndef LAUNCH_IDENTITY_H
#define LAUNCH_IDENTITY_H

#include "store/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
	IDENTITY_FIRST = 64100,	/* below it lie uids of Debian packages */
	IDENTITY_LAST = 64999,
	IDENTITY_NAME_MAX = 4096
};

/* True if the caller may take other uids: functions get one each. */
bool identity_needed(void);

/*
 * The uid (and gid) of a function: the one that `file` holds for `site` (its
 * absolute directory) and `function`, else a free one, which is added to
 * `file` (created 0600; lines of "uid site\tfunction").  Several launchers
 * may share one file.  Uids that /etc/passwd names are passed over.  0, or -1
 * and the error.
 */
int identity_find(const char *file, const char *site, const char *function,
    uid_t *uid, struct err *e);

/* Gives the directory `path` to it, mode 0700: 0, or -1 and the error. */
int identity_own(const char *path, uid_t uid, struct err *e);

/*
 * Becomes that uid and gid for good, without supplementary groups: 0, or -1
 * and the error.  `uid` is never 0.
 */
int identity_become(uid_t uid, struct err *e);

#endif
