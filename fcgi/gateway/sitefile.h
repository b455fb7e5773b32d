/*
 * Which site bothy-fcgi serves: by option, environment, or a file beside it.
 *
 * On a shared host nothing can be passed to a program in the document root,
 * so a copy of it called dispatch.fcgi (or dispatch.cgi, which is a copy of
 * bothy-dispatch or of it) reads `bothy.site` in its own directory:
 *
 *   site=/home/me/site
 *   state=/home/me/site/.bothy
 *   launch=/home/me/bothy/bin/bothy-launch
 *   gateway=/home/me/bothy/bin/bothy-fcgi      for bothy-dispatch alone
 *   resident=60                                seconds; 0: none
 *   stage=prod                                 default: deploy.yaml's
 *   secrets=/home/me/.config/bothy             such hosts pass no HOME
 *
 * What stage= and secrets= say is put into the environment, unless it says so
 * itself: BOTHY_STAGE, BOTHY_SECRETS.
 */
#ifndef GATEWAY_SITEFILE_H
#define GATEWAY_SITEFILE_H

#include "store/base/err.h"

struct sitefile {
	const char *site, *state;	/* absolute when found */
	const char *launcher;		/* NULL: beside this program */
	const char *resident;		/* seconds, digits; NULL: not said */
	const char *stage, *secrets;	/* NULL: not said */
};

/*
 * Completes what options have set; `argv0` is how we were called.  Strings
 * live as long as the process.  0, or -1 with the error set.
 */
int sitefile_find(struct sitefile *s, const char *argv0, struct err *e);

#endif
