/*
 * The smoke requests of a push: deploy.smoke of deploy.yaml.
 */
#ifndef CLI_SMOKE_H
#define CLI_SMOKE_H

#include "store/base/err.h"

/*
 * Sends them to the release that lies in `release_dir` and is not live, and
 * tells the pusher of each, and of one that fails what it replied and logged.
 * In front of them, the process forgets git's environment.
 * 0; or -1 with the error.
 */
int smoke_run(const char *site, const char *release_dir, struct err *e);

#endif
