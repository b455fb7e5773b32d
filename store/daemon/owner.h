/*
 * Whose the store is: the daemon works only as the owner of its directory.
 */
#ifndef DAEMON_OWNER_H
#define DAEMON_OWNER_H

#include "store/base/err.h"

/*
 * Root becomes the owner of `dir`; anybody else must be it.  A directory that
 * isn't there will be ours.  0, or -1 and *e.
 */
int owner_become(const char *dir, struct err *e);

#endif
