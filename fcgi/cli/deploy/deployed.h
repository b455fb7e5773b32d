/*
 * What the commands for a deployed site begin with.
 */
#ifndef CLI_DEPLOYED_H
#define CLI_DEPLOYED_H

#include "fcgi/cli/cli.h"
#include "fcgi/release/release.h"

/*
 * Finds the site, which has to be one that is deployed by git push, and makes
 * live what a push that was killed left to do.  CLI_OK, or another exit code
 * with everything said.
 */
int deployed_open(const struct cli *c, struct release_site *s);

#endif
