/*
 * What a function reaches of the site's store, for `bothy invoke`: as the
 * gateway gives it to a request, a socket and a token for this one alone.
 */
#ifndef CLI_REACH_H
#define CLI_REACH_H

#include "envlist.h"
#include "place.h"

#include "fcgi/conf/conf.h"
#include "store/base/err.h"

/*
 * Sees to it that the store runs with the tables of the snapshot, by its id in
 * the state directory, and sets the variables; nothing for a function without
 * grants.  With `patient` the token has no end, for who looks on with a
 * debugger.  0, or -1 with the error.
 */
int reach_store(const struct place *p, const char *snapshot,
    const struct conf_function *fn, bool patient, struct envlist *env,
    struct err *e);

/*
 * The same for a smoke request: it may read what the function may, and write
 * nothing.  `state` is the site's state directory; the store runs already, and
 * is not changed.  `release` is for the store's messages.
 */
int reach_reading(const char *state, const char *release,
    const struct conf_function *fn, struct envlist *env, struct err *e);

#endif
