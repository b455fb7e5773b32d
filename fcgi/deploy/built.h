/*
 * What a build left -> the programs of a release.  What ran the build is not
 * trusted: it may have put anything into its cache, and has no way to what is
 * taken here.
 */
#ifndef DEPLOY_BUILT_H
#define DEPLOY_BUILT_H

#include "store/base/err.h"

#include <sys/types.h>

struct built {
	const char *cache;   /* the builder's, that holds build/FUNCTION */
	uid_t owner;	     /* of whom the builder ran as; 0: us */
	const char *release; /* gets bin/FUNCTION */
	const char *live;    /* the site, whose live/bin/FUNCTION may be it */
	char *changed; /* RELEASE_TEXT_SIZE bytes: names of what is not live */
};

/* Takes one function's program: 0, or -1 with the error. */
int built_take(const struct built *b, const char *function, struct err *e);

#endif
