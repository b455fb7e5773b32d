/*
 * The programs of a release: functions of `runtime: c`, built confined.
 */
#ifndef DEPLOY_PROGRAMS_H
#define DEPLOY_PROGRAMS_H

#include "deploy.h"

#include "fcgi/conf/conf.h"
#include "store/base/err.h"

struct git_repository;

/* A release that is being made. */
struct making {
	const struct deploy_tools *tools;
	const struct release_site *site;
	struct git_repository *repo;
	const char *commit;
	const char *dir; /* the release's, deploy/next */
	const struct conf *conf;
};

/*
 * Builds what is not in the cache and puts a program of each function into
 * DIR/bin.  `changed` (RELEASE_TEXT_SIZE bytes) gets the names of those that
 * differ from the live release's.  0; or -1 with the error, and the compiler's
 * messages said to the pusher.
 */
int programs_make(const struct making *m, char *changed, struct err *e);

#endif
